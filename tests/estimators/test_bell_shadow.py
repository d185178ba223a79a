"""BellShadow: copies, votes, bounds, and where it does not apply."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import qcgrad as qg
from qcgrad.queries import BellSample, MajorityVotes
from qcgrad.simulators.multicopy.votes import pauli_expectations
from tests.recorder import Recorder
from theory.statistics import FALSE_ALARM, counts, key, normal, shifted

POOL = qg.OperatorPool(qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1), "ZI + XX", ["YI", "XI", "ZY", "IX"])
PARAMS = np.array([0.5, 1.1])


def asked(copies, seed=0, delta=FALSE_ALARM):
    recorder = Recorder(qg.Statevector())
    return qg.estimate(POOL, PARAMS, qg.BellShadow(copies, delta=delta), recorder, key=shifted(seed)), recorder.queries


def test_first_bell_measurements_then_votes_on_what_they_resolved():
    e, (first, second) = asked(10_000)
    assert isinstance(first, BellSample)
    assert isinstance(second, MajorityVotes)
    assert 2 * first.pairs + second.copies == e.cost.copies == 10_000
    assert e.cost.shots == first.pairs + len(second.x)
    assert e.cost.qubits == max(4, 2 * second.copies)


@pytest.mark.statistical
def test_votes_go_from_strong_to_weak_with_lower_bounds_on_magnitudes():
    """So each sign's failure bound leaves out the disturbance of weaker strings."""
    _, (first, second) = asked(1_000_000)
    assert np.all(np.diff(second.magnitudes) <= 0)
    psi = np.asarray(qg.Statevector().state(first.program, np.zeros(0)))
    exact = np.abs(pauli_expectations(psi, second.x, second.z))
    assert np.all(second.magnitudes <= exact)
    assert np.all(second.magnitudes >= 0.5 * exact)


@pytest.mark.parametrize("copies", [3, 4, 11, 100, 1001])
def test_it_never_uses_more_copies_than_given(copies):
    e, queries = asked(copies)
    assert e.cost.copies <= copies
    assert queries[0].pairs >= 1


@pytest.mark.statistical
@pytest.mark.parametrize("copies", [1000, 1001, 20_000])
def test_all_copies_are_used_where_something_is_resolved(copies):
    e, _ = asked(copies)
    assert e.cost.copies == copies


@pytest.mark.statistical
def test_nothing_is_claimed_below_the_noise():
    """Ten copies resolve nothing: the gradient is 0 and the bound says that it might be anything."""
    e, queries = asked(10)
    truth = qg.estimate(POOL, PARAMS, qg.Adjoint()).gradient
    assert len(queries) == 1
    assert not np.any(e.gradient)
    assert np.all(np.abs(truth) <= e.bias_bound + 1e-12)


@pytest.mark.statistical
def test_bounds_hold_as_often_as_they_say():
    """delta = 0.2 and three standard errors: 85 misses in 400 runs on average at most; more than 140 are a fault."""
    truth = qg.estimate(POOL, PARAMS, qg.Adjoint()).gradient
    missed, runs = 0, 400
    for seed in range(runs):
        e, _ = asked(400, seed, delta=0.2)
        sigma = np.sqrt(np.maximum(e.variance, 0))
        missed += bool(np.any(np.abs(e.gradient - truth) > e.bias_bound + 3 * sigma + 1e-12))
    assert missed <= counts(runs, 0.2 + len(truth) * 2 * norm.sf(3))[1]


@pytest.mark.statistical
def test_errors_fall_with_copies_and_so_do_bounds():
    bounds = [float(np.max(asked(copies)[0].bias_bound)) for copies in (100, 10_000, 1_000_000)]
    assert bounds[0] > 2 * bounds[1] > 4 * bounds[2]


def test_copies_do_not_grow_with_the_number_of_components():
    words = ["".join(w) for w in np.array(np.meshgrid(*[list("IXYZ")] * 2)).reshape(2, -1).T]
    pool = qg.OperatorPool(POOL.circuit, "ZI + XX", words[1:])
    e = qg.estimate(pool, PARAMS, qg.BellShadow(5000), key=0)
    assert (e.gradient.shape, e.cost.copies) == ((15,), 5000)


@pytest.mark.statistical
def test_a_shared_parameter_and_a_map_to_equal_angles_have_the_same_variance():
    """The same samples serve both angles, so the variance of their sum has covariances in it."""
    start = qg.Circuit(2).ry(0, 0.7).ry(1, 0.4).cx(0, 1)
    shared = qg.Expectation(start.rx(0, param=0).rx(1, param=0, scale=2.0), "ZY + 0.5*YI")
    two = start.rx(0, param=0).rx(1, param=1)
    mapped = qg.Expectation(two, "ZY + 0.5*YI", lambda t: jnp.stack([t[0], 2 * t[0]]), example=np.zeros(1))
    apart = qg.estimate(qg.Expectation(two, "ZY + 0.5*YI"), [0.0, 0.0], qg.BellShadow(20_000), key=key(0))
    a, b = (qg.estimate(objective, [0.0], qg.BellShadow(20_000), key=key(0)) for objective in (shared, mapped))
    np.testing.assert_allclose(a.gradient, apart.gradient @ jnp.array([1.0, 2.0]), atol=1e-12)
    np.testing.assert_allclose(b.gradient, a.gradient, atol=1e-12)
    np.testing.assert_allclose(b.variance, a.variance, rtol=1e-9)
    assert abs(a.variance[0] / (apart.variance @ jnp.array([1.0, 4.0])) - 1) > 0.05


@pytest.mark.parametrize("chunk", [1, 50, 10_000])
def test_nothing_depends_on_how_the_samples_are_chunked(chunk, monkeypatch):
    """Gradients to the last bit, variances up to rounding; a shared parameter needs covariances too."""
    shared = qg.Expectation(qg.Circuit(2).ry(0, 0.7).ry(1, 0.4).cx(0, 1).rx(0, param=0).rx(1, param=0), "ZY + 0.5*YI")
    cases = ((POOL, PARAMS), (shared, [0.0]))
    usual = [qg.estimate(*case, qg.BellShadow(5000), key=0) for case in cases]
    for name in (
        "estimators.multi_copy._pauli_statistics._CHUNK",
        "ir.pull_back._CHUNK",
        "ir.strings.CHUNK_AMPLITUDES",
    ):
        monkeypatch.setattr(f"qcgrad.{name}", chunk)
    for case, before in zip(cases, usual, strict=True):
        after = qg.estimate(*case, qg.BellShadow(5000), key=0)
        assert np.array_equal(after.gradient, before.gradient)
        np.testing.assert_allclose(after.variance, before.variance, rtol=1e-9)


@pytest.mark.statistical
def test_a_pool_of_many_words_agrees_with_its_parts():
    """3000 words on 6 qubits, every tenth against its derivative; tolerances are about 0.2 where it is resolved."""
    rng = np.random.default_rng(0)
    words = ["".join(word) for word in rng.choice(list("IXYZ"), (3000, 6))]
    circuit = qg.Circuit(6)
    for q in range(6):
        circuit = circuit.ry(q, 0.3 * (q + 1))
    observable = "ZIIIII + IXXIII + 0.5*IIIYYI"
    truth = qg.estimate(qg.OperatorPool(circuit, observable, words[::10]), [], qg.Adjoint()).gradient
    shadow = qg.BellShadow(200_000, delta=FALSE_ALARM)
    e = qg.estimate(qg.OperatorPool(circuit, observable, words), [], shadow, key=key(0))
    error = np.abs(e.gradient[::10] - truth)
    # The root's slope between <P>^2 and its estimate is at most twice the one at the estimate.
    assert np.all(error <= 2 * normal(300) * np.sqrt(e.variance[::10]) + e.bias_bound[::10] + 1e-9)
    assert np.sum(np.abs(e.gradient) > 0.1) > 20


def test_one_pair_has_no_variance_and_says_nan():
    assert np.all(np.isnan(asked(3)[0].variance))


def test_a_circuit_that_is_not_clifford_is_refused_with_gate_and_angle():
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rz(1, param=1), "ZX")
    with pytest.raises(qg.NotApplicable, match=r"rz on qubits \(1,\) is not Clifford at angle 0\.3"):
        qg.estimate(objective, [0.0, 0.3], qg.BellShadow(100), key=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: qg.BellShadow(0), "copies=0"),
        (lambda: qg.BellShadow(2), "copies=2: give at least 3"),
        (lambda: qg.BellShadow(10.5), r"copies=10\.5"),
        (lambda: qg.BellShadow(True), "copies=True"),
        (lambda: qg.BellShadow(100, signs="oracle"), "signs='oracle'"),
        (lambda: qg.BellShadow(3, signs="mimicking"), "copies=3: give at least 4"),
        (lambda: qg.BellShadow(100, delta=0), "delta=0"),
        (lambda: qg.BellShadow(100, delta=1.5), r"delta=1\.5"),
    ],
)
def test_settings_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
