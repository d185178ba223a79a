"""Finite-difference formulas as data."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ....ir import Program
from ._derivative_bounds import relative_spread, rounding_over_range

ORDERS = {"forward": (1, 2, 4), "central": (2, 4)}


class Stencil(NamedTuple):
    r"""\(f'(\theta) = \sum_j c_j f(\theta + h s_j)/h\), exact for polynomials of degree p.

    Attributes:
        order: p.
        nodes: s, none of them 0.
        weights: c.
        centre: weight of the value itself.
    """

    order: int
    nodes: np.ndarray
    weights: np.ndarray
    centre: float

    @property
    def remainder(self) -> float:
        r"""C, with which the error is at most \(C h^p \max|f^{(p+1)}|\): Taylor's theorem at every node."""
        reach = np.abs(self.weights) * np.abs(self.nodes) ** (self.order + 1)
        return float(reach.sum()) / math.factorial(self.order + 1)

    @property
    def noise(self) -> float:
        """Sum of the squared weights, the value's among them."""
        return float(np.sum(self.weights**2) + self.centre**2)

    @property
    def size(self) -> float:
        """Sum of the |weights|."""
        return float(np.sum(np.abs(self.weights)) + abs(self.centre))

    def error(self, program: Program, dtype: np.dtype, shots: int | None) -> float:
        """Noise at worst, or rounding, of h f', in units of the observable's range."""
        if shots is None:
            return self.size * rounding_over_range(program, dtype)
        return math.sqrt(self.noise * relative_spread(program) / shots)

    def best(self, program: Program, dtype: np.dtype, shots: int | None) -> float:
        r"""\(h\,\Omega\) at which the sum of squares of the largest bias and noise (or rounding) is least."""
        error = self.error(program, dtype, shots)
        return (error / (math.sqrt(self.order) * self.remainder)) ** (1 / (self.order + 1)) if error else 1.0


@lru_cache
def stencil(scheme: str, order: int) -> Stencil:
    """The formula of that order with the fewest evaluations."""
    nodes = np.arange(1.0, order + 1) if scheme == "forward" else np.arange(-(order // 2), order // 2 + 1.0)
    nodes = nodes[nodes != 0]
    powers = nodes[None, :] ** np.arange(1, order + 1)[:, None]
    weights = np.linalg.solve(powers, np.eye(order)[0])
    return Stencil(order, nodes, weights, -float(weights.sum()) if scheme == "forward" else 0.0)


def check_step(
    step: float, fastest: float, shots: int | None, found: Stencil, program: Program, dtype: np.dtype
) -> None:
    """Refuse a step at which noise is as large as the largest derivative that there can be.

    Args:
        step: radians.
        fastest: frequency of what is differentiated.
        shots: of each evaluation; None for exact ones, where rounding is what counts.
        found: the formula.
        program, dtype: what is evaluated, and in which precision.

    Raises:
        ValueError: with the smallest step that does.
    """
    least = found.error(program, dtype, shots) / fastest if fastest else 0.0
    if step < least:
        what = f"the noise of {shots:,} shots" if shots else f"rounding in {np.dtype(dtype)}"
        raise ValueError(
            f"step={step:g} is so small that {what} can swamp it (an error as large as the largest derivative there "
            f"is): give at least {least:.2g}, {'more shots, ' if shots else ''}or None for the best step"
        )
