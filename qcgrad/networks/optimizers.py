"""Optimizers of complex parameters, over optax."""

from typing import Any, Literal

from .convention import Convention


def descend(optimizer: Any, kind: Literal["split", "modulus"] = "split") -> Any:
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
        A GradientTransformation for pytrees of real and complex parameters. Give it what `jax.grad` returns; conjugate
        what `qcgrad.estimate` and `conj_grad` return (`Convention.pytorch`) with `Convention.convert` first. Real
        parameters are updated as by `optimizer` itself.

    Raises:
        ImportError: optax is not installed.
        ValueError: an unknown kind.
        TypeError: optimizer is no optax optimizer.

    Cost: that of the optimizer; "split" on twice as many real numbers.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from qcgrad.networks import descend
        >>> optimizer, z = descend(optax.sgd(0.25)), jnp.array(0j)
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
        raise ImportError("descend needs optax, which is not installed: pip install 'qcgrad[optimizers]'") from error
    if not (callable(getattr(optimizer, "init", None)) and callable(getattr(optimizer, "update", None))):
        raise TypeError(f"optimizer is {optimizer!r}: give an optax optimizer, for example optax.adam(1e-3)")
    if kind not in ("split", "modulus"):
        raise ValueError(f'kind is {kind!r}: give "split" (Re and Im apart) or "modulus" (|g|^2)')
    # optax's second moments are |g|^2 for complex gradients, so "modulus" is the optimizer as it stands.
    inner = optax.contrib.split_real_and_imaginary(optimizer) if kind == "split" else optimizer

    def update(updates, state, params=None):
        return inner.update(Convention.jax.convert(updates, Convention.pytorch), state, params)

    return optax.GradientTransformation(inner.init, update)
