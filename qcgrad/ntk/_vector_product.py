r"""Tangent kernels through products with vectors: one backward and one forward derivative, no Jacobian.

With g the pull-back of \(\bar v\) and a step along \(\bar g\), outputs move by
\(T(v) = \tfrac12(\Theta v + \tilde\Theta\bar v)\). So \(\Theta v = T(v) - iT(iv)\) and
\(\tilde\Theta\bar v = T(v) + iT(iv)\).
"""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Inexact, Num, PyTree

from ..array_types import Array
from ..arrays import is_concrete
from ..errors import NotApplicable
from ..memory import allowed_bytes, require
from ..networks.compiled import Held, held, run, shapes_of
from ..networks.rules import NetworkRule
from ..networks.rules.rule import Apply
from ._jacobian import complex_scale
from ._pieces import convolves, mapped, smaller
from .blockwise import AbstractMethod, Contracted
from .problem import Metric, Model, Problem, make_problem


class VectorProduct(AbstractMethod):
    """One column of the kernel at a time. Cost: N^2 O [FP]; memory: some copies of the parameters."""

    metric: Metric
    #: Outputs of one right input at a time; 0 stands for all.
    outputs: int = 0

    @classmethod
    def of(cls, problem: Problem) -> "VectorProduct":
        """One output at a time through convolutions."""
        return cls(problem.metric, outputs=int(convolves(problem)))

    def features(self, model: Model, params: PyTree, x: Inexact[jax.Array, "b *shape"]) -> PyTree:
        return x

    def contract(self, problem: Problem, left: PyTree, right: PyTree) -> Contracted:
        outputs = jax.eval_shape(problem.model.batch, problem.params, left)
        basis = jnp.eye(problem.num_outputs, dtype=outputs.dtype)

        def moved(x, v):
            """T(v) at all left inputs, for v on the outputs of one right input: (b1, O)."""
            step = _step(problem.rule_model, problem.params, x[None], v[None], self.metric)
            return _along(problem.model, problem.params, left, step)

        def columns(x):
            one = mapped(lambda v: moved(x, v), basis, self.outputs)
            if not problem.is_complex:
                return one, None
            i = 1j * mapped(lambda v: moved(x, v), 1j * basis, self.outputs)
            return one - i, one + i

        found = jax.lax.map(columns, right)
        return jax.tree.map(lambda a: a.transpose(2, 0, 3, 1), found)

    def default_batch(self, problem: Problem) -> int:
        return max(1, 1024 // problem.num_outputs)

    def temporaries(self, features: Held, contraction: Held) -> int:
        return contraction.temporaries

    def in_smaller_pieces(self, problem: Problem, size: int, share: float) -> "VectorProduct | None":
        outputs = smaller(self.outputs, problem.num_outputs, share)
        return VectorProduct(self.metric, outputs) if outputs else None


class Product(eqx.Module):
    """Products of a tangent kernel with vectors, without the kernel; make one with `product`.

    Vectors are flat: (N2 O,) in, (N1 O,) out, inputs first. `shape`, `dtype`, `matvec` and `rmatvec` are what the
    iterative solvers of `scipy.sparse.linalg` ask for.
    """

    model: Model
    rule_model: Model
    params: Any
    x1: jax.Array
    x2: jax.Array
    shape: tuple[int, int] = eqx.field(static=True)
    dtype: Any = eqx.field(static=True)
    metric: Metric = eqx.field(static=True)

    def flow(self, v: Num[Array, "N2*O"]) -> Inexact[jax.Array, "N1*O"]:
        r"""T(v) = (Theta v + Theta-tilde conj v)/2: how fast outputs move under gradient flow with errors -v."""
        return _flow(self, jnp.asarray(v, self.dtype))

    def matvec(self, v: Num[Array, "N2*O"]) -> Inexact[jax.Array, "N1*O"]:
        """Theta v, (N1 O,)."""
        v = jnp.asarray(v, self.dtype)
        return self.flow(v) - 1j * self.flow(1j * v) if self._is_complex else self.flow(v)

    def pseudo(self, v: Num[Array, "N2*O"]) -> Inexact[jax.Array, "N1*O"]:
        """Theta-tilde v, (N1 O,)."""
        v = jnp.conj(jnp.asarray(v, self.dtype))
        return self.flow(v) + 1j * self.flow(1j * v) if self._is_complex else self.flow(v)

    def rmatvec(self, v: Num[Array, "N1*O"]) -> Inexact[jax.Array, "N2*O"]:
        """Theta^H v, (N2 O,): the kernel with both sides exchanged.

        Raises:
            NotApplicable: the kernel is that of a backward rule, which has no forward derivative.
        """
        if self.rule_model is not self.model:
            raise NotApplicable("the adjoint of a rule's kernel needs the rule's forward derivative, which rules lack")
        swapped = Product(
            self.model,
            self.model,
            self.params,
            self.x2,
            self.x1,
            (self.shape[1], self.shape[0]),
            self.dtype,
            self.metric,
        )
        return swapped.matvec(v)

    def __matmul__(self, v: Num[Array, "N2*O"]) -> Inexact[jax.Array, "N1*O"]:
        return self.matvec(v)

    @property
    def _is_complex(self):
        return jnp.issubdtype(self.dtype, jnp.complexfloating)


def product(
    apply: Apply,
    params: PyTree,
    x1: Num[Array, "N1 *shape"],
    x2: Num[Array, "N2 *shape"] | None = None,
    rule: NetworkRule | Apply | None = None,
    param_metric: Literal["unit", "reim"] = "unit",
    max_bytes: int | None = None,
) -> Product:
    r"""The tangent kernel as a linear operator, for solvers that need products only.

    .. math:: T(v) = \tfrac12(\Theta v + \tilde\Theta\bar v),\quad \Theta v = T(v) - iT(iv),\quad
        \tilde\Theta\bar v = T(v) + iT(iv).

    Args:
        apply, params, x1, x2, rule, param_metric: as for `empirical`; apply needs forward derivatives, so it may not be
            a `jax.custom_vjp` function.
        max_bytes: most bytes that a product may hold; by default 80 % of the memory that is free.

    Returns:
        A `Product` of shape (N1 O, N2 O): `operator @ v`, `operator.pseudo(v)`, `operator.flow(v)`.

    Raises:
        ValueError, TypeError: as for `empirical`.
        TooLarge: a product would take more than max_bytes.

    Cost: for each product one backward pass at x2 and one forward derivative at x1, twice for complex outputs.

    Example:
        >>> import jax.numpy as jnp, scipy.sparse.linalg
        >>> from qcgrad import ntk
        >>> x = jnp.array([[1.0, 2.0], [0.0, 1.0]])
        >>> kernel = ntk.product(lambda w, x: x @ w, jnp.zeros(2), x)
        >>> print(kernel @ jnp.ones(2))
        [7. 3.]
        >>> solution, failed = scipy.sparse.linalg.cg(kernel, jnp.array([7.0, 3.0]))
        >>> print(solution.round(6), failed)
        [1. 1.] 0
    """
    p = make_problem(apply, params, x1, x2, rule, param_metric)
    dtype = jax.eval_shape(p.model.batch, p.params, p.x1).dtype
    shape = (len(p.x1) * p.num_outputs, len(p.x2) * p.num_outputs)
    operator = Product(p.model, p.rule_model, p.params, p.x1, p.x2, shape, dtype, param_metric)
    if is_concrete((p.params, p.x1, p.x2)):
        _require_memory(operator, max_bytes)
    return operator


def _require_memory(operator: Product, max_bytes: int | None) -> None:
    """Refuse an operator whose backward and forward pass, each on all inputs, do not fit.

    Raises:
        TooLarge: they do not.
    """
    needed = held(_flowing, shapes_of(operator), jax.ShapeDtypeStruct(operator.shape[1:], operator.dtype))
    n1, n2 = len(operator.x1), len(operator.x2)
    advice = "give fewer inputs, use ntk.empirical (which works in batches), or max_bytes=..."
    what = f"a product with the kernel of {n1} x {n2} inputs takes"
    require(what, needed.outputs + needed.temporaries, allowed_bytes(max_bytes, jax.devices()[0]), advice)


def _flow(operator: Product, v):
    return run(_flowing, operator, v)


def _flowing(operator: Product, v):
    shaped = v.reshape(len(operator.x2), -1)
    step = _step(operator.rule_model, operator.params, operator.x2, shaped, operator.metric)
    return _along(operator.model, operator.params, operator.x1, step).reshape(-1)


def _step(model, params, x, v, metric):
    """The ascent direction of Re<v, f> in the metric of the parameters."""
    _, pull = jax.vjp(lambda p: model.batch(p, x), params)
    (gradient,) = pull(jnp.conj(v))
    scale = complex_scale(metric) ** 2
    return jax.tree.map(lambda g: scale * jnp.conj(g) if jnp.iscomplexobj(g) else g, gradient)


def _along(model, params, x, step):
    """Derivative of the outputs (N, O) along a step of the parameters."""
    try:
        return jax.jvp(lambda p: model.batch(p, x), (params,), (step,))[1]
    except TypeError as error:
        if "custom_vjp" not in str(error):
            raise
        raise TypeError(
            "apply has no forward derivatives (it is a jax.custom_vjp function): use "
            'ntk.empirical(..., method="jacobian")'
        ) from error
