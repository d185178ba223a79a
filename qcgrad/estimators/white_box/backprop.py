"""Classical backpropagation, with the chain rule or with a rule that departs from it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from ...errors import NotApplicable
from ...estimator import OneRoundEstimator
from ...networks import AbstractRule, Loss
from ...networks.rules import NetworkRule
from ...networks.takes_rule import require_rule_taken
from ...objective import Reading, is_concrete, zeros_like
from ...queries import Access, Backward


class Backprop(OneRoundEstimator):
    r"""Gradients of a network's loss by one forward and one backward pass.

    The classical baseline: reverse-mode differentiation computes all M components at a constant factor
    over one evaluation. A network may be read while it runs, which is what a quantum state forbids.

    Weights may be complex. Without a rule this is real-valued backpropagation on (Re w, Im w), which is full Wirtinger
    backpropagation up to a factor 2 in the learning rate, and true. A rule that departs from the chain rule gives
    \(\hat g \ne g\): then `bias_bound` is \(|\hat g - g|\) of each component and the result's message holds the
    alignment

    .. math:: \cos(g, \hat g) = \mathrm{Re}\langle g, \hat g\rangle / (\lVert g\rVert\,\lVert\hat g\rVert),

    positive where a small step against \(\hat g\) lowers the loss.

    Args:
        rule: how derivatives pass activations, for example `networks.HolomorphicBranch()`; the loss's `apply` must take
            `rule=`. None is the true gradient.
        compare: with a rule, whether to pay for the true gradient also; if not, `bias_bound` is NaN (unknown).

    Raises:
        TypeError: rule is no rule.
        NotApplicable: the objective is no network, or its `apply` takes no `rule`, or takes it and ignores it.

    Access: white box. Variance zero; without a rule exact up to rounding.

    Cost: FLOPs and bytes from XLA's analysis of the compiled program; zero copies. A comparison is a second pass.

    Example:
        >>> import jax.numpy as jnp, qcgrad as qg
        >>> loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.sum((out - y) ** 2), (jnp.eye(2), jnp.ones(2)))
        >>> e = qg.estimate(loss, jnp.zeros(2), qg.Backprop())
        >>> print(e.gradient, e.cost.copies)
        [-2. -2.] 0

    References:
        D. E. Rumelhart, G. E. Hinton, R. J. Williams, Nature 323, 533 (1986).
        K. Kreutz-Delgado, "The complex gradient operator and the CR-calculus", arXiv:0906.4835.
    """

    rule: AbstractRule | None = None
    compare: bool = True

    access = Access.white_box

    def __check_init__(self):
        if self.rule is not None and not isinstance(self.rule, AbstractRule):
            raise TypeError(
                f"rule is {self.rule!r}: give a rule object, for example qcgrad.networks.HolomorphicBranch()"
            )

    @property
    def departs(self) -> bool:
        """Whether the gradient differs from the true one."""
        return self.rule is not None and not self.rule.is_exact

    def plan(self, point):
        asked = self.value_query(point)
        return (asked, replace(asked, rule=None)) if self.departs and self.compare else (asked,)

    def combine(self, point, answers):
        value, gradient = answers[0]
        # Of complex components too, variances and bias bounds are real numbers.
        zeros = jax.tree.map(lambda g: jnp.zeros(g.shape, g.real.dtype), gradient)
        if not self.departs:
            return Reading(value, gradient, zeros, zeros_like(value), zeros)
        if not self.compare:
            unknown = jax.tree.map(lambda leaf: leaf + jnp.nan, zeros)
            return Reading(value, gradient, zeros, zeros_like(value), unknown)
        truth = answers[1].gradient
        bias = jax.tree.map(lambda ours, true: jnp.abs(ours - true), gradient, truth)
        note = f"alignment of the rule's gradient with the true one: {_cosine(gradient, truth)}"
        return Reading(value, gradient, zeros, zeros_like(value), bias, note=note)

    def value_query(self, point):
        if not isinstance(point.objective, Loss):
            raise NotApplicable(
                f"Backprop differentiates networks, but the objective is a {type(point.objective).__name__}: "
                "use qcgrad.Adjoint or qcgrad.ReverseMode for circuits"
            )
        if isinstance(self.rule, NetworkRule):
            require_rule_taken(point.objective.apply, self.rule, point.coordinates, point.objective.batch[0])
        return Backward(point.objective, point.coordinates, point.cotangents, self.rule)


def _cosine(ours, truth):
    """Re<g, g_rule> / (|g| |g_rule|) in words, for numbers that are at hand."""
    if not is_concrete((ours, truth)):
        return "not known while JAX traces"
    a, b = (np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for tree in (ours, truth))
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return f"cosine {np.vdot(b, a).real / size:.6f}" if size > 0 else "undefined, a gradient is zero"
