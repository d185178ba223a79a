r"""Wirtinger calculus: both derivatives of functions that need not be holomorphic.

For f of z = x + iy, \(\partial_z f = \tfrac12(\partial_x f - i\,\partial_y f)\) and
\(\partial_{\bar z} f = \tfrac12(\partial_x f + i\,\partial_y f)\). A function is holomorphic where the second vanishes
(Cauchy-Riemann); most activation functions and every real loss are not.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from ..errors import NotApplicable
from ._convention import Convention
from .leaves import as_array


def wirtinger(f: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    r"""Both Wirtinger derivatives, \((\partial f/\partial z,\ \partial f/\partial\bar z)\), of any array function.

    With \(\dot f(v) = \partial_z f\,v + \partial_{\bar z} f\,\bar v\) the derivative of f along v, the two parts
    come from the directions 1 and i of every entry: \(\tfrac12(\dot f(1) \mp i\,\dot f(i))\).

    Args:
        f: a function of arrays or pytrees of complex arrays; returns an array, real or complex.
        argnums: which arguments to differentiate by.

    Returns:
        A function of f's arguments. It returns two pytrees like the argument (tuples of them for several argnums)
        with leaves of shape (*output shape, *leaf shape).

    Raises:
        TypeError: an argument to differentiate by has a real, integer or boolean leaf: a Wirtinger derivative by it
            does not exist. Make it complex, or use `jax.jacobian`. Or f returns no array of real or complex numbers.

    Cost: two forward passes for each entry of the arguments.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> jax.config.update("jax_enable_x64", True)
        >>> from qcgrad.networks import wirtinger
        >>> dz, dzbar = wirtinger(lambda z: z**2 * jnp.conj(z))(1.0 + 1.0j)
        >>> complex(dz.round(6)), complex(dzbar.round(6))  # 2|z|^2 and z^2
        ((4+0j), 2j)

    References:
        K. Kreutz-Delgado, "The complex gradient operator and the CR-calculus", arXiv:0906.4835.
    """

    def derivatives(*args, **kwargs):
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        chosen = tuple(jax.tree.map(lambda leaf: as_array("argument", leaf), args[i]) for i in numbers)
        _require_complex(chosen)

        def of_chosen(chosen):
            filled = list(args)
            for i, value in zip(numbers, chosen, strict=True):
                filled[i] = value
            return f(*filled, **kwargs)

        along_one, along_i = (_jacobian(of_chosen, chosen, direction) for direction in (1, 1j))
        parts = tuple(jax.tree.map(lambda one, i, s=sign: (one + s * i) / 2, along_one, along_i) for sign in (-1j, 1j))
        return tuple(part[0] for part in parts) if isinstance(argnums, int) else parts

    return derivatives


def conj_grad(f: Callable, argnums: int | tuple[int, ...] = 0, convention: Convention = Convention.pytorch) -> Callable:
    r"""The gradient of a real function of complex variables to be subtracted, \(\partial_x f + i\,\partial_y f\).

    `jax.grad` returns its conjugate, against which a step does not descend.

    Args:
        f: a function with one real output.
        argnums: as for `jax.grad`.
        convention: `pytorch` (the steepest ascent on (Re, Im), the default), `mathematical` (half of it,
            \(\partial f/\partial\bar z\)), or `jax`.

    Raises:
        TypeError: an argument to differentiate by holds integers or booleans, or the output does. The output is
            complex: say how it becomes one real loss (real part, modulus, squared error).

    Cost: one backward pass.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.networks import conj_grad
        >>> complex(conj_grad(lambda z: jnp.abs(z) ** 2)(1.0 + 2.0j))
        (2+4j)
    """
    both = value_and_conj_grad(f, argnums, convention)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def value_and_conj_grad(
    f: Callable, argnums: int | tuple[int, ...] = 0, convention: Convention = Convention.pytorch
) -> Callable:
    """`conj_grad` together with the value; arguments and errors as there.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.networks import value_and_conj_grad
        >>> value, gradient = value_and_conj_grad(lambda z: jnp.abs(z) ** 2)(1.0 + 2.0j)
        >>> round(float(value), 6), complex(gradient)
        (5.0, (2+4j))
    """
    if not isinstance(convention, Convention):
        raise TypeError(f"convention={convention!r}: give a Convention, for example Convention.pytorch")

    def checked(*args, **kwargs):
        value = f(*args, **kwargs)
        _require_numbers(jnp.asarray(value) if np.isscalar(value) else value)
        if jnp.iscomplexobj(value):
            raise TypeError(
                "the function returns a complex number, and a gradient needs one real number: reduce it first, for "
                "example with jnp.real or jnp.abs(...) ** 2"
            )
        return value

    def both(*args, **kwargs):
        for i in (argnums,) if isinstance(argnums, int) else argnums:
            _require_inexact(args[i])
        value, gradient = jax.value_and_grad(checked, argnums)(*args, **kwargs)
        return value, Convention.jax.convert(gradient, convention)

    return both


def cauchy_riemann_residual(f: Callable, z: PyTree) -> Float[jax.Array, ""]:
    r"""\(\max|\partial_{\bar z} f|\) over all entries at z: zero where f is holomorphic.

    Args:
        f: a function of one pytree of complex arrays.
        z: where.

    Raises:
        TypeError: z has real leaves.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.networks import cauchy_riemann_residual
        >>> float(cauchy_riemann_residual(jnp.conj, 1.0 + 2.0j))
        1.0
    """
    _, anti = wirtinger(f)(z)
    return jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(anti)]))


def is_holomorphic(f: Callable, z: PyTree, tolerance: float = 1e-5) -> bool:
    """Whether the Cauchy-Riemann residual at z is at most `tolerance` times the size of the derivative (or 1).

    A test at given points, not a proof: a function may be holomorphic at z and not elsewhere.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.networks import is_holomorphic
        >>> is_holomorphic(jnp.exp, 1.0 + 2.0j), is_holomorphic(jnp.abs, 1.0 + 2.0j)
        (True, False)
    """
    holomorphic, anti = wirtinger(f)(z)
    size = max(1.0, *(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(holomorphic)))
    residual = max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(anti))
    return residual <= tolerance * size


def holomorphic_derivative(f: Callable, tolerance: float = 1e-5) -> Callable:
    r"""\(\partial f/\partial z\) of a holomorphic function, refused where f is not.

    `jax.jacobian(..., holomorphic=True)` does not look: on |z|^2 it returns numbers that are no derivative.

    Args:
        f: a function of one pytree of complex arrays.
        tolerance: as for `is_holomorphic`.

    Raises:
        NotApplicable: the Cauchy-Riemann equations fail at the given point.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.networks import holomorphic_derivative
        >>> complex(holomorphic_derivative(lambda z: z**2)(1.0 + 2.0j))
        (2+4j)
    """

    def derivative(z):
        if not is_holomorphic(f, z, tolerance):
            raise NotApplicable(
                f"the function is not holomorphic at this point (|df/dz-bar| reaches "
                f"{float(cauchy_riemann_residual(f, z)):.3g}): use qcgrad.networks.wirtinger, which gives both"
            )
        return wirtinger(f)(z)[0]

    return derivative


def _jacobian(f, chosen, direction):
    """Derivatives along `direction` (1 or i) of every entry: leaves (*output shape, *leaf shape)."""
    leaves, structure = jax.tree.flatten(chosen)

    def one_leaf(position):
        def moved(v):
            tangents = [jnp.zeros_like(leaf) for leaf in leaves]
            tangents[position] = v.astype(leaves[position].dtype)
            value, along = jax.jvp(f, (chosen,), (structure.unflatten(tangents),))
            _require_numbers(value)
            return along

        leaf = leaves[position]
        basis = direction * jnp.eye(leaf.size).reshape(leaf.size, *leaf.shape)
        columns = jax.vmap(moved, out_axes=-1)(basis)
        return columns.reshape(*columns.shape[:-1], *leaf.shape)

    return structure.unflatten([one_leaf(i) for i in range(len(leaves))])


def _require_complex(tree):
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if not np.issubdtype(leaf.dtype, np.complexfloating):
            name = jax.tree_util.keystr(path)
            advice = " or differentiate by it with jax.grad" if np.issubdtype(leaf.dtype, np.floating) else ""
            raise TypeError(
                f"argument {name} has dtype {leaf.dtype}: Wirtinger derivatives are by complex variables; convert it "
                f"with astype(complex){advice}"
            )


def _require_numbers(value):
    """Refuse outputs without derivatives."""
    if not hasattr(value, "dtype"):
        raise TypeError(
            f"the function returns {type(value).__name__} {jax.tree.structure(value)}: return one array of real or "
            "complex numbers, and differentiate several outputs one by one"
        )
    if not jnp.issubdtype(value.dtype, jnp.inexact):
        raise TypeError(
            f"the function returns dtype {value.dtype}, which has no derivatives: return real or complex numbers"
        )


def _require_inexact(tree):
    for leaf in jax.tree.leaves(tree):
        dtype = jnp.result_type(as_array("argument", leaf))
        if not jnp.issubdtype(dtype, jnp.inexact):
            raise TypeError(f"an argument has dtype {dtype}, by which nothing can be differentiated: use astype(float)")
