r"""The infinite-width recursion: the state of the data, through the layers, to the kernels of the output."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Inexact

from ..errors import NotApplicable
from ._gap import gap_between
from .kernel_state import KernelState
from .layers._positions import mean_over_same
from .layers._spacing import Pairs, split_starts, thinned

if TYPE_CHECKING:
    from .layers.layer import AbstractLayer


class Recursion(eqx.Module):
    """A network as its infinite-width kernels see it.

    Attributes:
        layers: one behind the other, nested networks unfolded.
        pairs: pairs of positions that are kept in front of each.
        pseudo: whether pseudo-kernels are tracked.
        branches: what the backward rule keeps of either branch of an activation's derivative.
    """

    layers: "tuple[AbstractLayer, ...]"
    pairs: tuple[Pairs, ...] = eqx.field(static=True)
    pseudo: bool = eqx.field(static=True)
    branches: tuple[float, float] = eqx.field(static=True)

    def __init__(self, network: "AbstractLayer", shape: tuple[int, ...], branches: tuple[float, float] = (1.0, 0.0)):
        self.layers = tuple(network.unfolded())
        shapes = [shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        pairs: list[Pairs] = [None]
        for layer, before in zip(reversed(self.layers), reversed(shapes[:-1]), strict=True):
            pairs.append(layer.pairs_in_front(pairs[-1], before))
        self.pairs = tuple(reversed(pairs))
        self.pseudo = not all(part.is_proper for part in network.walk())
        self.branches = branches

    def states(
        self, x1: Inexact[jax.Array, "N1 *shape"], x2: Inexact[jax.Array, "N2 *shape"], shapes_only: bool = False
    ) -> Iterator[KernelState]:
        """The state of the data, or behind the weights that meet them, and behind every layer since then.

        Raises:
            NotApplicable: a layer has no infinite-width kernel, and why; or nonlinear layers stand behind the last
                weights.
        """

        def data(x1, x2, pairs):
            return _data(x1, x2, pairs, self.pseudo, shapes_only)

        # Gram matrices of what weights meet: fewer numbers than those of all pairs of pixels.
        state = self.layers[0].start(lambda of: data(of(x1), of(x2), self.pairs[1])) if self.layers else None
        passed = 0 if state is None else 1
        if state is None:
            state = data(x1, x2, self.pairs[0])
        state = state._replace(branches=self.branches)
        yield state
        for layer, pairs in zip(self.layers[passed:], self.pairs[passed:-1], strict=True):
            state = layer.propagate(thinned(state, pairs))
            yield state
        if state.nonlinear:
            raise NotApplicable(
                f"the network ends with {state.nonlinear}: its outputs are not Gaussian, and its tangent kernel "
                "stays random at every width. End with a Dense or Conv layer (and a Readout or pooling)"
            )
        yield mean_over_same(state)

    def run(self, x1: Inexact[jax.Array, "N1 *shape"], x2: Inexact[jax.Array, "N2 *shape"]) -> KernelState:
        """The state behind the network, without positions."""
        *_, state = self.states(x1, x2)
        return state


def _data(x1, x2, pairs: Pairs, pseudo: bool, shapes_only: bool) -> KernelState:
    """K = <x, conj x'>/d and C = <x, x'>/d of the data; no parameters yet, so the tangent kernels are zero."""
    space = "hw"[: x1.ndim - 2]
    others = space
    if pairs is not None:
        x1, x2 = split_starts(x1, pairs), split_starts(x2, pairs)
        space, others = "f" + space, "f" + space.upper()
    behind = space if pairs is None else space + others[1:]
    cross, own = f"a{space}d,b{others}d->ab{behind}", f"a{space}d,a{others}d->a{behind}"

    def product(subscripts, x, y):
        return jnp.einsum(subscripts, x, y) / x.shape[-1]

    nngp = product(cross, x1, x2.conj())
    variance1, variance2 = product(own, x1, x1.conj()), product(own, x2, x2.conj())
    if pairs is None:
        variance1, variance2 = variance1.real, variance2.real
    zeros, is_complex = jnp.zeros_like(nngp), jnp.iscomplexobj(x1) or jnp.iscomplexobj(x2)
    return KernelState(
        nngp=nngp,
        pseudo=product(cross, x1, x2) if pseudo else None,
        ntk=zeros,
        ntk_pseudo=zeros if pseudo else None,
        ntk_rule=zeros,
        ntk_rule_pseudo=zeros if pseudo else None,
        variance1=variance1,
        variance2=variance2,
        pseudo1=product(own, x1, x1) if pseudo else None,
        pseudo2=product(own, x2, x2) if pseudo else None,
        positions="none" if not space else "same" if pairs is None else "all",
        spacing=pairs or (),
        is_complex=is_complex,
        gap=None if space or (pseudo and is_complex) else gap_between(x1, x2, nngp, variance1, variance2),
        shapes_only=shapes_only,
    )
