"""What a tape becomes before it is executed: gates that have a form here, and one clear error for all else."""

from collections.abc import Callable
from typing import Any

from pennylane import math, measurements, transforms
from pennylane.devices import ExecutionConfig
from pennylane.devices import preprocess as steps
from pennylane.exceptions import DeviceError
from pennylane.operation import Channel, Operator, StatePrepBase
from pennylane.ops import (
    Adjoint,
    CompositeOp,
    Conditional,
    Controlled,
    Exp,
    GlobalPhase,
    MidMeasure,
    PauliRot,
    Pow,
    QubitUnitary,
    SymbolicOp,
)
from pennylane.transforms import transform
from pennylane.transforms.core import CompilePipeline

from .._gates import NAMES, SPECIAL
from .._observables import MAX_DENSE_WIRES, MAX_PROBS_WIRES
from ._lowering import keeps_parameters
from ._program import has_pauli_form, is_read_off

_NOTHING = frozenset(["Identity", "Barrier", "Snapshot"])
_MATRICES = frozenset(["QubitUnitary", "DiagonalQubitUnitary"])
_MAX_MATRIX_WIRES = 3
_GATES = frozenset([*NAMES, *SPECIAL, *_NOTHING])
GATE_SET = _GATES | {f"Adjoint({name})" for name in _GATES} | {f"C({name})" for name in _GATES} | _MATRICES


def pipeline(config: ExecutionConfig, wires: Any, name: str) -> CompilePipeline:
    """PennyLane's own steps, with what this device takes."""
    differentiates = config.gradient_method in ("adjoint", "backprop")
    found = CompilePipeline()
    found.add_transform(refuse_postselection, name=name)
    found.add_transform(transforms.defer_measurements, allow_postselect=False)
    found.add_transform(split_evolutions)
    found.add_transform(
        steps.decompose,
        stopping_condition=accepts_with_derivative if differentiates else accepts,
        skip_initial_state_prep=False,
        device_wires=wires,
        target_gates=GATE_SET,
        name=name,
    )
    found.add_transform(steps.device_resolve_dynamic_wires, wires=wires, allow_resets=False)
    found.add_transform(steps.validate_device_wires, wires, name=name)
    found.add_transform(
        steps.validate_measurements, analytic_measurements=is_analytic, sample_measurements=is_sampled, name=name
    )
    if differentiates:
        found.add_transform(steps.no_sampling, name=f"{config.gradient_method} + {name}")
        found.add_transform(refuse_trainable_observables, name=name)
    found.add_transform(expand_batches, differentiates=config.gradient_method == "adjoint")
    return found


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


def _unchanged(results):
    return results[0]


@transform
def refuse_postselection(tape: Any, name: str = "device") -> tuple[Any, Callable]:
    """One clear error for what deferring measurements cannot express without a state that is not normalised."""
    for operation in tape.operations:
        if isinstance(operation, MidMeasure) and operation.postselect is not None:
            raise DeviceError(
                f"qml.measure(..., postselect={operation.postselect}) is not supported on {name}, which defers "
                "measurements to the end of a unitary circuit: drop samples yourself, or use default.qubit"
            )
    return (tape,), _unchanged


@transform
def split_evolutions(tape: Any) -> tuple[Any, Callable]:
    """Evolutions under commuting Pauli words as rotations, exactly.

    PennyLane splits those under one word only, and cannot give the others new parameters if the operator has numbers.
    """
    if not any(isinstance(operation, Exp) for operation in tape.operations):
        return (tape,), _unchanged
    operations = [part for operation in tape.operations for part in _rotations(operation)]
    return (tape.copy(operations=operations),), _unchanged


def _rotations(operation) -> list[Operator]:
    sentence = operation.base.pauli_rep if isinstance(operation, Exp) else None
    if sentence is None or getattr(operation, "num_steps", None) is not None:
        return [operation]
    coefficient = operation.coeff
    if not math.is_abstract(coefficient) and math.real(coefficient):
        return [operation]
    words = list(sentence)
    if not all(a.commutes_with(b) for k, a in enumerate(words) for b in words[:k]):
        return _whole_evolution(operation)
    # exp(c P) = exp(-i (2 i c) P / 2)
    found = []
    for word, weight in sentence.items():
        angle = -2 * math.imag(coefficient) * math.real(weight)
        found.append(PauliRot(angle, "".join(word.values()), list(word)) if len(word) else GlobalPhase(angle / 2))
    return found


def _whole_evolution(operation) -> list[Operator]:
    """An evolution under words that do not commute: kept where its operator has no numbers of its own."""
    if not operation.base.data:
        return [operation]
    if is_trainable(operation):
        raise DeviceError(
            f"{operation} is an evolution by a trainable time under Pauli words that do not commute and have "
            "coefficients, whose derivative PennyLane cannot pass on: write it as qml.TrotterProduct, or train the "
            "coefficients' rotations"
        )
    return [QubitUnitary(operation.matrix(), operation.wires)]


@transform
def refuse_trainable_observables(tape: Any, name: str = "device") -> tuple[Any, Callable]:
    """One clear error where derivatives by numbers of an observable would come out as zero."""
    for measurement in tape.measurements:
        if measurement.obs is not None and is_trainable(measurement.obs):
            raise DeviceError(
                f"the observable {measurement.obs} has trainable numbers, and the adjoint method of {name} "
                "differentiates by gate parameters only: use diff_method='parameter-shift', or requires_grad=False"
            )
    return (tape,), _unchanged


@transform
def expand_batches(tape: Any, differentiates: bool = False) -> Any:
    """Parameters with a batch axis stay one question about expectation values that nobody differentiates."""
    if not _may_be_batched(tape.operations) or tape.batch_size is None:
        return (tape,), _unchanged
    is_one = not tape.shots and all(map(is_read_off, tape.measurements))
    if is_one and not (differentiates and any(map(is_trainable, tape.operations))):
        return (tape,), _unchanged
    return transforms.broadcast_expand(tape)


def _may_be_batched(operations: list[Operator]) -> bool:
    """Whether any number is no scalar; what PennyLane's batch size asks of each operation takes ten times as long."""
    numbers = (number for operation in operations for number in operation.data)
    return any(getattr(number, "ndim", 1) for number in numbers if type(number) is not float)
