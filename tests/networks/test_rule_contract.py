"""Every backward rule keeps what it declares; those of others are held to it by the same check."""

import inspect

import jax
import jax.numpy as jnp
import pytest

from qcgrad import networks as nn
from qcgrad.errors import NotApplicable
from qcgrad.testing import check_rule

RULES = {
    nn.FullWirtinger: nn.FullWirtinger(),
    nn.HolomorphicBranch: nn.HolomorphicBranch(),
    nn.FeedbackAlignment: nn.FeedbackAlignment.init,
    nn.DirectFeedbackAlignment: nn.DirectFeedbackAlignment.init,
    nn.StochasticBackprop: nn.StochasticBackprop(0.5, 2),
}


def test_every_public_rule_is_here():
    exported = {
        rule
        for rule in (getattr(nn, name) for name in nn.__all__)
        if inspect.isclass(rule) and issubclass(rule, nn.AbstractRule)
    }
    assert {rule for rule in exported if not inspect.isabstract(rule) and rule is not nn.LayerRule} == set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=[rule.__name__ for rule in RULES])
def test_rules_keep_what_they_declare(rule):
    """Drawn rules: 8 standard errors of 4096 draws, fixed seed; means of so many are normal, 1e-12 for some 10^3."""
    assert check_rule(rule)


# Rules of somebody else.


class ForwardGradient(nn.AbstractRule):
    """The derivative along a random direction, in that direction."""

    is_unbiased = True
    is_random = True

    def value_and_gradient(self, task, weights, key):
        leaves, structure = jax.tree.flatten(weights)
        keys = jax.random.split(jax.random.wrap_key_data(key), len(leaves))
        # Real and imaginary parts have unit variance.
        drawn = [
            jax.random.normal(k, w.shape, w.dtype) * (2**0.5 if jnp.iscomplexobj(w) else 1)
            for k, w in zip(keys, leaves, strict=True)
        ]
        direction = structure.unflatten(drawn)
        value, slope = jax.jvp(task.value, (weights,), (direction,))
        return value, jax.tree.map(lambda v: slope * self.seen(v), direction)

    def seen(self, direction):
        return jnp.conj(direction)


class Along(ForwardGradient):
    def seen(self, direction):
        return direction


class Exactly(nn.LayerRule):
    is_exact = True


class Half(nn.LayerRule):
    is_exact = True

    def send(self, layer, params, residual, cotangent):
        return super().send(layer, params, residual, cotangent) / 2


class Drawless(nn.LayerRule):
    is_unbiased = True

    def send(self, layer, params, residual, cotangent):
        return 0 * super().send(layer, params, residual, cotangent)


class OwnGradient(nn.AbstractRule):
    """The true gradient, but for what `seen` does to it."""

    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        return value, jax.tree.map(self.seen, gradient)


class Summed(OwnGradient):
    def seen(self, gradient):
        return gradient.sum(0)


class Complex(OwnGradient):
    def seen(self, gradient):
        return gradient + 0j


class Listed(OwnGradient):
    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        return value, jax.tree.leaves(gradient)


class Valued(OwnGradient):
    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        return 2 * value, gradient


class Mean(OwnGradient):
    """Half of the gradient and half of the last one."""

    last: object
    stateful = True

    @classmethod
    def init(cls, network, shape, key):
        return cls(jax.tree.map(jnp.zeros_like, network.init(key, shape)))

    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        return value, jax.tree.map(lambda g, old: (g + old) / 2, gradient, self.last)

    def after(self, task, weights, gradient, key):
        return type(self)(gradient)


class Growing(Mean):
    def after(self, task, weights, gradient, key):
        return type(self)(jax.tree.map(lambda g: g[None], gradient))


class Unheard(Mean):
    stateful = False


class Contradicting(nn.ActivationRule):
    def branches(self):
        return 1.0, 0.5

    def pull_back(self, holomorphic, antiholomorphic, cotangent):
        return holomorphic * cotangent


class Refusing(nn.AbstractRule):
    def value_and_gradient(self, task, weights, key):
        raise NotApplicable("not today")


@pytest.mark.parametrize(
    "rule",
    [Exactly(), pytest.param(ForwardGradient(), marks=pytest.mark.slow), Mean.init],
    ids=["exact", "unbiased", "stateful"],
)
def test_rules_of_others_pass(rule):
    assert len(check_rule(rule)) == 3


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Half(), r"Half: is_exact is declared, but \[0\]\.weight\[\d, \d\] is .*, and right is .* within 1e-09\. What"),
        (Along(), "Along: is_unbiased is declared, but of the mean of 4096 draws .*complex weights behind branches"),
        (Drawless(), "Drawless: is_unbiased is declared and nothing is drawn, but"),
        (
            Summed(),
            r"Summed: the gradient by weights\[0\]\.weight has shape \(4,\) and dtype float64, the weight \(3, 4\)",
        ),
        (Complex(), "Complex: .* dtype complex128, the weight .* float64"),
        (Listed(), "Listed: the gradient is a PyTreeDef"),
        (Valued(), "Valued: the loss comes out as .* rules change derivatives, no values"),
        (Growing.init, "Growing: arrays of its successor have other shapes"),
        (Unheard.init, "Unheard: it has a method `after`, which nobody calls: declare stateful = True"),
        (Contradicting(), r"Contradicting: branches says \(1\.0, 0\.5\), but pull_back gives"),
        (Refusing(), "Refusing refuses every network"),
    ],
    ids=lambda value: None if isinstance(value, str) else "rule",
)
def test_what_is_declared_and_not_kept_is_named(rule, message):
    with pytest.raises(AssertionError, match=message):
        check_rule(rule)


@pytest.mark.parametrize("rule", [nn.HolomorphicBranch, "holomorphic", None])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(TypeError, match="give a rule object, or a function"):
        check_rule(rule)
    with pytest.raises(TypeError, match="let it return an AbstractRule"):
        check_rule(lambda network, shape, key: 1)
