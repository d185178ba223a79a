"""From estimates of Pauli expectations to components with variances, for the methods on one common state."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ....ir.pull_back import PauliComponents
from ....memory import allowed_bytes, require
from ....objective import Point, Reading
from ..._pauli_components import gradient_rows

if TYPE_CHECKING:  # scipy.sparse is slow to import, so it waits until it is used
    import scipy.sparse as sparse


# Measured: a value with its row and column as they come, as one table, and as rows of sums.
BYTES_PER_OUTCOME = 120


class Outcomes(NamedTuple):
    """Single-copy estimates of all strings, as they came.

    Attributes:
        values: sparse (R, D); row r holds what one measurement outcome says of each string.
        counts: (R,) how often it came.
        group: (R,) which measurement it belongs to; each has its own copies.
    """

    values: "sparse.csr_array"
    counts: np.ndarray
    group: np.ndarray


class StringEstimates(NamedTuple):
    """Unbiased estimates of D expectations.

    Attributes:
        mean: (D,).
        second_moment: (D,) of the estimate from one copy: the variance is (second_moment - <P>^2) / copies.
        copies: (D,) copies that each string's estimate averages over.
        outcomes: all outcomes, asked for only where strings are added up and covariances count.
        told: how many numbers these hold, or how many are expected.
    """

    mean: np.ndarray
    second_moment: np.ndarray
    copies: np.ndarray
    outcomes: Callable[[], Outcomes]
    told: int = 0


def reading(components: PauliComponents, found: StringEstimates, point: Point) -> Reading:
    """Values and gradient, with variances from the same outcomes; NaN where a string has a single copy."""
    import scipy.sparse as sparse

    gradient = gradient_rows(components, point)
    both = sparse.csr_array(sparse.vstack([components.value, gradient]))
    both.eliminate_zeros()
    outputs, (rows, angles) = len(components.constants), (len(point.cotangents), len(point.coordinates))
    covariance = None
    if point.objective.mixes_coordinates:
        all_rows = _covariance(both, found)
        variance = np.diag(all_rows)
        blocks = all_rows[outputs:, outputs:].reshape(rows, angles, rows, angles)
        covariance = np.stack([blocks[c, :, c] for c in range(rows)])
    elif np.all(np.diff(both.indptr) <= 1):
        variance = both.power(2) @ _single_variances(found)
    else:
        variance = _variance(both, found)
    # Rounding, or covariances of very few copies, may leave a small variance negative.
    variance = np.maximum(variance, 0)
    dtype = point.coordinates.dtype
    return Reading(
        value=(components.value @ found.mean + components.constants).astype(dtype),
        gradient=(gradient @ found.mean).reshape(rows, angles).astype(dtype),
        variance=variance[outputs:].reshape(rows, angles).astype(dtype),
        value_variance=variance[:outputs].astype(dtype),
        covariance=covariance,
        stats={"degrees_of_freedom": min(found.copies.tolist(), default=np.inf) - 1},
    )


def nothing_to_measure() -> StringEstimates:
    """The estimates where no string needs to be known."""
    import scipy.sparse as sparse

    nothing, no_rows = np.zeros(0), np.zeros(0, np.int64)
    return StringEstimates(nothing, nothing, nothing, lambda: Outcomes(sparse.csr_array((0, 0)), no_rows, no_rows))


def _single_variances(found: StringEstimates):
    """(D,): (second - <P>^2) / copies, with an unbiased estimate of <P>^2: the squared mean less its variance.

    Of outcomes larger than 1, which few copies tell, it is kept where squares can be, between 0 and 1: so the variance
    is known to a part of 1 / second whatever came out.
    """
    squares = (found.copies * found.mean**2 - found.second_moment) / _less_one(found.copies)
    squares = np.where(found.second_moment > 1, np.clip(squares, 0, 1), squares)
    return (found.second_moment - squares) / found.copies


def _variance(rows, found: StringEstimates):
    spread, means, copies, unseen = _moments(rows, found)
    sampled = spread.power(2) @ np.ones(spread.shape[1]) - means.power(2) @ (1 / _less_one(copies))
    return sampled + rows.power(2) @ unseen


def _covariance(rows, found: StringEstimates):
    import scipy.sparse as sparse

    spread, means, copies, unseen = _moments(rows, found)
    sampled = spread @ spread.T - means @ sparse.diags_array(1 / _less_one(copies)) @ means.T
    return (sampled + rows @ sparse.diags_array(unseen) @ rows.T).toarray()


def _moments(rows, found: StringEstimates):
    """Factors of the rows' sample covariance, and what it lacks.

    Returns:
        spread (rows, R) and means (rows, groups): the covariance is spread spread^T - means means^T / (copies - 1);
        copies (groups,); unseen (D,): true second moments less sampled ones, over copies - 1. Without it a string that
        no copy happened to tell would seem to have no variance.
    """
    import scipy.sparse as sparse

    require(
        f"variances of sums of {len(found.mean):,} strings, which {found.told:,} outcomes tell of, take",
        BYTES_PER_OUTCOME * found.told,
        allowed_bytes(),
        "give fewer copies, and average several estimates",
    )
    outcomes = found.outcomes()
    copies = np.bincount(outcomes.group, outcomes.counts)
    share = outcomes.counts / copies[outcomes.group]
    table = (rows @ outcomes.values.T).tocsr()
    spread = table @ sparse.diags_array(np.sqrt(share / _less_one(copies[outcomes.group])))
    by_group = sparse.csr_array((share, (np.arange(len(share)), outcomes.group)), shape=(len(share), len(copies)))
    unseen = (found.second_moment - outcomes.values.power(2).T @ share) / _less_one(found.copies)
    return spread, table @ by_group, copies, unseen


def _less_one(copies):
    """Copies - 1, NaN for a single one."""
    return np.where(copies > 1, copies - 1, np.nan)
