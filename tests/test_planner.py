"""Advice: what is ranked, what is ruled out, and whether what is recommended keeps its promise."""

import math

import jax
import numpy as np
import pytest

import qcgrad as qg
from theory.statistics import counts, key

TWO = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ + 0.5*XI")
PARAMS = np.array([0.4, -0.9])


def advise(objective=TWO, epsilon=0.2, **options):
    return qg.advise(objective, epsilon, **{"params": PARAMS, "with_growth": False, **options})


def test_every_method_of_the_catalogue_has_a_plan_or_a_reason():
    from qcgrad.catalogue import methods

    advice = advise()
    assert {plan.method.name for plan in advice.plans} == set(methods())
    for plan in advice.plans:
        assert (plan.estimator is None) == bool(plan.reason), plan
    applicable = [plan for plan in advice.plans if plan.cost is not None]
    assert [plan.seconds for plan in applicable] == sorted(plan.seconds for plan in applicable)
    assert advice.best.cost.copies == 0  # a simulator reads it off


@pytest.mark.parametrize("rank", ["copies", "gates", "circuit_runs", "qubits"])
def test_plans_are_ranked_by_what_was_asked_for(rank):
    found = [getattr(plan.cost, rank) for plan in advise(rank=rank).plans if plan.cost is not None]
    assert found == sorted(found)
    assert len(set(found)) > 1


def test_costs_are_those_of_what_is_run():
    plan = advise(access="single_copy")["parameter-shift"]
    found = qg.estimate(TWO, PARAMS, plan.estimator, key=0)
    assert found.cost == plan.cost
    assert plan.seconds == qg.DeviceModel().seconds(found.cost)


def test_access_and_qubits_rule_methods_out_by_name():
    advice = advise(access="single_copy")
    assert advice["gentle-sweep"].reason == "needs multi_copy access, and single_copy is allowed"
    assert all(plan.cost.qubits <= 3 for plan in advise(max_qubits=3).plans if plan.cost is not None)
    assert "qubits at a time, and 3 are allowed" in advise(max_qubits=3)["gentle-sweep"].reason
    with pytest.raises(qg.NotApplicable, match=r"no method reaches epsilon=0.2 here: .*adjoint: needs white_box"):
        _ = advise(access="single_copy", max_qubits=1).best


def test_errors_of_angles_add_up_in_the_parameter_that_drives_them():
    """Two gates with factors 2 and 1 take angles within a third of epsilon, nine times the shots."""
    one = qg.Expectation(qg.Circuit(2).ry(0, param=0).ry(1, param=1), "ZZ")
    shared = qg.Expectation(qg.Circuit(2).ry(0, param=0, scale=2.0).ry(1, param=0), "ZZ")
    mapped = qg.Expectation(
        qg.Circuit(2).ry(0, param=0).ry(1, param=1),
        "ZZ",
        lambda t: t[:1] * np.array([2.0, 1.0]),
        example=np.array([0.1]),
    )
    shots = [
        advise(o, params=p)["parameter-shift"].estimator.shots
        for o, p in ((one, PARAMS), (shared, PARAMS[:1]), (mapped, PARAMS[:1]))
    ]
    assert shots[1] == shots[2] == pytest.approx(9 * shots[0], rel=0.01)


def test_methods_that_need_clifford_angles_are_not_recommended_where_nobody_says_the_angles():
    advice = qg.advise(TWO, 0.2, with_growth=False)
    assert "one common state" in advice["direct-pauli"].reason
    assert advise(params=np.zeros(2))["direct-pauli"].estimator is not None


def test_backpropagation_scaling_is_told_apart():
    """Reverse mode keeps every state, parameter shift runs a circuit for each angle."""
    circuit = qg.Circuit(3)
    for k in range(6):
        circuit = circuit.ry(k % 3, param=k).cx(k % 3, (k + 1) % 3)
    advice = advise(qg.Expectation(circuit, "ZZZ"), params=np.linspace(0.1, 1, 6), with_growth=True)
    assert advice["adjoint"].has_backpropagation_scaling is True
    assert advice["reverse-mode"].growth.memory == pytest.approx(1, abs=0.1)
    assert advice["parameter-shift"].growth.time == pytest.approx(1, abs=0.2)
    for name in ("reverse-mode", "parameter-shift"):
        assert advice[name].has_backpropagation_scaling is False


@pytest.mark.statistical
def test_the_cheapest_method_keeps_its_promise():
    """At most a fraction delta of the trials misses; more than `counts` allows has a probability of 1e-9."""
    delta, trials = 0.2, 60
    true = np.asarray(qg.estimate(TWO, PARAMS, qg.Adjoint()).gradient)
    cheapest = qg.Cheapest(0.3, delta, access="single_copy", rank="copies")
    keys = jax.random.split(key(5), trials)
    missed = sum(np.max(np.abs(qg.estimate(TWO, PARAMS, cheapest, key=k).gradient - true)) > 0.3 for k in keys)
    assert missed <= counts(trials, delta)[1]


def test_the_cheapest_method_is_named_and_predicted():
    cheapest = qg.Cheapest(0.3, access="single_copy")
    found = qg.estimate(TWO, PARAMS, cheapest, key=0)
    best = advise(epsilon=0.3, access="single_copy").best
    assert type(best.estimator).__name__ in found.result.message
    assert 0 < found.cost.copies <= best.cost.copies  # what is drawn decides how many
    function = qg.as_jax(TWO, cheapest)
    np.testing.assert_allclose(function(PARAMS, key=jax.random.key(1)), found.value, atol=0.5)


def test_advice_is_printed_for_people_and_notebooks():
    advice = advise(with_growth=True)
    text, html = repr(advice), advice._repr_html_()
    for words in ("adjoint", "parameter-shift", "backprop", "fewest seconds first", "M^"):
        assert words in text
        assert words in html


def test_a_network_gets_advice_too():
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: ((out - y) ** 2).mean(), (np.eye(2), np.ones(2)))
    advice = qg.advise(loss, 0.1, params=np.zeros(2))
    assert advice.best.method.name == "backprop"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0}, "epsilon=0"),
        ({"epsilon": -1.0}, "epsilon=-1.0"),
        ({"epsilon": math.nan}, "epsilon=nan"),
        ({"delta": 0}, "delta=0"),
        ({"delta": 1.0}, "delta=1.0"),
        ({"access": "two"}, "access='two': give one of single_copy"),
        ({"max_qubits": 0}, "max_qubits=0"),
        ({"max_qubits": 2.5}, "max_qubits=2.5"),
        ({"rank": "price"}, "rank='price': give one of seconds"),
        ({"params": np.zeros(3)}, r"params has shape \(3,\)"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        advise(**change)
    if not change.keys() & {"params"}:
        with pytest.raises(ValueError, match=message):
            qg.Cheapest(**{"epsilon": 0.1, **change})


@pytest.mark.parametrize("field", ["gate_seconds", "shot_seconds", "circuit_seconds", "flops_per_second"])
def test_a_device_has_speeds(field):
    for value in (-1, math.nan, math.inf, "fast", True):
        with pytest.raises(ValueError, match=field):
            qg.DeviceModel(**{field: value})


def test_the_command_line_advises(capsys):
    import json

    from qcgrad.cli import main

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["advise", "tfim_hva_n4_p2", *arguments])
        return end.value.code, capsys.readouterr()

    code, said = run("--epsilon", "0.1", "--access", "single_copy", "--rank", "copies", "--json")
    assert code == 0
    plans = json.loads(said.out)["plans"]
    assert plans[0]["cost"]["copies"] == min(plan["cost"]["copies"] for plan in plans if plan["cost"])
    code, said = run("--epsilon", "0.1")
    assert code == 0
    assert "adjoint" in said.out
    assert "Not applicable" in said.out
    code, said = run("--epsilon", "0")
    assert (code, said.err.count("\n")) == (2, 1)
    assert "epsilon=0" in said.err
