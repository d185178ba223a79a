"""Whether a backward rule keeps what it declares."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..array_types import Key
from ..errors import NotApplicable
from ..estimate import estimate, predict_cost
from ..estimators import Backprop
from ..keys import as_key
from ..networks import AbstractRule, ActivationRule
from ..networks.rules.rule import Step
from ._networks import Problem, problems

#: Draws of a random rule, and standard errors that their mean may be off. Some 10^3 means are compared, which are as
#: good as normal: one run in 10^11 fails by chance; where the draws have long tails, one in 10^6.
DRAWS, ERRORS = 4096, 8

MakeRule = Callable[..., AbstractRule]
"""`make(network, shape, key)` -> a rule for a network with inputs of this shape, as `FeedbackAlignment.init` is."""


def check_rule(rule: AbstractRule | MakeRule, key: Key | int = 0) -> tuple[str, ...]:
    """Let a backward rule differentiate networks that show the usual mistakes, and look at all that it declares.

    - Values are those of the network; gradients have the structure, shapes and precision of the weights.
    - `is_exact`: the gradient is that of backpropagation, to rounding. `is_unbiased`: the mean of 4096 draws is, within
      8 of their standard errors. Neither: `bias_bound` is the distance to backpropagation, of random rules at least.
    - `is_random`: the same key gives the same gradient. Other rules take no key.
    - `stateful`: the successor has the rule's structure, and takes the next step.
    - The program gives the same when it is compiled, and costs what is predicted.
    - `branches` of an `ActivationRule`: what it says is what `pull_back` does.

    Args:
        rule: the rule, or a function `make(network, shape, key)` for one that belongs to a network, such as
            `networks.FeedbackAlignment.init`.
        key: JAX random key or integer seed.

    Returns:
        What the networks that it differentiates test, at least one; all others it refuses by `NotApplicable`.

    Raises:
        TypeError: no rule, nor a function that makes one, or no key.
        AssertionError: a promise that is not kept, with the numbers and what to look at.

    Cost: two compiled programs of three small networks each; of random rules 4096 passes.

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> from qcgrad.testing import check_rule
        >>> jax.config.update("jax_enable_x64", True)
        >>> class Half(nn.LayerRule):
        ...     is_exact = True
        ...
        ...     def send(self, layer, params, residual, cotangent):
        ...         return super().send(layer, params, residual, cotangent) / 2
        >>> check_rule(Half())
        Traceback (most recent call last):
        AssertionError: Half: is_exact is declared, but ...
    """
    if not isinstance(rule, AbstractRule) and (isinstance(rule, type) or not callable(rule)):
        raise TypeError(f"rule is {rule!r}: give a rule object, or a function (network, shape, key) that makes one")
    if (drawn := as_key(key)) is None:
        raise TypeError("key is None: give a JAX random key or an integer seed")
    done = []
    for problem in problems():
        here = _made(rule, problem, drawn)
        try:
            first = problem.loss.step(problem.weights, here, drawn if here.is_random else None)
        except NotApplicable:
            if here.stateful and type(here).after is AbstractRule.after:
                raise
            continue
        checked = _Checked(here, problem, first, drawn)
        for complaint in checked.complaints():
            raise AssertionError(f"{type(here).__name__}: {complaint}. What is tested: {problem.hint}")
        done.append(problem.hint)
    assert done, f"{type(here).__name__} refuses every network: there is nothing that it differentiates"
    return tuple(done)


def _made(rule, problem: Problem, key) -> AbstractRule:
    if isinstance(rule, AbstractRule):
        return rule
    made = rule(problem.network, problem.shape, key)
    if not isinstance(made, AbstractRule):
        raise TypeError(f"the function that makes a rule returned {made!r}: let it return an AbstractRule")
    return made


class _Checked(NamedTuple):
    """One rule at one network, and the first step that it took."""

    rule: AbstractRule
    problem: Problem
    first: Step
    key: Key

    def complaints(self) -> Iterator[str]:
        """What is wrong, one sentence each; later ones rely on earlier ones."""
        yield from self._about_shapes()
        yield from self._about_the_gradient()
        yield from self._about_the_program()
        if self.rule.stateful:
            yield from self._about_the_successor()
        elif type(self.rule).after is not AbstractRule.after:
            yield "it has a method `after`, which nobody calls: declare stateful = True"
        if isinstance(self.rule, ActivationRule):
            yield from _about_branches(self.rule)

    def _about_shapes(self):
        weights, gradient = self.problem.weights, self.first.gradient
        if jax.tree.structure(gradient) != jax.tree.structure(weights):
            yield f"the gradient is a {jax.tree.structure(gradient)}, the weights are a {jax.tree.structure(weights)}"
            return
        for path, weight in jax.tree_util.tree_leaves_with_path(weights):
            part = _at(gradient, path)
            if part.shape != weight.shape or part.dtype != weight.dtype:
                yield (
                    f"the gradient by weights{jax.tree_util.keystr(path)} has shape {part.shape} and dtype "
                    f"{part.dtype}, the weight {weight.shape} and {weight.dtype}"
                )

    def _about_the_gradient(self):
        true = self.problem.loss.step(self.problem.weights)
        if abs(self.first.value - true.value) > self.problem.rounding:
            yield f"the loss comes out as {self.first.value}, and is {true.value}: rules change derivatives, no values"
        if self.rule.is_exact:
            if wrong := self._beyond(self.first.gradient, true.gradient):
                yield f"is_exact is declared, but {wrong}"
        elif not self.rule.is_random:
            if self.rule.is_unbiased and (wrong := self._beyond(self.first.gradient, true.gradient)):
                yield f"is_unbiased is declared and nothing is drawn, but {wrong}"
        elif self.rule.is_unbiased:
            mean, error = self._mean()
            if wrong := self._beyond(mean, true.gradient, jax.tree.map(lambda e: ERRORS * e, error)):
                yield f"is_unbiased is declared, but of the mean of {DRAWS} draws {wrong}"

    def _about_the_program(self):
        estimator = Backprop(self.rule, draws=16 if self.rule.is_random and not self.rule.stateful else 1)
        key = self.key if self.rule.is_random else None
        loss, weights = self.problem.loss, self.problem.weights
        found, again = (estimate(loss, weights, estimator, key=key) for _ in range(2))
        if not eqx.tree_equal(found.gradient, again.gradient):
            yield "the same key gives other numbers" if key is not None else "it gives other numbers each time"
        if found.cost != (predicted := predict_cost(loss, estimator)):
            yield f"predict says {predicted}, and {found.cost} was spent"
        raw = None if key is None else jax.random.key_data(self.key)
        value, gradient = self.rule.value_and_gradient(self.problem.task, weights, raw)
        if wrong := self._beyond((value, gradient), self.first[:2]):
            yield f"not compiled it gives something else: {wrong}"
        if not (self.rule.is_exact or self.rule.is_unbiased):
            yield from self._about_the_bias(found)

    def _about_the_bias(self, found):
        true = jax.tree.map(jnp.conj, self.problem.loss.step(self.problem.weights).gradient)
        if self.rule.stateful and self.rule.is_random:
            return  # of one draw nothing is known
        if self.rule.is_random:
            mean, error = self._mean()
            # The bound holds three standard errors of its own draws.
            allowed = jax.tree.map(
                lambda b, v, e: b + (ERRORS - 3) * jnp.sqrt(v) + ERRORS * e, found.bias_bound, found.variance, error
            )
            if wrong := self._beyond(jax.tree.map(jnp.conj, mean), true, allowed):
                yield f"bias_bound does not cover the bias: of the mean of {DRAWS} draws {wrong}"
            return
        gap = jax.tree.map(lambda g, t: jnp.abs(g - t), found.gradient, true)
        if wrong := self._beyond(found.bias_bound, gap):
            yield f"bias_bound is not the distance to backpropagation: {wrong}"

    def _about_the_successor(self):
        successor = self.first.rule
        if jax.tree.structure(successor) != jax.tree.structure(self.rule):
            yield f"its successor is a {jax.tree.structure(successor)}, itself it is a {jax.tree.structure(self.rule)}"
            return
        pairs = zip(jax.tree.leaves(successor), jax.tree.leaves(self.rule), strict=True)
        types = [(jax.typeof(new), jax.typeof(old)) for new, old in pairs]
        if unlike := [f"{new} for {old}" for new, old in types if (new.shape, new.dtype) != (old.shape, old.dtype)]:
            yield f"arrays of its successor have other shapes or types than its own: {', '.join(unlike)}"
            return
        self.problem.loss.step(self.problem.weights, successor, self.key if self.rule.is_random else None)

    def _mean(self):
        """Mean gradient of many draws, and its standard error."""
        keys = jax.random.key_data(jax.random.split(self.key, DRAWS))
        draw = jax.jit(
            jax.vmap(lambda raw: self.rule.value_and_gradient(self.problem.task, self.problem.weights, raw)[1])
        )
        drawn = draw(keys)
        return jax.tree.map(lambda g: g.mean(0), drawn), jax.tree.map(lambda g: g.std(0) / DRAWS**0.5, drawn)

    def _beyond(self, found, right, allowed=None) -> str:
        """Where `found` is further from `right` than rounding and `allowed`, in words; nothing if nowhere."""
        for path, truth in jax.tree_util.tree_leaves_with_path(right):
            part, where = _at(found, path), jax.tree_util.keystr(path)
            limit = np.full(np.shape(truth), self.problem.rounding)
            limit = limit if allowed is None else limit + np.asarray(_at(allowed, path))
            off = np.asarray(jnp.abs(part - truth))
            if not np.all(off <= limit):
                worst = np.unravel_index(np.argmax(np.nan_to_num(off - limit, nan=np.inf)), off.shape)
                return (
                    f"{where}{list(map(int, worst))} is {part[worst]}, and right is {truth[worst]} within "
                    f"{limit[worst]:.3g}"
                )
        return ""


def _at(tree, path):
    """The leaf of a tree at a path of another one of the same structure."""
    leaves = {jax.tree_util.keystr(own): leaf for own, leaf in jax.tree_util.tree_leaves_with_path(tree)}
    return leaves[jax.tree_util.keystr(path)]


def _about_branches(rule: ActivationRule) -> Iterator[str]:
    try:
        first, second = rule.branches()
    except NotApplicable:
        return
    rng = np.random.default_rng(0)
    h, a, c = (jnp.asarray(rng.normal(size=5) + 1j * rng.normal(size=5)) for _ in range(3))
    found, told = rule.pull_back(h, a, c), first * h * c + second * jnp.conj(a * c)
    if not np.allclose(found, told, rtol=1e-4):
        yield (
            f"branches says ({first}, {second}), but pull_back gives {np.asarray(found).tolist()}, which is not "
            f"{np.asarray(told).tolist()}"
        )
