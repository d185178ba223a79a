"""The constants of online tomography, and one form's run with scripted answers."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimators.multi_copy import _online_run as online_run
from qcgrad.estimators.multi_copy.hypothesis import Dense
from qcgrad.estimators.multi_copy.online_plan import accuracies, sweep_plan
from qcgrad.ir.sweep_form import one_state_forms
from qcgrad.queries import Means, MeasureComponent, SweepStop
from qcgrad.simulators.multicopy.checks import Check

POINT = np.array([0.5, 1.1, -0.4])
CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1).rzz(0, 1, 0.7).ry(0, param=2)
ONE = qg.Expectation(CIRCUIT, "ZZ")
SUM = qg.Expectation(CIRCUIT, {"ZZ": 0.6, "XI": -0.3, "II": 2.0, "IY": 0.1})


@pytest.mark.parametrize("accuracy", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("prediction", [0.0, 0.7, -0.95])
def test_checks_stop_what_is_off_and_pass_what_is_not(accuracy, prediction):
    """Exact probabilities at the plan's constants: off by e stops, off by 0.6 e passes, but for delta / (6 D)."""
    (form,) = one_state_forms(ONE.program, POINT, "none")
    plan = sweep_plan(form, accuracy, 0.05)
    each = 0.05 / (6 * form.num_components)
    for sign in (1, -1):
        query = online_run.sweep_query(form, plan, "idealized", np.arange(1), np.array([prediction]))
        for off, low, high in ((sign * accuracy, 1 - each, 1), (sign * 0.6 * accuracy, 0, 4 * each)):
            if abs(prediction + off) < 1:
                stop, _ = Check.of(query).stop_moments(plan.copies, (1 + prediction + off) / 2)
                assert low <= stop[0] <= high


def test_shares_of_the_error_add_up_to_epsilon_for_the_worst_number():
    forms = one_state_forms(SUM.program, POINT, "terms")
    shares = accuracies(forms, 0.3)
    assert np.dot(shares, [0.6, 0.3, 0.1]) == pytest.approx(0.3)
    assert shares[0] < shares[1] < shares[2]


def test_more_triggers_than_the_bound_end_the_sweeps_and_the_rest_is_measured():
    circuit = qg.Circuit(2)
    for param in range(9):
        circuit = circuit.ry(param % 2, param=param)
    (form,) = one_state_forms(qg.Expectation(circuit, "ZZ").program, np.zeros(9), "none")
    plan = sweep_plan(form, 0.5, 0.05)._replace(max_triggers=1)
    run = online_run.start(form, plan, "idealized", Dense.start(form), np.arange(10))
    for stop in (2, 3):
        run = run.told((SweepStop(stop, 1, 0.0),))
        assert isinstance(run.queries[0], MeasureComponent)
        assert run.queries[0].shots == plan.shots
        run = run.told((Means(0.5, 0.01),))
    assert run.has_exceeded_bound
    assert [query.component for query in run.queries] == [7, 8, 9]  # 2 passed, stop, 3 passed, stop
    assert {query.shots for query in run.queries} == {plan.direct_shots}
    run = run.told((Means(0.1, 0.02),) * 3)
    assert run.queries == ()
    assert run.triggers == 2
    np.testing.assert_array_equal(run.estimates[[2, 6, 7, 8, 9]], [0.5, 0.5, 0.1, 0.1, 0.1])
    np.testing.assert_array_equal(run.bounds[[2, 6, 7, 8, 9]], 0)
    assert np.all(np.isfinite(run.estimates))


def test_a_disturbed_sweep_widens_the_bound_of_its_own_strings_only():
    (form,) = one_state_forms(ONE.program, POINT, "none")
    plan = sweep_plan(form, 0.5, 0.05)
    run = online_run.start(form, plan, "idealized", Dense.start(form), np.arange(4))
    run = run.told((SweepStop(1, 1, 0.1),)).told((Means(0.9, 0.01),)).told((SweepStop(None, 0, 0.0),))
    np.testing.assert_allclose(run.bounds, [0.5 + 0.1, 0, 0.5, 0.5], atol=1e-12)
    vacuous = online_run.start(
        form, plan._replace(copies=10, is_proven=False), "idealized", Dense.start(form), np.arange(4)
    )
    np.testing.assert_allclose(vacuous.told((SweepStop(None, 0, 0.0),)).bounds, 1)
