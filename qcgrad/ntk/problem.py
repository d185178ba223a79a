"""A tangent kernel to compute, checked before anything runs."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Inexact, Num, PyTree

from ..array_types import Array
from ..arrays import as_real, is_concrete, is_finite
from ..errors import NotApplicable
from ..networks.compiled import returned, shapes_of
from ..networks.layers.layer import AbstractLayer
from ..networks.leaves import as_data, checked_parameters
from ..networks.rules import AbstractRule, NetworkRule
from ..networks.rules.rule import Apply
from ..networks.takes_rule import require_rule_taken

Metric = Literal["unit", "reim"]


class Model(eqx.Module):
    """A network as its kernels see it: any function (params, x) -> (N,) or (N, O)."""

    apply: Callable
    rule: NetworkRule | None = None

    def batch(self, params: PyTree, x: Inexact[jax.Array, "N *shape"]) -> Inexact[jax.Array, "N O"]:
        """Outputs (N, O) of a batch."""
        outputs = self.apply(params, x) if self.rule is None else self.apply(params, x, rule=self.rule)
        return outputs.reshape(x.shape[0], -1)

    def one(self, params: PyTree, x: Inexact[jax.Array, "*shape"]) -> Inexact[jax.Array, "O"]:
        """Outputs (O,) of one input; so a kernel's entries never depend on the other inputs of a batch."""
        return self.batch(params, x[None])[0]


class Problem(NamedTuple):
    """A kernel to compute, checked.

    Attributes:
        model: the network; its true Jacobian stands on the left, at x1.
        rule_model: the same values with the derivatives of a backward rule, on the right, at x2; or `model` itself.
        params: pytree of arrays.
        x1, x2: (N1, *shape), (N2, *shape).
        num_outputs: O.
        is_complex: whether outputs are complex.
        is_hermitian: both sides are the same, so that half of the blocks follow from the others.
        metric: "unit" or "reim".
        needs_pseudo: whether Theta-tilde is asked for.
    """

    model: Model
    rule_model: Model
    params: Any
    x1: jax.Array
    x2: jax.Array
    num_outputs: int
    is_complex: bool
    is_hermitian: bool
    metric: Metric
    needs_pseudo: bool


def make_problem(
    apply: Apply,
    params: PyTree,
    x1: Num[Array, "N1 *shape"],
    x2: Num[Array, "N2 *shape"] | None,
    rule: AbstractRule | Apply | None,
    metric: Metric,
    needs_pseudo: bool = True,
) -> Problem:
    """Everything checked that can be before anything runs; errors as `empirical` documents."""
    if not callable(apply):
        raise TypeError(f"apply is {apply!r}: give a function (params, x) -> outputs, for example net.apply")
    if metric not in ("unit", "reim"):
        raise ValueError(f'param_metric is {metric!r}: give "unit" or "reim"')
    if isinstance(rule, type) or not (rule is None or isinstance(rule, AbstractRule) or callable(rule)):
        raise TypeError(
            f"rule is {rule!r}: give a rule object, for example qcgrad.networks.HolomorphicBranch(), or a function "
            "(params, x) with the network's values and the rule's derivatives"
        )
    if isinstance(rule, AbstractRule) and not isinstance(rule, NetworkRule):
        raise NotApplicable(f"{type(rule).__name__} is no derivative of the network's outputs, so it has no kernel")
    params = checked_parameters("params", params)
    left = _inputs("x1", x1)
    right = left if x2 is None else _inputs("x2", x2)
    if left.shape[1:] != right.shape[1:]:
        raise ValueError(f"x1 holds inputs of shape {left.shape[1:]}, x2 of shape {right.shape[1:]}: they must agree")
    dtype = jnp.result_type(left, right)  # one program for both sides
    left, right = left.astype(dtype), right.astype(dtype)
    model = rule_model = Model(apply)
    if rule is not None:
        rule_model = Model(apply, rule) if isinstance(rule, NetworkRule) else Model(rule)
        if rule_model.rule is not None:
            require_rule_taken(apply, rule_model.rule, params, left)
    shapes = [_outputs(side, params, left) for side in (model, rule_model)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"the rule's function returns {shapes[1]}, the network {shapes[0]}: values must agree")
    is_layer = isinstance(getattr(apply, "__self__", None), AbstractLayer)
    if len(left) > 1 and not is_layer and is_concrete((params, left)):
        _require_independence(model, params, left[:2])
    num_outputs, dtype = shapes[0]
    is_complex = np.issubdtype(dtype, np.complexfloating)
    is_hermitian = x2 is None and rule is None
    return Problem(model, rule_model, params, left, right, num_outputs, is_complex, is_hermitian, metric, needs_pseudo)


def _inputs(name, x):
    if not isinstance(x, (jax.Array, np.ndarray, list, tuple)):
        raise TypeError(f"{name} is a {type(x).__name__}: give an array; arguments are (apply, params, x1)")
    array = as_data(name, x)
    if array.ndim == 0 or array.shape[0] == 0:
        raise ValueError(f"{name} has shape {array.shape}: give at least one input, (N, *input shape) with N >= 1")
    if isinstance(x, np.ndarray) and x.dtype.itemsize > array.dtype.itemsize and x.dtype.kind in "fc":
        as_real(name, x.real)  # says that 64-bit mode is off
    if not is_finite(array):
        raise ValueError(f"{name} has entries that are not finite; remove them")
    return array


def _outputs(model, params, x):
    """(O, dtype), from shapes alone."""
    found = returned(_applied, model, shapes_of(params), shapes_of(x))
    if not hasattr(found, "shape"):
        raise TypeError(
            f"apply returned {jax.tree.structure(found)}: it must return one array; stack real and complex outputs "
            "into one complex array, or ask for their kernels one by one"
        )
    if found.ndim not in (1, 2) or found.shape[0] != x.shape[0]:
        raise ValueError(
            f"apply returned shape {found.shape} for {x.shape[0]} inputs: it must return (N,) or (N, O); flatten "
            "outputs with more axes"
        )
    if not jnp.issubdtype(found.dtype, jnp.inexact):
        raise TypeError(f"apply returned dtype {found.dtype}: outputs must be real or complex floating-point numbers")
    return (found.shape[1] if found.ndim == 2 else 1), found.dtype


def _require_independence(model, params, pair):
    """Refuse functions in which inputs of a batch see each other: entries would be those of another function."""
    with jax.ensure_compile_time_eval():  # constants, maybe inside a function that is being traced
        both, alone = _first_outputs(model, params, pair), _first_outputs(model, params, pair[:1])
    # Single precision sums in another order for another batch.
    if float(jnp.max(jnp.abs(both - alone))) > 1e-3 * float(jnp.max(jnp.abs(both))):
        raise ValueError(
            "apply gives an input other outputs when it is alone than in a batch: kernels need inputs that are treated "
            "one by one. Use running averages in place of batch statistics"
        )


@eqx.filter_jit
def _first_outputs(model, params, x):
    return model.batch(params, x)[0]


def _applied(model, params, x):
    return model.apply(params, x) if model.rule is None else model.apply(params, x, rule=model.rule)
