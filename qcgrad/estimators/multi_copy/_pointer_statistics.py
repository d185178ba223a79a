"""What the estimators that read with Gaussian pointers share: copies for each form, and readings from batches."""

import math
import warnings
from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float

from ...array_types import Values
from ...errors import BiasWarning
from ...ir.sweep_form import SweepForm
from ...objective import Point, Reading
from ...queries import PointerOutcomes, PointerSweep


class BatchedMeans(NamedTuple):
    """Outcomes of some sweeps over one form with pointers of one width.

    Attributes:
        form: what was swept.
        means: (B, D) outcomes.
        copies: k of each sweep.
        pointer_variance: s^2.
        accepted: fraction of all copies that counted.
    """

    form: SweepForm
    means: np.ndarray
    copies: int
    pointer_variance: float
    accepted: float = 1.0

    @classmethod
    def of(cls, query: PointerSweep, answer: PointerOutcomes) -> "BatchedMeans":
        """What came of a query whose form is a `SweepForm`."""
        accepted = float(np.mean(answer.accepted))
        return cls(cast(SweepForm, query.form), answer.means, query.copies, query.pointer_variance, accepted)


class Combination(NamedTuple):
    """Sets of sweeps over one form and how they are combined.

    Attributes:
        sets: the sets.
        weights: one for each set, adding up to 1.
        bias: (D,) bound on the bias of each string's combined mean.
    """

    sets: tuple[BatchedMeans, ...]
    weights: tuple[float, ...]
    bias: np.ndarray


def plain(found: BatchedMeans) -> Combination:
    """One set by itself."""
    return Combination((found,), (1.0,), bias_of_strings(found))


def extrapolated(narrow: BatchedMeans, wide: BatchedMeans) -> Combination:
    r"""Twice the means at 2 s^2 less those at s^2, which cancels the bias of first order in 1/s^2.

    With \(u = 1/(2 s^2 k)\), the mean of string j as a function of u has a second derivative of at most j^2 (each
    of the j channels before it has derivatives of norm at most 1), so what remains is at most
    \(\tfrac34 j^2 u^2\).
    """
    u = 1 / (2 * narrow.pointer_variance * narrow.copies)
    second_order = 0.75 * np.square(np.arange(narrow.form.num_components) * u)
    first_order = bias_of_strings(narrow) + 2 * bias_of_strings(wide)
    return Combination((narrow, wide), (-1.0, 2.0), np.minimum(first_order, second_order))


def copies_a_sweep(forms: list[SweepForm], copies: int, batches: int) -> list[int]:
    """k of each of the `batches` sweeps of each form, in proportion to what the form adds to the gradient."""
    if not forms:  # a constant observable
        return []
    spare = copies // batches - len(forms)
    weight = weights_of(forms)
    return (1 + np.floor(spare * weight / weight.sum() + 1e-9).astype(int)).tolist()


def check_copies(copies: int, sweeps: int, batches: int) -> None:
    """Raise ValueError where a sweep would be left without a copy.

    Args:
        copies: of all sweeps together.
        sweeps: how many there are, each of so many batches.
        batches: of each.
    """
    if copies < batches * sweeps:
        raise ValueError(
            f"copies={copies} leaves a sweep without a copy: the observable takes {sweeps} sweeps of {batches} "
            f"batches; give at least {batches * sweeps} copies, or fewer batches"
        )


def weights_of(forms: list[SweepForm]) -> np.ndarray:
    """What each form adds to the gradient, in whose proportion copies are divided."""
    return np.array([_scale(form) for form in forms])


def disturbance(found: BatchedMeans) -> float:
    r"""Mean over the strings of \(\sum_{i<j} \Omega_{ij}^2\), from the spread of the batches; never below 0.

    The variance of one sweep's outcome is \((C_{jj} + s^2 + \sum_{i<j}\Omega_{ij}^2/s^2)/k\), where
    \(C_{jj} = p - \langle A_j\rangle^2\) if a fraction p of the copies counts, so the spread tells the sum.
    """
    spread = found.copies * np.mean(np.var(found.means, axis=0, ddof=1))
    shot_noise = np.mean(np.clip(found.accepted - np.mean(found.means, axis=0) ** 2, 0, 1))
    return max(0.0, found.pointer_variance * (spread - shot_noise - found.pointer_variance))


def tuned(pilot: BatchedMeans) -> tuple[SweepForm, float]:
    r"""The form and the \(s^2\) whose variance is smallest, from sweeps at \(\alpha^2 = 1/2\).

    \(s^2 = \sqrt R\), at least p/4: narrower pointers gain little variance and cost bias. Where copies are left out,
    \(p = (1 + r^2)/2\) tells \(r = \sqrt{\langle O^2\rangle}/\Lambda\), and what one copy adds,
    \(\Lambda^2(r^2/\alpha^2 + 1/\beta^2)/4\), is smallest at \(\alpha^2 = r/(1 + r)\). Then r of the copies count, and
    \(\sqrt R\), like the shot noise, goes with how many do.
    """
    width = max(0.25 * pilot.accepted, math.sqrt(disturbance(pilot)))
    if pilot.form.applied is None:
        return pilot.form, width
    # What is counted is known to half of this, and too small an r costs more than too large a one.
    known = 1 / math.sqrt(pilot.copies * len(pilot.means))
    root = math.sqrt(min(1.0, max(2 * pilot.accepted - 1, known)))
    return pilot.form.with_reference(root / (1 + root)), width * root / pilot.accepted


def bias_of_strings(found: BatchedMeans) -> Float[np.ndarray, "D"]:
    r"""(D,) bound on the bias of each string by the dephasing of all earlier measurements.

    One copy is turned by \(e^{i\xi A/\sqrt k}\) with a random \(\xi\), which is the channel
    \(\rho \to (1 - q)\rho + q A\rho A\), \(1 - 2q = e^{-1/(2 s^2 k)}\). It changes a string that anticommutes with A by
    the factor 1 - 2q, others less, so j earlier measurements change <A_j> by at most 2qj (about
    j/(2 s^2 k); j/(4 s^2 k) where half of them anticommute).
    """
    each = -np.expm1(-1 / (2 * found.pointer_variance * found.copies))
    return np.minimum(np.arange(found.form.num_components) * each, 2.0)


def reading(combinations: list[Combination], point: Point, constants: Values) -> Reading:
    """Values and gradient from the combined sweeps over all forms; `constants` (K,) is the values' identity part."""
    import scipy.sparse as sparse

    outputs, cotangents = len(constants), np.asarray(point.cotangents, float)
    angles = len(point.coordinates)
    needs_covariance = point.objective.mixes_coordinates
    value, value_variance, value_bias = np.array(constants, float), np.zeros(outputs), np.zeros(outputs)
    gradient, variance, bias = (np.zeros((len(cotangents), angles)) for _ in range(3))
    covariance = np.zeros((len(cotangents), angles, angles)) if needs_covariance else None
    for combination in combinations:
        form = combination.sets[0].form
        # Outputs that a form serves come of the same outcomes, so they are weighted before these are squared.
        mixing = cotangents @ form.mixing
        value += form.mixing @ form.constants
        value_bias += np.abs(form.mixing) @ (abs(form.value) @ combination.bias)
        bias += np.abs(mixing) @ (abs(form.gradient) @ combination.bias).reshape(len(form.constants), angles)
        for weight, found in zip(combination.weights, combination.sets, strict=True):
            # Sweep by sweep, so that the spread of sums over strings is that of the sums.
            values = (form.value @ found.means.T).T
            slopes = (form.gradient @ found.means.T).T.reshape(len(found.means), len(form.constants), angles)
            value += weight * form.mixing @ values.mean(axis=0)
            gradient += weight * mixing @ slopes.mean(axis=0)
            # Sparse, so that the unknown spread of one batch leaves outputs alone to which the form adds nothing.
            squares = sparse.csr_array(weight**2 * np.square(mixing))
            value_variance += sparse.csr_array(weight**2 * np.square(form.mixing)) @ _variance_of_mean(values)
            variance += squares @ _variance_of_mean(slopes)
            if covariance is not None:
                spread = _covariance_of_mean(slopes)
                covariance += (squares @ spread.reshape(len(spread), -1)).reshape(covariance.shape)
    dtype = point.coordinates.dtype
    numbers = (value, gradient, variance, value_variance, bias, value_bias)
    sets = [found for combination in combinations for found in combination.sets]
    stats: dict[str, Any] = {"pointer_variances": np.array([found.pointer_variance for found in sets], dtype)}
    if sets:
        stats["degrees_of_freedom"] = min(len(found.means) for found in sets) - 1
    if excess := _excess(combinations, cotangents, gradient, bias):
        warnings.warn(_excess_in_words(excess), BiasWarning, stacklevel=2)
        stats |= excess
    return Reading(*(n.astype(dtype) for n in numbers), covariance=covariance, stats=stats)


def in_words(stats: dict[str, Any]) -> str:
    """The stats of a reading."""
    if not len(stats["pointer_variances"]):
        return "nothing to measure"
    widths = ", ".join(f"{width:.3g}" for width in stats["pointer_variances"])
    excess = f"; {_excess_in_words(stats)}" if "largest_bias_bound" in stats else ""
    return f"pointer variance {widths}{excess}"


def _excess_in_words(stats: dict[str, Any]) -> str:
    return (
        f"the bias bound reaches {stats['largest_bias_bound']:.2g}, more than the norm {stats['gradient_norm']:.2g} of "
        f"the gradient: about {stats['copies_needed']:.1g} copies would bring it down to that, or a pointer variance "
        f"of {stats['pointer_variance_needed']:.1g}, at the price of noise"
    )


def _excess(combinations: list[Combination], cotangents, gradient, bias) -> dict[str, float]:
    """What would do where a bias bound is larger than the whole gradient of its output; empty where none is."""
    norm, largest = np.linalg.norm(gradient, axis=1), bias.max(axis=1, initial=0)
    if not np.any(wide := (largest > norm) & (norm > 0)):
        return {}
    # Far above 1 the bounds are cut off, so what lowers them is read off their linear part j / (2 s^2 k).
    linear = np.zeros(bias.shape)
    for combination in combinations:
        form, found = combination.sets[0].form, combination.sets[0]
        each = np.arange(form.num_components) / (2 * found.pointer_variance * found.copies)
        strings = (abs(form.gradient) @ each).reshape(len(form.constants), -1)
        linear += np.abs(cotangents @ form.mixing) @ strings
    factor = np.max(linear.max(axis=1)[wide] / norm[wide])
    sets = [found for combination in combinations for found in combination.sets]
    copies = sum(found.copies * len(found.means) for found in sets)
    k = np.flatnonzero(wide)[0]
    return {
        "largest_bias_bound": float(largest[k]),
        "gradient_norm": float(norm[k]),
        "copies_needed": float(copies * factor),
        "pointer_variance_needed": float(max(found.pointer_variance for found in sets) * factor),
    }


def _scale(form: SweepForm) -> float:
    weight = np.abs(form.gradient.data).max(initial=0.0) or np.abs(form.value.data).max(initial=0.0)
    return float(weight * np.linalg.norm(form.mixing))


def _variance_of_mean(batches):
    if len(batches) < 2:
        return np.full(batches.shape[1:], np.nan)
    return np.var(batches, axis=0, ddof=1) / len(batches)


def _covariance_of_mean(slopes):
    """(K', A, A) from (B, K', A)."""
    count = len(slopes)
    if count < 2:
        return np.full((*slopes.shape[1:], slopes.shape[-1]), np.nan)
    centred = slopes - slopes.mean(axis=0)
    return np.einsum("bka,bkc->kac", centred, centred) / (count * (count - 1))
