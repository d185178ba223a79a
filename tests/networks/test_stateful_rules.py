"""Rules that learn from step to step: their state travels as the rule that succeeds them."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn

RATE, DECAY = 1.0, 0.1
NETWORK = nn.serial(nn.Dense(4, sigma_b=0.1), nn.SplitReLU(), nn.Dense(3), nn.SplitReLU(), nn.Dense(2))
RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(6, 3)) + 1j * RNG.normal(size=(6, 3)))
Y = jnp.asarray(RNG.normal(size=(6, 2)) + 1j * RNG.normal(size=(6, 2)))


class KolenPollack(nn.LayerRule):
    """Feedback weights that are learned: they take the steps of the weights, and both decay."""

    feedback: Any
    stateful = True

    def at(self, path):
        feedback = self.feedback
        for index in path:
            feedback = feedback[index]
        return KolenPollack(feedback)

    def send(self, layer, params, residual, cotangent):
        return super().send(layer, self.feedback if layer.has_weights else params, residual, cotangent)

    def after(self, task, weights, gradient, key):
        return KolenPollack(moved(self.feedback, gradient))


class Momentum(nn.AbstractRule):
    """A running mean of true gradients."""

    mean: Any
    stateful = True

    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        return value, jax.tree.map(lambda m, g: (m + g) / 2, self.mean, gradient)

    def after(self, task, weights, gradient, key):
        return Momentum(gradient)


class Forgetful(nn.LayerRule):
    stateful = True


class Drawing(KolenPollack):
    is_random = True


def moved(weights, gradient):
    """A step of descent with weight decay, from a gradient in JAX's convention."""
    return jax.tree.map(lambda w, g: (1 - DECAY) * w - RATE * g.conj(), weights, gradient)


def problem():
    params, feedback = (NETWORK.init(jax.random.key(seed), (3,)) for seed in (0, 1))
    loss = qg.Loss(NETWORK.apply, lambda f, y: jnp.mean(jnp.abs(f - y) ** 2), (X, Y), params)
    return loss, params, feedback


def far(a, b):
    return max(float(jnp.max(jnp.abs(x - y))) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


def test_estimates_hand_on_the_rule_that_they_return():
    """The distance of both weights shrinks by exactly 1 - DECAY a step, so that the rule becomes backpropagation."""
    loss, params, feedback = problem()
    rule, first, cosines = KolenPollack(feedback), far(params, feedback), []
    for _ in range(40):
        e = qg.estimate(loss, params, qg.Backprop(rule))
        params, rule = moved(params, jax.tree.map(jnp.conj, e.gradient)), e.stats["rule"]
        cosines.append(float(e.stats["cosine"]))
    np.testing.assert_allclose(far(params, rule.feedback), first * (1 - DECAY) ** 40, rtol=1e-9)
    assert cosines[0] < 0.5
    assert cosines[-1] > 0.999


def test_steps_of_a_loss_are_those_of_estimates_also_inside_a_scan():
    loss, params, feedback = problem()

    @jax.jit
    def trained(params, rule):
        def step(carry, _):
            params, rule = carry
            _, gradient, rule = loss.step(params, rule)
            return (moved(params, gradient), rule), None

        return jax.lax.scan(step, (params, rule), None, length=3)[0]

    found, rule = trained(params, KolenPollack(feedback))
    by_hand, own = params, KolenPollack(feedback)
    for _ in range(3):
        _, gradient, own = loss.step(by_hand, own)
        by_hand = moved(by_hand, gradient)
    assert far(found, by_hand) < 1e-12
    assert far(rule, own) < 1e-12
    assert far(own, KolenPollack(feedback)) > 1e-2


def test_rules_without_layers_learn_too():
    loss, params, _ = problem()
    rule = Momentum(jax.tree.map(jnp.zeros_like, params))
    true, first = (qg.estimate(loss, params, method) for method in (qg.Backprop(), qg.Backprop(rule)))
    second = qg.estimate(loss, params, qg.Backprop(first.stats["rule"]))
    assert far(first.gradient, jax.tree.map(lambda g: g / 2, true.gradient)) < 1e-12
    assert far(second.gradient, jax.tree.map(lambda g: 3 * g / 4, true.gradient)) < 1e-12


def test_a_rule_as_it_stands_is_a_gradient_and_other_rules_have_no_successor():
    loss, params, feedback = problem()
    value, gradient = loss.value_and_gradient(params, KolenPollack(feedback))
    assert far((value, gradient), loss.step(params, nn.FeedbackAlignment(feedback))[:2]) < 1e-12
    assert loss.step(params, nn.FeedbackAlignment(feedback)).rule is None
    assert loss.step(params).rule is None
    assert "rule" not in qg.estimate(loss, params, qg.Backprop(nn.FeedbackAlignment(feedback))).stats


def test_what_a_successor_costs_is_predicted_and_charged():
    loss, params, feedback = problem()
    e = qg.estimate(loss, params, qg.Backprop(KolenPollack(feedback)))
    assert e.cost == qg.predict_cost(loss, qg.Backprop(KolenPollack(feedback)))
    plain = qg.predict_cost(loss, qg.Backprop(nn.FeedbackAlignment(feedback)))
    assert e.cost.flops > plain.flops


def test_functions_of_jax_forget_and_say_so():
    loss, params, feedback = problem()
    with pytest.raises(qg.NotApplicable, match=r"Backprop learns from step to step .* call qcgrad\.estimate"):
        qg.as_jax(loss, qg.Backprop(KolenPollack(feedback)))
    with pytest.raises(ValueError, match="draws is 2: Drawing is stateful and learns from each pass, so give 1"):
        qg.Backprop(Drawing(feedback), draws=2)
    with pytest.raises(qg.NotApplicable, match="Forgetful is stateful, but has no method `after`"):
        qg.estimate(loss, params, qg.Backprop(Forgetful()))
    assert eqx.tree_equal(nn.HolomorphicBranch().after(None, params, None, None), nn.HolomorphicBranch())
