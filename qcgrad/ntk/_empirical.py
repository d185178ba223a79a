"""Tangent kernels of finite networks."""

from typing import Literal, overload

from jaxtyping import Num, PyTree

from ..array_types import Array
from ..errors import NotApplicable
from ..networks.assembly import checked_size
from ..networks.rules import NetworkRule
from ..networks.rules.rule import Apply
from ._jacobian import Jacobian
from ._vector_product import VectorProduct
from .blockwise import Kind, TangentKernel, compute
from .problem import Problem, make_problem
from .structured import Structured, why_not_structured


@overload
def empirical(
    apply: Apply,
    params: PyTree,
    x1: Num[Array, "N1 *shape"],
    x2: Num[Array, "N2 *shape"] | None = ...,
    kind: Literal["complex", "real_block"] = ...,
    rule: NetworkRule | Apply | None = ...,
    method: Literal["auto", "structured", "jacobian", "vector_product"] = ...,
    param_metric: Literal["unit", "reim"] = ...,
    batch_size: int | None = ...,
    progress: bool = ...,
    max_bytes: int | None = ...,
) -> TangentKernel: ...


@overload
def empirical(
    apply: Apply,
    params: PyTree,
    x1: Num[Array, "N1 *shape"],
    x2: Num[Array, "N2 *shape"] | None = ...,
    *,
    kind: Literal["augmented"],
    rule: NetworkRule | Apply | None = ...,
    method: Literal["auto", "structured", "jacobian", "vector_product"] = ...,
    param_metric: Literal["unit", "reim"] = ...,
    batch_size: int | None = ...,
    progress: bool = ...,
    max_bytes: int | None = ...,
) -> tuple[TangentKernel, TangentKernel]: ...


def empirical(
    apply: Apply,
    params: PyTree,
    x1: Num[Array, "N1 *shape"],
    x2: Num[Array, "N2 *shape"] | None = None,
    kind: Kind = "complex",
    rule: NetworkRule | Apply | None = None,
    method: Literal["auto", "structured", "jacobian", "vector_product"] = "auto",
    param_metric: Literal["unit", "reim"] = "unit",
    batch_size: int | None = None,
    progress: bool = False,
    max_bytes: int | None = None,
) -> TangentKernel | tuple[TangentKernel, TangentKernel]:
    r"""The tangent kernel of a finite network, real or complex.

    Sums run over all real parameters p; a complex parameter counts as two, each of variance 1/2 (metric "unit"):

    .. math:: \Theta_{no,mq} = \sum_p \partial_p f_o(x_n)\,\overline{\partial_p f_q(x'_m)},\qquad
        \tilde\Theta_{no,mq} = \sum_p \partial_p f_o(x_n)\,\partial_p f_q(x'_m).

    With a backward rule the right factor is the rule's derivative: \(J\hat J^H\), the kernel of training with that
    rule, which need not be Hermitian (see `cross`).

    Args:
        apply: any function `apply(params, x)` -> (N,) or (N, O), real or complex, that treats inputs one by one:
            networks of `qcgrad.networks`, flax, equinox, circuits through `qcgrad.as_jax` and `jax.vmap`.
        params: pytree of real and complex arrays.
        x1, x2: inputs (N1, *shape) and (N2, *shape); x2 is x1 by default.
        kind: "complex" is Theta (real for real outputs); "augmented" is the pair (Theta, Theta-tilde); "real_block" is
            the kernel of (Re f, Im f) by the real parameters.
        rule: a `networks.ActivationRule` or `LayerRule`, if apply takes `rule=`, or a function (params, x) with the
            network's values and the rule's derivatives.
        method: "structured" forms no Jacobian (networks of dense layers and activations), "jacobian" is for everything,
            "vector_product" for large networks with few inputs; "auto" is structured where it applies, else jacobian.
        param_metric: "unit", or "reim" for derivatives by Re and Im as they stand: complex parameters count twice.
        batch_size: inputs per batch; by default what keeps a batch, with all temporaries, to 512 MiB where that can be.
        progress: whether to show a progress bar.
        max_bytes: most bytes to hold at once, the kernel included; by default 80 % of the memory that is free. While
            JAX traces, only the kernel itself is held against it.

    Returns:
        (N1, N2) if O = 1, else (N1, N2, O, O); "real_block": (N1, N2, 2, 2) or (N1, N2, 2 O, 2 O), real parts first.

    Raises:
        ValueError: no inputs, or some that are not finite; inputs of a batch that change each other's outputs (batch
            statistics); shapes that do not fit, unknown names, 64-bit numbers without JAX's 64-bit mode.
        TypeError: apply returns no single array of floating-point numbers; params hold other things.
        NotApplicable: method="structured" does not fit the network, and why; apply does nothing with the rule.
        TooLarge: the kernel, or a batch beside it, takes more than max_bytes: before it is allocated, with what fits.

    Cost: with [FP] a forward pass, P parameters, widths n: structured N O [FP] + N^2 O^2 n a layer; jacobian
    N O [FP] + N^2 O^2 P; vector_product N^2 O [FP].

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> x = jnp.array([[1.0, 2.0], [0.0, 1.0]])
        >>> print(ntk.empirical(lambda w, x: x @ w, jnp.zeros(2), x))  # a linear model: x x^T
        [[5. 2.]
         [2. 1.]]

    References:
        A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel", arXiv:1806.07572.
        R. Novak, J. Sohl-Dickstein, S. S. Schoenholz, "Fast finite width neural tangent kernel", arXiv:2206.08720.
    """
    if kind not in ("complex", "augmented", "real_block"):
        raise ValueError(f'kind is {kind!r}: give "complex", "augmented" or "real_block"')
    problem = make_problem(apply, params, x1, x2, rule, param_metric, kind != "complex")
    return compute(_method(method, problem), problem, kind, checked_size(batch_size), progress, max_bytes)


def _method(name, problem: Problem):
    if name == "jacobian":
        return Jacobian.of(problem)
    if name == "vector_product":
        return VectorProduct.of(problem)
    if name not in ("auto", "structured"):
        raise ValueError(f'method is {name!r}: give "auto", "structured", "jacobian" or "vector_product"')
    reason = why_not_structured(problem)
    if reason is None:
        return Structured(problem.metric)
    if name == "structured":
        raise NotApplicable(f'method="structured" does not apply: {reason}; use method="jacobian" or "auto"')
    return Jacobian.of(problem)
