"""Backward rules: what passes an activation, and what they cost and miss as estimators."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad import ntk

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3)) + 1j * RNG.normal(size=(6, 3))
Y = RNG.normal(size=(6, 2)) + 1j * RNG.normal(size=(6, 2))


def distance(outputs, y):
    return jnp.mean(jnp.abs(outputs - y) ** 2)


def network(activation):
    net = nn.serial(nn.Dense(5, sigma_b=0.2), activation, nn.Dense(4), activation, nn.Dense(2))
    params = net.init(jax.random.key(0), (3,))
    return qg.Loss(net.apply, distance, (X, Y), params), params


def by_hand(params, keep_anti):
    """Gradients d_x + i d_y by the chain rule of the module's docstring, in NumPy, for two split-ReLU layers."""
    w1, b1, w2, w3 = (np.asarray(leaf) for leaf in jax.tree.leaves(params))
    s1, s2, s3 = 3**-0.5, 5**-0.5, 4**-0.5

    def relu(z):
        return np.maximum(z.real, 0) + 1j * np.maximum(z.imag, 0)

    def pair(z):
        x, y = (z.real > 0) * 1.0, (z.imag > 0) * 1.0
        return (x + y) / 2, (x - y) / 2

    def back(z, delta):  # delta = 2 dL/d conj(h)
        holomorphic, anti = pair(z)
        return np.conj(holomorphic) * delta + keep_anti * anti * np.conj(delta)

    z1 = s1 * X @ w1 + 0.2 * b1
    z2 = s2 * relu(z1) @ w2
    d3 = 2 * (s3 * relu(z2) @ w3 - Y) / Y.size
    d2 = back(z2, s3 * d3 @ w3.conj().T)
    d1 = back(z1, s2 * d2 @ w2.conj().T)
    return [s1 * X.conj().T @ d1, 0.2 * d1.sum(0), s2 * relu(z1).conj().T @ d2, s3 * relu(z2).conj().T @ d3]


@pytest.mark.parametrize(
    ("rule", "keep_anti"), [(None, 1), (nn.FullWirtinger(), 1), (nn.HolomorphicBranch(), 0)], ids=str
)
def test_gradients_are_the_chain_rule_by_hand(rule, keep_anti):
    loss, params = network(nn.SplitReLU())
    e = qg.estimate(loss, params, qg.Backprop(rule))
    for ours, theirs in zip(jax.tree.leaves(e.gradient), by_hand(params, keep_anti), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-13)


def test_full_wirtinger_is_real_valued_backpropagation_on_re_and_im():
    loss, params = network(nn.SplitReLU())
    found = qg.estimate(loss, params, qg.Backprop(nn.FullWirtinger())).gradient

    def split(parts):
        return loss.loss_fn(loss.apply(jax.tree.map(lambda p: p[0] + 1j * p[1], parts), X), Y)

    real = jax.grad(split)(jax.tree.map(lambda w: jnp.stack([w.real, w.imag]), params))
    jax.tree.map(lambda g, r: np.testing.assert_allclose(g, r[0] + 1j * r[1], atol=1e-13), found, real)


def test_a_departing_rule_says_by_how_much_and_pays_for_it():
    loss, params = network(nn.SplitReLU())
    true = qg.estimate(loss, params, qg.Backprop())
    e = qg.estimate(loss, params, qg.Backprop(nn.HolomorphicBranch()))
    jax.tree.map(lambda b, g, t: np.testing.assert_allclose(b, abs(g - t)), e.bias_bound, e.gradient, true.gradient)
    a, b = (np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(x.gradient)]) for x in (e, true))
    cosine = np.vdot(a, b).real / np.linalg.norm(a) / np.linalg.norm(b)
    assert 0 < cosine < 0.999
    assert f"cosine {cosine:.6f}" in e.result.message
    alone = loss.backward_cost(params, nn.HolomorphicBranch())
    assert e.cost == alone + loss.backward_cost(params)
    assert e.cost == qg.predict_cost(loss, qg.Backprop(nn.HolomorphicBranch()))
    for leaf in jax.tree.leaves((e.variance, e.bias_bound)):
        assert leaf.dtype == np.float64


def test_without_a_comparison_the_bias_is_unknown_and_costs_nothing():
    loss, params = network(nn.SplitReLU())
    e = qg.estimate(loss, params, qg.Backprop(nn.HolomorphicBranch(), compare=False))
    assert all(np.all(np.isnan(leaf)) for leaf in jax.tree.leaves(e.bias_bound))
    assert e.cost == loss.backward_cost(params, nn.HolomorphicBranch())
    assert "cosine" not in e.result.message


def test_the_holomorphic_branch_is_exact_for_holomorphic_activations():
    loss, params = network(nn.Polynomial([0, 1, 0.3]))
    e = qg.estimate(loss, params, qg.Backprop(nn.HolomorphicBranch()))
    assert max(float(jnp.max(leaf)) for leaf in jax.tree.leaves(e.bias_bound)) < 1e-12
    assert "cosine 1.000000" in e.result.message


def test_a_rule_of_ones_own_is_one_method():
    class Scaled(nn.ActivationRule):
        factor: jax.Array

        def pull_back(self, holomorphic, antiholomorphic, cotangent):
            return self.factor * (holomorphic * cotangent + jnp.conj(antiholomorphic * cotangent))

    loss, params = network(nn.SplitReLU())
    true = jax.tree.leaves(qg.estimate(loss, params, qg.Backprop()).gradient)
    found = jax.tree.leaves(qg.estimate(loss, params, qg.Backprop(Scaled(jnp.array(0.5)))).gradient)
    # Layers 1, 2, 3 lie behind 2, 1, 0 activations.
    for ours, theirs, factor in zip(found, true, (0.25, 0.25, 0.5, 1.0), strict=True):
        np.testing.assert_allclose(ours, factor * theirs, atol=1e-13)


def test_rules_leave_values_alone_and_work_under_jit():
    loss, params = network(nn.SplitReLU())
    np.testing.assert_array_equal(loss.apply(params, X), loss.apply(params, X, nn.HolomorphicBranch()))
    eager = qg.estimate(loss, params, qg.Backprop(nn.HolomorphicBranch()))
    jitted = jax.jit(lambda p: qg.estimate(loss, p, qg.Backprop(nn.HolomorphicBranch())).gradient)(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-13), eager.gradient, jitted)


def test_as_jax_composes_with_jaxs_convention():
    loss, params = network(nn.SplitReLU())
    ours = jax.grad(qg.as_jax(loss, qg.Backprop()))(params)
    theirs = jax.grad(lambda p: distance(loss.apply(p, X), Y))(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-13), ours, theirs)


class _Module:
    """A module as flax has them: `apply` hands on keywords that it does not know."""

    def __init__(self, forward):
        self.forward = forward

    def apply(self, variables, x, rngs=None, **kwargs):
        return self.forward(variables["params"], x, **kwargs)


def _without(params, x):
    return jnp.tanh(x @ params)


def _ignoring(params, x, rule=None):
    return jnp.tanh(x @ params)


def _swallowing(params, x, **kwargs):
    return jnp.tanh(x @ params)


def _using(params, x, rule=None):
    z = x @ params
    return jnp.tanh(z) if rule is None else rule.activate(nn.SplitTanh(), z)


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (_without, "apply takes no rule .*_without has no such argument"),
        (functools.partial(_without), "apply takes no rule"),
        (lambda w, x: x @ w, "apply takes no rule"),
        (jax.jit(_without), "apply takes no rule"),
        (_ignoring, "ignores it .*_ignoring runs the same program"),
        (functools.partial(_swallowing), "ignores it"),
        (jax.jit(_swallowing), "ignores it"),
    ],
)
@pytest.mark.parametrize("entry", ["loss", "kernel"])
def test_a_function_that_loses_the_rule_is_refused(apply, message, entry):
    with pytest.raises(qg.NotApplicable, match=message):
        _with_rule(entry, apply, jnp.ones(3) + 1j)


@pytest.mark.parametrize("entry", ["loss", "kernel"])
def test_a_module_that_does_not_know_the_rule_is_refused(entry):
    params = {"params": jnp.ones(3) + 1j}
    for forward, message in ((_without, "apply takes no rule .*unexpected keyword"), (_swallowing, "ignores it")):
        with pytest.raises(qg.NotApplicable, match=message):
            _with_rule(entry, _Module(forward).apply, params)
    assert _with_rule(entry, _Module(_using).apply, params) is not None


def test_errors_of_the_network_itself_come_through():
    def broken(params, x, **kwargs):
        raise TypeError("shapes of rulers do not fit")

    with pytest.raises(TypeError, match="rulers"):
        _with_rule("loss", broken, jnp.ones(3) + 1j)


def _with_rule(entry, apply, params):
    rule = nn.HolomorphicBranch()
    if entry == "kernel":
        return ntk.empirical(apply, params, X, rule=rule)
    return qg.estimate(qg.Loss(apply, distance, (X, Y[:, 0])), params, qg.Backprop(rule))


def test_refusals():
    plain = qg.Loss(lambda w, x: x @ w, distance, (X, Y[:, 0]))
    with pytest.raises(qg.NotApplicable, match="apply takes no rule"):
        qg.estimate(plain, np.ones(3) + 0j, qg.Backprop(nn.HolomorphicBranch()))
    with pytest.raises(TypeError, match="give a rule object"):
        qg.Backprop("holomorphic")


def test_an_exact_rule_has_no_bias_and_costs_no_comparison():
    class Same(nn.ActivationRule):
        is_exact = True

        def pull_back(self, holomorphic, antiholomorphic, cotangent):
            return holomorphic * cotangent + jnp.conj(antiholomorphic * cotangent)

    loss, params = network(nn.SplitReLU())
    e = qg.estimate(loss, params, qg.Backprop(Same()))
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(e.bias_bound))
    assert e.cost == loss.backward_cost(params, Same())
