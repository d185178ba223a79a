"""Constants of online tomography: from the target error to copies, margins and bounds."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...ir import Circuit, Program, pauli
from ...ir.generators import generator
from ...ir.pull_back import PauliComponents
from ...ir.sweep_form import SweepForm, common_state_form
from .._checks import MOST

# In units of a string's target error e: a prediction off by less than _CLEAR e passes, the error of the estimate
# after a stop is _TOLERANCE e, so an update moves the prediction by at least (_CLEAR - 2 _TOLERANCE) e.
_CLEAR = 0.6
_TOLERANCE = 0.1
_PROGRESS = _CLEAR - 2 * _TOLERANCE
# Events that may go wrong at one string: a miss or four ways of a false stop, and an estimate too high or low.
_EVENTS = 6
# A prediction of +-1 would ask for an infinite update.
_LARGEST = 1 - 1e-9


class SweepPlan(NamedTuple):
    """How one form is swept (derivation: online_tomography.md).

    Attributes:
        accuracy: e, largest error of a string's expectation value.
        copies: k of each batch.
        margin: m, how far off a prediction may look.
        noise: mean of the exponential noise, in copies.
        tolerance: error of the estimate after a stop.
        shots: copies for that estimate.
        direct_shots: copies to measure a string to accuracy e, without any sweep.
        max_triggers: bound on the number of stops.
        is_proven: whether k is large enough for the guarantee.
    """

    accuracy: float
    copies: int
    margin: float
    noise: float
    tolerance: float
    shots: int
    direct_shots: int
    max_triggers: int
    is_proven: bool


def sweep_plan(form: SweepForm, accuracy: float, delta: float, copies: int | None = None) -> SweepPlan:
    """The plan for one form.

    Args:
        accuracy: e.
        delta: probability that any of the form's answers is off by more, or that the bound on stops fails.
        copies: k, or None for what the proof asks for.

    Raises:
        ValueError: an accuracy that takes more copies than can be counted.
    """
    log = math.log(_EVENTS * max(form.num_components, 1) / delta)
    # The most that a measurement takes: for the estimate behind a stop, or for a batch.
    most = max(math.sqrt(2 * log) / _TOLERANCE, 0 if copies else 2 * (log + math.sqrt(2 * log)) / (1 - _CLEAR))
    if accuracy < (least := most / math.sqrt(MOST)):
        raise ValueError(
            f"epsilon leaves each string an accuracy of {accuracy:.2g}, and below {least:.2g} a measurement would take "
            f"more than {MOST:,} copies: give a larger epsilon"
        )
    needed = math.ceil((2 * (log + math.sqrt(2 * log)) / ((1 - _CLEAR) * accuracy)) ** 2)
    k = copies or needed
    # With few copies the counts spread further than that; the margin then stays half-way.
    spread = min(math.sqrt(2 * log / k), (1 - _CLEAR) * accuracy / 2)
    tolerance = _TOLERANCE * accuracy
    return SweepPlan(
        accuracy=accuracy,
        copies=k,
        margin=accuracy - spread,
        noise=math.sqrt(k),
        tolerance=tolerance,
        shots=math.ceil(2 * log / tolerance**2),
        direct_shots=math.ceil(2 * log / accuracy**2),
        max_triggers=int(2 * form.num_qubits * math.log(2) / (_PROGRESS * accuracy) ** 2),
        is_proven=k >= needed,
    )


def update_rate(prediction: float, measured: float, tolerance: float) -> float:
    """beta that moves <A> to the measured value, short of it by its error, were nothing else in the exponent."""
    gap = measured - prediction
    target = measured - math.copysign(min(tolerance, abs(gap)), gap)
    return math.atanh(np.clip(target, -_LARGEST, _LARGEST)) - math.atanh(np.clip(prediction, -_LARGEST, _LARGEST))


def accuracies(forms: list[SweepForm], epsilon: float) -> Float[np.ndarray, "forms"]:
    """e of each form, so that no value or derivative by angle is off by more than epsilon.

    Form f adds \\(S_f e_f\\) to the error of each number. Copies grow as \\(\\sum_f e_f^{-2}\\), whose minimum for one
    number lies at \\(e_f \\propto S_f^{-1/3}\\); the scale is exact for all numbers together.
    """
    shares = np.array([_error_shares(form) for form in forms])
    if not len(shares):
        return np.zeros(0)
    shape = shares.max(axis=(1, 2)) ** (-1 / 3)
    return shape * epsilon / np.tensordot(shape, shares, axes=1).max()


def _error_shares(form: SweepForm) -> np.ndarray:
    """(K, 1 + A): what an error of 1 in every string may add to each value and derivative."""
    outputs = len(form.constants)
    rows = [abs(part).sum(axis=1).reshape(outputs, -1) for part in (form.value, form.gradient)]
    return np.abs(form.mixing) @ np.concatenate(rows, axis=1)


def largest_common_form(program: Program) -> SweepForm:
    """A form at least as expensive as the common state's at any angles (`pull_back`): all strings of full weight."""
    import scipy.sparse as sparse

    gates, table = program.circuit.gates, program.circuit.op_table
    first = next((i for i, gate in enumerate(gates) if gate.param is not None), len(gates))
    generators = [np.abs(generator(table, row)[2]) for row in np.flatnonzero(table.slot >= 0).tolist()]
    terms = sum(observable.num_terms for observable in program.observables)
    most = terms * (1 + sum(len(weights) for weights in generators))
    count = max(1, min(most, 4**program.num_qubits - 1))
    # |i[Q, O]| adds up to at most 2 |Q| |O|, with |.| the sum of a Pauli sum's absolute coefficients.
    slopes = np.zeros(max(program.num_angles, 1))
    np.add.at(slopes, table.slot[table.slot >= 0], [2 * weights.sum() for weights in generators])
    sizes = np.abs(program.terms[2]).sum(axis=1)
    full = pauli.mask_array([2**program.num_qubits - 1] * count, program.num_qubits)
    # One string carries it all. Sparse, since there may be as many strings as parameters.
    first_only = np.zeros((2, len(sizes) * len(slopes)), np.int64)
    first_only[0] = np.arange(first_only.shape[1])
    derivatives = (sizes[:, None] * slopes).ravel()
    worst = PauliComponents(
        preparation=Program(Circuit(program.num_qubits, gates[:first]), program.observables),
        x=full,
        z=full,
        gradient=sparse.csr_array((derivatives, first_only), shape=(len(derivatives), count)),
        value=sparse.csr_array((sizes, first_only[:, : len(sizes)]), shape=(len(sizes), count)),
        constants=np.zeros(program.num_observables),
    )
    return common_state_form(worst, program.num_observables)
