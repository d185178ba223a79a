"""Gauss-Legendre panels."""

import functools

import numpy as np
from jaxtyping import Float


@functools.cache
def gauss_legendre(count: int) -> tuple[Float[np.ndarray, "count"], Float[np.ndarray, "count"]]:
    """Nodes and weights on [-1, 1]; computed once, since the nodes are eigenvalues of a matrix."""
    return np.polynomial.legendre.leggauss(count)


def panels(
    edges: Float[np.ndarray, "*lines edges"], count: int
) -> tuple[Float[np.ndarray, "*lines nodes"], Float[np.ndarray, "*lines nodes"]]:
    """Nodes and weights (..., panels * count) on consecutive panels between edges (..., panels + 1)."""
    nodes, weights = gauss_legendre(count)
    half = np.diff(edges, axis=-1)[..., None] / 2
    x = edges[..., :-1, None] + half * (1 + nodes)
    shape = (*edges.shape[:-1], -1)
    return x.reshape(shape), (half * weights).reshape(shape)
