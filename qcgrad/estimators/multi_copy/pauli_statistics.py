"""From Bell outcomes and signs to components with variances and bias bounds."""

import math
from typing import NamedTuple

import numpy as np

from ...ir.pull_back import PauliComponents
from ...objective import Point, Reading
from ...queries import BellOutcomes, Votes

# Entries of the outcome table (samples x strings) held at a time.
_CHUNK = 1 << 22


class Magnitudes(NamedTuple):
    """What the Bell measurements say.

    Attributes:
        outcomes: the samples.
        squares: (D,) mean eigenvalues of P (x) P, estimates of <P>^2.
        noise: eta, the error of all of them with probability 1 - delta.
        resolved: indices of the strings whose square exceeds eta.
    """

    outcomes: BellOutcomes
    squares: np.ndarray
    noise: float
    resolved: np.ndarray


def magnitudes(outcomes: BellOutcomes, components: PauliComponents, delta: float) -> Magnitudes:
    """Squares of all strings, and which of them stand out of the noise (Hoeffding, union bound)."""
    samples, strings = len(outcomes.x), len(components.x)
    total = np.zeros(strings)
    for part in _parts(samples, strings):
        total += _eigenvalues(outcomes, components, part).sum(axis=0, dtype=np.int64)
    squares = total / samples
    noise = math.sqrt(2 * math.log(2 * max(strings, 1) / delta) / samples)
    return Magnitudes(outcomes, squares, noise, np.flatnonzero(squares > noise))


def reading(components: PauliComponents, found: Magnitudes, votes: Votes | None, point: Point) -> Reading:
    """Values and gradient, with variances from the same samples."""
    import scipy.sparse as sparse

    size = np.sqrt(np.maximum(found.squares, 0))
    signs = np.zeros(len(size))
    resolved = found.resolved
    if len(resolved):
        # Without votes (budget ran out) the magnitudes stand without a sign: nothing is known of them.
        signs[resolved] = np.nan if votes is None else votes.signs
    expectations = np.where(signs != 0, signs * size, 0.0)
    bias = _string_bias(found, size, 0.0 if votes is None else votes.disturbance)
    slopes = np.where(signs != 0, signs / (2 * np.where(signs != 0, size, 1)), 0.0)
    shape = (len(point.cotangents), len(point.coordinates))
    both = sparse.vstack([components.value, components.gradient], format="csr")
    needs_covariance = getattr(point.objective, "mixes_angles", False)
    variance, covariance = _variances(both, components, found, slopes, needs_covariance)
    outputs = shape[0]
    dtype = point.coordinates.dtype
    return Reading(
        value=(components.value @ expectations + components.constants).astype(dtype),
        gradient=(components.gradient @ expectations).reshape(shape).astype(dtype),
        variance=variance[outputs:].reshape(shape).astype(dtype),
        value_variance=variance[:outputs].astype(dtype),
        bias_bound=(abs(components.gradient) @ bias).reshape(shape).astype(dtype),
        value_bias_bound=(abs(components.value) @ bias).astype(dtype),
        covariance=None if covariance is None else _by_output(covariance[outputs:, outputs:], shape),
    )


def _string_bias(found: Magnitudes, size, disturbance):
    """Bound on |E[estimate] - <P>| of each string, with probability 1 - delta."""
    unresolved = np.sqrt(np.maximum(found.squares, 0) + found.noise)
    samples = len(found.outcomes.x)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Second order of the square root: Var(u) / (8 u^{3/2}).
        curvature = (1 - found.squares**2) / samples / (8 * size**3)
    bias = unresolved
    resolved = found.resolved
    bias[resolved] = curvature[resolved] + 2 * size[resolved] * disturbance
    return bias


def _variances(rows, components, found: Magnitudes, slopes, needs_covariance):
    """Sample variances of the mean of sum_d rows[m, d] slopes[d] s_d, and their covariances if needed."""
    import scipy.sparse as sparse

    samples, strings = len(found.outcomes.x), len(components.x)
    weighted = (rows @ sparse.diags_array(slopes)).tocsr()
    weighted.eliminate_zeros()
    if samples < 2:
        return np.full(rows.shape[0], np.nan), None
    if not needs_covariance and np.all(np.diff(weighted.indptr) <= 1):
        # One string a component: +-1 outcomes, whose sample variance follows from their mean.
        return weighted.power(2) @ (1 - found.squares**2) / (samples - 1), None
    count = rows.shape[0]
    first, second = np.zeros(count), np.zeros((count, count) if needs_covariance else count)
    for part in _parts(samples, max(strings, count)):
        table = (weighted @ _eigenvalues(found.outcomes, components, part).T.astype(float)).T
        first += table.sum(axis=0)
        second += table.T @ table if needs_covariance else np.square(table).sum(axis=0)
    if needs_covariance:
        covariance = (second - np.outer(first, first) / samples) / samples / (samples - 1)
        return np.maximum(np.diag(covariance), 0), covariance
    # Rounding may leave a variance of zero slightly negative.
    return np.maximum(second - first**2 / samples, 0) / samples / (samples - 1), None


def _by_output(covariance, shape):
    """The diagonal blocks of a (K A, K A) covariance: (K, A, A)."""
    outputs, count = shape
    blocks = covariance.reshape(outputs, count, outputs, count)
    return np.stack([blocks[k, :, k] for k in range(outputs)])


def _parts(samples, strings):
    step = max(1, _CHUNK // max(strings, 1))
    return [slice(start, start + step) for start in range(0, samples, step)]


def _eigenvalues(outcomes: BellOutcomes, components: PauliComponents, part: slice):
    """(samples, D) outcomes +-1 of P (x) P: parity of p.z + q.x + |p & q| for P of masks (p, q)."""
    p, q = components.x, components.z
    parity = np.bitwise_count(p & outcomes.z[part, None]) + np.bitwise_count(q & outcomes.x[part, None])
    return 1 - 2 * ((parity + np.bitwise_count(p & q)) & 1).astype(np.int8)
