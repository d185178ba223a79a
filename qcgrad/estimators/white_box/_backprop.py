"""Classical backpropagation, with the chain rule or with a rule that departs from it."""

from dataclasses import replace
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from ...array_types import Key
from ...arrays import is_concrete, namespace, zeros_like
from ...errors import NotApplicable
from ...estimator import OneRoundEstimator
from ...networks import AbstractRule, Loss
from ...networks.rules import NetworkRule
from ...networks.takes_rule import require_rule_taken
from ...objective import Point, Reading
from ...queries import Access, Backward, BackwardPass
from ..accuracy import checked_accuracy


class Backprop(OneRoundEstimator):
    r"""Gradients of a network's loss by one forward and one backward pass.

    The classical baseline: reverse-mode differentiation computes all M components at a constant factor
    over one evaluation. A network may be read while it runs, which is what a quantum state forbids.

    Weights may be complex. Without a rule this is real-valued backpropagation on (Re w, Im w), which is full Wirtinger
    backpropagation up to a factor 2 in the learning rate, and true. A rule that departs from the chain rule gives
    \(\hat g \ne g\): then `bias_bound` is \(|\hat g - g|\) of each component and `stats` holds "norm", "true_norm" and
    the alignment as "cosine",

    .. math:: \cos(g, \hat g) = \mathrm{Re}\langle g, \hat g\rangle / (\lVert g\rVert\,\lVert\hat g\rVert),

    positive where a small step against \(\hat g\) lowers the loss.

    A rule that draws at random gives the mean over `draws` passes, and its variance; what a single draw misses tells
    nothing of the bias, so the bound is \(|\hat g - g|\) and three standard errors, NaN for one draw, zero where the
    rule is unbiased. A stateful rule has a successor, `stats["rule"]`: the next step is `Backprop(e.stats["rule"])`.

    Args:
        rule: the way to the gradient, for example `networks.HolomorphicBranch()` or
            `networks.FeedbackAlignment.init(...)`; for most the loss's `apply` must take `rule=`. None is the true
            gradient.
        compare: with a rule, whether to pay for the true gradient also; if not, `bias_bound` is NaN (unknown).
        draws: passes with a random rule; one for a stateful rule, which learns from it.

    Raises:
        TypeError: rule is no rule.
        NotApplicable: the objective is no network, or its `apply` takes no `rule`, or takes it and ignores it.

        ValueError: draws is no positive integer, or more than one for a rule that is not random, or is stateful.

    Access: white box. Variance zero but for random rules, NaN for one draw; without a rule exact up to rounding.

    Cost: FLOPs and bytes from XLA's analysis of the compiled program for each draw; zero copies. A comparison is one
    pass more.

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
    draws: int = 1

    access = Access.white_box
    differentiates = "networks"
    pays_in = "flops"
    is_typical = True

    def __check_init__(self) -> None:
        if self.rule is not None and not isinstance(self.rule, AbstractRule):
            raise TypeError(
                f"rule is {self.rule!r}: give a rule object, for example qcgrad.networks.HolomorphicBranch()"
            )
        if not isinstance(self.draws, int) or self.draws < 1 or (self.draws > 1 and not self._is_random):
            raise ValueError(f"draws is {self.draws!r}: give a positive integer, more than 1 only for a random rule")
        if self.draws > 1 and self.stateful:
            name = type(self.rule).__name__
            raise ValueError(f"draws is {self.draws!r}: {name} is stateful and learns from each pass, so give 1")

    @property
    def _is_random(self) -> bool:
        return self.rule is not None and self.rule.is_random

    @property
    def stateful(self) -> bool:
        return self.rule is not None and self.rule.stateful

    @property
    def departs(self) -> bool:
        """Whether the gradient differs from the true one."""
        return self.rule is not None and not self.rule.is_exact

    @property
    def compares(self) -> bool:
        """Whether the true gradient is asked for beside the rule's."""
        return self.departs and self.compare

    def plan(self, point: Point, key: Key | None) -> tuple[Backward, ...]:
        asked = self.value_query(point)
        return (asked,) * self.draws + ((replace(asked, rule=None),) if self.compares else ())

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[BackwardPass, ...]) -> Reading:
        drawn, truth = answers[: self.draws], answers[-1].gradient if self.compares else None
        value = drawn[0].value
        gradient = jax.tree.map(lambda *leaves: sum(leaves) / self.draws, *(answer.gradient for answer in drawn))
        # Of complex components too, variances and bias bounds are real numbers.
        zeros = jax.tree.map(lambda g: jnp.zeros(g.shape, g.real.dtype), gradient)
        unknown = jax.tree.map(lambda leaf: leaf + jnp.nan, zeros)
        variance = zeros
        if self._is_random:
            variance = self._variance(gradient, drawn) if self.draws > 1 else unknown
        if self.rule is None or not self.departs or self.rule.is_unbiased:
            bias = zeros
        elif truth is None:
            bias = unknown
        else:
            bias = jax.tree.map(lambda g, true, v: jnp.abs(g - true) + 3 * jnp.sqrt(v), gradient, truth, variance)
        stats = _alignment(gradient, truth) if self.compares else {}
        if self._is_random:
            stats["degrees_of_freedom"] = self.draws - 1
        if self.stateful:
            stats["rule"] = drawn[0].rule
        return Reading(value, gradient, variance, zeros_like(value), bias, stats=stats)

    def report(self, stats: dict[str, Any]) -> str:
        return f"alignment of the rule's gradient with the true one: {_in_words(stats)}" if self.compares else ""

    def _variance(self, mean, drawn):
        """Of the mean of independent draws."""
        pairs = self.draws * (self.draws - 1)
        gradients = (answer.gradient for answer in drawn)
        return jax.tree.map(lambda m, *leaves: sum(abs(g - m) ** 2 for g in leaves) / pairs, mean, *gradients)

    def value_query(self, point: Point) -> Backward:
        if not isinstance(point.objective, Loss):
            raise NotApplicable(
                f"Backprop differentiates networks, but the objective is a {type(point.objective).__name__}: "
                "use qcgrad.Adjoint or qcgrad.ReverseMode for circuits"
            )
        if isinstance(self.rule, NetworkRule):
            require_rule_taken(point.objective.apply, self.rule, point.coordinates, point.objective.batch[0])
        return Backward(point.objective, point.coordinates, point.cotangents, self.rule)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """The chain rule, exact up to rounding; rules that depart from it have no bound before they run."""
        checked_accuracy(epsilon, delta)
        exact = cls()
        exact.value_query(point)  # refuses what is no network
        return exact


def _alignment(ours, truth) -> dict[str, Any]:
    """Re<g, g_rule> / (|g| |g_rule|), NaN where a gradient is zero, and both norms."""
    xp = namespace((ours, truth))
    a, b = (xp.concatenate([xp.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for tree in (ours, truth))
    norm, true_norm = xp.linalg.norm(a), xp.linalg.norm(b)
    size = norm * true_norm
    cosine = xp.where(size > 0, xp.vdot(b, a).real / xp.where(size > 0, size, 1), xp.nan)
    return {"cosine": cosine, "norm": norm, "true_norm": true_norm}


def _in_words(stats) -> str:
    if not is_concrete(stats):
        return "in stats, not known while JAX traces"
    return "undefined, a gradient is zero" if np.isnan(stats["cosine"]) else f"cosine {stats['cosine']:.6f}"
