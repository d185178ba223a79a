"""Gates with symbolic angles, and their exact controlled, inverse and repeated forms."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...errors import ImportRefused
from ...ir import pauli
from ...ir.adjoint import adjoint
from ...ir.gates import GATES, Gate, MatrixPrimitive, PauliPrimitive, Unitary
from ...ir.observable import PauliSum
from ...ir.strings import walsh_hadamard
from ._angle import Angle, as_angle

ZERO = Angle()
# The widest matrix that a circuit takes.
_MAX_MATRIX_WIRES = 3


class Instruction(NamedTuple):
    """A gate of `qcgrad.Circuit` whose angle is an `Angle`, or a number: the constants of a long program are many.

    The other fields are those of `qcgrad.Gate`.
    A "unitary" may have more wires than its matrix: the ones in front are controls, which `lowered` writes out.
    """

    name: str
    wires: tuple[int, ...]
    angle: Angle | float = ZERO
    detail: Any = None


def placed(instructions: list[Instruction], wires: Sequence[int]) -> list[Instruction]:
    """The same gates with local wire i replaced by wires[i]."""
    return [
        # Most have one wire; written out it takes half the time.
        Instruction(name, (wires[local[0]],) if len(local) == 1 else tuple([wires[w] for w in local]), angle, detail)
        for name, local, angle, detail in instructions
    ]


# Gates that take an angle, constant ones included.
WITH_ANGLE = frozenset(["pauli_rot", "evolution", *(name for name, spec in GATES.items() if spec.has_angle)])

# Controlled forms that have a name of their own. X, Y, Z, S, T carry no phase of their own to lose.
_CONTROLLED = {
    "id": "id",
    "x": "cx",
    "y": "cy",
    "z": "cz",
    "h": "ch",
    "sx": "csx",
    "swap": "cswap",
    "rx": "crx",
    "ry": "cry",
    "rz": "crz",
    "p": "cp",
    "cx": "ccx",
    "cz": "ccz",
    "gphase": "p",
}
_PHASES = {"s": 0.5, "sdg": -0.5, "t": 0.25, "tdg": -0.25}


def controlled(instructions: list[Instruction], controls: tuple[int, ...]) -> list[Instruction]:
    """The gates applied where all `controls` are 1; relative phases are kept, global ones become phase gates."""
    for control in reversed(controls):
        instructions = [c for i in instructions for c in _controlled(i, control)]
    return instructions


def _controlled(instruction: Instruction, control: int) -> list[Instruction]:
    name, wires, angle, detail = instruction
    if name in _PHASES:
        return [Instruction("cp", (control, *wires), Angle(offset=_PHASES[name] * math.pi))]
    if name == "id":
        return [instruction]
    if name in _CONTROLLED:
        return [Instruction(_CONTROLLED[name], (control, *wires), angle)]
    if name == "unitary":
        return [Instruction("unitary", (control, *wires), ZERO, detail)]
    primitives = Gate(name, wires, None, 1.0, 0.0, detail).primitives()
    if any(isinstance(p, MatrixPrimitive) and len(p.wires) > _MAX_MATRIX_WIRES for p in primitives):
        # exp(-i t H) under a control is exp(-i t (1 - Z)/2 H).
        halves = [(letter + word, s * c / 2) for word, c in _terms(detail) for letter, s in (("I", 1), ("Z", -1))]
        return [Instruction("evolution", (control, *wires), angle, PauliSum(halves))]
    found = []
    for primitive in primitives:
        if isinstance(primitive, MatrixPrimitive):
            # Only the diagonal part between V^dagger and V needs the control.
            found.append(Instruction("unitary", primitive.wires, ZERO, Unitary(primitive.matrix)))
        else:
            found.append(_as_evolution(primitive, (control,), angle))
    return found


def _as_evolution(primitive: PauliPrimitive, extra: tuple[int, ...], angle: Angle | float) -> Instruction:
    """exp(-i t Pi (P - kappa)/2), Pi the projector on all controls being 1: commuting terms, any size."""
    controls = (*extra, *primitive.controls)
    wires = (*controls, *primitive.wires)
    words: dict[str, float] = {}
    letters = [(primitive.letters, 0.5)] + ([("I" * len(primitive.wires), -0.5)] if primitive.kappa else [])
    for signs in itertools.product("IZ", repeat=len(controls)):
        weight = (-1) ** signs.count("Z") / 2 ** len(controls)
        for word, c in letters:
            key = "".join(signs) + word
            words[key] = words.get(key, 0.0) + weight * c
    t = angle * primitive.scale + primitive.offset
    return Instruction("evolution", wires, t, PauliSum(words))


def _terms(hamiltonian: PauliSum):
    return zip(hamiltonian.words, hamiltonian.coefficients.tolist(), strict=True)


def lowered(instructions: Sequence[Instruction]) -> list[Instruction]:
    """The same gates, without controls on matrices."""
    return [i for instruction in instructions for i in _lowered(instruction)]


def _lowered(instruction: Instruction) -> list[Instruction]:
    name, wires, _, detail = instruction
    if name != "unitary" or len(wires) == detail.num_wires:
        return [instruction]
    size = len(detail.matrix)
    if len(wires) <= _MAX_MATRIX_WIRES:
        out = np.eye(2 ** len(wires), dtype=np.complex128)
        out[-size:, -size:] = detail.matrix
        return [Instruction("unitary", wires, ZERO, Unitary(out))]
    from scipy.linalg import schur

    # U = V e^{i phases} V^dagger, and only what is in the middle needs the controls. A normal matrix has a diagonal
    # Schur form, with V unitary to rounding also where eigenvalues coincide.
    triangular, vectors = schur(detail.matrix, output="complex")  # pyright: ignore[reportAssignmentType]
    diagonal = np.zeros(2 ** len(wires))
    diagonal[-size:] = np.angle(np.diag(triangular))
    weights = walsh_hadamard(diagonal) / len(diagonal)
    index = np.flatnonzero(np.abs(weights) > 1e-16)
    words = [(pauli.word(0, int(z), len(wires)), -float(weights[z])) for z in index]
    back = Instruction("unitary", wires[-detail.num_wires :], ZERO, Unitary(vectors.conj().T))
    middle = [Instruction("evolution", wires, Angle(offset=1.0), PauliSum(words))] if words else []
    return [back, *middle, back._replace(detail=Unitary(vectors))]


def inverse(instructions: list[Instruction]) -> list[Instruction]:
    """The exact inverse: reversed order, negated angles."""
    return [_inverse(i) for i in reversed(instructions)]


def _inverse(instruction: Instruction) -> Instruction:
    name, wires, angle, detail = instruction
    if name not in GATES and name not in WITH_ANGLE and name != "unitary":
        raise ImportRefused(f"the inverse of gate {name} is not known; write the inverse gate out")
    name, angle, detail = adjoint(name, angle, detail)
    return Instruction(name, wires, angle, detail)


def power(instructions: list[Instruction], exponent: float) -> list[Instruction]:
    """The gates to a power: integer ones always, others for a single fixed rotation or phase.

    Raises:
        ImportRefused: no exact and unambiguous form is known.
    """
    if float(exponent).is_integer():
        base = inverse(instructions) if exponent < 0 else instructions
        if len(base) == 1 and base[0].name in WITH_ANGLE:
            return [base[0]._replace(angle=base[0].angle * abs(exponent))]
        if abs(exponent) > 1000:
            raise ImportRefused(f"pow({exponent:g}): a gate repeated more than 1000 times; write a loop in Python")
        return base * abs(int(exponent))
    if len(instructions) == 1 and as_angle(instructions[0].angle).is_constant and instructions[0].name != "unitary":
        name, wires, angle, detail = instructions[0]
        angle = as_angle(angle)
        primitives = Gate(name, wires, None, 1.0, angle.offset, detail).primitives()
        if len(primitives) == 1 and isinstance(primitives[0], PauliPrimitive):
            t = primitives[0].scale * angle.offset + primitives[0].offset
            # Inside these bounds the principal root has the same eigenphases times the exponent.
            if -math.pi < t <= math.pi or (not primitives[0].kappa and abs(t) < 2 * math.pi):
                fixed = primitives[0]._replace(scale=1.0, offset=0.0)
                return [_as_evolution(fixed, (), Angle(offset=t * exponent))]
    raise ImportRefused(
        f"pow({exponent:g}): a fractional power is supported for one fixed rotation or phase gate only; "
        "write the gate with the angle that you mean"
    )
