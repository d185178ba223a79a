"""Five losses of a complex vector z (3,), each for JAX and for torch, with the gradient d_x + i d_y by hand."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

Z = np.array([0.3 - 0.8j, 1.1 + 0.4j, -0.6 + 0.2j])
A = np.array([0.2 + 1.0j, -0.5 + 0.1j, 0.7 - 0.3j])
M = np.array([[1.0, 0.5j, 0.0], [0.2 - 0.1j, -1.0, 0.3], [0.4j, 0.6, 0.5 + 0.5j]])


@dataclass(frozen=True, eq=False)
class Case:
    """`jax` and `torch` are functions of z, the second also of the module torch."""

    name: str
    jax: Any
    torch: Any
    gradient: np.ndarray


_RESIDUAL = M @ Z - A
_QUARTIC = Z**2 - A
CASES = [
    Case(
        "distance",
        lambda z: jnp.sum(jnp.abs(z - A) ** 2),
        lambda t, z: (z - t.tensor(A)).abs().pow(2).sum(),
        2 * (Z - A),
    ),
    Case(
        "linear",
        lambda z: jnp.sum(jnp.abs(M @ z - A) ** 2),
        lambda t, z: (t.tensor(M) @ z - t.tensor(A)).abs().pow(2).sum(),
        2 * M.conj().T @ _RESIDUAL,
    ),
    Case(
        "holomorphic square",
        lambda z: jnp.sum(jnp.abs(z**2 - A) ** 2),
        lambda t, z: (z**2 - t.tensor(A)).abs().pow(2).sum(),
        4 * Z.conj() * _QUARTIC,
    ),
    # Re(conj(a) z): d_x + i d_y = a.
    Case("real part", lambda z: jnp.real(jnp.vdot(A, z)), lambda t, z: (t.tensor(A).conj() * z).sum().real, A),
    # |z|: z / |z|.
    Case("modulus", lambda z: jnp.sum(jnp.abs(z)), lambda t, z: z.abs().sum(), Z / np.abs(Z)),
]
