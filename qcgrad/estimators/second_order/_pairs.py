"""Shifted evaluations of single angles and of pairs of them, and second derivatives of what they give."""

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from ...array_types import Angles, Array
from ...ir import Circuit
from ...ir.angles import rounded
from ...ir.gates import Gate
from ...matrices import Problem
from ...memory import allowed_bytes, require
from .._checks import checked_count
from ..single_copy.shifts._evaluations import Evaluations, rule_of
from ..single_copy.shifts._shift_rules import curvature_rule


class Pairs(NamedTuple):
    """All evaluations that the second derivatives by A angles take: the single shifts of a gradient, then pairs.

    Attributes:
        single: those of the gradient.
        curvature: (B,) factors of the single shifts in the second derivative by their own angle.
        center: (A,) factor in it of the evaluation without a shift.
        first, second: (P,) which two single shifts make up each pair, of different angles.
    """

    single: Evaluations
    curvature: np.ndarray
    center: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @staticmethod
    @lru_cache(maxsize=8)
    def of(gates: tuple[Gate, ...]) -> "Pairs":
        single = Evaluations.of(gates)
        rules = [rule_of(position, gate, curvature_rule) for position, gate in enumerate(gates)]
        curvature = np.concatenate([rule[1:] for rule in rules] or [np.zeros(0)])
        first, second = np.nonzero(single.owner[:, None] < single.owner)
        return Pairs(single, curvature, np.array([rule[0] for rule in rules], float), first, second)

    @property
    def owners(self) -> tuple[np.ndarray, np.ndarray]:
        """The two angles of each pair."""
        return self.single.owner[self.first], self.single.owner[self.second]

    @property
    def counts(self) -> tuple[int, int]:
        """Evaluations with at most one angle shifted, and with two."""
        return 1 + len(self.curvature), len(self.first)

    def shots(self, shots: int | None, pair_shots: int | None) -> int | tuple[int, ...] | None:
        """Those of all evaluations: one number where both kinds get the same."""
        if shots is None or pair_shots is None or shots == pair_shots:
            return shots
        return (shots,) * self.counts[0] + (pair_shots,) * self.counts[1]

    def freedom(self, shots: int | None, pair_shots: int | None) -> dict[str, int]:
        """The degrees of freedom of all variances, by the fewest shots."""
        given = [count for count in (shots, pair_shots) if count is not None]
        return {"degrees_of_freedom": min(given) - 1} if given else {}

    def settings(self, circuit: Circuit, angles: Angles, who: str) -> Float[np.ndarray, "B A"]:
        """The angles, every single shift, every pair of shifts.

        Raises:
            TooLarge: they would not fit into memory.
        """
        count, gates = 1 + len(self.curvature) + len(self.first), self.single.num_gates
        require(
            f"{who} on {gates:,} parameterised gates evaluates {count:,} settings of all angles, which take",
            count * gates * angles.dtype.itemsize,
            allowed_bytes(),
            "differentiate by fewer angles at a time",
        )
        owner, shifts = self.single.owner, self.single.shifts
        moved = rounded(circuit, owner, np.asarray(angles, float)[owner] + shifts, angles.dtype)
        settings = np.broadcast_to(angles, (count, gates)).copy()
        settings[1 + np.arange(len(owner)), owner] = moved
        rows = 1 + len(owner) + np.arange(len(self.first))
        for chosen in (self.first, self.second):
            settings[rows, owner[chosen]] = moved[chosen]
        return settings


class Pieces(NamedTuple):
    """Second derivatives by angles, and the variances of what they are made of.

    Attributes:
        gradient: (C, A).
        matrix: (C, A, A), symmetric.
        apart: (C, A, A) variances of the entries off the diagonal, independent of each other and of all else.
        along: three times (C, A): variance of the diagonal entry without the error that all share, its covariance with
            the derivative, variance of the derivative.
        common: (C, A) standard deviation in each diagonal entry of the error that all share; with signs.
        bias: (C, A, A) and (C, A), bounds for matrix and gradient, or None.
    """

    gradient: np.ndarray
    matrix: np.ndarray
    apart: np.ndarray
    along: tuple[np.ndarray, np.ndarray, np.ndarray]
    common: np.ndarray
    bias: tuple[np.ndarray, np.ndarray] | None = None


def pieces(
    pairs: Pairs,
    mean: Float[Array, "B K"],
    variance: Float[Array, "B K"],
    cotangents: Float[Array, "C K"],
    bias: Float[Array, "B K"] | None,
) -> Pieces:
    """Put evaluations together: the one without a shift, the single shifts, the pairs."""
    single, weights = pairs.single, np.asarray(cotangents, float)

    def summed(rows, factors, weights=weights):
        return weights @ single.sum_by_gate(factors[:, None] * rows).T

    def matrix(rows, factors, diagonal, weights=weights):
        found = np.zeros((single.num_gates, single.num_gates, rows.shape[1]))
        np.add.at(found, pairs.owners, factors[:, None] * rows)
        found = np.einsum("ck,abk->cab", weights, found + found.swapaxes(0, 1))
        found[:, np.arange(single.num_gates), np.arange(single.num_gates)] = diagonal
        return found

    mean, variance = np.asarray(mean, float), np.asarray(variance, float)
    one, two = slice(1, 1 + len(single.owner)), slice(1 + len(single.owner), None)
    c, d = single.coefficients, pairs.curvature
    product = c[pairs.first] * c[pairs.second]
    squares, sizes = weights**2, np.abs(weights)
    diagonal = summed(mean[one], d) + np.outer(weights @ mean[0], pairs.center)
    along = (
        summed(variance[one], d * d, squares),
        summed(variance[one], c * d, squares),
        summed(variance[one], c * c, squares),
    )
    off = None
    if bias is not None:
        bias = np.asarray(bias, float)
        least = summed(bias[one], abs(d), sizes) + np.outer(sizes @ bias[0], abs(pairs.center))
        off = matrix(bias[two], abs(product), least, sizes), summed(bias[one], abs(c), sizes)
    return Pieces(
        summed(mean[one], c),
        matrix(mean[two], product, diagonal),
        matrix(variance[two], product**2, 0.0, squares),
        along,
        np.sqrt(squares @ variance[0])[:, None] * pairs.center,
        off,
    )


def by_parameters(
    found: Pieces, directions: Float[np.ndarray, "N A"], bends: Float[np.ndarray, "A N N"] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    r"""Matrix, variance and bias bound (C, N, N) by the chain rule of second order.

    Entry (i, j) is a sum over angles of independent errors: those of pairs count
    \(J_{ai} J_{bj} + J_{bi} J_{aj}\) times, those along one angle \(J_{ai} J_{aj}\) times in the curvature and
    \(\partial^2\theta_a\) times in the slope. What is missing, NaN, counts in some entries, and leaves those alone
    NaN.
    """
    rows, bent = np.asarray(directions, float), None if bends is None else np.asarray(bends, float)
    gaps = jax.tree.map(np.isnan, found)
    if not any(gap.any() for gap in jax.tree.leaves(gaps)):
        return _by_parameters(found, rows, bent)
    numbers = _by_parameters(jax.tree.map(np.nan_to_num, found), rows, bent)
    # Sums of what is not negative: where one is positive, something missing counts.
    counted = jax.tree.map(lambda gap: gap.astype(float), gaps)
    reached = _by_parameters(counted, abs(rows), None if bent is None else abs(bent))
    return jax.tree.map(lambda number, reach: np.where(reach > 0, np.nan, number), numbers, reached)


def _by_parameters(found: Pieces, rows, bends):
    matrix = rows @ found.matrix @ rows.T
    variance = rows**2 @ found.apart @ rows.T**2
    bias = None if found.bias is None else abs(rows) @ found.bias[0] @ abs(rows).T
    along, mixed, slope = found.along
    for i, row in enumerate(rows):  # row by row, since all products of three axes would take too much memory
        both = row * rows
        share = np.einsum("ja,cab,jb->cj", both, found.apart, both, optimize=True)
        variance[:, i] += share + along @ both.T**2 + (found.common @ both.T) ** 2
        if bends is not None:
            bent = bends[:, i]
            matrix[:, i] += found.gradient @ bent
            variance[:, i] += slope @ bent**2 + 2 * mixed @ (both.T * bent)
            if bias is not None and found.bias is not None:
                bias[:, i] += found.bias[1] @ abs(bent)
    return matrix, np.maximum(variance, 0), bias


def spreads_of_kinds(
    pairs: Pairs, sizes: Float[np.ndarray, "K"], cotangents: Float[Array, "C K"], problem: Problem
) -> tuple[Float[np.ndarray, "C N N"], Float[np.ndarray, "C N N"]]:
    """What every entry is sub-Gaussian with: by single shifts of one shot each, and by pairs.

    Args:
        pairs: evaluations and their weights.
        sizes: what an outcome of each output is sub-Gaussian with.
        cotangents: which outputs make up each matrix.
        problem: whose parameters count.
    """
    count = sum(pairs.counts)
    mean, is_pair = np.zeros((count, len(sizes))), np.arange(count) >= pairs.counts[0]
    one, two = (
        by_parameters(
            pieces(pairs, mean, chosen[:, None] * sizes, cotangents, None), problem.directions, problem.bends
        )[1]
        for chosen in (~is_pair, is_pair)
    )
    return one, two


def checked_shots(shots: Any, pair_shots: Any) -> tuple[int | None, int | None]:
    """Shots of evaluations with one shift and with two, or one clear error."""
    if shots is None and pair_shots is not None:
        raise ValueError(f"pair_shots={pair_shots!r} without shots: give shots too, or neither for exact values")
    shots = None if shots is None else checked_count("shots", shots)
    return shots, None if pair_shots is None else checked_count("pair_shots", pair_shots)
