"""Bounds on curvature hold, and are reached where they can be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.optimizers import lipschitz_constant

SHARED = qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1, scale=2.0).rzz(0, 1, param=0, scale=-0.5).ry(1, param=1)


def test_a_parameter_of_several_gates_reaches_the_bound():
    """Three RY by one angle: cos(3 t), whose second derivative is 9 at most."""
    circuit = qg.Circuit(1).ry(0, param=0).ry(0, param=0).ry(0, param=0)
    objective = qg.Expectation(circuit, {"Z": 2.0, "I": 100.0})
    assert lipschitz_constant(objective, [0.0]) == pytest.approx(18.0)
    hessian = jax.hessian(qg.as_jax(objective, qg.Adjoint()))(jnp.zeros(1))
    np.testing.assert_allclose(hessian, [[-18.0]], atol=1e-9)


def test_scales_gaps_and_shares_enter_by_hand():
    """w_0 = 1 + 0.5 and w_1 = 2 + 1 with the largest gap of a controlled rotation, 1."""
    objective = qg.Expectation(SHARED, {"ZZ": -1.0, "XI": 0.5})
    assert lipschitz_constant(objective, [0.1, 0.2]) == pytest.approx(1.5 * (1.5**2 + 3.0**2))
    assert lipschitz_constant(objective, [0.1, 0.2], joint=False) == pytest.approx(1.5 * 3.0**2)


def test_no_hessian_exceeds_the_bounds():
    objective = qg.Expectation(SHARED, {"ZZ": -1.0, "XI": 0.5})
    hessian = jax.jit(jax.hessian(qg.as_jax(objective, qg.Adjoint())))
    joint, single = (lipschitz_constant(objective, np.zeros(2), joint=flag) for flag in (True, False))
    for point in np.random.default_rng(0).uniform(-np.pi, np.pi, (50, 2)):
        found = np.asarray(hessian(jnp.array(point)))
        assert np.abs(np.linalg.eigvalsh(found)).max() <= joint
        assert np.abs(np.diag(found)).max() <= single


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (qg.Expectation(qg.Circuit(1).ry(0, param=0), ["Z", "X"]), "2 outputs"),
        (qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["Y"]), "not a OperatorPool"),
        (qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z", lambda t: t**2, example=np.ones(1)), "not affine"),
    ],
    ids=["vector", "pool", "map"],
)
def test_what_has_no_such_bound_is_refused(objective, message):
    with pytest.raises(qg.NotApplicable, match=message):
        lipschitz_constant(objective, [0.1])
