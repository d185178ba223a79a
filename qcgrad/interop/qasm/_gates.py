"""Gates by name: those of the standard libraries, users' definitions, and both under modifiers."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from ...errors import ImportRefused
from ...ir.gates import GATES
from ..instructions._angle import Angle
from ..instructions._composite import emit, euler, signature, u3
from ..instructions._instruction import Instruction, controlled, inverse, placed, power
from ._nodes import Expression
from ._scope import Scope
from ._source import Place, QasmError, Source
from ._values import angle, evaluate, integer
from .limits import MAX_GATES

Angles = Sequence["float | Angle"]


# Places of a definition that it remembers.
_MAX_KNOWN = 4096


class Callee(Protocol):
    """What a gate call can name.

    Attributes:
        name: of the gate.
        num_qubits, num_angles: what it takes.
        size: gates that it expands to.
        depth: definitions inside of definitions, 0 for a gate of the library.
        has_reset: whether it resets a qubit, as Qiskit's `initialize` does.
    """

    name: str
    num_qubits: int
    num_angles: int
    size: int
    depth: int
    has_reset: bool

    def emit(self, angles: Angles, wires: Sequence[int]) -> list[Instruction]: ...


class LibraryGate:
    """A gate that is known without a definition; `build` gives its instructions on local wires, None for itself."""

    size, depth = 1, 0

    def __init__(self, name: str, num_qubits: int, num_angles: int, build: Callable | None = None):
        self.name, self.num_qubits, self.num_angles, self._build = name, num_qubits, num_angles, build
        self.has_reset = name == "reset"

    def emit(self, angles: Angles, wires: Sequence[int]) -> list[Instruction]:
        if self._build is None:
            return emit(self.name, angles, wires)
        return placed(self._build(*angles), wires)


class OpaqueGate:
    """A gate that is declared and nowhere defined."""

    size, depth, has_reset = 1, 0, False

    def __init__(self, name: str, num_qubits: int, num_angles: int):
        self.name, self.num_qubits, self.num_angles = name, num_qubits, num_angles

    def emit(self, angles: Angles, wires: Sequence[int]) -> NoReturn:
        raise ImportRefused(f"gate {self.name} is opaque: define it with 'gate {self.name} ... {{ ... }}'")


# OpenQASM 3 and its gate library put other global phases than Qiskit; they show under `ctrl @`.
_VERSION_3 = {
    "U": (1, 3, lambda theta, phi, lam: [*u3(theta, phi, lam), Instruction("gphase", (), theta * 0.5)]),
    "u2": (1, 2, lambda phi, lam: euler(np.pi / 2, phi, lam)),
    "u3": (1, 3, lambda theta, phi, lam: euler(theta, phi, lam)),
    "gphase": (0, 1, None),
}
# OpenQASM 2 has no modifiers, so that no phase of a gate ever shows. u0 waits.
_VERSION_2 = {"U": (1, 3, u3), "u0": (1, 1, lambda gamma: [])}
RESET = LibraryGate("reset", 1, 0, lambda: [Instruction("reset", (0,))])


@lru_cache(maxsize=512)
def library_gate(name: str, version: int) -> LibraryGate | None:
    """The gate of this name that needs no definition."""
    special = (_VERSION_2 if version == 2 else _VERSION_3).get(name)
    if special is not None:
        return LibraryGate(name, *special)
    counts = None if name == "gphase" else signature(name)
    return None if counts is None else LibraryGate(name, *counts)


class BoundCall(NamedTuple):
    """A statement in the body of a gate, with its names resolved: `qubits` are numbers of the gate's own."""

    place: Place
    callee: Any
    arguments: tuple[Expression, ...]
    qubits: tuple[int, ...]
    modifiers: tuple[tuple[str, Expression | None], ...]


class Definition:
    """A user's `gate`."""

    def __init__(
        self,
        name: str,
        parameters: tuple[str, ...],
        num_qubits: int,
        body: tuple[BoundCall, ...],
        scope: Scope,
        source: Source,
    ):
        self.name, self.num_qubits, self.num_angles = name, num_qubits, len(parameters)
        self.size = 1 + sum(_size_within(call, scope) for call in body)
        self.depth = 1 + max((call.callee.depth for call in body), default=0)
        self.has_reset = any(call.callee.has_reset for call in body)
        self._parameters, self._body, self._scope, self._source = parameters, body, scope, source
        self._known: dict[tuple[int, ...], list[tuple[int, ...]]] = {}

    def emit(self, angles: Angles, wires: Sequence[int]) -> list[Instruction]:
        scope = self._scope.child(dict(zip(self._parameters, angles, strict=True)))
        found = []
        for (place, callee, arguments, _, modifiers), on in zip(self._body, self._placed(tuple(wires)), strict=True):
            try:
                values = [angle(a, scope) for a in arguments]
                found += (
                    modified(callee, resolved(modifiers, scope), values, on) if modifiers else callee.emit(values, on)
                )
            except QasmError:
                raise
            except ImportRefused as error:
                raise self._source.error(f"{error} (in gate {self.name})", place) from error
        return found

    def _placed(self, wires):
        """The wires of each call in the body; shared, so that circuits are checked once for all calls."""
        found = self._known.get(wires)
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[wires] = found = [tuple([wires[q] for q in call.qubits]) for call in self._body]
        return found


def resolved(modifiers: Sequence[tuple[str, Expression | None]], scope: Scope) -> list[tuple[str, float]]:
    """Modifiers with the values of their arguments: the number of controls, the exponent, 1 without any."""
    found = []
    for name, argument in modifiers:
        if argument is None:
            found.append((name, 1))
        elif name == "pow":
            exponent = evaluate(argument, scope)
            if isinstance(exponent, (bool, Angle)):
                raise ImportRefused("pow(...) of an input is not supported: multiply the gate's angle instead")
            found.append((name, exponent))
        else:
            count = integer(argument, scope, f"the argument of {name}")
            if count < 1:
                raise ImportRefused(f"{name}({count}): give a positive number of controls")
            found.append((name, count))
    return found


def num_controls(modifiers: Sequence[tuple[str, float]]) -> int:
    """Qubits that the modifiers take before those of the gate."""
    return sum(int(value) for name, value in modifiers if name in ("ctrl", "negctrl"))


def size_of(callee: Callee, modifiers: Sequence[tuple[str, float]]) -> int:
    """Gates that a call expands to, or MAX_GATES + 1 for more."""
    size = callee.size
    for name, value in modifiers:
        # The power of one rotation is a rotation by a multiple.
        grows = name != "pow" or size > 1 or not (callee.name in GATES and GATES[callee.name].has_angle)
        size = min(size * _growth(name, value), MAX_GATES + 1) if grows else size
    return size


def _growth(name, value) -> int:
    """By how much a modifier multiplies gates at most: every control may double them."""
    if name in ("ctrl", "negctrl"):
        # Behind the second control they are sums of Pauli strings, each as dear as a dozen plain gates.
        return (12 if value > 2 else 1) << min(int(value), MAX_GATES.bit_length())
    return max(1, abs(int(value))) if name == "pow" else 1


def _size_within(call, scope):
    try:
        return size_of(call.callee, resolved(call.modifiers, scope))
    except ImportRefused:
        return call.callee.size  # an exponent that is a parameter of the gate; `modified` looks again


def check_counts(callee: Callee, modifiers: Sequence[tuple[str, float]], count_qubits: int, count_angles: int) -> None:
    """Whether a call gives as many qubits and angles as the gate takes.

    Raises:
        ImportRefused: it does not.
    """
    controls = num_controls(modifiers) if modifiers else 0
    if controls > count_qubits:
        raise ImportRefused(f"the modifiers take {controls} control qubits, got {count_qubits} qubits")
    if (count_qubits - controls, count_angles) != (callee.num_qubits, callee.num_angles):
        raise ImportRefused(
            f"gate {callee.name} takes {callee.num_qubits} qubit(s) and {callee.num_angles} angle(s), "
            f"got {count_qubits - controls} and {count_angles}"
        )


def modified(
    callee: Callee, modifiers: Sequence[tuple[str, float]], angles: Angles, wires: Sequence[int]
) -> list[Instruction]:
    """A call under modifiers; the first wires are those of the outermost control."""
    first = num_controls(modifiers)
    found = callee.emit(angles, wires[first:])
    if callee.has_reset:
        raise ImportRefused(f"gate {callee.name} resets qubits: modifiers need a unitary gate")
    for name, value in reversed(modifiers):
        if len(found) > 1 and len(found) * _growth(name, value) > MAX_GATES:
            raise ImportRefused(f"{name}({value}) gives more than {MAX_GATES} gates")
        if name == "inv":
            found = inverse(found)
        elif name == "pow":
            found = power(found, float(value))
        else:
            controls = tuple(wires[first - int(value) : first])
            first -= int(value)
            flips = [Instruction("x", (c,)) for c in controls] if name == "negctrl" else []
            found = [*flips, *controlled(found, controls), *flips]
    return found
