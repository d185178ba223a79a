"""Reported variances against the spread over repeated seeds.

With S seeds, unbiased estimates g and mean reported variance v, sum (g - truth)^2 / v follows a
chi-squared distribution with S degrees of freedom (g is close to normal at these shot numbers).
"""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.library import load_circuit
from theory.statistics import key, shifted, variance_ratio

from .problems import problem

# Alone, a component finds variances that are off by a factor 2; together, dozens find 10 %.
SEEDS = 200


def check(estimates, variances, truth, pooled):
    """Each component alone, and with `pooled` (independent components) all together."""
    mean = np.mean(variances, axis=0)
    used = mean > 1e-12
    assert used.any()
    ratio = np.mean((estimates - truth)[:, used] ** 2, axis=0) / mean[used]
    low, high = variance_ratio(SEEDS, used.sum())
    assert np.all((low < ratio) & (ratio < high)), f"{ratio} not in ({low:.2f}, {high:.2f})"
    if pooled:
        low, high = variance_ratio(SEEDS * used.sum())
        assert low < ratio.mean() < high


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("name", "estimator"),
    [
        ("efficient_su2_n4_r2", qg.ParameterShift(shots=100)),
        ("h2_givens_n4", qg.ParameterShift(shots=100)),  # shared parameters, 5 measurement bases
        ("maxcut_regular2_n4_p1", qg.ParameterShift(shots=100)),  # shared and scaled parameters
        ("n_local_n4_crx_crz", qg.ParameterShift(shots=100)),  # four-term rules
        ("n_local_n4_crx_crz", qg.ParameterShift(100, "coefficient")),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.split}",
)
def test_parameter_shift(name, estimator):
    p = problem(name)
    keys = jax.random.split(key(11), SEEDS)
    e = jax.vmap(lambda key: qg.estimate(p.objective, p.params, estimator, key=key))(keys)
    check(np.asarray(e.gradient), np.asarray(e.variance), p.gradient, pooled=True)
    check(np.asarray(e.value)[:, None], np.asarray(e.value_variance)[:, None], p.value, pooled=False)


@pytest.mark.statistical
def test_weighted_random_sampling():
    """Light terms are drawn so seldom that a basis has no shots of its own, or one."""
    p = problem("h2_givens_n4")
    estimator = qg.WeightedRandomSampling(100)
    found = [qg.estimate(p.objective, p.params, estimator, key=shifted(seed)) for seed in range(SEEDS)]
    check(np.array([e.gradient for e in found]), np.array([e.variance for e in found]), p.gradient, pooled=False)


POOLS = {
    # Words whose commutator is a single string, and one whose commutator is several.
    "one string": ("efficient_su2_n4_r1", {"ZIII": 1.0}, ["XIII", "YIII"]),
    "one large string": ("tfim_hva_n4_p2", {"ZZII": 1.0}, ["XIII"]),
    "several strings": ("mqt_vqe_two_local_n4", {"ZIII": 1.0, "IZII": -2.0, "YYII": 0.5}, ["YXII"]),
}


@pytest.mark.statistical
@pytest.mark.parametrize("name", [*POOLS, "shared parameter"])
def test_bell_shadow(name):
    """Components whose strings are far above the noise in every seed; they share samples, so not pooled."""
    objective, params, truth = _bell_problem(name)
    found = [qg.estimate(objective, params, qg.BellShadow(copies=40_000), key=shifted(seed)) for seed in range(SEEDS)]
    estimates = np.array([e.gradient for e in found])
    variances = np.array([e.variance for e in found])
    large = np.abs(truth) > 0.5
    assert large.any()
    check(estimates[:, large], variances[:, large], truth[large], pooled=False)


def _bell_problem(name):
    if name in POOLS:
        circuit, observable, words = POOLS[name]
        entry = load_circuit(circuit)
        objective, params = qg.OperatorPool(entry.circuit, observable, words), entry.params
    else:
        # One parameter drives three gates, so their errors add up with covariances.
        circuit = qg.Circuit(2).ry(0, 0.7).ry(1, 0.4).cx(0, 1)
        circuit = circuit.rx(0, param=0).rx(1, param=0, scale=2.0).rzz(0, 1, param=0, scale=-1.0).rz(0, param=1)
        objective, params = qg.Expectation(circuit, {"ZY": 1.0, "YI": 0.5, "XY": 0.5}), np.zeros(2)
    return objective, params, np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)
