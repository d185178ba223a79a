"""From Bell outcomes and signs to components with variances and bias bounds."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...array_types import Masks
from ...ir.pauli import popcount
from ...ir.pull_back import PauliComponents
from ...ir.strings import distinct, walsh_hadamard
from ...objective import Point, Reading
from ...queries import BellOutcomes
from .._pauli_components import gradient_rows

# Entries of the table of eigenvalues (samples x strings) held at a time.
_CHUNK = 1 << 20


class Magnitudes(NamedTuple):
    """What the Bell measurements say.

    Attributes:
        outcomes: the samples.
        squares: (D,) mean eigenvalues of P (x) P, estimates of <P>^2.
        noise: eta, the error of all of them with probability 1 - delta.
        resolved: indices of the strings that stand out of the noise, strongest first.
    """

    outcomes: BellOutcomes
    squares: np.ndarray
    noise: float
    resolved: np.ndarray

    @property
    def floors(self) -> Float[np.ndarray, "R"]:
        """Lower bounds on |<P>| of the resolved strings, with probability 1 - delta."""
        return np.sqrt(self.squares[self.resolved] - self.noise)


class Signs(NamedTuple):
    """Signs of the resolved strings (+1, -1, or 0 where nothing is known), and how likely each is wrong at most."""

    signs: np.ndarray
    failures: np.ndarray


def noise_level(samples: int, strings: int, delta: float) -> float:
    r"""\(\eta = \sqrt{2\ln(2D/\delta)/N}\): no mean of N outcomes +-1 is further off (Hoeffding, union bound)."""
    return math.sqrt(2 * math.log(2 * max(strings, 1) / delta) / samples)


def magnitudes(outcomes: BellOutcomes, components: PauliComponents, delta: float, threshold: float) -> Magnitudes:
    """Squares of all strings, and which of them exceed `threshold` times the noise."""
    squares = mean_eigenvalues(outcomes, components.x, components.z)
    noise = noise_level(len(outcomes.x), len(squares), delta)
    order = np.argsort(-squares, kind="stable")
    return Magnitudes(outcomes, squares, noise, order[squares[order] > threshold * noise])


def no_magnitudes() -> Magnitudes:
    """Those of no strings."""
    nothing = np.zeros(0, np.int64)
    return Magnitudes(BellOutcomes(nothing, nothing), np.zeros(0), 0.0, nothing)


def mean_eigenvalues(outcomes: BellOutcomes, x: Masks, z: Masks) -> Float[np.ndarray, "D"]:
    """(D,) means over the samples of the eigenvalues (-1)^{p.z + q.x + |p & q|} of strings (p, q)."""
    outcome_x, outcome_z, position = distinct(outcomes.x, outcomes.z)
    counts = np.bincount(position).astype(float)
    total = np.empty(len(x))
    masks, where = np.unique(x, return_inverse=True)
    order = np.argsort(where, kind="stable")
    for mask, chosen in zip(masks, np.split(order, np.cumsum(np.bincount(where))[:-1]), strict=False):
        # Sums of integers: exact, in whatever order they are taken.
        total[chosen] = _characters(outcome_x, _signs(mask & outcome_z) * counts, z[chosen])
    return _signs(x & z) * total / len(outcomes.x)


def reading(components: PauliComponents, found: Magnitudes, signs: Signs | None, point: Point) -> Reading:
    """Values and gradient, with variances from the same samples."""
    import scipy.sparse as sparse

    size = np.sqrt(np.maximum(found.squares, 0))
    sign = np.zeros(len(size))
    # Without any answer (budget ran out) the magnitudes stand without a sign: nothing is known of them.
    sign[found.resolved] = np.nan if signs is None else signs.signs
    expectations = np.where(sign != 0, sign * size, 0.0)
    bias = _string_bias(found, size, signs)
    slopes = np.where(sign != 0, sign / (2 * np.where(sign != 0, size, 1)), 0.0)
    shape = (len(point.cotangents), len(point.coordinates))
    gradient = gradient_rows(components, point)
    both = sparse.vstack([components.value, gradient], format="csr")
    needs_covariance = point.objective.mixes_coordinates
    variance, covariance = _variances(both, components, found, slopes, needs_covariance)
    outputs = len(components.constants)
    dtype = point.coordinates.dtype
    return Reading(
        value=(components.value @ expectations + components.constants).astype(dtype),
        gradient=(gradient @ expectations).reshape(shape).astype(dtype),
        variance=variance[outputs:].reshape(shape).astype(dtype),
        value_variance=variance[:outputs].astype(dtype),
        bias_bound=(abs(gradient) @ bias).reshape(shape).astype(dtype),
        value_bias_bound=(abs(components.value) @ bias).astype(dtype),
        covariance=None if covariance is None else _by_output(covariance[outputs:, outputs:], shape),
        stats={
            "samples": len(found.outcomes.x),
            "resolved": len(found.resolved),
            "noise": found.noise,
            "degrees_of_freedom": max(len(found.outcomes.x) - 1, 0),
        },
    )


def _string_bias(found: Magnitudes, size, signs: Signs | None):
    """Bound on |E[estimate] - <P>| of each string, with probability 1 - delta."""
    bias = np.sqrt(np.maximum(found.squares, 0) + found.noise)
    if signs is None:
        return bias
    known = found.resolved[signs.signs != 0]
    # Second order of the square root: Var(u) / (8 u^{3/2}).
    curvature = (1 - found.squares[known] ** 2) / len(found.outcomes.x) / (8 * size[known] ** 3)
    bias[known] = curvature + 2 * size[known] * signs.failures[signs.signs != 0]
    return bias


def _variances(rows, components, found: Magnitudes, slopes, needs_covariance):
    """Sample variances of the mean of sum_d rows[m, d] slopes[d] s_d, and their covariances if needed."""
    import scipy.sparse as sparse

    samples = len(found.outcomes.x)
    weighted = (rows @ sparse.diags_array(slopes)).tocsr()
    weighted.eliminate_zeros()
    if samples < 2 and len(found.squares):
        return np.full(rows.shape[0], np.nan), None
    if needs_covariance:
        first, second = _moments(weighted, components, found.outcomes, lambda table, counts: (table * counts) @ table.T)
        covariance = (second - np.outer(first, first) / samples) / samples / (samples - 1)
        return np.maximum(np.diag(covariance), 0), covariance
    # One string in a component: +-1 outcomes, whose sample variance follows from their mean.
    variance = weighted.power(2) @ (1 - found.squares**2) / (samples - 1)
    several = np.flatnonzero(np.diff(weighted.indptr) > 1)
    first, second = _moments(weighted[several], components, found.outcomes, lambda table, counts: table**2 @ counts)
    # Rounding may leave a variance of zero slightly negative.
    variance[several] = np.maximum(second - first**2 / samples, 0) / samples / (samples - 1)
    return variance, None


def _moments(rows, components, outcomes, second_moment):
    """Sums over the samples of sum_d rows[m, d] s_d, and of `second_moment` of a table of them and its counts."""
    used, columns = np.unique(rows.indices, return_inverse=True)
    rows = type(rows)((rows.data, columns, rows.indptr), shape=(rows.shape[0], len(used)))
    p, q = components.x[used], components.z[used]
    x, z, position = distinct(outcomes.x, outcomes.z)
    counts = np.bincount(position).astype(float)
    first = second = np.zeros(rows.shape[0])
    step = max(1, _CHUNK // max(rows.shape[0], len(used), 1))
    for start in range(0, len(x) if len(used) else 0, step):
        part = slice(start, start + step)
        parity = popcount(p[:, None] & z[part]) + popcount(q[:, None] & x[part])
        table = rows @ (_signs(p & q)[:, None] * (1.0 - 2.0 * (parity & 1)))
        first = first + table @ counts[part]
        second = second + second_moment(table, counts[part])
    return first, second


def _by_output(covariance, shape):
    """The diagonal blocks of a (C A, C A) covariance: (C, A, A)."""
    rows, count = shape
    blocks = covariance.reshape(rows, count, rows, count)
    return np.stack([blocks[c, :, c] for c in range(rows)])


def _characters(points, weights, masks):
    """sum_s weights[s] (-1)^{mask . points[s]} for each mask: one by one, or all at once where that is less work."""
    bits = int(max(points.max(initial=0), masks.max(initial=0))).bit_length()
    if len(masks) * len(points) > bits << bits:
        return walsh_hadamard(np.bincount(points, weights, minlength=1 << bits))[masks]
    out = np.empty(len(masks))
    step = max(1, _CHUNK // len(points))
    for start in range(0, len(masks), step):
        part = slice(start, start + step)
        odd = popcount(masks[part, None] & points) & 1
        out[part] = weights.sum() - 2 * (odd @ weights)
    return out


def _signs(masks):
    """(-1)^{number of set bits}."""
    return 1.0 - 2.0 * (popcount(masks) & 1)
