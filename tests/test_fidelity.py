"""How faithful an answer is and how far off it may be comes with the answer, from whoever gives it."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.queries import Fidelity, MajorityVotes, SweepStop, ThresholdSweep, Votes
from tests.recorder import Recorder
from theory.statistics import FALSE_ALARM, key

CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1)
ANGLES = [0.5, 0.3]


class Hardware(qg.AbstractBackend):
    """Holds copies as hardware would: what it answers is no simulation, and no bound on one belongs to it."""

    access = qg.Statevector.access

    def answer(self, query, key):
        answer = qg.Statevector().answer(query, key)
        if isinstance(query, MajorityVotes):
            return Votes(answer.signs, answer.failures)
        if isinstance(query, ThresholdSweep):
            return SweepStop(answer.position, answer.side)
        return answer


class Drifting(qg.AbstractBackend):
    """Expectation values that are off by at most 0.01 and 0.02."""

    access = qg.Statevector.access

    def answer(self, query, key):
        answer = qg.Statevector().answer(query, key)
        return answer._replace(bias=np.full_like(answer.mean, 0.01) * [1, 2], fidelity=Fidelity("drifting"))


def sweeping(backaction):
    return qg.OnlineTomography(0.5, FALSE_ALARM, backaction=backaction, copies=None if backaction != "exact" else 20)


@pytest.mark.parametrize("backaction", ["exact", "gaussian", "idealized"])
def test_a_simulated_sweep_says_what_it_did(backaction):
    objective = qg.Expectation(CIRCUIT, "ZZ")
    e = qg.estimate(objective, ANGLES, sweeping(backaction), key=key(0))
    assert e.fidelity == backaction


def test_hardware_does_not_inherit_what_simulations_idealize():
    objective = qg.Expectation(CIRCUIT, "ZZ")
    simulated = qg.estimate(objective, ANGLES, sweeping("idealized"), key=key(0))
    measured = qg.estimate(objective, ANGLES, sweeping("idealized"), Hardware(), key=key(0))
    assert (simulated.fidelity, measured.fidelity) == ("idealized", "exact")
    # The same outcomes; the bound of the simulation is larger by what its fresh copies may change.
    assert np.array_equal(simulated.gradient, measured.gradient)
    assert np.all(measured.bias_bound <= simulated.bias_bound)
    assert np.any(measured.bias_bound < simulated.bias_bound)


def test_votes_are_idealized_where_they_share_copies_and_were_simulated():
    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), "ZI", ["YI", "XI"])
    estimators = qg.BellShadow(20_000), qg.BellShadow(20_000, "mimicking")
    for backend, expected in ((qg.Statevector(), ["idealized", "exact"]), (Hardware(), ["exact", "exact"])):
        found = [qg.estimate(pool, [0.5], estimator, backend, key=key(0)) for estimator in estimators]
        assert [e.fidelity for e in found] == expected


def test_a_circuit_that_needs_no_vote_is_not_idealized():
    """At angle 0 the derivative vanishes: no string stands out of the noise, so nobody votes."""
    recorder = Recorder(qg.Statevector())
    pool = qg.OperatorPool(qg.Circuit(1).h(0), "Z", ["X"])
    e = qg.estimate(pool, np.zeros(0), qg.BellShadow(2000, delta=FALSE_ALARM), recorder, key=key(0))
    assert (len(recorder.queries), e.fidelity) == (1, "exact")


def test_the_bias_of_expectation_values_reaches_value_and_derivatives():
    """A derivative is half of a difference, so it is off by at most as much as an expectation value."""
    objective = qg.Expectation(CIRCUIT, ["ZZ", "XI"])
    e = qg.estimate(objective, ANGLES, qg.ParameterShift(), Drifting())
    assert e.fidelity == "drifting"
    np.testing.assert_allclose(e.value_bias_bound, [0.01, 0.02])
    np.testing.assert_allclose(e.bias_bound, [[0.01, 0.01], [0.02, 0.02]])
    alone = qg.estimate(objective, ANGLES, qg.ParameterShift())
    assert not np.any(alone.bias_bound)
    assert alone.fidelity == "exact"


def test_the_bias_goes_through_the_map_of_parameters():
    """Two gates with scales 2 and -3 of one parameter: bounds add up with |scale|."""
    circuit = qg.Circuit(1).ry(0, param=0, scale=2.0).ry(0, param=0, scale=-3.0)
    objective = qg.Expectation(circuit, ["Z", "X"])
    e = qg.estimate(objective, [0.4], qg.ParameterShift(), Drifting())
    np.testing.assert_allclose(e.bias_bound, [[0.05], [0.1]])


def test_traced_estimates_say_it_too():
    objective = qg.Expectation(CIRCUIT, ["ZZ", "XI"])
    estimator = qg.ParameterShift()
    found = jax.jit(lambda w: qg.estimate(objective, w, estimator))(np.array(ANGLES))
    assert found.fidelity == "exact"


def test_a_budget_that_ends_in_a_round_leaves_the_bias_of_the_rest_unknown():
    objective = qg.Expectation(CIRCUIT, ["ZZ", "XI"])
    budget = qg.Budget(circuit_runs=3)
    e = qg.estimate(objective, ANGLES, qg.ParameterShift(), Drifting(), budget=budget, throw=False)
    assert e.result == "budget_exhausted"
    np.testing.assert_allclose(e.bias_bound, [[0.01, np.nan], [0.02, np.nan]])
    assert np.array_equal(np.isnan(e.gradient), np.isnan(e.bias_bound))


def test_the_message_is_made_from_the_stats():
    objective = qg.Expectation(CIRCUIT, "ZZ")
    estimator = qg.GentleSweep(8000, pointer_variance=1.0)
    e = qg.estimate(objective, ANGLES, estimator, key=key(0))
    assert e.result.message.endswith(estimator.report(e.stats))
    assert "pointer variance 1" in estimator.report(e.stats)
