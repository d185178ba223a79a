"""Types of arrays in the signatures of networks and their kernels, beside `qcgrad.array_types`."""

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Float, Inexact, Num, UInt32

from ..array_types import Array

RawKey = UInt32[Array, "words"]
"""The numbers that a key is made of."""

Numbers = Num[Array | complex, "*shape"]
"""What an elementwise function takes."""

Values = Inexact[jax.Array, "*shape"]
"""What an elementwise function returns, in the shape of what it took."""

RealValues = Float[Array, "*shape"]
"""Real numbers on either side of an elementwise function that computes with NumPy and with JAX."""

WirtingerPair = tuple[Values, Values]
"""The derivatives by z and by its conjugate, of an elementwise function."""

Variances = Float[Array | float, "*#pairs"]
"""Variances of Gaussians, shaped so that they broadcast to one number for each pair."""

Covariances = Inexact[Array | complex, "*#pairs"]
"""Covariances of pairs of complex Gaussians, broadcast as their variances are."""

RealCovariances = Variances
"""Covariances of pairs of real Gaussians."""

Gaps = Float[Array, "*#pairs"]
"""1 - |rho| of pairs of Gaussians, with digits that the correlation may have lost."""

RealDual = tuple[Float[jax.Array, "*pairs"], Float[jax.Array, "*pairs"]]
"""The covariances of a real function and of its slope, at pairs of Gaussians."""

Energies = Float[np.ndarray, "degree+1"]
"""Squares of Hermite coefficients, summed over each degree 0 ... degree."""

Batch = Num[Array, "N *shape"]
"""Inputs of a network or a layer."""

Outputs = Inexact[jax.Array, "N *outputs"]
"""Outputs of a network or a layer."""

Gaussians = tuple[
    Float[jax.Array, "*#pairs"], Float[jax.Array, "*#pairs"], Inexact[jax.Array, "*#pairs"], Float[jax.Array, "*#pairs"]
]
"""Pairs of Gaussians as (q1, q2, covariance, gap)."""

Signal = Inexact[jax.Array, "N *shape"]
"""A cotangent in front of a layer, in the shape of its inputs."""

KernelMap = Callable[[Inexact[jax.Array, "..."], int], Inexact[jax.Array, "..."]]
"""A change of any one kernel, told how many of its axes stand for inputs: 2 between inputs, 1 within one."""
