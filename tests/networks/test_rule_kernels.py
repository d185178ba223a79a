"""Kernels of infinite width for backward rules: the limit of J times the rule's J^H."""

import jax
import numpy as np
import pytest

import qcgrad.networks as nn
from qcgrad.errors import NotApplicable

from .finite import VECTORS, WIDTH, agrees, data, dense, others


class Shares(nn.ActivationRule):
    """Constant shares of both branches."""

    first: float
    second: float

    def branches(self):
        return self.first, self.second

    def pull_back(self, holomorphic, antiholomorphic, cotangent):
        return self.first * holomorphic * cotangent + self.second * (antiholomorphic * cotangent).conj()


class Unnamed(nn.ActivationRule):
    """The same without `branches`."""

    def pull_back(self, holomorphic, antiholomorphic, cotangent):
        return holomorphic * cotangent


@pytest.mark.parametrize("case", ["split", "improper", "proper, then improper", "sum", "real readout"])
def test_the_whole_chain_rule_has_the_true_kernel(case):
    k = VECTORS[case].kernel(data(1, 2, 4), others(4), rule=nn.FullWirtinger())
    np.testing.assert_allclose(k.ntk_rule, k.ntk, atol=1e-12)
    branch = VECTORS[case].kernel(data(1, 2, 4), others(4))
    np.testing.assert_array_equal(branch.ntk, k.ntk)
    assert np.max(np.abs(branch.ntk_rule - k.ntk)) > 1e-2


@pytest.mark.statistical
@pytest.mark.parametrize(("first", "second"), [(0.5, -1.0), (0.0, 1.0)])
@pytest.mark.parametrize("case", ["split", "improper polynomial in z and conj z"])
def test_shares_of_both_branches_agree_with_wide_networks(case, first, second):
    agrees(VECTORS[case], data(1, 2, 4), others(4), rule=Shares(first, second))


def test_a_rule_without_branches_trains_the_last_layer_only():
    x = data(1, 2, 4)
    for net in (VECTORS["split"], VECTORS["improper"]):
        k = net.kernel(x, rule=Shares(0.0, 0.0))
        np.testing.assert_allclose(k.ntk_rule, k.nngp, atol=1e-13)


def test_real_networks_know_the_first_branch_only():
    """One hidden layer: Theta = K^2 + sigma_w^2 D K^1, of which the rule halves the second part."""
    net, x = dense(nn.ReLU(), hidden=1, dtype="real"), data(1, 3, 4).real
    whole, half = net.kernel(x), net.kernel(x, rule=Shares(0.5, 3.0))
    np.testing.assert_allclose(whole.ntk_rule, whole.ntk, atol=1e-13)
    np.testing.assert_allclose(half.ntk_rule - half.nngp, (whole.ntk - whole.nngp) / 2, atol=1e-13)


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        (Unnamed(), NotApplicable, "Unnamed has no infinite-width kernel here: .* a method `branches`"),
        (nn.StochasticBackprop(), NotApplicable, r"StochasticBackprop has no infinite-width kernel here.* ntk\.cross"),
        (nn.FeedbackAlignment(()), NotApplicable, "FeedbackAlignment has no infinite-width kernel"),
        (nn.HolomorphicBranch, TypeError, "rule is .*: give a rule object"),
        ("holomorphic", TypeError, "rule is 'holomorphic'"),
    ],
)
def test_rules_without_kernels_are_refused_by_name(rule, error, message):
    with pytest.raises(error, match=message):
        dense(nn.SplitReLU()).kernel(data(1, 2, 4), rule=rule)


def test_rules_pass_jax_transformations():
    x = data(1, 2, 4)
    rule = Shares(0.5, 0.25)
    net = nn.serial(nn.Dense(WIDTH), nn.SplitErf(), nn.Dense(1))
    np.testing.assert_allclose(
        jax.jit(lambda x: net.kernel(x, rule=rule).ntk_rule)(x), net.kernel(x, rule=rule).ntk_rule, atol=1e-12
    )


def test_the_identity_keeps_the_share_of_its_branch():
    """Of the first layer's part of the kernel, half of it here, the share a is kept; of the last layer's all."""
    x = np.random.default_rng(0).normal(size=(3, 4)) + 1j
    found = nn.serial(nn.Dense(8), nn.Identity(), nn.Dense(1)).kernel(x, rule=Shares(0.5, 0.0))
    np.testing.assert_allclose(found.ntk_rule, 0.75 * found.ntk, rtol=1e-12)
