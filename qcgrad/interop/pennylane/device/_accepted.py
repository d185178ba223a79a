"""Which operations and measurements run as they are, and which of them have derivatives by the adjoint method."""

from typing import Any

from pennylane import math, measurements
from pennylane.operation import Channel, Operator, StatePrepBase
from pennylane.ops import Adjoint, CompositeOp, Conditional, Controlled, Exp, MidMeasure, Pow, SymbolicOp

from .._gates import NAMES, SPECIAL
from .._observables import MAX_DENSE_WIRES, MAX_PROBS_WIRES
from ._lowering import keeps_parameters
from ._program import has_pauli_form

_NOTHING = frozenset(["Identity", "Barrier", "Snapshot"])
_MATRICES = frozenset(["QubitUnitary", "DiagonalQubitUnitary"])
_MAX_MATRIX_WIRES = 3
_GATES = frozenset([*NAMES, *SPECIAL, *_NOTHING])
GATE_SET = _GATES | {f"Adjoint({name})" for name in _GATES} | {f"C({name})" for name in _GATES} | _MATRICES


def accepts(operation: Operator) -> bool:
    """Whether an operation of plain numbers needs no decomposition."""
    if keeps_parameters(operation) or operation.name in _NOTHING:
        return True
    if operation.name in _MATRICES:
        return len(operation.wires) <= _MAX_MATRIX_WIRES
    if isinstance(operation, (Adjoint, Controlled)):
        return accepts(operation.base)
    if isinstance(operation, (Channel, MidMeasure, Conditional)) or operation.has_decomposition:
        return False
    if isinstance(operation, Exp):
        return operation.base.pauli_rep is not None and not math.real(operation.coeff)
    if isinstance(operation, Pow):
        return False
    return operation.has_matrix and len(operation.wires) <= _MAX_MATRIX_WIRES


def accepts_with_derivative(operation: Operator) -> bool:
    """The same where derivatives by the trainable numbers are wanted."""
    return keeps_parameters(operation) or (accepts(operation) and not is_trainable(operation))


def is_trainable(operation: Operator) -> bool:
    """Whether someone differentiates by a number of an operation."""
    return any(math.requires_grad(number) for number in operation.data)


def is_analytic(measurement: measurements.MeasurementProcess) -> bool:
    """Whether a measurement has an exact result."""
    if not isinstance(measurement, measurements.StateMeasurement):
        return False
    return measurement.obs is None or _has_value(measurement.obs, isinstance(measurement, measurements.ExpectationMP))


def _has_value(observable, is_mean: bool) -> bool:
    if observable.pauli_rep is not None:
        return True
    if isinstance(observable, CompositeOp):
        return all(_has_value(part, is_mean) for part in observable.operands)
    if isinstance(observable, SymbolicOp):
        return _has_value(observable.base, is_mean)
    return observable.has_diagonalizing_gates or (is_mean and (observable.has_matrix or observable.has_sparse_matrix))


def is_sampled(measurement: measurements.MeasurementProcess) -> bool:
    """Whether a measurement is a function of outcomes."""
    kinds = (measurements.SampleMeasurement, measurements.ClassicalShadowMP, measurements.ShadowExpvalMP)
    if not isinstance(measurement, kinds):
        return False
    observable: Any = measurement.obs
    if observable is None or (isinstance(measurement, measurements.ExpectationMP) and has_pauli_form(observable)):
        return True
    return observable.has_diagonalizing_gates


def has_derivative(measurement: measurements.MeasurementProcess, num_wires: int) -> bool:
    """Whether the adjoint method differentiates a measurement: what follows from expectation values of Pauli sums.

    Args:
        measurement: one of a tape's.
        num_wires: that are measured where it names none.
    """
    observable: Any = measurement.obs
    if isinstance(measurement, measurements.ProbabilityMP):
        is_plain = observable is None and measurement.mv is None
        return is_plain and (len(measurement.wires) or num_wires) <= MAX_PROBS_WIRES
    if not isinstance(measurement, (measurements.ExpectationMP, measurements.VarianceMP)) or observable is None:
        return False
    if has_pauli_form(observable):
        return not is_trainable(observable)
    return observable.has_matrix and len(observable.wires) <= MAX_DENSE_WIRES and not is_trainable(observable)


def is_differentiated(tape: Any) -> bool:
    """Whether the adjoint method differentiates a tape as the user wrote it."""
    if tape.shots or not all(has_derivative(m, len(tape.wires)) for m in tape.measurements):
        return False
    return not any(_is_lost(operation) for operation in tape.operations if operation.name not in NAMES)


def _is_lost(operation) -> bool:
    if keeps_parameters(operation) or not is_trainable(operation):
        return False
    if isinstance(operation, Exp) and operation.base.pauli_rep is not None:
        return False
    return isinstance(operation, StatePrepBase) or not operation.has_decomposition
