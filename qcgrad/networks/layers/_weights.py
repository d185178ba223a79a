r"""Random weights in NTK parameterisation, shared by dense and convolutional layers.

Every layer with weights computes \(z = \sigma_w n^{-1/2}\,\omega h + \sigma_b\beta\), n the fan-in. Entries of omega
and beta have unit variance: \(\mathbb E|\omega|^2 = 1\), \(\mathbb E[\omega^2] = \tau\). So \(\mathbb E|w|^2 n\) is
\(\sigma_w^2\) at every width, which is proper fan-in initialisation. Complex parameters are always stored as circular
numbers c; improper weights are a linear map of them,

.. math:: \omega = e^{i\arg(\tau)/2}\Big(\tfrac{a+b}{\sqrt2}\,c + \tfrac{a-b}{\sqrt2}\,\bar c\Big),\qquad
    a, b = \sqrt{(1\pm|\tau|)/2},

so that gradient flow on the stored numbers has the kernels of the infinite-width recursion in every case.
"""

import abc
import cmath
import math
from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Inexact

from ...array_types import Key
from ...errors import NotApplicable
from .._array_types import KernelMap
from .._gap import gap_of_sum
from ..kernel_state import KernelState
from .layer import AbstractLayer


def as_complex(state: KernelState) -> KernelState:
    """A real state among complex ones: the same numbers, complex where covariances of complex numbers stand."""

    def convert(array, batch_axes):
        is_variance = array is state.variance1 or array is state.variance2
        return array if is_variance and state.positions != "all" else array + 0j

    return state.map_arrays(convert)._replace(is_complex=True)


class Weights(NamedTuple):
    """Parameters of a layer: entries of unit variance. `bias` (width,) is None where sigma_b is 0."""

    weight: jax.Array
    bias: jax.Array | None


class AbstractWeightLayer(AbstractLayer):
    """A layer with weights and biases; subclasses say how wide it is and which inputs a weight meets."""

    has_weights: ClassVar[bool] = True
    width: eqx.AbstractVar[int]
    sigma_w: eqx.AbstractVar[float]
    sigma_b: eqx.AbstractVar[float]
    dtype: eqx.AbstractVar[Literal["complex", "real"]]
    tau: eqx.AbstractVar[complex]

    def __check_init__(self) -> None:
        name = type(self).__name__
        if not isinstance(self.width, (int, np.integer)) or self.width < 1:
            raise ValueError(f"{name}: width must be a positive integer, but {self.width!r} was given.")
        for scale in ("sigma_w", "sigma_b"):
            value = getattr(self, scale)
            if not isinstance(value, (int, float, np.number)) or not 0 <= value < math.inf:
                raise ValueError(f"{name}: {scale} must be a finite number >= 0, but {value!r} was given.")
        if self.dtype not in ("complex", "real"):
            raise ValueError(f'{name}: dtype must be "complex" or "real", but {self.dtype!r} was given.')
        if not isinstance(self.tau, (int, float, complex, np.number)) or not abs(self.tau) <= 1:
            raise ValueError(f"{name}: tau = E[omega^2] must have |tau| <= E|omega|^2 = 1, but {self.tau!r} was given.")
        if self.dtype == "real" and self.tau != 0:
            raise ValueError(f'{name}: real weights have tau = 1; leave tau out or choose dtype="complex".')

    @abc.abstractmethod
    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the weights for inputs of this shape: (*filter, inputs, width)."""

    @abc.abstractmethod
    def meets(self, x: Inexact[jax.Array, "N *positions channels"]) -> Inexact[jax.Array, "N *positions fan_in"]:
        """The inputs that weights meet: (N, *output positions, fan-in) from inputs (N, *positions, channels)."""

    @property
    def pseudo_variance(self) -> complex:
        """E[omega^2]: tau, and 1 for real weights."""
        return 1.0 if self.dtype == "real" else self.tau

    @property
    def is_proper(self) -> bool:
        return self.pseudo_variance == 0

    def init(self, key: Key, shape: tuple[int, ...]) -> Weights:
        weight_key, bias_key = jax.random.split(key)
        # Complex normal numbers of JAX are circular with unit variance.
        dtype = complex if self.dtype == "complex" else float
        weight = jax.random.normal(weight_key, self.weight_shape(shape), dtype)
        bias = jax.random.normal(bias_key, (self.width,), dtype) if self.sigma_b else None
        return Weights(weight, bias)

    def scaled(self, params: Weights) -> Weights:
        """The numbers that multiply and shift: sigma_w n^(-1/2) omega and sigma_b beta, n the fan-in."""
        weight, bias = params
        scale = self.sigma_w / math.sqrt(math.prod(weight.shape[:-1]))
        return Weights(scale * self._improper(weight), None if bias is None else self.sigma_b * self._improper(bias))

    def _improper(self, circular):
        if self.dtype == "real" or self.tau == 0:
            return circular
        size = abs(self.tau)
        turn = cmath.sqrt(self.tau / size)  # for -1 exactly i: imaginary numbers have no real parts
        a, b = math.sqrt((1 + size) / 2), math.sqrt((1 - size) / 2)
        return turn * ((a + b) / math.sqrt(2) * circular + (a - b) / math.sqrt(2) * jnp.conj(circular))

    def start(self, gram: Callable[[Callable], KernelState]) -> KernelState:
        return self.propagate_weights(gram(self.meets), lambda array, batch_axes: array)

    def propagate_weights(self, state: KernelState, mean: KernelMap) -> KernelState:
        """Kernels behind the weights; `mean(array, batch_axes)` averages over the inputs that a weight meets.

        Raises:
            NotApplicable: the layer in front has width 1.
        """
        if state.is_narrow:
            raise NotApplicable(
                f"a layer of width 1 stands in front of {type(self).__name__}({self.width}): outputs behind such a "
                "bottleneck are not Gaussian, however wide the other layers are. Make it wider, any width stands for "
                "infinitely many; or compute the empirical kernel."
            )
        is_complex = state.is_complex or self.dtype == "complex"
        state = state.map_arrays(mean)
        tau = self.pseudo_variance
        if not is_complex:
            tau = 1.0
        elif not state.is_complex:
            state = as_complex(state)

        def covariance(array, factor: complex = 1.0):
            return None if array is None else factor * (self.sigma_w**2 * array + self.sigma_b**2)

        def tangent(covariance, array, factor: complex = 1.0):
            return None if array is None else covariance + factor * self.sigma_w**2 * array

        nngp, pseudo = covariance(state.nngp), covariance(state.pseudo, tau)
        return state._replace(
            gap=self._gap(state, is_complex and pseudo is not None),
            nngp=nngp,
            pseudo=pseudo,
            ntk=tangent(nngp, state.ntk),
            ntk_pseudo=tangent(pseudo, state.ntk_pseudo, tau),
            ntk_rule=tangent(nngp, state.ntk_rule),
            ntk_rule_pseudo=tangent(pseudo, state.ntk_rule_pseudo, tau),
            variance1=covariance(state.variance1),
            variance2=covariance(state.variance2),
            pseudo1=covariance(state.pseudo1, tau),
            pseudo2=covariance(state.pseudo2, tau),
            is_complex=is_complex,
            law="gaussian",
            nonlinear=None,
            is_narrow=self.width == 1,
        )

    def _gap(self, state: KernelState, is_improper: bool):
        """The gap behind the weights: that of the sum of weighted inputs and a bias, which is the same for all."""
        if state.gap is None or is_improper:
            return None
        q1, q2, covariance, gap = state.gaussians
        weighted = (*(self.sigma_w**2 * array for array in (q1, q2, covariance)), gap)
        bias = jnp.full((1, 1), self.sigma_b**2, q1.dtype)
        return gap_of_sum(weighted, (bias, bias, bias, jnp.zeros_like(bias)))
