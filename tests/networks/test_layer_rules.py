"""Rules for whole layers: exact hooks are backpropagation, and what each rule changes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.errors import NotApplicable
from qcgrad.networks.rules import NetworkRule
from theory.statistics import key, student

NETWORKS = {
    "real": (nn.serial(nn.Dense(5, sigma_b=0.2, dtype="real"), nn.Tanh(), nn.Dense(2, dtype="real")), (3,)),
    "complex": (nn.serial(nn.Dense(5, sigma_b=0.2), nn.Cardioid(), nn.Dense(4), nn.SplitTanh(), nn.Dense(2)), (3,)),
    "improper, read as real": (
        nn.serial(nn.serial(nn.Dense(5, tau=0.3j), nn.ModReLU(-0.1)), nn.Dense(2, tau=0.5), nn.Readout("real")), (3,),
    ),
    "branches": (
        nn.serial(nn.Dense(4), nn.Residual(nn.serial(nn.SplitTanh(), nn.Dense(4), nn.LayerNorm())), nn.Dense(2)), (3,),
    ),
    "images": (
        nn.serial(
            nn.Conv2D(3, (2, 2), sigma_b=0.1), nn.SplitTanh(), nn.AveragePool2D((2, 2)), nn.Conv2D(3, (2, 2)),
            nn.Cardioid(), nn.GlobalAveragePool(), nn.Dense(2),
        ),
        (4, 4, 2),
    ),
}  # fmt: skip


def problem(name, inputs=6):
    net, shape = NETWORKS[name]
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(inputs, *s)) + 1j * rng.normal(size=(inputs, *s)) for s in (shape, (2,)))
    params = net.init(jax.random.key(0), shape)
    x, y = (x.real, y.real) if name == "real" else (x, y)
    return net, params, qg.Loss(net.apply, lambda f, y: jnp.mean(jnp.abs(f - y) ** 2), (x, y), params), shape


def gradient(loss, params, rule=None, **options):
    return qg.estimate(loss, params, qg.Backprop(rule, **options), key=key(1)).gradient


def agree(ours, theirs, tolerance=1e-12):
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, atol=tolerance)


class Exact(nn.LayerRule):
    """All hooks as they are."""


@pytest.mark.parametrize("name", NETWORKS)
def test_exact_hooks_are_backpropagation(name):
    net, params, loss, shape = problem(name)
    true = gradient(loss, params)
    agree(gradient(loss, params, Exact()), true)
    agree(gradient(loss, params, nn.FeedbackAlignment(params)), true)
    if name == "images":
        agree(gradient(loss, params, nn.StochasticBackprop(1.0)), true)
    rule = nn.FeedbackAlignment.init(net, shape, jax.random.key(3))
    x, _ = loss.batch
    np.testing.assert_array_equal(net.apply(params, x, rule), net.apply(params, x))


@pytest.mark.parametrize("name", NETWORKS)
def test_feedback_alignment_changes_all_weights_but_the_last(name):
    net, params, loss, shape = problem(name)
    e = qg.estimate(loss, params, qg.Backprop(nn.FeedbackAlignment.init(net, shape, jax.random.key(3))))
    true = gradient(loss, params)
    with_weights = [i for i, leaf in enumerate(params) if jax.tree.leaves(leaf)]
    agree(e.gradient[with_weights[-1]], true[with_weights[-1]])
    first = jax.tree.leaves(e.bias_bound[with_weights[0]])[0]
    assert float(jnp.max(first)) > 1e-3
    assert "cosine" in e.result.message
    assert e.cost == qg.predict_cost(loss, qg.Backprop(nn.FeedbackAlignment(params)))


def test_feedback_alignment_by_hand():
    """Three dense layers in NumPy: each is sent down through its own feedback weights."""
    net = nn.serial(nn.Dense(5), nn.Dense(4), nn.Dense(2))
    params, feedback = (net.init(jax.random.key(seed), (3,)) for seed in (0, 1))
    rng = np.random.default_rng(0)
    x, cotangent = (rng.normal(size=(6, n)) + 1j * rng.normal(size=(6, n)) for n in (3, 2))
    f, pull = jax.vjp(lambda p: net.apply(p, x, nn.FeedbackAlignment(feedback)), params)
    (found,) = pull(jnp.asarray(cotangent))
    w = [np.asarray(p.weight) / math.sqrt(len(p.weight)) for p in params]
    b = [np.asarray(p.weight) / math.sqrt(len(p.weight)) for p in feedback]
    np.testing.assert_allclose(f, x @ w[0] @ w[1] @ w[2], atol=1e-12)
    signals = [cotangent @ b[2].T @ b[1].T, cotangent @ b[2].T, cotangent]
    inputs = [x, x @ w[0], x @ w[0] @ w[1]]
    for ours, h, c in zip(found, inputs, signals, strict=True):
        np.testing.assert_allclose(ours.weight, h.T @ c / math.sqrt(h.shape[1]), atol=1e-12)


def test_direct_feedback_is_feedback_alignment_with_one_hidden_layer():
    net, shape = nn.serial(nn.Dense(5, sigma_b=0.2), nn.Cardioid(), nn.Dense(2)), (3,)
    params = net.init(jax.random.key(0), shape)
    direct = nn.DirectFeedbackAlignment.init(net, shape, jax.random.key(1))
    b = direct.feedback[2,]  # (2, 5), times 2^(-1/2); weights (5, 2) are divided by the root of 5
    last = params[2]._replace(weight=b.T * math.sqrt(5 / 2))
    chain = nn.FeedbackAlignment((params[0], (), last))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(6, 3)) + 0.5j)
    loss = qg.Loss(net.apply, lambda f, y: jnp.mean(jnp.abs(f - y) ** 2), (x, jnp.ones((6, 2))), params)
    agree(gradient(loss, params, direct), gradient(loss, params, chain))


def test_direct_feedback_skips_the_layers_behind():
    """What teaches the first layer of three does not depend on the weights of those behind it, but for the error."""
    net, shape = nn.serial(nn.Dense(5), nn.Dense(4), nn.Dense(2)), (3,)
    params = net.init(jax.random.key(0), shape)
    other = (params[0], *net.init(jax.random.key(5), shape)[1:])
    rule = nn.DirectFeedbackAlignment.init(net, shape, jax.random.key(1))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(6, 3)) + 0.5j)
    first = [jax.vjp(lambda p: net.apply(p, x, rule), p)[1](jnp.ones((6, 2), complex))[0][0] for p in (params, other)]
    agree(*first)
    foreign = nn.serial(nn.Dense(5), nn.serial(nn.Dense(4)), nn.Dense(2))
    with pytest.raises(NotApplicable, match=r"no feedback weights for the layer Dense at \(1, 0\)"):
        jax.grad(lambda p: foreign.apply(p, x, rule).real.sum())(foreign.init(jax.random.key(0), shape))


@pytest.mark.parametrize("mask", ["random", "grid"])
@pytest.mark.parametrize(("ratio", "cells"), [(0.5, 2), (0.25, 4), (1.0, 3)])
def test_masks_keep_the_share_they_say(mask, ratio, cells):
    if mask == "grid" and cells % round(1 / ratio):
        pytest.skip("no such grid")
    rule = nn.StochasticBackprop(ratio, cells, mask)
    for seed in range(5):
        kept = rule.drawn(jax.random.key_data(jax.random.key(seed))).kept_cells(2)
        assert kept.shape == (cells, cells)
        assert int(kept.sum()) == round(ratio * cells**2)


@pytest.mark.statistical
@pytest.mark.parametrize("mask", ["random", "grid"])
def test_one_rescaled_layer_is_unbiased(mask):
    """The mean of 400 masks of one convolution; its standard error is below a tenth of the gradient."""
    net = nn.serial(nn.Conv2D(3, (2, 2)), nn.GlobalAveragePool())
    rng = np.random.default_rng(0)
    x, params = jnp.asarray(rng.normal(size=(6, 4, 4, 2)) + 0.3j), net.init(jax.random.key(0), (4, 4, 2))
    loss = qg.Loss(net.apply, lambda f, y: jnp.mean(jnp.abs(f - y) ** 2), (x, jnp.ones((6, 3))), params)
    e = qg.estimate(loss, params, qg.Backprop(nn.StochasticBackprop(0.5, 4, mask, rescale=True), draws=400), key=key(2))
    true, found = jax.tree.leaves(gradient(loss, params))[0], jax.tree.leaves(e.gradient)[0]
    allowed = student(399, 1) * float(jnp.sqrt(jax.tree.leaves(e.variance)[0].sum()))
    assert allowed < 0.7 * float(jnp.linalg.norm(true))
    assert float(jnp.linalg.norm(found - true)) < allowed
    assert float(jnp.max(jnp.abs(found - true) - jax.tree.leaves(e.bias_bound)[0])) <= 0


def test_random_rules_need_a_key_and_count_their_draws():
    _, params, loss, _ = problem("images")
    rule = nn.StochasticBackprop(0.5, 2)
    with pytest.raises(ValueError, match="key is missing"):
        qg.estimate(loss, params, qg.Backprop(rule))
    one, two = (gradient(loss, params, rule) for _ in range(2))
    agree(one, two, 0)
    e = qg.estimate(loss, params, qg.Backprop(rule, draws=3), key=0)
    assert e.cost == loss.backward_cost(params, rule) * 3 + loss.backward_cost(params)
    assert e.cost == qg.predict_cost(loss, qg.Backprop(rule, draws=3))
    assert all(float(leaf.max()) > 0 for leaf in jax.tree.leaves(e.variance[0]))
    lone = qg.estimate(loss, params, qg.Backprop(rule), key=0)
    assert all(bool(jnp.isnan(leaf).all()) for leaf in jax.tree.leaves((lone.variance, lone.bias_bound)))
    with pytest.raises(ValueError, match=r"draws is 2: .* only for a random rule"):
        qg.Backprop(nn.FullWirtinger(), draws=2)


@pytest.mark.parametrize(
    ("name", "cells", "message"),
    [("complex", 2, "layers with weights have none"), ("images", 3, "have 2 along an axis: give fewer cells")],
)
def test_stochastic_backprop_needs_positions(name, cells, message):
    _, params, loss, _ = problem(name)
    with pytest.raises(NotApplicable, match=message):
        qg.estimate(loss, params, qg.Backprop(nn.StochasticBackprop(0.5, cells)), key=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0.0,), "keep_ratio"), ((0.5, 0), "cells"), ((0.5, 3, "grid"), "divides the cells"), ((0.5, 2, "x"), "mask")],
)
def test_stochastic_backprop_refuses_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        nn.StochasticBackprop(*arguments)


def test_rules_for_layers_have_kernels():
    """J times the rule's J^H, against derivatives of the network and of the rule one by one; not the true kernel."""
    net, params, loss, shape = problem("complex", inputs=3)
    x, _ = loss.batch
    rule = nn.FeedbackAlignment.init(net, shape, jax.random.key(3))
    found = ntk.cross(net.apply, params, x, rule).kernel
    by_function = ntk.cross(net.apply, params, x, lambda p, x: net.apply(p, x, rule), method="jacobian").kernel
    np.testing.assert_allclose(found, by_function, atol=1e-12)
    true = ntk.empirical(net.apply, params, x)
    assert float(jnp.max(jnp.abs(found - true))) > 1e-2
    agree(ntk.empirical(net.apply, params, x, rule=nn.FeedbackAlignment(params)), true)
    with pytest.raises(NotApplicable, match="what layers send or keep"):
        ntk.empirical(net.apply, params, x, rule=rule, method="structured")


def test_a_rule_for_whole_networks_passes_them_as_it_says():
    class Doubled(NetworkRule):
        def through(self, layer, params, x):
            y = layer.apply(params, x)
            return 2 * y - jax.lax.stop_gradient(y)

    net = nn.serial(nn.Dense(4), nn.SplitReLU(), nn.Residual(nn.Dense(4)))
    weights, x = net.init(key(0), (3,)), jax.random.normal(key(1), (2, 3), complex)
    true, doubled = ntk.empirical(net.apply, weights, x), ntk.empirical(net.apply, weights, x, rule=Doubled())
    np.testing.assert_allclose(doubled, 2 * true, rtol=1e-10)


def test_single_layers_are_written_as_networks():
    layer = nn.Dense(2)
    params, x = layer.init(jax.random.key(0), (3,)), jnp.ones((4, 3))
    loss = qg.Loss(layer.apply, lambda f, y: jnp.mean(jnp.abs(f - y) ** 2), (x, jnp.ones((4, 2))), params)
    with pytest.raises(NotApplicable, match=r"write it as serial\(layer\)"):
        qg.estimate(loss, params, qg.Backprop(nn.FeedbackAlignment(params)))


def test_feedback_alignment_learns():
    """A linear teacher through four hidden units: feedback finds it, the last layer alone cannot."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 20)) + 1j * rng.normal(size=(200, 20))
    y = x @ (rng.normal(size=(20, 2)) + 1j * rng.normal(size=(20, 2))) / 20**0.5
    net = nn.serial(nn.Dense(4), nn.Dense(2))
    params = net.init(jax.random.key(0), (20,))
    rule = nn.FeedbackAlignment.init(net, (20,), jax.random.key(1))

    def value(p, rule):
        return jnp.mean(jnp.abs(net.apply(p, x, rule) - y) ** 2)

    @jax.jit
    def trained(params, first):
        def step(p, _):
            hidden, last = jax.grad(value)(p, rule)
            g = (jax.tree.map(lambda a: first * a, hidden), last)
            return jax.tree.map(lambda w, dw: w - 0.2 * dw.conj(), p, g), None

        return value(jax.lax.scan(step, params, None, 1000)[0], None)

    assert float(trained(params, 0.0)) > 0.5
    assert float(trained(params, 1.0)) < 1e-3


class Shrunk(nn.LayerRule):
    """What a layer sends down, times a plain number that is a field."""

    factor: float = 0.5

    def send(self, layer, params, residual, cotangent):
        return self.factor * super().send(layer, params, residual, cotangent)


def test_fields_of_a_rule_may_be_plain_numbers():
    """A bug: the analysis of costs asked them for their dtype."""
    _, params, loss, _ = problem("real")
    shrunk, true = (jax.tree.leaves(gradient(loss, params, rule)) for rule in (Shrunk(), None))
    # The signal of the first layer has passed the last one and the activation.
    np.testing.assert_allclose(shrunk[0], 0.25 * true[0], rtol=1e-12)
    np.testing.assert_allclose(shrunk[-1], true[-1], rtol=1e-12)
