"""Normalisation over the width."""

import math
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...array_types import Key
from ...errors import NotApplicable
from .._array_types import Batch, Outputs
from .._gap import safe_ratio, safe_sqrt
from ..kernel_state import KernelState
from ._positions import between, entries, within
from .layer import AbstractLayer

if TYPE_CHECKING:
    from ..rules._activation_rule import ActivationRule


class LayerNorm(AbstractLayer):
    r"""Complex layer normalisation over the last axis, without parameters.

    .. math:: h \to (h - m)/\sqrt{s + \epsilon},\qquad m = \mathrm{mean}\,h,\quad s = \mathrm{mean}\,|h - m|^2 .

    In the limit of infinite width m tends to 0 for Gaussian h, s to the variance q, and both stop depending on single
    weights: their derivatives add O(1/n) to the tangent kernels. So every kernel is divided by the same number,

    .. math:: K \to K/\sqrt{(q+\epsilon)(q'+\epsilon)},\qquad \Theta \to \Theta/\sqrt{(q+\epsilon)(q'+\epsilon)} .

    Args:
        center: subtract the mean. Without it the layer also has a kernel where h is not Gaussian, for example directly
            behind an activation: there the mean of h has a limit of its own, which kernels do not carry.
        epsilon: keeps inputs that are zero finite.

    Raises:
        ValueError: epsilon is negative.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn
        >>> [[round(float(v), 6) for v in row] for row in nn.LayerNorm().apply((), jnp.array([[1.0, 3.0]]))]
        [[-1.0, 1.0]]

    References:
        Ba, Kiros, Hinton, Layer normalization, arXiv:1607.06450.
    """

    center: bool = eqx.field(static=True, default=True)
    epsilon: float = eqx.field(static=True, default=1e-12)

    def __check_init__(self) -> None:
        if not isinstance(self.epsilon, (int, float, np.number)) or not 0 <= self.epsilon < math.inf:
            raise ValueError(f"LayerNorm: epsilon must be a finite number >= 0, but {self.epsilon!r} was given.")

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[()]:
        return ()

    def apply(self, params: tuple[()], x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        if self.center:
            x = x - x.mean(axis=-1, keepdims=True)
        # In units of the largest entry: squares of large numbers overflow.
        size = jax.lax.stop_gradient(jnp.max(jnp.abs(x), axis=-1, keepdims=True, initial=self.epsilon**0.5))
        size = jnp.where(size == 0, 1, size)
        x = x / size
        power = (jnp.real(x) ** 2 + jnp.imag(x) ** 2 if jnp.iscomplexobj(x) else x**2).mean(axis=-1, keepdims=True)
        root = jnp.sqrt(power + (self.epsilon**0.5 / size) ** 2)
        return jnp.where(root == 0, 0, x / jnp.where(root == 0, 1, root))

    def propagate(self, state: KernelState) -> KernelState:
        if self.center and state.law != "gaussian":
            raise NotApplicable(
                "LayerNorm has no infinite-width kernel here: what goes in is not Gaussian and has a mean that kernels "
                "do not carry. Put it directly behind a Dense or Conv layer, or use LayerNorm(center=False)."
            )
        scale1, scale2 = (
            safe_ratio(1.0, safe_sqrt(q + self.epsilon)) for q in entries(state, state.variance1, state.variance2)
        )
        first, second = between(state, scale1, scale2)
        cross = first * second
        own1, own2 = (left * right for left, right in (within(state, scale1), within(state, scale2)))
        scaled = state.map_arrays(lambda array, batch_axes: array * cross if batch_axes == 2 else array)
        return scaled._replace(
            variance1=state.variance1 * own1,
            variance2=state.variance2 * own2,
            pseudo1=None if state.pseudo1 is None else state.pseudo1 * own1,
            pseudo2=None if state.pseudo2 is None else state.pseudo2 * own2,
            # The norm of data is a number, that of finitely many outputs is random.
            nonlinear=state.nonlinear if state.law == "data" else type(self).__name__,
        )
