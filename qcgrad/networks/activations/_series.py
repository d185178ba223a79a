r"""Dual maps as power series in the correlation, with the error of cutting them known.

A function of a complex Gaussian has Itô-Hermite coefficients; sorted by harmonic m = j - k they separate the kernel,

.. math:: \kappa = \sum_m R^m P_m(|R|^2),\qquad P_m(x) = \sum_j a_{mj}(q_1)\,\overline{a_{mj}(q_2)}\,x^j

(\(\bar R^{|m|}\) for negative m), and \(\partial/\partial K\) of this series is D. By Cauchy-Schwarz the cut terms are
at most the geometric mean of what is missing in \(\mathbb E|\varphi|^2\) for both variances, times \(|R|^{2J}\). These
functions run on the host in float64: they choose terms and methods by looking at numbers, and compile nothing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Inexact

from ...arrays import is_concrete
from .._array_types import Covariances, Gaps, Variances
from .._gap import ROUNDING
from ..leaves import working_dtype
from ._dual import Dual
from ._threads import for_blocks

#: Entries that one block of an elementwise loop works on: the arrays of a block stay in cache.
BLOCK = 1 << 14


def horner(
    first: Inexact[np.ndarray, "J *#pairs"], second: Inexact[np.ndarray, "J *#pairs"], x: Float[np.ndarray, "*#pairs"]
) -> tuple[Inexact[np.ndarray, "*pairs"], Inexact[np.ndarray, "*pairs"]]:
    """P(x) and P'(x) for coefficients first[j] conj(second[j]), elementwise.

    Args:
        first, second: (J, *shape), whose shapes broadcast with x, at least one axis.
        x: real.

    Cost: five passes over the entries for each term.
    """
    shape = np.broadcast_shapes(first.shape[1:], second.shape[1:], x.shape)
    first, second = _padded(first, len(shape)), np.conj(_padded(second, len(shape)))
    value, slope = np.zeros((2, *shape), np.result_type(first, second))
    x = np.broadcast_to(x, shape)
    rows = max(1, BLOCK // max(1, x[:1].size))

    def sum_up(block):
        _horner(_rows(first, block), _rows(second, block), x[block], value[block], slope[block])

    for_blocks(sum_up, shape[0], rows)
    return value, slope


def _horner(first, second, x, value, slope):
    term = np.empty_like(value)
    for a, b in zip(first[::-1], second[::-1], strict=True):
        slope *= x
        slope += value
        value *= x
        value += np.multiply(a, b, out=term)


def _padded(coefficients, rank):
    shape = coefficients.shape
    return coefficients.reshape(shape[0], *(1,) * (rank + 1 - len(shape)), *shape[1:])


def _rows(coefficients, block):
    """A block of rows, where the first axis is not broadcast."""
    return coefficients if coefficients.shape[1] == 1 else coefficients[:, block]


def by_variance(
    function: Callable[[Float[np.ndarray, "n"]], Iterable[Inexact[np.ndarray, "... n"]]],
    q1: Float[np.ndarray, "*first"],
    q2: Float[np.ndarray, "*second"],
) -> tuple[list[Inexact[np.ndarray, "..."]], list[Inexact[np.ndarray, "..."]]]:
    """function(distinct variances) -> arrays (..., len), evaluated once, and handed back for q1 and q2."""
    distinct, where = np.unique(np.concatenate([np.ravel(q1), np.ravel(q2)]), return_inverse=True)
    parts = function(distinct)
    first, second = where[: np.size(q1)].reshape(np.shape(q1)), where[np.size(q1) :].reshape(np.shape(q2))
    return [part[..., first] for part in parts], [part[..., second] for part in parts]


class Entries(NamedTuple):
    """What a dual map on the host works on: float64, with at least one axis.

    Attributes:
        q1, q2: variances, shaped so that they broadcast.
        ratio: R with |R| <= 1.
        gap: 1 - |R|, which may hold digits that R has lost.
        scale: sqrt(q1 q2).
    """

    q1: np.ndarray
    q2: np.ndarray
    ratio: np.ndarray
    gap: np.ndarray
    scale: np.ndarray


def on_host(
    compute: Callable[[Entries], Iterable[Inexact[np.ndarray, "*#pairs"]]],
    q1: Variances,
    q2: Variances,
    covariance: Covariances,
    gap: Gaps | None = None,
) -> Dual:
    """compute(entries) -> kappa, D, E in float64; results in the precision of the inputs.

    Raises:
        TypeError: under jax.jit or jax.grad, where there are no numbers to look at.
    """
    if not is_concrete((q1, q2, covariance)):
        raise TypeError(
            "the dual map of this activation sums series on the host, so it cannot be traced by jax.jit, jax.vmap or "
            "jax.grad: call net.kernel outside of them (it uses all processors as it is)"
        )
    dtype = working_dtype(jnp.result_type(*(jnp.asarray(a) for a in (q1, q2, covariance))))
    arrays = [np.asarray(a) for a in (q1, q2, covariance, np.nan if gap is None else gap)]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    rank = max(1, len(shape))
    q1, q2, covariance, gap = (a.reshape((1,) * (rank - a.ndim) + a.shape) for a in arrays)
    # A tiny variance instead of zero makes every ratio its limit.
    q1, q2 = (np.maximum(q.astype(np.float64), 1e-100) for q in (q1, q2))
    scale = np.sqrt(q1) * np.sqrt(q2)
    size = np.abs(covariance).astype(np.float64)
    known = np.maximum(1 - size / scale, 0)
    known = np.where(known < ROUNDING * np.finfo(dtype).eps, 0, known)
    gap = np.where(np.isnan(gap), known, gap)
    ratio = np.where(size > 0, covariance / np.where(size > 0, size, 1), 1) * (1 - gap)
    parts = compute(Entries(q1, q2, ratio, gap, scale))
    return Dual(*(jnp.asarray(np.broadcast_to(part, ratio.shape).reshape(shape), dtype) for part in parts))


def terms_needed(first: Inexact[np.ndarray, "J *first"], second: Inexact[np.ndarray, "J *second"], x: float) -> int:
    """How many terms of `horner` stay above rounding for arguments up to x, the derivative's too."""
    axes = tuple(range(1, first.ndim))
    largest = np.max(np.abs(first), axis=axes) * np.max(np.abs(second), axis=tuple(range(1, second.ndim)))
    orders = np.arange(1, len(largest) + 1)
    left = np.cumsum((largest * orders * float(x) ** (orders - 1))[::-1])[::-1]
    return max(2, int(np.sum(left > 1e-14 * left[0])))
