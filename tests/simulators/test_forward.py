"""Forward mode as states at other angles, against the adjoint method."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.simulators.statevector import _forward as forward

# All kinds of driven rows: with and without controls and a phase, several rows and a scale for one angle.
CIRCUIT = (
    qg.Circuit(3)
    .ry(0, param=0)
    .h(2)
    .crx(0, 1, param=1, scale=-1.5, offset=0.2)
    .rx(1, param=0, scale=0.7)
    .p(2, param=2)
    .h(2)
    .cp(0, 2, param=3)
    .evolution(qg.PauliSum("ZX + 0.3*XI"), (0, 1), param=4)
    .rzz(1, 2, param=2)
    .evolution(qg.PauliSum("ZZ + 0.7*IZ"), (1, 2), param=0)
    .h(1)
)
OBJECTIVE = qg.Expectation(CIRCUIT, ["ZII + 0.5*XXI + 2.0*III", "IYZ", "XZY"])
PARAMS = np.array([0.3, -0.8, 0.5, 0.7, 1.3])


@pytest.mark.parametrize("engine", ["auto", "jax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_kinds_of_rows_have_their_derivatives(engine, dtype):
    exact = qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint())
    found = qg.estimate(OBJECTIVE, PARAMS.astype(dtype), qg.ForwardMode(), qg.Statevector(engine=engine))
    assert found.gradient.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 5e-6
    np.testing.assert_allclose(found.gradient, exact.gradient, atol=tolerance)
    np.testing.assert_allclose(found.value, exact.value, atol=tolerance)


@pytest.mark.parametrize("size", [1, 300])
def test_few_states_at_a_time_give_the_same(monkeypatch, size):
    """One, and two of the 3 outputs and of all derivatives."""
    whole = qg.estimate(OBJECTIVE, PARAMS, qg.ForwardMode())
    monkeypatch.setattr(forward, "_BYTES", size)
    assert forward.block(3, 8) == max(1, size // 128)
    found = qg.estimate(OBJECTIVE, PARAMS, qg.ForwardMode())
    np.testing.assert_allclose(found.gradient, whole.gradient, atol=1e-14)


def test_what_no_angle_moves_has_no_derivative():
    for observable in ({"II": 2.0}, "IZ"):
        found = qg.estimate(qg.Expectation(qg.Circuit(2).ry(0, param=0), observable), [0.3], qg.ForwardMode())
        assert found.gradient.tolist() == [0.0]
