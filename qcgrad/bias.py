"""How far noise moves a gradient."""

from typing import NamedTuple

import jax

from . import estimators
from .array_types import Gradient, Params, Values
from .estimate import estimate
from .estimator import AbstractEstimator
from .ir import Expectation
from .ir.noise import NoiseModel
from .simulators import DensityMatrix


class NoiseBias(NamedTuple):
    """With noise minus without: of the value, and of the gradient in the structure of the parameters."""

    value: Values
    gradient: Gradient


def noise_bias(
    objective: Expectation,
    params: Params,
    noise: NoiseModel,
    estimator: AbstractEstimator | None = None,
    max_bytes: int | None = None,
) -> NoiseBias:
    r"""The bias that noise gives a gradient, \(\mathrm{E}[\hat g] - g\), exactly.

    Of a method that is exact without noise, with its sign and component by component. Where a backend bounds biases
    instead, estimates carry the bounds; these are never smaller.

    Args:
        objective: an `Expectation`.
        params: its parameters.
        noise: what goes wrong.
        estimator: a method without shots; by default `ParameterShift()`. Methods differ only where the noise depends on
            the angles.
        max_bytes: as for `DensityMatrix`.

    Returns:
        A `NoiseBias`.

    Raises:
        ValueError: a method that samples; noise on qubits that are not there.
        StateTooLarge: before anything is allocated.

    Cost: the estimator's, on the density-matrix simulator, and one gradient without noise.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "X")
        >>> noise = qg.NoiseModel().add(qg.PhaseDamping(0.19))
        >>> print(qg.noise_bias(objective, [0.5], noise).gradient.round(4))  # -cos(0.5) / 10
        [-0.0878]
    """
    method = estimators.ParameterShift() if estimator is None else estimator
    noisy = estimate(objective, params, method, DensityMatrix(noise, max_bytes))
    right = estimate(objective, params, estimators.Adjoint())
    difference = jax.tree.map(lambda a, b: a - b, (noisy.value, noisy.gradient), (right.value, right.gradient))
    return NoiseBias(*difference)
