"""Amplitude estimation, one derivative at a time."""

import math
from typing import Any, ClassVar, NamedTuple, Self, get_args

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ...array_types import Key
from ...errors import NotApplicable
from ...estimator import OneRoundEstimator
from ...ir.sweep_form import Encoding, SweepForm, one_state_forms
from ...objective import Point, Reading
from ...queries import Access, EstimatePhases, Evaluate, PhaseOutcomes
from .._checks import MOST, checked_choice, checked_count
from .._programs import program_at
from ..accuracy import checked_accuracy
from . import _register as register


class AmplitudeEstimation(OneRoundEstimator):
    r"""Every derivative by phase estimation on a walk of its own: errors fall as 1/uses, not as their square root.

    Every derivative is a sum of Pauli expectations \(a = \langle\Psi|A|\Psi\rangle\) (see `qcgrad.ir.sweep_form`).
    The walk made of the preparation, A and its inverse has the eigenphases \(\pm\arccos a\); a register of b qubits,
    N = 2^b, reads one with an error m whose distribution is known, so that

    .. math:: \tilde a = \mathrm{median}_r \cos(2\pi y_r) / E\cos m, \qquad
        \mathrm{Var} = \frac{1 + E\cos 2m\,(2a^2 - 1)}{2\,(E\cos m)^2} - a^2 \approx \frac{\pi^2(1 - a^2)}{N^2}

    (the last for one run). The register starts in the sine state, whose errors are seldom large, and is dithered, so
    that a single run is exactly unbiased.

    Args:
        qubits: b, qubits of the register.
        repetitions: R, runs for each string, an odd number: medians make large errors rare.
        encoding: "block", one set of strings with a block encoding of the observable; "terms", one set for each of its
            strings; "none", refuse observables of several strings.

    Access: coherent. Fidelity "exact": the distribution of outcomes is. Unbiased with one run; medians of several
    near a = +-1, where errors fold, have a bias of O(1/N^2) at most, which `bias_bound` holds. Variances are unbiased
    estimates of those above but near a = +-1, where they are cut off at the least there is; one run of one qubit knows
    nothing of a^2, and reports the largest. Errors of a single run are not normal on short registers: intervals of 90 %
    hold in 75 % of all cases with two qubits, in 86 % with three.

    Cost: 2 (N - 1) R uses of the preparation and its inverse for each of M strings: about M/epsilon. The depth of a
    run is 2 (N - 1), whatever M.

    Raises:
        ValueError: counts that are no positive integers, an even number of repetitions, a register too large.
        NotApplicable: encoding="none" for an observable of several strings.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ")
        >>> e = qg.estimate(objective, [0.5, 0.3], qg.AmplitudeEstimation(qubits=10), key=0)
        >>> error = abs(e.gradient - qg.estimate(objective, [0.5, 0.3], qg.Adjoint()).gradient)
        >>> e.cost.copies, bool(all(error < 0.05))  # standard error about 0.003
        (6138, True)

    References:
        G. Brassard, P. Hoyer, M. Mosca, A. Tapp, Contemporary Mathematics 305, 53 (2002), arXiv:quant-ph/0005055; the
        walk: G. H. Low, I. L. Chuang, Quantum 3, 163 (2019), arXiv:1610.06546; the sine state: A. Luis, J. Perina,
        Phys. Rev. A 54, 4564 (1996).
    """

    qubits: int = eqx.field(static=True)
    repetitions: int = eqx.field(static=True)
    encoding: Encoding = eqx.field(static=True)
    access = Access.coherent
    is_traceable: ClassVar[bool] = False

    def __init__(self, qubits: int, repetitions: int = 1, encoding: Encoding = "block"):
        self.qubits = checked_qubits(qubits)
        self.repetitions = checked_odd("repetitions", repetitions)
        self.encoding = checked_choice("encoding", encoding, get_args(Encoding))

    def plan(self, point: Point, key: Key | None) -> tuple[EstimatePhases, ...]:
        program = program_at(point, self, samples=True)
        forms = one_state_forms(program, np.asarray(point.coordinates, float), self.encoding)
        return tuple(
            EstimatePhases(form, np.arange(form.num_components), self.qubits, self.repetitions) for form in forms
        )

    def combine(self, point: Point, queries: tuple[EstimatePhases, ...], answers: tuple[PhaseOutcomes, ...]) -> Reading:
        outputs, angles = len(point.cotangents), len(point.coordinates)
        value = np.asarray(program_at(point, self).constants, float)
        parts = [
            np.array(value),
            *(np.zeros((outputs, angles)) for _ in range(3)),
            np.zeros(outputs),
            np.zeros(outputs),
        ]
        value, gradient, variance, bias, value_variance, value_bias = parts
        covariance = np.zeros((outputs, angles, angles)) if point.objective.mixes_coordinates else None
        for query, answer in zip(queries, answers, strict=True):
            form: Any = query.form
            found = read(answer.turns, self.qubits)
            rows = (point.cotangents @ form.mixing)[:, 0]
            weights = np.outer(rows, np.ones(angles))[..., None] * form.gradient.toarray()
            gradient += weights @ found.means
            variance += np.square(weights) @ found.variances
            bias += np.abs(weights) @ found.biases
            if covariance is not None:
                covariance += np.einsum("cad,d,cbd->cab", weights, found.variances, weights)
            scale = form.mixing[:, 0] * form.value.toarray()[0, 0]
            value += scale * found.means[0]
            value_variance += scale**2 * found.variances[0]
            value_bias += np.abs(scale) * found.biases[0]
        dtype = point.coordinates.dtype
        numbers = (value, gradient, variance, value_variance, bias, value_bias)
        return Reading(*(n.astype(dtype) for n in numbers), covariance=covariance)

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""The register and the repetitions that take least, of those whose medians keep to epsilon.

        A median within w radians moves a cosine by at most \(2\sin(w/2)\), and it fails with probability \(I_p(h, h)\).
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        forms = one_state_forms(program, np.asarray(point.coordinates, float), "block")
        strings = sum(form.num_components for form in forms)
        largest = _largest_weight(forms, point)
        if not largest:
            return cls(1)
        best = fewest_uses(strings, epsilon / largest, delta)
        if best is None or best[0] > MOST:
            raise register_too_small(cls, epsilon, largest)
        return cls(*best[1:])


class Found(NamedTuple):
    """Of each of D strings, from its outcomes: mean, variance, bound on the bias."""

    means: np.ndarray
    variances: np.ndarray
    biases: np.ndarray


def read(turns: Float[np.ndarray, "R D"], qubits: int) -> Found:
    """The expectations behind outcomes of `EstimatePhases`."""
    known = register.errors(qubits, len(turns))
    damping = 1 - known.cosine
    means = np.median(np.cos(2 * np.pi * turns), axis=0) / damping
    # Var = v0 + v2 a^2, of (1 - c2)(1 - a^2)/2 and (1 + c2)/2 - c1^2 without differences of numbers close to 1.
    rest = max(0.0, 2 * known.cosine - known.cosine**2 - known.double / 2) / damping**2
    v0 = known.double / 2 / damping**2
    v2 = rest - v0
    # A squared estimate is too large by the variance itself. One run of one qubit tells no more: a^2 is taken to be 0.
    squares = (means**2 - v0) / (1 + v2) if 1 + v2 > 1e-6 else np.zeros_like(means)
    variances = np.maximum(v0 + v2 * squares, rest)
    # Errors fold at the ends of the interval; a median does not average that out, a single run's mean does.
    folding = 0.0
    if len(turns) > 1:
        folding = 4 * np.pi**2 * (2 * math.sqrt(known.largest * known.absolute) + known.absolute) / damping
    return Found(means, variances, np.full(len(means), min(folding, 2.0)))


def checked_qubits(value: Any) -> int:
    """Qubits of a register, or one clear error."""
    qubits = checked_count("qubits", value)
    if qubits > register.MOST_QUBITS:
        raise ValueError(f"qubits={value!r}: a register of at most {register.MOST_QUBITS} qubits is read in full")
    return qubits


def checked_odd(name: str, value: Any) -> int:
    """An odd count, or one clear error."""
    count = checked_count(name, value)
    if count % 2 == 0:
        raise ValueError(f"{name}={value!r}: give an odd number, so that there is one in the middle")
    return count


def register_too_small(method: type, epsilon: float, largest: float) -> NotApplicable:
    """The refusal of an accuracy that no register of `MOST_QUBITS` reads."""
    needed = math.ceil(math.log2(2 * math.pi * largest / epsilon))
    return NotApplicable(
        f"{method.__name__} would take a register of about {needed} qubits, 10^{needed * math.log10(2):.0f} copies, to "
        f"reach epsilon={epsilon:g}, and at most {register.MOST_QUBITS} qubits are read: give a larger epsilon"
    )


def fewest_uses(strings: int, epsilon: float, delta: float) -> tuple[int, int, int] | None:
    """(uses, qubits, repetitions) of what takes least, or None where no register reads so finely.

    Args:
        strings: D.
        epsilon: how far off an expectation may be.
        delta: probability that any of them is further off.
    """
    best = None
    for qubits in range(1, register.MOST_QUBITS + 1):
        uses = strings * 2 * (2**qubits - 1)
        if best is not None and uses >= best[0]:
            break
        # Where so many runs are off by more, medians take too many of them.
        if register.single(qubits, epsilon / math.pi) > 0.1:
            continue
        for repetitions in range(1, register.MOST_REPETITIONS, 2):
            if best is not None and uses * repetitions >= best[0]:
                break
            # Moments take long, and are of no use where undamped medians fail already.
            if register.missed(qubits, _turns(epsilon / 2), repetitions) > delta / strings:
                continue
            if _misses(qubits, repetitions, epsilon) <= delta / strings:
                best = uses * repetitions, qubits, repetitions
                break
    return best


def _largest_weight(forms: list[SweepForm], point: Point) -> float:
    """The most that a derivative moves where every expectation moves by 1."""
    rows = (
        np.abs(point.cotangents @ form.mixing) * np.asarray(abs(form.gradient).sum(axis=1)).ravel() for form in forms
    )
    return float(np.max(sum(rows, np.zeros(1)), initial=0.0))


def _misses(qubits: int, repetitions: int, epsilon: float) -> float:
    """Bound on the probability that a string's expectation is off by more than epsilon."""
    damping = 1 - register.errors(qubits, repetitions).cosine
    room = (epsilon * damping - (1 - damping)) / 2
    return 1.0 if room <= 0 else register.missed(qubits, _turns(room), repetitions)


def _turns(room: float) -> float:
    """By how much a phase may be off for a cosine to move by twice the room; beyond half a turn for any."""
    return math.asin(room) / math.pi if room < 1 else 1.0
