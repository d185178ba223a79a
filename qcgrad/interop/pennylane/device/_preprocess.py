"""What a tape becomes before it is executed: gates that have a form here, and one clear error for all else."""

import warnings
from collections.abc import Callable
from typing import Any

from pennylane import gradients, math, measurements, transforms
from pennylane.devices import ExecutionConfig
from pennylane.devices import preprocess as steps
from pennylane.exceptions import DeviceError
from pennylane.operation import Operator
from pennylane.ops import Exp, GlobalPhase, MidMeasure, PauliRot, QubitUnitary
from pennylane.transforms import transform
from pennylane.transforms.core import CompilePipeline

from ._accepted import GATE_SET, accepts, accepts_with_derivative, is_analytic, is_sampled, is_trainable
from ._program import is_read_off

_NONLINEAR = (measurements.PurityMP, measurements.VnEntropyMP, measurements.MutualInfoMP)


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


def warn_of_shifts(config: ExecutionConfig, tape: Any) -> None:
    """PennyLane shifts parameters also where results are no linear functions of the density matrix, which is wrong.

    Raises:
        DeviceError: someone differentiates by the entries of an observable's matrix, which it would take for angles.
    """
    if config.gradient_method is not gradients.param_shift or config.interface == math.Interface.NUMPY or tape is None:
        return
    for measurement in tape.measurements:
        if measurement.obs is not None and any(map(_is_differentiated_matrix, measurement.obs.data)):
            raise DeviceError(
                f"the matrix of the observable {measurement.obs} is differentiated by, and PennyLane's parameter-shift "
                "rule takes its entries for angles: write it as qml.dot(coefficients, words), give numbers, or use "
                "default.qubit with diff_method='backprop'"
            )
        if isinstance(measurement, _NONLINEAR):
            warnings.warn(
                f"{measurement} is not linear in the state, and derivatives by PennyLane's parameter-shift rule are "
                "wrong for it: use diff_method='finite-diff', or default.qubit with 'backprop'",
                UserWarning,
                stacklevel=2,
            )


def _is_differentiated_matrix(number) -> bool:
    """Of autograd and torch; arrays that could be differentiated by, and are not, do no harm."""
    from autograd.extend import Box

    if math.ndim(number) != 2:
        return False
    return isinstance(number, Box) or (math.get_interface(number) == "torch" and number.requires_grad)


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
