"""Fully connected layers."""

from typing import TYPE_CHECKING, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Inexact

from .._array_types import Batch, Outputs
from ..kernel_state import KernelState
from ._weights import AbstractWeightLayer, Weights

if TYPE_CHECKING:
    from ..rules._activation_rule import ActivationRule


class Dense(AbstractWeightLayer):
    r"""A fully connected layer on the last axis: \(z = \sigma_w n^{-1/2}\,\omega h + \sigma_b\beta\).

    In the limit of infinite width, with K, C, Theta, Theta-tilde of what goes in,

    .. math:: K' = \sigma_w^2 K + \sigma_b^2,\quad C' = \tau(\sigma_w^2 C + \sigma_b^2),\quad
        \Theta' = K' + \sigma_w^2\Theta,\quad \tilde\Theta' = C' + \tau\sigma_w^2\tilde\Theta .

    Args:
        width: number of outputs n.
        sigma_w, sigma_b: standard deviations of weights (times the root of the fan-in) and of biases.
        dtype: "complex" (circular Gaussian unless tau says otherwise) or "real".
        tau: E[omega^2] of complex weights of unit variance, |tau| <= 1: 0 circular, 1 real. Kernels of the activation
            behind are then exact for split ones and polynomials, else integrals over four real Gaussians, good to about
            1e-3 (zReLU, which jumps: 1e-2).

    Raises:
        ValueError: width, a scale, dtype or tau is out of range.

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> layer = nn.Dense(4, sigma_w=2**0.5, sigma_b=0.1)
        >>> params = layer.init(jax.random.key(0), (3,))  # weight (3, 4), bias (4,): unit variance
        >>> layer.apply(params, jax.numpy.ones((2, 3))).shape
        (2, 4)

    References:
        Jacot, Gabriel, Hongler, Neural Tangent Kernel, NeurIPS 2018.
    """

    width: int = eqx.field(static=True)
    sigma_w: float = eqx.field(static=True, default=1.0)
    sigma_b: float = eqx.field(static=True, default=0.0)
    dtype: Literal["complex", "real"] = eqx.field(static=True, default="complex")
    tau: complex = eqx.field(static=True, default=0.0)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if not shape or shape[-1] < 1:
            raise ValueError(f"Dense takes inputs with at least one feature, but their shape is {shape}.")
        return (*shape[:-1], self.width)

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        self.output_shape(shape)
        return (shape[-1], self.width)

    def meets(self, x: Inexact[jax.Array, "N *positions channels"]) -> Inexact[jax.Array, "N *positions fan_in"]:
        return x

    def apply(self, params: Weights, x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        weight, bias = self.scaled(params)
        if x.ndim < 2 or x.shape[-1] != weight.shape[0]:
            raise ValueError(f"Dense takes a batch (N, ..., {weight.shape[0]}), but x has shape {x.shape}.")
        z = jnp.matmul(x, weight)
        return z if bias is None else z + bias.reshape((1,) * (z.ndim - 1) + bias.shape)

    def propagate(self, state: KernelState) -> KernelState:
        return self.propagate_weights(state, lambda array, batch_axes: array)
