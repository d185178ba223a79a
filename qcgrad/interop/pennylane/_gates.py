"""PennyLane's operations as instructions, with what depends on the arguments left symbolic."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jax.core import Tracer

from ...errors import ImportRefused
from ...ir.gates import Unitary
from ...ir.observable import PauliSum
from ..instructions._composite import emit, euler, u3
from ..instructions._instruction import ZERO, Instruction, controlled, inverse, placed, power
from ..instructions.array_gates import check_entries
from ._observables import pauli_terms
from ._recorder import Recorder, real

NAMES = {
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
_NO_GATES = ("Hermitian", "Hamiltonian", "LinearCombination", "Sum", "SProd", "Projector", "SparseHamiltonian")
_REFUSED = {
    "MidMeasureMP": "a mid-circuit measurement: qml.defer_measurements(qnode) may remove it",
    "MidMeasure": "a mid-circuit measurement: qml.defer_measurements(qnode) may remove it",
    "PauliMeasure": "a mid-circuit Pauli measurement",
    "Conditional": "an operation conditioned on a measurement",
    "WireCut": "a wire cut",
}


def refuse_broadcasting(operations: Iterable[Any]) -> None:
    """One error, by name, for parameters with a batch axis."""
    for operation in operations:
        if getattr(operation, "batch_size", None) is not None:
            raise ImportRefused(
                f"{operation.name} on wires {list(operation.wires)} has parameters with a batch axis of "
                f"{operation.batch_size}: broadcasting is not supported, use jax.vmap over qcgrad.estimate, "
                "or pennylane.transforms.broadcast_expand around the QNode"
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
    if name in _NO_GATES or type(operation).__name__ in _NO_GATES:
        raise ImportRefused(
            f"the operator {operation} stands among the QNode's gates, and it is not unitary: PennyLane queues every "
            "operator that is created inside a QNode; create it inside qml.expval(...), or outside of the QNode"
        )
    if isinstance(operation, Channel):
        raise ImportRefused(f"{name} is a noise channel: only unitary circuits are supported")
    places = tuple(wires[w] for w in operation.wires)
    if name in NAMES:
        return emit(NAMES[name], [recorder.angle(v) for v in operation.data], places)
    if name in SPECIAL:
        return placed(SPECIAL[name](operation, recorder), places)
    if isinstance(operation, Adjoint):
        return inverse(walk(operation.base, wires, recorder))
    if isinstance(operation, Controlled):
        controls = tuple(wires[w] for w in operation.control_wires)
        values = zip(controls, operation.control_values, strict=True)
        flips = [Instruction("x", (c,)) for c, v in values if not v]
        return [*flips, *controlled(walk(operation.base, wires, recorder), controls), *flips]
    if isinstance(operation, Pow):
        return _power(operation, wires, recorder)
    if isinstance(operation, Exp) and getattr(operation, "num_steps", None) is None:
        return _exponential(operation, wires, recorder)
    return _decomposed(operation, wires, places, recorder)


def _power(operation, wires, recorder):
    from pennylane.exceptions import PowUndefinedError

    exponent = float(recorder.constant(operation.z, "an exponent"))
    if not exponent.is_integer():
        try:  # what PennyLane itself runs: RX(t)**z is RX(z t), also where that is not the principal root
            parts = operation.base.pow(exponent)
        except PowUndefinedError:
            pass
        else:
            return [i for part in parts for i in walk(part, wires, recorder)]
    return power(walk(operation.base, wires, recorder), exponent)


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


SPECIAL = {
    "Rot": _rot,
    "CRot": lambda op, recorder: controlled(placed(_rot(op, recorder), (1,)), (0,)),
    "U2": _u2,
    "U3": lambda op, recorder: u3(*(recorder.angle(v) for v in op.data)),
    "IsingXY": _xy,
    "MultiRZ": _multi_rz,
    "PauliRot": lambda op, recorder: _rotation(op.hyperparameters["pauli_word"], op, recorder),
    "GlobalPhase": lambda op, recorder: [Instruction("gphase", (), -recorder.angle(op.data[0]))],
}


def _exponential(operation, wires, recorder) -> list[Instruction]:
    """exp(c H) with imaginary c."""
    # Evolution keeps a real time t and means exp(-i t H); Exp keeps the complex coefficient itself.
    is_evolution = type(operation).__name__ == "Evolution"
    time = operation.data[0] if is_evolution else _time_of(operation.coeff)
    return _evolved(pauli_terms(operation.base), time, tuple(wires[w] for w in operation.base.wires), wires, recorder)


def _evolved(terms, time, places, wires, recorder) -> list[Instruction]:
    """exp(-i t H): Pauli rotations where the terms commute, else one exact evolution."""
    words, weights = [], []
    for letters, labels, coefficient in terms:
        at = {wires[label]: letter for label, letter in zip(labels, letters, strict=True)}
        words.append("".join(at.get(place, "I") for place in places))
        weights.append(coefficient)
    if PauliSum([(w, 1.0) for w in words]).is_commuting:
        # A fixed coefficient is a scale, so that the angle is affine in the time itself.
        angles = [
            recorder.angle(_real_part(c) * time) * 2.0
            if isinstance(c, Tracer)
            else recorder.angle(time) * (2.0 * float(_real_part(c)))
            for c in weights
        ]
        return [Instruction("pauli_rot", places, angle, w) for w, angle in zip(words, angles, strict=True)]
    constants = [real(recorder.constant(c, "a coefficient of a non-commuting Hamiltonian")) for c in weights]
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


def _real_part(value):
    if isinstance(value, Tracer):
        return value.real if np.dtype(value.dtype).kind == "c" else value
    return real(value)


def _decomposed(operation, wires, places, recorder) -> list[Instruction]:
    matrix_like = operation.name in ("QubitUnitary", "DiagonalQubitUnitary")
    if matrix_like and len(places) <= 3:
        matrix = recorder.constant(operation.data[0], f"the matrix of {operation.name}")
        return [Instruction("unitary", places, ZERO, Unitary(np.diag(matrix) if matrix.ndim == 1 else matrix))]
    check_entries(operation.name, places, operation.data)
    if operation.has_decomposition:
        return [i for part in operation.decomposition() for i in walk(part, wires, recorder)]
    depends = any(isinstance(v, Tracer) for v in operation.data)
    if operation.has_generator and operation.num_params == 1:
        # By PennyLane's definition the gate is exp(i angle G).
        terms = [(letters, labels, -c) for letters, labels, c in pauli_terms(operation.generator())]
        return _evolved(terms, operation.data[0], places, wires, recorder)
    if operation.has_matrix and len(places) <= 3 and not depends:
        return [Instruction("unitary", places, ZERO, Unitary(np.asarray(operation.matrix())))]
    raise ImportRefused(
        f"{operation.name} on wires {list(operation.wires)} has no decomposition into gates: write it as gates"
    )
