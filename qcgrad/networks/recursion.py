r"""The infinite-width recursion: the state of the data, through the layers, to the kernels of the output."""

import jax
import jax.numpy as jnp

from ..errors import NotApplicable
from ..objective import is_finite
from .activations.base import AbstractActivation
from .gap import gap_between
from .kernel_state import Kernel, KernelState
from .layers.base import AbstractLayer
from .layers.positions import mean_over_same


def kernel(layer: AbstractLayer, x1, x2=None) -> Kernel:
    r"""Kernels of an infinitely wide network, for each output: covariance, tangent kernel, and their pseudo-kernels.

    Over the real parameters p of unit variance,

    .. math:: \Theta = \sum_p \partial_p f\,\overline{\partial_p f'},\qquad
        \tilde\Theta = \sum_p \partial_p f\,\partial_p f' ;

    gradient flow on \(\tfrac12\sum|f-y|^2\) is \(\dot f = -\tfrac12(\Theta e + \tilde\Theta\bar e)\), e = f - y.

    Args:
        layer: a network.
        x1: inputs (N1, *shape), real or complex.
        x2: inputs (N2, *shape), x1 if left out.

    Returns:
        A `Kernel` of (N1, N2) arrays, metric "unit"; real for real networks. Where the network ends on several
        positions (images), the average over them.

    Raises:
        NotApplicable: a layer has no infinite-width kernel; the message says which and why.
        ValueError: no inputs, inputs with values that are not finite, or shapes that do not fit.

    Cost: O(N1 N2) for each layer; times the number of positions for images, its square in front of pooling.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn
        >>> net = nn.serial(nn.Dense(64), nn.Dense(64), nn.Dense(1))
        >>> k = net.kernel(jnp.array([[1.0 + 0j, 1j], [0.0, 1.0]]))
        >>> float(k.nngp[0, 0].real), float(k.ntk[0, 0].real)  # linear: Theta = (L + 1) K
        (1.0, 3.0)
    """
    x1 = _checked("x1", x1)
    own = x2 is None
    x2 = x1 if own else _checked("x2", x2)
    if x1.shape[1:] != x2.shape[1:]:
        raise ValueError(f"x1 and x2 must hold inputs of one shape, but theirs are {x1.shape[1:]} and {x2.shape[1:]}.")
    layer.output_shape(x1.shape[1:])
    parts = list(layer.walk())
    state = _input_state(
        x1, x2, all_pairs=any(part.pools for part in parts), pseudo=not all(part.is_proper for part in parts)
    )
    state = layer.propagate(state)
    if isinstance(parts[-1], AbstractActivation):
        raise NotApplicable(
            f"the network ends with {type(parts[-1]).__name__}: its outputs are not Gaussian, and its tangent kernel "
            "stays random at every width. End with a Dense or Conv layer (and a Readout)"
        )
    return _packaged(state)


def _checked(name: str, x) -> jax.Array:
    x = jnp.asarray(x)
    x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    if x.ndim < 2 or x.ndim > 4 or 0 in x.shape:
        raise ValueError(
            f"{name} must be a batch (N, features), (N, L, channels) or (N, H, W, channels) with N >= 1, "
            f"but its shape is {x.shape}."
        )
    if not is_finite(x):
        raise ValueError(f"{name} has entries that are not finite; remove them.")
    return x


def _input_state(x1, x2, all_pairs: bool, pseudo: bool) -> KernelState:
    """K = <x, conj x'>/d and C = <x, x'>/d of the data; no parameters yet, so the tangent kernels are zero."""
    space = "hw"[: x1.ndim - 2]
    others = space.upper() if all_pairs else space
    pairs = space + (others if all_pairs else "")
    cross, own = f"a{space}d,b{others}d->ab{pairs}", f"a{space}d,a{others}d->a{pairs}"

    def product(subscripts, x, y):
        return jnp.einsum(subscripts, x, y) / x.shape[-1]

    real = not (jnp.iscomplexobj(x1) or jnp.iscomplexobj(x2))
    nngp = product(cross, x1, x2.conj())
    variance1, variance2 = product(own, x1, x1.conj()), product(own, x2, x2.conj())
    if not (all_pairs and space):
        variance1, variance2 = variance1.real, variance2.real
    zeros = jnp.zeros_like(nngp)
    return KernelState(
        nngp=nngp,
        pseudo=product(cross, x1, x2) if pseudo else None,
        ntk=zeros,
        ntk_pseudo=zeros if pseudo else None,
        ntk_holomorphic=zeros,
        ntk_holomorphic_pseudo=zeros if pseudo else None,
        variance1=variance1,
        variance2=variance2,
        pseudo1=product(own, x1, x1) if pseudo else None,
        pseudo2=product(own, x2, x2) if pseudo else None,
        gap=None if space or (pseudo and not real) else gap_between(x1, x2, nngp, variance1, variance2),
        positions="none" if not space else "all" if all_pairs else "same",
        is_complex=not real,
    )


def _packaged(state: KernelState) -> Kernel:
    state = mean_over_same(state)

    def pseudo(array, kernel):
        # Where pseudo-kernels are not tracked they are zero; those of real numbers equal their kernels.
        return array if array is not None else jnp.zeros_like(kernel) if state.is_complex else kernel

    return Kernel(
        nngp=state.nngp,
        ntk=state.ntk,
        ntk_pseudo=pseudo(state.ntk_pseudo, state.ntk),
        ntk_holomorphic=state.ntk_holomorphic,
        pseudo=pseudo(state.pseudo, state.nngp),
    )
