"""PennyLane's operations as instructions, with what depends on the arguments left symbolic."""

from typing import Any

import numpy as np
from jax.core import Tracer

from ..errors import ImportRefused
from ..ir.gates import Unitary
from ..ir.observable import PauliSum
from .angle import Angle, as_angle
from .array_gates import check_entries
from .composite import emit, euler, u3
from .instruction import ZERO, Instruction, controlled, inverse, power

_NAMES = {
    "PauliX": "x",
    "PauliY": "y",
    "PauliZ": "z",
    "Hadamard": "h",
    "S": "s",
    "T": "t",
    "SX": "sx",
    "RX": "rx",
    "RY": "ry",
    "RZ": "rz",
    "PhaseShift": "p",
    "U1": "p",
    "CNOT": "cx",
    "CY": "cy",
    "CZ": "cz",
    "CH": "ch",
    "SWAP": "swap",
    "ISWAP": "iswap",
    "Toffoli": "ccx",
    "CCZ": "ccz",
    "CSWAP": "cswap",
    "CRX": "crx",
    "CRY": "cry",
    "CRZ": "crz",
    "ControlledPhaseShift": "cp",
    "CPhase": "cp",
    "IsingXX": "rxx",
    "IsingYY": "ryy",
    "IsingZZ": "rzz",
}
_IGNORED = ("Identity", "I", "Barrier", "Snapshot")
_REFUSED = {
    "MidMeasureMP": "a mid-circuit measurement: qml.defer_measurements(qnode) may remove it",
    "MidMeasure": "a mid-circuit measurement: qml.defer_measurements(qnode) may remove it",
    "PauliMeasure": "a mid-circuit Pauli measurement",
    "Conditional": "an operation conditioned on a measurement",
    "WireCut": "a wire cut",
}


class Recorder:
    """Collects the angles of a tape. A second pass over the same tape, given the first one, repeats its choices.

    Attributes:
        values: all angles in order.
        dependent: places of those that depend on the arguments; angle k has `Angle(atom=its place there)`.
    """

    def __init__(self, first: "Recorder | None" = None):
        self.first = first
        self.values: list[Any] = []
        self.dependent: list[int] = []
        self.constants: list[np.ndarray] = []

    def angle(self, value) -> Angle:
        """A scalar gate parameter, an `Angle` constant unless it depends on the arguments."""
        if np.ndim(value):
            raise ImportRefused(f"a gate parameter has shape {np.shape(value)}: broadcasting is not supported")
        self.values.append(value)
        place = len(self.values) - 1
        if self.first is None and not isinstance(value, Tracer):
            return as_angle(_real(value))
        self.dependent.append(place)
        return Angle(len(self.dependent) - 1, 1.0, 0.0)

    def constant(self, value, what: str) -> np.ndarray:
        """Numbers that must not depend on the arguments."""
        if self.first is not None:
            self.constants.append(self.first.constants[len(self.constants)])
        elif isinstance(value, Tracer):
            raise ImportRefused(f"{what} depends on the arguments: only angles of gates can be differentiated")
        else:
            self.constants.append(np.asarray(value))
        return self.constants[-1]


def _real(value) -> float:
    number = complex(value)
    if number.imag:
        raise ImportRefused(f"a gate has the complex parameter {value}: angles are real")
    return number.real


def refuse_broadcasting(operations):
    """One error, by name, for parameters with a batch axis."""
    for operation in operations:
        if getattr(operation, "batch_size", None) is not None:
            raise ImportRefused(
                f"{operation.name} on wires {list(operation.wires)} has parameters with a batch axis of "
                f"{operation.batch_size}: broadcasting is not supported, use jax.vmap over qcgrad.estimate"
            )


def walk(operation: Any, wires: dict[Any, int], recorder: Recorder) -> list[Instruction]:
    """One PennyLane operation as instructions on qubit numbers."""
    from pennylane.operation import Channel
    from pennylane.ops import Adjoint, Controlled, Exp, Pow

    name = operation.name
    if name in _IGNORED:
        return []
    if name in _REFUSED or type(operation).__name__ in _REFUSED:
        raise ImportRefused(
            f"{_REFUSED.get(name) or _REFUSED[type(operation).__name__]} is not supported ({operation})"
        )
    if isinstance(operation, Channel):
        raise ImportRefused(f"{name} is a noise channel: only unitary circuits are supported")
    places = tuple(wires[w] for w in operation.wires)
    if name in _NAMES:
        return emit(_NAMES[name], [recorder.angle(v) for v in operation.data], places)
    if name in _SPECIAL:
        return [i.on(places) for i in _SPECIAL[name](operation, recorder)]
    if isinstance(operation, Adjoint):
        return inverse(walk(operation.base, wires, recorder))
    if isinstance(operation, Controlled):
        controls = tuple(wires[w] for w in operation.control_wires)
        values = zip(controls, operation.control_values, strict=True)
        flips = [Instruction("x", (c,)) for c, v in values if not v]
        return [*flips, *controlled(walk(operation.base, wires, recorder), controls), *flips]
    if isinstance(operation, Pow):
        return power(walk(operation.base, wires, recorder), float(recorder.constant(operation.z, "an exponent")))
    if isinstance(operation, Exp) and (found := _exponential(operation, wires, recorder)) is not None:
        return found
    return _decomposed(operation, wires, places, recorder)


def _multi_rz(operation, recorder):
    return _rotation("Z" * len(operation.wires), operation, recorder)


def _rotation(word, operation, recorder):
    return [Instruction("pauli_rot", tuple(range(len(word))), recorder.angle(operation.data[0]), word)]


def _rot(operation, recorder):
    phi, theta, omega = (recorder.angle(v) for v in operation.data)
    return euler(theta, omega, phi)


def _u2(operation, recorder):
    phi, lam = (recorder.angle(v) for v in operation.data)
    return u3(np.pi / 2, phi, lam)


def _xy(operation, recorder):
    angle = recorder.angle(operation.data[0]) * -0.5
    return [Instruction("rxx", (0, 1), angle), Instruction("ryy", (0, 1), angle)]


_SPECIAL = {
    "Rot": _rot,
    "CRot": lambda op, recorder: controlled([i.on((1,)) for i in _rot(op, recorder)], (0,)),
    "U2": _u2,
    "U3": lambda op, recorder: u3(*(recorder.angle(v) for v in op.data)),
    "IsingXY": _xy,
    "MultiRZ": _multi_rz,
    "PauliRot": lambda op, recorder: _rotation(op.hyperparameters["pauli_word"], op, recorder),
    "GlobalPhase": lambda op, recorder: [Instruction("gphase", (), -recorder.angle(op.data[0]))],
}


def _exponential(operation, wires, recorder) -> list[Instruction] | None:
    """exp(c H): Pauli rotations where the terms commute, else one exact evolution; None if H is no Pauli sum."""
    sentence = operation.base.pauli_rep
    if sentence is None or getattr(operation, "num_steps", None) is not None:
        return None
    places = tuple(wires[w] for w in operation.base.wires)
    order = {w: k for k, w in enumerate(operation.base.wires)}
    # Evolution keeps a real time t and means exp(-i t H); Exp keeps the complex coefficient itself.
    is_evolution = type(operation).__name__ == "Evolution"
    time = operation.data[0] if is_evolution else _time_of(operation.coeff)
    words, weights = [], []
    for word, coefficient in sentence.items():
        letters = ["I"] * len(order)
        for label, letter in word.items():
            letters[order[label]] = letter
        words.append("".join(letters))
        weights.append(coefficient)
    if PauliSum([(w, 1.0) for w in words]).is_commuting:
        return [
            Instruction("pauli_rot", places, recorder.angle(_as_real(c) * time) * 2.0, w)
            for w, c in zip(words, weights, strict=True)
        ]
    constants = [_real(recorder.constant(c, "a coefficient of a non-commuting Hamiltonian")) for c in weights]
    hamiltonian = PauliSum(list(zip(words, constants, strict=True)))
    return [Instruction("evolution", places, recorder.angle(time), hamiltonian)]


def _time_of(coefficient):
    """t with coefficient = -i t."""
    import jax.numpy as jnp

    if isinstance(coefficient, Tracer):
        return -jnp.imag(coefficient)
    number = complex(coefficient)
    if number.real:
        raise ImportRefused(f"qml.exp with the coefficient {number}: only imaginary ones give a unitary gate")
    return -number.imag


def _as_real(value):
    if isinstance(value, Tracer):
        return value.real if np.dtype(value.dtype).kind == "c" else value
    return _real(value)


def _decomposed(operation, wires, places, recorder) -> list[Instruction]:
    matrix_like = operation.name in ("QubitUnitary", "DiagonalQubitUnitary")
    if matrix_like and len(places) <= 3:
        matrix = recorder.constant(operation.data[0], f"the matrix of {operation.name}")
        return [Instruction("unitary", places, ZERO, Unitary(np.diag(matrix) if matrix.ndim == 1 else matrix))]
    check_entries(operation.name, places, operation.data)
    if operation.has_decomposition:
        return [i for part in operation.decomposition() for i in walk(part, wires, recorder)]
    if operation.has_matrix and len(places) <= 3 and not any(isinstance(v, Tracer) for v in operation.data):
        return [Instruction("unitary", places, ZERO, Unitary(np.asarray(operation.matrix())))]
    raise ImportRefused(
        f"{operation.name} on wires {list(operation.wires)} has no decomposition into gates: write it as gates"
    )
