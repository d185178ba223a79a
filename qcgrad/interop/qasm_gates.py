"""Gate calls of OpenQASM: built-in names, user definitions, and modifiers."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ImportRefused
from ..ir.gates import GATES
from .angle import Angle, as_angle
from .composite import emit, euler, signature, u3
from .dense import matrix, phase_between
from .instruction import Instruction, controlled, inverse, power
from .qasm_expressions import QasmError, evaluate, integer

# OpenQASM 3 and its gate library put other global phases than Qiskit; they show under `ctrl @`.
_VERSION_3 = {
    "U": lambda theta, phi, lam: [*u3(theta, phi, lam), Instruction("gphase", (), as_angle(theta) * 0.5)],
    "u2": lambda phi, lam: euler(np.pi / 2, phi, lam),
    "u3": lambda theta, phi, lam: euler(theta, phi, lam),
}
_VERSION_2 = {"U": u3}
# The angles at which a user's gate is compared with the native gate of that name.
_SAMPLES = (0.7390851332151607, -1.8392867552141612, 2.7182818284590451)


@dataclass(frozen=True)
class Definition:
    """A user's `gate`: names resolve as they were where it was defined."""

    name: str
    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: list[Any]
    scope: "Scope"


@dataclass
class Scope:
    """What names mean at some place of the program."""

    source: str
    is_version_2: bool = False
    values: dict[str, Angle] = field(default_factory=dict)
    gates: dict[str, "Definition | Native"] = field(default_factory=dict)

    def copy(self) -> "Scope":
        return Scope(self.source, self.is_version_2, dict(self.values), dict(self.gates))


@dataclass(frozen=True)
class Native:
    """A user's definition of a gate that is native here, up to a constant phase."""

    name: str
    phase: float


def define(node: Any, scope: Scope) -> Definition | Native:
    """Read a `gate` statement; recognises definitions that equal the native gate of that name."""
    names = [p.name for p in node.arguments]
    qubits = [q.name for q in node.qubits]
    if len(set(names)) < len(names) or len(set(qubits)) < len(qubits):
        raise ImportRefused(f"gate {node.name.name} declares a name twice")
    definition = Definition(node.name.name, tuple(names), tuple(qubits), node.body, scope.copy())
    # Expanding once also reports errors in the body where the body stands, called or not.
    sample = [as_angle(s) for s in _SAMPLES]
    bodies = [expand(definition, [s * (k + 1) for k in range(len(names))], range(len(qubits))) for s in sample]
    if definition.name in GATES and signature(definition.name) == (len(qubits), len(names)):
        phases = []
        for s, body in zip(sample, bodies, strict=True):
            native = matrix(emit(definition.name, [s] * len(names), range(len(qubits))), len(qubits))
            phases.append(phase_between(matrix(body, len(qubits)), native))
        if None not in phases and np.ptp(phases) < 1e-12:
            return Native(definition.name, phases[0])
    return definition


def expand(definition: Definition, angles: list[Angle], wires) -> list[Instruction]:
    """The instructions of a user's gate."""
    values = {**definition.scope.values, **dict(zip(definition.parameters, angles, strict=True))}
    scope = Scope(definition.scope.source, definition.scope.is_version_2, values, definition.scope.gates)
    places = dict(zip(definition.qubits, wires, strict=True))
    found = []
    for statement in definition.body:
        with locating(statement, scope.source):
            kind = type(statement).__name__
            if kind == "QuantumBarrier":
                continue
            if kind not in ("QuantumGate", "QuantumPhase"):
                raise ImportRefused(f"a {kind} in the body of gate {definition.name} is not supported")
            found += call(statement, scope, [_local(q, places) for q in statement.qubits])
    return found


def _local(operand, places):
    name = operand.name
    if not isinstance(name, str) or name not in places:
        shown = name if isinstance(name, str) else name.name
        raise ImportRefused(f"qubit {shown!r} is not one of the gate's qubits {', '.join(places)}")
    return places[name]


def call(node: Any, scope: Scope, wires: list[int]) -> list[Instruction]:
    """One gate call or `gphase`, with its modifiers, on given wires."""
    modifiers = [(m.modifier.name, m.argument) for m in node.modifiers]
    counts = [_num_controls(name, argument, scope) for name, argument in modifiers]
    if len(set(wires)) < len(wires):
        raise ImportRefused("a gate call names a qubit twice")
    target = wires[sum(counts) :]
    if sum(counts) > len(wires):
        raise ImportRefused(f"the modifiers take {sum(counts)} control qubits, got {len(wires)} qubits")
    if type(node).__name__ == "QuantumPhase":
        if target:
            raise ImportRefused(f"gphase takes no qubits beyond those of ctrl, got {len(target)}")
        found = [Instruction("gphase", (), evaluate(node.argument, scope.values, scope.is_version_2))]
    else:
        if getattr(node, "duration", None) is not None:
            raise ImportRefused("a gate with a duration is not supported; remove the [duration]")
        arguments = [evaluate(a, scope.values, scope.is_version_2) for a in node.arguments]
        found = _resolve(node.name.name, arguments, target, scope)
    first = sum(counts)
    for (name, argument), count in zip(reversed(modifiers), reversed(counts), strict=True):
        first -= count
        found = _modified(name, argument, tuple(wires[first : first + count]), found, scope)
    return found


def _num_controls(name, argument, scope):
    if name not in ("ctrl", "negctrl"):
        return 0
    count = 1 if argument is None else integer(argument, scope.values, f"the argument of {name}")
    if count < 1:
        raise ImportRefused(f"{name}({count}): give a positive number of controls")
    return count


def _modified(name, argument, controls, instructions, scope):
    if name == "inv":
        return inverse(instructions)
    if name == "pow":
        exponent = evaluate(argument, scope.values, scope.is_version_2)
        if not exponent.is_constant:
            raise ImportRefused("pow(...) of an input is not supported: multiply the gate's angle instead")
        return power(instructions, exponent.offset)
    flips = [Instruction("x", (c,)) for c in controls] if name == "negctrl" else []
    return [*flips, *controlled(instructions, controls), *flips]


def _resolve(name, arguments, wires, scope) -> list[Instruction]:
    found = scope.gates.get(name)
    special = (_VERSION_2 if scope.is_version_2 else _VERSION_3).get(name)
    if isinstance(found, Definition):
        counts = len(found.qubits), len(found.parameters)
    elif special is not None:
        counts = 1, special.__code__.co_argcount
    else:
        counts = signature(name)
    if counts is None or name == "gphase":
        raise ImportRefused(f"gate {name!r} is not defined; define it with 'gate {name} ... {{ ... }}'")
    if (len(wires), len(arguments)) != counts:
        raise ImportRefused(
            f"gate {name} takes {counts[0]} qubit(s) and {counts[1]} angle(s), got {len(wires)} and {len(arguments)}"
        )
    if isinstance(found, Definition):
        return expand(found, arguments, wires)
    if isinstance(found, Native):
        phase = [Instruction("gphase", (), as_angle(found.phase))] if found.phase else []
        return [*emit(name, arguments, wires), *phase]
    if special is not None:
        return [i.on(wires) for i in special(*arguments)]
    return emit(name, arguments, wires)


@contextlib.contextmanager
def locating(node: Any, source: str):
    """Whatever is refused inside is reported with the place of `node`."""
    try:
        yield
    except QasmError:
        raise
    except ValueError as error:  # ImportRefused, and what the circuit itself refuses
        span = getattr(node, "span", None)
        line, column = (span.start_line, span.start_column + 1) if span else (None, None)
        raise QasmError(str(error), source, line, column) from error
