"""Optimizers of complex parameters, over optax."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import jax
import jax.numpy as jnp

from ..errors import NotApplicable
from ._convention import Convention

if TYPE_CHECKING:
    import optax

# What optax calls the gradient among the extra arguments of an update, and in the states of line searches.
_GRADIENT = "grad"


def complex_optimizer(
    optimizer: "optax.GradientTransformation", kind: Literal["split", "modulus"] = "split"
) -> "optax.GradientTransformationExtraArgs":
    r"""An optax optimizer that takes the gradients of `jax.grad` and descends by complex parameters.

    `jax.grad` returns \(\partial_x L - i\,\partial_y L\); this conjugates it first, so that updates are steps against
    \(g = \partial_x L + i\,\partial_y L\). Adaptive methods then differ in geometry: with moments m, v of Adam,

    .. math:: \Delta z = -\eta\Big(\frac{\mathrm{Re}\,m}{\sqrt{v_x}} + i\,\frac{\mathrm{Im}\,m}{\sqrt{v_y}}\Big)
        \quad\text{("split")},\qquad \Delta z = -\eta\,m/\sqrt v,\ v = \mathrm{mean}\,|g|^2\quad\text{("modulus")}.

    "split" is the real optimizer on (Re z, Im z) and depends on the phase of z; "modulus" turns with it.

    Args:
        optimizer: an optax GradientTransformation, for example `optax.adam(1e-3)`.
        kind: "split" or "modulus".

    Returns:
        A GradientTransformationExtraArgs for pytrees of real and complex parameters. Give it what `jax.grad` returns;
        conjugate what `qcgrad.estimate` and `conj_grad` return (`Convention.pytorch`) with `Convention.convert` first.
        Real parameters are updated as by `optimizer` itself. Extra arguments reach the optimizer: `value` as it
        stands, `grad` in the convention of `jax.grad`, functions (`value_fn`) as functions of the complex parameters;
        so `optax.value_and_grad_from_state` works too. Optimizers that take none ignore them.

    Raises:
        ImportError: optax is not installed.
        ValueError: an unknown kind.
        TypeError: optimizer is no optax optimizer.
        NotApplicable: on update, `grad` or a function for complex parameters with kind "modulus": optax's line searches
            take slopes of complex numbers in two conventions.

    Cost: that of the optimizer; "split" on twice as many real numbers.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from qcgrad.networks import complex_optimizer
        >>> optimizer, z = complex_optimizer(optax.sgd(0.25)), jnp.array(0j)
        >>> gradient = jax.grad(lambda z: jnp.abs(z - (1 + 2j)) ** 2)(z)
        >>> update, _ = optimizer.update(gradient, optimizer.init(z), z)
        >>> complex(optax.apply_updates(z, update))  # half of the way
        (0.5+1j)

    References:
        D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980.
    """
    try:
        import optax
    except ImportError as error:
        raise ImportError(
            "complex_optimizer needs optax, which is not installed: pip install 'qcgrad[optimizers]'"
        ) from error
    if not (callable(getattr(optimizer, "init", None)) and callable(getattr(optimizer, "update", None))):
        raise TypeError(f"optimizer is {optimizer!r}: give an optax optimizer, for example optax.adam(1e-3)")
    if kind not in ("split", "modulus"):
        raise ValueError(f'kind is {kind!r}: give "split" (Re and Im apart) or "modulus" (|g|^2)')
    takes_more = isinstance(optimizer, optax.GradientTransformationExtraArgs)
    inner = optax.with_extra_args_support(optimizer)
    found = _split(inner) if kind == "split" else _by_modulus(inner, takes_more)
    return optax.GradientTransformationExtraArgs(*found)


def _by_modulus(inner, takes_more: bool):
    """optax's second moments are |g|^2 for complex gradients, so this is the optimizer as it stands."""

    def update(updates, state, params=None, **extra):
        unclear = [name for name, value in extra.items() if name == _GRADIENT or callable(value)]
        if takes_more and unclear and any(map(jnp.iscomplexobj, jax.tree.leaves(updates))):
            raise NotApplicable(
                f"{', '.join(unclear)}: line searches need real parameters, because optax takes the slopes of complex "
                'ones in two conventions. Use complex_optimizer(optimizer, kind="split"), which is the same method for '
                "L-BFGS and gradient descent"
            )
        return inner.update(_conjugated(updates), state, params, **extra)

    return inner.init, update


def _split(inner):
    """The optimizer on (Re z, Im z): all that it sees is real."""

    def update(updates, state, params=None, **extra):
        seen = {name: _seen_by_optimizer(name, value) for name, value in extra.items()}
        found, state = inner.update(
            _parts(_conjugated(updates)), _with_gradients(state, _gradient_in), _parts(params), **seen
        )
        return _whole(found), _with_gradients(state, _gradient_out)

    def init(params):
        return _with_gradients(inner.init(_parts(params)), _gradient_out)

    return init, update


class Parts(NamedTuple):
    """A complex array as two real ones."""

    real: jax.Array
    imag: jax.Array


def _parts(tree):
    return jax.tree.map(lambda z: Parts(jnp.real(z), jnp.imag(z)) if jnp.iscomplexobj(z) else z, tree)


def _whole(tree):
    def join(leaf):
        return jax.lax.complex(*map(jnp.asarray, leaf)) if isinstance(leaf, Parts) else leaf

    return jax.tree.map(join, tree, is_leaf=lambda leaf: isinstance(leaf, Parts))


def _conjugated(gradient):
    return Convention.jax.convert(gradient, Convention.pytorch)


def _gradient_in(gradient):
    return _parts(_conjugated(gradient))


def _gradient_out(gradient):
    return Convention.pytorch.convert(_whole(gradient), Convention.jax)


def _seen_by_optimizer(name: str, value):
    if name == _GRADIENT:
        return _gradient_in(value)
    return _of_parts(value) if callable(value) else value


def _of_parts(function: Callable) -> Callable:
    """The same function of real and imaginary parts; optax looks at its signature, which stays."""

    @functools.wraps(function)
    def on_parts(params, *args, **kwargs):
        return function(_whole(params), *args, **kwargs)

    return on_parts


def _with_gradients(state, convert):
    """The state with `convert` applied to the gradients that line searches keep: outside they are those of jax.grad."""

    def keeps_gradient(node):
        return isinstance(node, tuple) and _GRADIENT in getattr(node, "_fields", ())

    def converted(node):
        return node._replace(grad=convert(node.grad)) if keeps_gradient(node) else node

    return jax.tree.map(converted, state, is_leaf=keeps_gradient)
