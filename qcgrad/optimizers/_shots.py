"""Descent that keeps averages of gradients and variances, and asks for shots: what iCANS and gCANS share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Float, Int, PyTree

from ..array_types import Array
from . import _checks as checks
from ._direction_shots import QuiverState

if TYPE_CHECKING:
    import optax

# Shots are 32-bit integers that come from floating-point numbers, also single ones.
_MOST = 10**9

Vector = Float[Array, "P"]


class ShotState(NamedTuple):
    """What a shot-adaptive optimiser keeps; `shots` is what the next estimate is to take.

    Attributes:
        count: k, updates so far.
        mean: running sum of the gradients, as the parameters.
        spread: running sum of the variances of one shot, as the parameters.
        shots: integers as the parameters: shots of each evaluation that goes into that derivative.
    """

    count: Int[Array, ""]
    mean: PyTree
    spread: PyTree
    shots: PyTree


class Averages(NamedTuple):
    """What shots are worked out from, one number for each parameter.

    Attributes:
        gradient, spread: averages of the gradient and of the variance of one shot, without the bias of their start.
        floor: b mu^k, which keeps early averages from asking for too many shots.
        taken: shots that the estimate took.
        evaluations: what one more shot for that derivative costs.
    """

    gradient: Vector
    spread: Vector
    floor: Array
    taken: Vector
    evaluations: Vector


class Settings(NamedTuple):
    """Checked numbers of an optimiser; see `icans`."""

    learning_rate: float
    lipschitz: float
    min_shots: int
    max_shots: int
    average: float
    bias: float

    @classmethod
    def checked(
        cls,
        learning_rate: float,
        lipschitz: float,
        min_shots: int,
        max_shots: int,
        average: float,
        bias: float = 1.0,
    ) -> "Settings":
        """The numbers, or one clear error that names the wrong one."""
        learning_rate, lipschitz = (
            checks.positive("learning_rate", learning_rate),
            checks.positive("lipschitz", lipschitz),
        )
        if learning_rate >= 2 / lipschitz:
            raise ValueError(
                f"learning_rate={learning_rate:g} with lipschitz={lipschitz:g}: steps of 2/L = {2 / lipschitz:g} or "
                "more may go uphill, and no number of shots mends that; give less, 1/L for example"
            )
        # One shot has no sample variance, and so tells nothing of the next step.
        min_shots = checks.count("min_shots", min_shots, 2, _MOST)
        max_shots = checks.count("max_shots", max_shots, min_shots, _MOST)
        return cls(
            learning_rate,
            lipschitz,
            min_shots,
            max_shots,
            checks.fraction("average", average),
            checks.positive("bias", bias),
        )


def transformation(
    settings: Settings,
    wanted: Callable[[Averages], Vector],
    rates: Callable[[Averages], Any],
) -> "optax.GradientTransformationExtraArgs":
    """An optax transformation from a formula for shots and one for learning rates.

    Args:
        settings: its numbers.
        wanted: shots of the next estimate, before they are kept within limits.
        rates: learning rates of this step, a number or one for each parameter.
    """
    optax = optax_or_refuse()

    def init(params):
        zeros = jax.tree.map(lambda leaf: jnp.zeros_like(jnp.asarray(leaf)), params)
        shots = jax.tree.map(lambda leaf: jnp.full(leaf.shape, settings.min_shots, jnp.int32), zeros)
        return ShotState(jnp.zeros((), jnp.int32), zeros, zeros, shots)

    def update(updates, state, params=None, *, variance=None, shots=None, evaluations=None, **extra):
        del params, extra
        if variance is None:
            raise TypeError("update needs variance=e.variance, that of the gradient e.gradient that it is given")
        gradient, unravel = ravel_pytree(updates)
        noise = ravel_pytree(variance)[0]
        if noise.shape != gradient.shape:
            raise ValueError(f"variance has {noise.size} numbers, but the gradient has {gradient.size}")
        taken = _vector(state.shots if shots is None else shots, gradient)
        mu = settings.average
        mean = mu * ravel_pytree(state.mean)[0] + (1 - mu) * gradient
        spread = mu * ravel_pytree(state.spread)[0] + (1 - mu) * noise * taken
        count = state.count.astype(gradient.dtype)
        unbiased = 1 - mu ** (count + 1)
        averages = Averages(
            mean / unbiased,
            spread / unbiased,
            settings.bias * mu**count,
            taken,
            jnp.ones_like(gradient) if evaluations is None else _vector(evaluations, gradient),
        )
        following = jnp.clip(jnp.ceil(wanted(averages)), settings.min_shots, settings.max_shots)
        following = jnp.where(jnp.isfinite(following), following, settings.min_shots)
        integers = ravel_pytree(state.shots)[1](following.astype(jnp.int32))
        kept = ShotState(state.count + 1, unravel(mean), unravel(spread), integers)
        return unravel(-rates(averages) * gradient), kept

    return optax.GradientTransformationExtraArgs(init, update)


def optax_or_refuse() -> Any:
    """The package optax, or how to get it."""
    try:
        import optax
    except ImportError as error:
        raise ImportError(
            "shot-adaptive optimisers need optax, which is not installed: pip install 'qcgrad[optimizers]'"
        ) from error
    return optax


def _vector(numbers, gradient):
    """(P,) numbers from a tree of them, or from one."""
    found = ravel_pytree(numbers)[0].astype(gradient.dtype)
    return jnp.broadcast_to(found, gradient.shape)


def shot_state(state: PyTree) -> ShotState | QuiverState | None:
    """The part of an optimiser's state that asks for shots; None where it has none.

    Raises:
        ValueError: it has several.
    """
    kinds = ShotState, QuiverState
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, kinds))
    found = [node for node in nodes if isinstance(node, kinds)]
    if len(found) > 1:
        raise ValueError("the optimizer has several parts that ask for shots: give one icans, gcans or quiver")
    return found[0] if found else None
