"""Which number stands for the derivative of a real function by a complex variable."""

import enum

import jax
from jaxtyping import PyTree


class Convention(enum.Enum):
    r"""Conventions for the derivative of a real loss L by z = x + iy; conversions are exact.

    With the Wirtinger derivatives \(\partial_z = \tfrac12(\partial_x - i\partial_y)\) and
    \(\partial_{\bar z} = \tfrac12(\partial_x + i\partial_y)\):

    ================  =========================================  ========================================
    convention        derivative                                 who uses it
    ================  =========================================  ========================================
    `mathematical`    \(\partial_{\bar z} L\)                      textbooks; qcgrad's formulas
    `jax`             \(2\,\partial_z L = \partial_x L - i\,\partial_y L\)   `jax.grad`
    `pytorch`         \(2\,\partial_{\bar z} L = \partial_x L + i\,\partial_y L\)   PyTorch, TensorFlow
    ================  =========================================  ========================================

    A step against `pytorch` or `mathematical` descends, one against `jax` does not: it needs the conjugate.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.networks import Convention
        >>> g = jnp.array(1.0 + 2.0j)  # what jax.grad returned
        >>> complex(Convention.jax.convert(g, Convention.mathematical))
        (0.5-1j)
    """

    mathematical = "mathematical"
    jax = "jax"
    pytorch = "pytorch"

    def convert(self, derivative: PyTree, to: "Convention") -> PyTree:
        r"""A pytree of derivatives in this convention, in another one; real leaves are derivatives by a real variable.

        Real leaves are \(\partial_x L\) in every convention, so they stay as they are.
        """
        return jax.tree.map(lambda leaf: _convert(leaf, self, to), derivative)


def _convert(leaf, source: Convention, target: Convention):
    if not jax.numpy.iscomplexobj(leaf):
        return leaf
    pytorch = {
        Convention.pytorch: lambda g: g,
        Convention.jax: lambda g: g.conj(),
        Convention.mathematical: lambda g: 2 * g,
    }[source](leaf)
    return {
        Convention.pytorch: lambda g: g,
        Convention.jax: lambda g: g.conj(),
        Convention.mathematical: lambda g: g / 2,
    }[target](pytorch)
