"""Derivatives of weighted sums of outputs, from methods that read all outputs off the same outcomes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimate import run
from qcgrad.objective import Point

CIRCUIT = qg.Circuit(2).h(0).cx(0, 1).ry(0, param=0).rx(1, param=1).rzz(0, 1, param=0)
WEIGHTS = np.array([1.0, -2.0, 3.0])
METHODS = [
    qg.DirectPauli(2_000),
    qg.MutuallyUnbiasedBases(2_000),
    qg.CliffordShadow(2_000),
    qg.LocalShadow(2_000),
    qg.BellShadow(20_000),
    qg.GentleSweep(20_000, 1.0),
    qg.GentleSweep(20_000, 1.0, encoding="terms"),
    qg.ReadOnceTomography(20_000),
    qg.OnlineTomography(0.9, 0.1),
]


def read(observables, cotangents, method):
    objective = qg.Expectation(CIRCUIT, observables)
    point = Point(objective, objective.coordinates(np.zeros(2)), np.asarray(cotangents))
    return run(point, method, qg.Statevector(), jax.random.key(0)).reading


@pytest.mark.filterwarnings("ignore::qcgrad.BiasWarning")
@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_rows_weight_the_derivatives_and_leave_the_values(method):
    observables = ["XX + YY + ZZ + 2*II", "ZI + 0.5*XI + YZ", "YX"]
    each, both = read(observables, np.eye(3), method), read(observables, WEIGHTS[None], method)
    np.testing.assert_allclose(both.value, each.value, atol=1e-12)
    np.testing.assert_allclose(both.gradient, WEIGHTS[None] @ each.gradient, atol=1e-12)
    assert (
        np.all(both.bias_bound <= np.abs(WEIGHTS)[None] @ each.bias_bound + 1e-12) if each.bias_bound is not None else 1
    )


@pytest.mark.filterwarnings("ignore::qcgrad.BiasWarning")
@pytest.mark.parametrize("method", [m for m in METHODS if "OnlineTomography" not in repr(m)], ids=repr)
def test_outputs_of_the_same_outcomes_are_correlated(method):
    """Of an observable and its double, a sum has nine times the variance, and twice the first less the second none."""
    if isinstance(method, qg.GentleSweep | qg.ReadOnceTomography) and method.encoding == "block":
        pytest.skip("each observable is swept by itself")
    found = read(["ZI + YZ", "2*ZI + 2*YZ"], [[1.0, 0.0], [1.0, 1.0], [2.0, -1.0]], method)
    single, total, nothing = found.variance
    np.testing.assert_allclose(total, 9 * single, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(nothing, 0, atol=1e-12)


@pytest.mark.parametrize("method", [METHODS[0], METHODS[5], METHODS[-1]], ids=repr)
def test_jax_pulls_back_through_several_outputs(method):
    f = qg.as_jax(qg.Expectation(CIRCUIT, ["XX + YY", "ZI"]), method)

    @jax.jit
    def weighted(params):
        return jax.grad(lambda p: f(p, jax.random.key(1)) @ jnp.array([2.0, -1.0]))(params)

    assert weighted(jnp.zeros(2)).shape == (2,)
