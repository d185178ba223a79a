"""What a cell takes at its peak, beside the interpreter and compiled programs: known before it is allocated."""

import math
from collections.abc import Callable

from ..catalogue import Method
from ..errors import StateTooLarge
from ..estimate import predict_cost
from ..estimator import AbstractEstimator
from ..estimators import Adjoint
from ..memory import allowed_bytes, require
from ..queries import BYTES_OF_EVALUATION, Access
from ..simulators.statevector.values import SETTINGS_BYTES
from .circuits import StudyCircuit
from .repeat import TRIALS_AT_ONCE

_FLOAT, _COMPLEX = 8, 16

# The next five are measured. What a slice of the evaluations' angles is copied to: selected, padded to a size that
# circuits share, and what JAX makes of it.
_COPIES_OF_SLICE = 4
# A state of a sweep, and what its rows make of it while they are applied.
_COPIES_OF_SWEPT = 8
# Strings that `ir.rows` remembers.
_REMEMBERED = 32 << 20
# Gradients of trials, their states and draws.
_COPIES_OF_TRIALS = 6
# Weights that are drawn, handed to JAX, differentiated, scaled by a cotangent, and turned to descend.
_COPIES_OF_WEIGHTS = 8
# Layers' outputs of a network that its backward pass keeps or makes.
_COPIES_OF_LAYERS = 3


def check(needed: int, fitting: Callable[[int], str], max_bytes: int | None = None) -> None:
    """Refuse a cell that would take more than is allowed.

    Args:
        needed: predicted bytes.
        fitting: says what would fit into a number of bytes.
        max_bytes: what is allowed; by default 80 % of the memory that is free.

    Raises:
        StateTooLarge: with both numbers and what would fit.
    """
    allowed = allowed_bytes(max_bytes)
    if needed > allowed:
        require("it would take", needed, allowed, fitting(allowed), StateTooLarge)


def check_circuit(estimator: AbstractEstimator, circuit: StudyCircuit, max_bytes: int | None = None) -> None:
    """`check` for an estimator on a circuit."""
    states, rest = _circuit_bytes(estimator, circuit)
    needed, qubits = states + rest, circuit.objective.circuit.num_qubits

    def fitting(allowed: int) -> str:
        if rest > states:
            return f"about {int(circuit.num_angles * allowed / needed)} parameterised gates would fit"
        fit = max(0, qubits - math.ceil(math.log2(needed / allowed)))
        return f"circuits on up to about {fit} qubits would fit (max_sampled_qubits in the spec, or --max-qubits)"

    check(needed, fitting, max_bytes)


def _circuit_bytes(estimator: AbstractEstimator, circuit: StudyCircuit) -> tuple[int, int]:
    """(bytes of states, other bytes)."""
    # The adjoint method runs in every cell, for the reference. It holds three states.
    reference = predict_cost(circuit.objective, Adjoint()).peak_bytes
    if Access.single_copy < estimator.access < Access.white_box:
        # One form after another, each with an ancilla.
        return max(reference, _COPIES_OF_SWEPT * 2 * (reference // 3)), _REMEMBERED
    cost = predict_cost(circuit.objective, estimator)
    if estimator.access == Access.white_box:
        return max(reference, cost.peak_bytes), 0
    # Each setting of the angles is measured in every basis.
    evaluations = max(1, cost.circuit_runs // max(1, len(circuit.objective.program.bases)))
    return reference, _evaluation_bytes(evaluations, circuit.num_angles) + 2 * _FLOAT * (cost.shots // evaluations)


def check_hard_instance(method: Method, n: int, max_bytes: int | None = None) -> None:
    """`check` for a method on the hard instance of n qubits."""

    def fitting(allowed: int) -> str:
        sizes = [smaller for smaller in range(2, n) if _hard_bytes(method, smaller) <= allowed]
        return f"n = {max(sizes)} would fit" if sizes else "not even n = 2 would fit"

    check(_hard_bytes(method, n), fitting, max_bytes)


def _hard_bytes(method: Method, n: int) -> int:
    components = 4**n - 1
    trials = _COPIES_OF_TRIALS * TRIALS_AT_ONCE * (_COMPLEX * 2 ** (n + 1) + _FLOAT * components)
    if method.access > Access.single_copy or method.make.needs_common_state:
        return trials
    # Two evaluations for each component, and one.
    return trials + _evaluation_bytes(1 + 2 * components, components)


def _evaluation_bytes(evaluations: int, angles: int) -> int:
    """What evaluations at shifted angles hold: shifts and answers of all, and copies of a slice of the settings."""
    settings = _FLOAT * evaluations * angles
    return BYTES_OF_EVALUATION * evaluations + _COPIES_OF_SLICE * min(settings, SETTINGS_BYTES)


def check_network(n: int, batch: int, max_bytes: int | None = None) -> None:
    """`check` for a perceptron with 2^n inputs."""
    inputs, weights = 2**n, 4**n - 1
    example, fixed = _FLOAT * (inputs + _COPIES_OF_LAYERS * (inputs - 1)), _COPIES_OF_WEIGHTS * _FLOAT * weights

    def fitting(allowed: int) -> str:
        if allowed >= fixed + example:
            return f"a batch of {(allowed - fixed) // example} would fit"
        largest = int(math.log(max(1, allowed / (_COPIES_OF_WEIGHTS * _FLOAT)), 4))
        return f"n = {largest} would fit with a small batch" if largest else "no network would fit"

    check(batch * example + fixed, fitting, max_bytes)
