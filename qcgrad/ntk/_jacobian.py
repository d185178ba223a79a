"""Tangent kernels by Jacobian contraction: any network, memory for the Jacobians of two batches."""

import jax
import jax.numpy as jnp
from jaxtyping import Inexact, PyTree

from ._pieces import convolves, mapped, smaller
from .blockwise import BLOCK_BYTES, AbstractMethod, Contracted
from .problem import Metric, Model, Problem

# Rows (inputs times outputs, real and imaginary parts) of a Gram matrix in one block, by default.
_ROWS = 4096


class Jacobian(AbstractMethod):
    r"""Rows of the Jacobian by reverse mode, then one product of matrices.

    With R and I the Jacobians of Re f and Im f by all real parameters,
    \(\Theta = (R + iI)(R' + iI')^H\) and \(\tilde\Theta = (R + iI)(R' + iI')^T\).

    Cost: N O [FP] backward passes and 2 N^2 O^2 P operations for P real parameters (8 for complex outputs).
    """

    metric: Metric
    #: Inputs, and rows of the Jacobian of one input, that are differentiated at a time; 0 stands for all.
    inputs: int = 0
    rows: int = 0

    @classmethod
    def of(cls, problem: Problem) -> "Jacobian":
        """One input at a time through convolutions."""
        return cls(problem.metric, inputs=int(convolves(problem)))

    def features(self, model: Model, params: PyTree, x: Inexact[jax.Array, "b *shape"]) -> PyTree:
        return mapped(lambda one: self._rows(model, params, one), x, self.inputs)

    def contract(self, problem: Problem, left: PyTree, right: PyTree) -> Contracted:
        first = left[0]
        shape = (*first.shape[:2], *right[0].shape[:2])
        products = [a.reshape(-1, a.shape[-1]) @ b.reshape(-1, b.shape[-1]).T for a, b in zip(left, right, strict=True)]
        gram = jnp.reshape(sum(products), shape)
        if not problem.is_complex:
            return gram.transpose(0, 2, 1, 3), None
        n1, c, n2, _ = shape
        # Axes: (input, Re or Im, output) on both sides.
        parts = gram.reshape(n1, 2, c // 2, n2, 2, c // 2).transpose(1, 4, 0, 3, 2, 5)
        (rr, ri), (ir, ii) = parts
        return jax.lax.complex(rr + ii, ir - ri), jax.lax.complex(rr - ii, ir + ri)

    def default_batch(self, problem: Problem) -> int:
        # Parameters may be traced: shapes and types are known even then.
        leaves = map(jnp.asarray, jax.tree.leaves(problem.params))
        rows = _num_rows(problem)
        # Two batches of rows, and half for what is computed from them.
        by_rows = BLOCK_BYTES // (4 * rows * sum(leaf.size * leaf.dtype.itemsize for leaf in leaves))
        return max(1, min(by_rows, _ROWS // rows))

    def in_smaller_pieces(self, problem: Problem, size: int, share: float) -> "Jacobian | None":
        inputs = smaller(self.inputs, size, share)
        if inputs:
            return Jacobian(self.metric, inputs, self.rows)
        rows = smaller(self.rows, _num_rows(problem), share)
        return Jacobian(self.metric, 1, rows) if rows else None

    def _rows(self, model, params, one):
        """For each leaf (C, reals): derivatives of Re f_1 .. Re f_O and then, if f is complex, of Im f."""
        outputs, pull = jax.vjp(lambda p: model.one(p, one), params)
        rows = mapped(lambda cotangent: pull(cotangent)[0], cotangents(outputs), self.rows)
        return [self._reals(leaf) for leaf in jax.tree.leaves(rows)]

    def _reals(self, leaf):
        flat = leaf.reshape(leaf.shape[0], -1)
        if not jnp.iscomplexobj(flat):
            return flat
        # c = d_x - i d_y; the sign of a column changes no product.
        return jnp.concatenate([flat.real, flat.imag], axis=1) * complex_scale(self.metric)


def _num_rows(problem) -> int:
    return problem.num_outputs * (2 if problem.is_complex else 1)


def complex_scale(metric: Metric) -> float:
    """Factor on derivatives by Re and Im of a complex parameter: 2^(-1/2) where it has unit variance in all."""
    return 2**-0.5 if metric == "unit" else 1.0


def cotangents(outputs: Inexact[jax.Array, "O"]) -> Inexact[jax.Array, "C O"]:
    """Rows that pull back to the derivatives of Re f (ones) and of Im f (-i, in JAX's convention): (C, O)."""
    basis = jnp.eye(outputs.shape[-1], dtype=outputs.dtype)
    return jnp.concatenate([basis, -1j * basis]) if jnp.iscomplexobj(outputs) else basis
