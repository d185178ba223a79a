"""Which pairs of positions a kernel holds: all, those at a spacing, or equal positions only."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Inexact

from ..kernel_state import KernelState
from ._positions import diagonal

Pairs = tuple[int, ...] | None
"""Which pairs a layer needs: None for equal positions (or none at all), or the spacing of pairs (`KernelState`)."""

# One letter for each axis: where pairs start, steps from one to the next, and both inputs' positions.
_STARTS, _STEPS, _FIRST, _SECOND = "mn", "rs", "uv", "xy"


def split_starts(
    x: Inexact[jax.Array, "N *space channels"], spacing: tuple[int, ...]
) -> Inexact[jax.Array, "N F *starts channels"]:
    """Inputs (N, *space, channels) as (N, F, *space / spacing, channels): position m u + f at (f, u)."""
    space = x.shape[1:-1]
    axes = [(size // step, step) for size, step in zip(space, spacing, strict=True)]
    shaped = x.reshape(len(x), *(size for pair in axes for size in pair), x.shape[-1])
    d = len(spacing)
    moved = jnp.einsum(f"a{_mixed(_FIRST, _STARTS, d)}c->a{_STARTS[:d]}{_FIRST[:d]}c", shaped)
    return moved.reshape(len(x), math.prod(spacing), *(size for size, _ in axes), x.shape[-1])


def thinned(state: KernelState, pairs: Pairs) -> KernelState:
    """The state with fewer pairs of positions: those at a multiple of the spacing that it has, or equal ones (None)."""
    if state.positions != "all" or state.spacing == pairs:
        return state
    if pairs is None:
        return _at_same_positions(state)
    steps = tuple(new // old for new, old in zip(pairs, state.spacing, strict=True))
    thin = state.map_arrays(lambda array, batch_axes: _every(array, batch_axes, state.spacing, steps))
    return thin._replace(spacing=pairs)


def on_common_pairs(states: Sequence[KernelState]) -> list[KernelState]:
    """The states of branches, with the pairs of positions that all of them have."""
    if any(state.positions != "all" for state in states):
        return [thinned(state, None) for state in states]
    common = tuple(math.lcm(*steps) for steps in zip(*(state.spacing for state in states), strict=True))
    return [thinned(state, common) for state in states]


def _every(array, batch_axes, spacing, steps):
    """Pairs at `steps` times the spacing: both positions move by the same r < steps from a common start."""
    batch, d = array.shape[:batch_axes], len(spacing)
    sizes = [(size // steps[i % d], steps[i % d]) for i, size in enumerate(array.shape[batch_axes + 1 :])]
    shaped = array.reshape(*batch, *spacing, *(part for pair in sizes for part in pair))
    inputs = _STARTS[:d] + _mixed(_FIRST, _STEPS, d) + _mixed(_SECOND, _STEPS, d)
    # A new start is m r + f.
    outputs = _mixed(_STEPS, _STARTS, d) + _FIRST[:d] + _SECOND[:d]
    found = jnp.einsum(f"...{inputs}->...{outputs}", shaped)
    return found.reshape(*batch, math.prod(spacing) * math.prod(steps), *(size for size, _ in sizes))


def _at_same_positions(state: KernelState) -> KernelState:
    def same(array, batch_axes):
        array, d = diagonal(array, batch_axes), len(state.spacing)
        batch, space = array.shape[:batch_axes], array.shape[batch_axes + 1 :]
        shaped = array.reshape(*batch, *state.spacing, *space)
        moved = jnp.einsum(f"...{_STARTS[:d]}{_FIRST[:d]}->...{_mixed(_FIRST, _STARTS, d)}", shaped)
        return moved.reshape(*batch, *(size * step for size, step in zip(space, state.spacing, strict=True)))

    found = state.map_arrays(same)
    return found._replace(variance1=found.variance1.real, variance2=found.variance2.real, positions="same", spacing=())


def _mixed(first: str, second: str, count: int) -> str:
    return "".join(a + b for a, b in zip(first[:count], second, strict=False))
