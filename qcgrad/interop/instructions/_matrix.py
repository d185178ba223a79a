"""Dense matrices of a few instructions, to decide whether two small gates are the same."""

import numpy as np
from jaxtyping import Complex

from ...ir.gates import Gate, MatrixPrimitive
from ...ir.observable import PauliSum
from ._angle import as_angle
from ._instruction import WITH_ANGLE, Instruction, lowered


def matrix(instructions: list[Instruction], num_wires: int) -> Complex[np.ndarray, "2**n 2**n"]:
    """The unitary of instructions with constant angles; wire 0 is the most significant bit."""
    out = np.eye(2**num_wires, dtype=np.complex128)
    for name, wires, angle, detail in lowered(instructions):
        constant = as_angle(angle).offset if name in WITH_ANGLE else 0.0
        for primitive in Gate(name, wires, None, 1.0, 0.0, detail).primitives():
            out = _primitive(primitive, constant, num_wires) @ out
    return out


def _primitive(primitive, angle, num_wires):
    if isinstance(primitive, MatrixPrimitive):
        return _placed(primitive.matrix, primitive.wires, num_wires)
    t = primitive.scale * angle + primitive.offset
    letters = dict(zip(primitive.wires, primitive.letters, strict=True))
    word = "".join(letters.get(w, "I") for w in range(num_wires))
    identity = np.eye(2**num_wires)
    rotation = np.cos(t / 2) * identity - 1j * np.sin(t / 2) * PauliSum({word: 1.0}).matrix()
    rotation = rotation * np.exp(0.5j * primitive.kappa * t)
    active = np.ones(2**num_wires)
    for control in primitive.controls:
        active = active * (np.arange(2**num_wires) >> (num_wires - 1 - control) & 1)
    return np.where(active[:, None] > 0, rotation, identity)


def _placed(small, wires, num_wires):
    rest = [w for w in range(num_wires) if w not in wires]
    full = np.kron(small, np.eye(2 ** len(rest))).reshape((2,) * (2 * num_wires))
    order = np.argsort([*wires, *rest])
    return full.transpose([*order, *(order + num_wires)]).reshape(2**num_wires, 2**num_wires)


def phase_between(first: Complex[np.ndarray, "d d"], second: Complex[np.ndarray, "d d"]) -> float | None:
    """phi with first = e^{i phi} second, or None where the two differ by more."""
    overlap = np.vdot(second, first) / len(first)
    if np.abs(first - overlap * second).max() > 1e-12 or abs(abs(overlap) - 1) > 1e-12:
        return None
    return float(np.angle(overlap))
