r"""Kernels of infinitely wide networks, block by block, within a bound on memory."""

from functools import partial
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Num

from ..array_types import Array
from ..arrays import is_finite
from ..errors import NotApplicable
from ..memory import allowed_bytes, require
from ..precision import in_full_precision
from ._kernel_memory import BLOCK_BYTES, Forecast, distinct, forecast
from ._recursion import Recursion
from .assembly import assemble, checked_size, fewer, largest, windows
from .kernel_state import Kernel
from .leaves import as_data
from .rules import AbstractRule, ActivationRule, HolomorphicBranch

if TYPE_CHECKING:
    from .layers.layer import AbstractLayer


def kernel(
    layer: "AbstractLayer",
    x1: Num[Array, "N1 *shape"],
    x2: Num[Array, "N2 *shape"] | None = None,
    rule: ActivationRule | None = None,
    batch_size: int | None = None,
    progress: bool = False,
    max_bytes: int | None = None,
) -> Kernel:
    r"""Kernels of an infinitely wide network, for each output: covariance, tangent kernel, and their pseudo-kernels.

    Over the real parameters p of unit variance,

    .. math:: \Theta = \sum_p \partial_p f\,\overline{\partial_p f'},\qquad
        \tilde\Theta = \sum_p \partial_p f\,\partial_p f' ;

    gradient flow on \(\tfrac12\sum|f-y|^2\) is \(\dot f = -\tfrac12(\Theta e + \tilde\Theta\bar e)\), e = f - y.

    Args:
        layer: a network.
        x1: inputs (N1, *shape), real or complex.
        x2: inputs (N2, *shape), x1 if left out.
        rule: the backward rule of `Kernel.ntk_rule`, an `ActivationRule` with `branches`; `HolomorphicBranch()` if left
            out.
        batch_size: inputs of x1 and of x2 in a block; by default what keeps a block to some 256 MiB.
        progress: whether to show a progress bar.
        max_bytes: most bytes to hold at once, the result included; by default 80 % of the memory that is free.

    Returns:
        A `Kernel` of (N1, N2) arrays, metric "unit"; real for real networks. Where the network ends on several
        positions (images), the average over them.

    Raises:
        TypeError: inputs that are no real or complex numbers of a precision that JAX has, or no rule.
        NotApplicable: a layer or the rule has no infinite-width kernel; the message says which and why.
        ValueError: no inputs, inputs with values that are not finite, or shapes that do not fit.
        TooLarge: the kernels and one block take more than max_bytes: before they are allocated, with what would fit.

    Cost: O(N1 N2) for each layer, half of it for x1 alone where weights are proper; times the number of positions for
    images, its square in front of pooling, divided by the product of the strides in between, squared.

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
    dtype = jnp.promote_types(x1.dtype, x2.dtype)
    x1, x2 = x1.astype(dtype), x2.astype(dtype)
    recursion = Recursion(layer, x1.shape[1:], _branches(rule))
    expected = forecast(recursion, x1.shape[1:], dtype)
    allowed = allowed_bytes(max_bytes, jax.devices()[0])
    rows, columns = _blocks(expected, len(x1), len(x2), checked_size(batch_size), allowed)
    run = _compiled if expected.can_compile else _block
    mirror = _mirrored if own and expected.is_hermitian else None

    def block(left, row, column):
        found = run(recursion, left, column.of(x2))
        # Jumps magnify the rounding of small phases, which differ between (x, y) and (y, x).
        return _hermitian(found) if mirror and row == column else found

    found = assemble(
        windows(len(x1), rows),
        windows(len(x2), columns),
        lambda row: row.of(x1),
        block,
        mirror,
        "kernel" if progress else None,
    )
    return _packaged(found, expected)


@in_full_precision
def _block(recursion: Recursion, x1, x2):
    return distinct(recursion.run(x1, x2))


_compiled = eqx.filter_jit(_block)


@partial(jax.jit, donate_argnums=0)
def _hermitian(kernels):
    return tuple((kernel + kernel.conj().T) / 2 for kernel in kernels)


def _mirrored(kernels):
    return tuple(kernel.conj().T for kernel in kernels)


def _blocks(expected: Forecast, n1: int, n2: int, batch_size: int | None, allowed: int) -> tuple[int, int]:
    """Inputs of x1 and of x2 in a block.

    Raises:
        TooLarge: the result, or the smallest block beside it, does not fit.
    """
    result = expected.result(n1, n2)
    require(
        f"the kernels of {n1} x {n2} inputs take",
        result,
        allowed,
        f"give fewer inputs (as many as {fewer(n1, n2, result, allowed)}), single precision, or max_bytes=...",
    )
    left = allowed - result
    if batch_size is not None:
        rows, columns = min(batch_size, n1), min(batch_size, n2)
        fits = largest(lambda b: expected.block(b, b) <= left, batch_size)
        advice = f"at most batch_size={fits} fits" if fits else "give fewer inputs, smaller ones, or max_bytes=..."
    else:
        budget = min(left, BLOCK_BYTES)
        size = largest(lambda b: expected.block(min(b, n1), min(b, n2)) <= budget, max(n1, n2)) or 1
        rows, columns = min(size, n1), min(size, n2)
        advice = "give fewer inputs, smaller ones (pool or crop images), single precision, or max_bytes=..."
    needed = result + expected.block(rows, columns)
    require(f"the kernels of {n1} x {n2} inputs, {rows} x {columns} at a time, take", needed, allowed, advice)
    return rows, columns


def _branches(rule: ActivationRule | None) -> tuple[float, float]:
    if rule is None:
        rule = HolomorphicBranch()
    if isinstance(rule, ActivationRule):
        return rule.branches()
    if isinstance(rule, AbstractRule):
        raise NotApplicable(
            f"{type(rule).__name__} has no infinite-width kernel here, only rules for activations have: compute the "
            "kernel of a finite network, ntk.cross(net.apply, params, x, rule)"
        )
    raise TypeError(f"rule is {rule!r}: give a rule object, for example qcgrad.networks.HolomorphicBranch()")


def _checked(name: str, x) -> jax.Array:
    x = as_data(name, x)
    if x.ndim < 2 or x.ndim > 4 or 0 in x.shape:
        raise ValueError(
            f"{name} must be a batch (N, features), (N, L, channels) or (N, H, W, channels) with N >= 1, "
            f"but its shape is {x.shape}."
        )
    if not is_finite(x):
        raise ValueError(f"{name} has entries that are not finite; remove them.")
    return x


def _packaged(found, expected: Forecast) -> Kernel:
    nngp, ntk, ntk_rule, *pseudos = found
    if not pseudos:
        # Where pseudo-kernels are not tracked they are zero; those of real numbers equal their kernels.
        pseudos = [jnp.zeros_like(nngp)] * 2 if expected.is_complex else [nngp, ntk]
    return Kernel(nngp=nngp, ntk=ntk, ntk_pseudo=pseudos[1], ntk_rule=ntk_rule, pseudo=pseudos[0])
