"""Advice: what is ranked, what is ruled out, and whether what is recommended keeps its promise."""

import math

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.catalogue import methods
from qcgrad.objective import point_at
from theory.statistics import counts, key, normal

TWO = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ + 0.5*XI")
PARAMS = np.array([0.4, -0.9])


def advise(objective=TWO, epsilon=0.2, **options):
    return qg.advise(objective, epsilon, **{"params": PARAMS, "with_growth": False, **options})


def test_every_method_of_the_catalogue_has_a_plan_or_a_reason():
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
    for k in range(24):
        circuit = circuit.ry(k % 3, param=k).cx(k % 3, (k + 1) % 3)
    advice = advise(qg.Expectation(circuit, "ZZZ"), params=np.linspace(0.1, 1, 24), with_growth=True)
    assert advice["adjoint"].has_backpropagation_scaling is True
    # Ten states to work in beside one for each of 48, 96 and 192 gates.
    assert advice["reverse-mode"].growth.memory == pytest.approx(1, abs=0.15)
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


def test_noise_that_is_more_than_epsilon_is_said_and_extrapolation_gets_below_it():
    """By a depolarizing channel behind each RY: cos(t) shrinks by 1 - 4p/3, and so do derivatives by angles."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).ry(0, param=1), "Z")
    noise = qg.NoiseModel().add(qg.Depolarizing(0.06))
    factor = (1 - 4 * 0.06 / 3) ** 2
    expected = np.sin(0.5) * (1 - factor)
    advice = advise(objective, 0.05, params=np.array([0.4, 0.1]), noise=noise)
    shift = advice["parameter-shift"]
    assert shift.bias.size == pytest.approx(expected, abs=1e-9)
    assert shift.cost is None
    assert f"noise moves a derivative by {expected:.2g}, more than epsilon=0.05" in shift.reason
    assert "qcgrad.ZeroNoiseExtrapolation" in shift.reason
    sampling = [plan for plan in advice.plans if plan.cost is not None and plan.cost.copies]
    assert [type(plan.estimator) for plan in sampling] == [qg.ZeroNoiseExtrapolation]
    # A line through the factors at one, two and three times the gates.
    at_zero = np.polynomial.polynomial.polyfit([1, 2, 3], [factor, factor**2, factor**3], 1)[0]
    assert sampling[0].bias.size == pytest.approx(np.sin(0.5) * (1 - at_zero), abs=1e-9)
    for plan in advice.plans:
        assert plan.bias is None or plan.bias.is_known, plan
        if plan.cost is not None:
            assert plan.bias.most < 0.05
            assert plan.cost == qg.predict_cost(objective, plan.estimator)
    # What reads amplitudes is simulated without noise, and nobody knows what noise does to copies held together.
    assert advice.best.bias.size == 0
    assert "several copies at a time" in advice["gentle-sweep"].reason
    assert "several copies at a time" in advice["amplitude-estimation"].reason


def test_gates_that_a_method_adds_and_the_noise_does_not_know_are_named():
    from qcgrad.planner._noise import Probe

    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    point, _ = point_at(objective, [0.5])
    (method,) = (m for m in methods().values() if m.make is qg.HadamardTest)
    for gates, quiet in (("ry", ("cy", "h")), (None, ()), (["ry", "h"], ("cy",))):
        noise = qg.NoiseModel().add(qg.Depolarizing(0.01), gates)
        found = Probe(noise, point).bias(method, qg.HadamardTest(100))
        assert found.quiet == quiet
    assert str(found).endswith("if cy make no errors")


@pytest.mark.statistical
def test_biases_of_methods_that_read_outcomes_are_estimated_with_standard_errors():
    """Within `normal` standard errors: 2 <XX> - <ZI> where strings are read, each letter with nine tenths.

    Shift rules read ZI and XX behind a rotation instead: another bias.
    """
    from qcgrad.planner._noise import Probe

    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0).cx(0, 1), "ZI + 0.5*XX", ["YX", "XY"])
    point, _ = point_at(pool, [0.5])
    noise = qg.NoiseModel().add_readout(qg.ReadoutError(0.05))
    probe, measuring = Probe(noise, point), [m for m in methods().values() if m.make.needs_common_state]
    (shift,) = (m for m in methods().values() if m.make is qg.ParameterShift)
    exact = probe.bias(shift, qg.ParameterShift(100))
    assert exact.size == pytest.approx(abs(2 * 0.1 * np.sin(0.5) - 0.19 * np.cos(0.5)), abs=1e-9)
    assert exact.standard_error == 0
    expected = 2 * 0.19 * np.sin(0.5) - 0.1 * np.cos(0.5)
    for make in (qg.DirectPauli, qg.LocalShadow):
        (method,) = (m for m in measuring if m.make is make)
        found = probe.bias(method, make(2000))
        assert 0 < found.standard_error < 0.05
        assert abs(found.size - expected) < normal(2) * found.standard_error


@pytest.mark.statistical
def test_with_noise_an_instance_gets_what_the_bias_leaves_and_keeps_the_promise():
    """At most a fraction delta of the trials misses; more than `counts` allows has a probability of 1e-9."""
    delta, trials, epsilon = 0.2, 30, 0.3
    backend = qg.DensityMatrix(qg.NoiseModel().add(qg.Depolarizing(0.02)))
    advice = advise(epsilon=epsilon, delta=delta, access="single_copy", backend=backend)
    shift = advice["parameter-shift"]
    worst = np.max(np.abs(qg.noise_bias(TWO, PARAMS, backend.noise).gradient))
    assert shift.bias.size == pytest.approx(worst, abs=1e-9)
    quiet = advise(epsilon=epsilon - worst, delta=delta, access="single_copy")["parameter-shift"]
    assert shift.cost == quiet.cost
    assert "with noise" in repr(advice)
    assert "0.0" in advice._repr_html_()
    true = np.asarray(qg.estimate(TWO, PARAMS, qg.Adjoint()).gradient)
    found = [qg.estimate(TWO, PARAMS, shift.estimator, backend, key=k) for k in jax.random.split(key(6), trials)]
    assert sum(np.max(np.abs(e.gradient - true)) > epsilon for e in found) <= counts(trials, delta)[1]
    cheapest = qg.estimate(TWO, PARAMS, qg.Cheapest(epsilon, delta), backend, key=0)
    assert cheapest.cost == advice.best.cost
    assert type(advice.best.estimator).__name__ in cheapest.result.message


@pytest.mark.statistical
def test_biases_that_density_matrices_do_not_reach_are_estimated_and_else_said_to_be_unknown(monkeypatch):
    from qcgrad.planner import _noise

    noise = qg.NoiseModel().add(qg.Depolarizing(0.05))
    exact = np.max(np.abs(qg.noise_bias(TWO, PARAMS, noise).gradient))
    # Five settings of three gates on four amplitudes, 1000 runs of each.
    monkeypatch.setattr(_noise, "_MOST_WORK", 60e3)
    monkeypatch.setattr(_noise.DensityMatrix, "answer", _refuse)
    point, _ = point_at(TWO, PARAMS)
    (method,) = (m for m in methods().values() if m.make is qg.ParameterShift)
    found = _noise.Probe(noise, point).bias(method, qg.ParameterShift(shots=100))
    assert 0 < found.standard_error < 0.1
    assert abs(found.size - exact) < normal(2) * found.standard_error
    monkeypatch.setattr(_noise, "_MOST_WORK", 60.0)
    found = _noise.Probe(noise, point).bias(method, qg.ParameterShift(shots=100))
    assert "too much to simulate" in found.reason
    assert str(found) == "unknown"


def _refuse(self, query, key):
    raise qg.StateTooLarge("no density matrices here")


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


NOISE = qg.NoiseModel().add(qg.Depolarizing(0.01))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"noise": 0.1}, TypeError, r"noise is 0.1: give a qcgrad.NoiseModel"),
        ({"noise": NOISE, "access": "multi_copy"}, ValueError, "access='multi_copy' with noise"),
        ({"noise": NOISE, "access": "coherent"}, ValueError, "access='coherent' with noise"),
        ({"noise": NOISE.add(qg.PhaseDamping(0.1), qubits=2)}, ValueError, r"names qubit 2: the circuit has qubits 0"),
        ({"noise": NOISE.add_readout(qg.ReadoutError(0.1), 5)}, ValueError, r"names qubit 5"),
        ({"noise": NOISE, "backend": qg.DensityMatrix(qg.NoiseModel().add(qg.PhaseDamping(0.1)))}, ValueError, "own"),
    ],
)
def test_noise_that_cannot_be_is_named(options, error, message):
    with pytest.raises(error, match=message):
        advise(**options)


def test_networks_have_no_noise_and_noisy_backends_say_what_they_do_not_know():
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: ((out - y) ** 2).mean(), (np.eye(2), np.ones(2)))
    with pytest.raises(qg.NotApplicable, match="noise is of circuits, and a Loss has none"):
        qg.advise(loss, 0.1, params=np.zeros(2), noise=NOISE)
    cheapest, backend = qg.Cheapest(0.3), qg.DensityMatrix(NOISE)
    with pytest.raises(qg.NotApplicable, match="params are missing: how far noise moves"):
        qg.predict_cost(TWO, cheapest, backend)


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
    for noise, message in (("depolarizing=2", "from 0 to 1"), ("readout-error=0.1@9", "names qubit 9")):
        code, said = run("--epsilon", "0.1", "--noise", noise)
        assert (code, said.err.count("\n")) == (2, 1)
        assert message in said.err
    code, said = run("--epsilon", "0.1", "--access", "multi_copy", "--noise", "depolarizing=0.01")
    assert (code, said.err.count("\n")) == (2, 1)
    code, said = run("--epsilon", "0")
    assert (code, said.err.count("\n")) == (2, 1)
    assert "epsilon=0" in said.err
