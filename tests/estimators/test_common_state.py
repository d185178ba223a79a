"""Single-copy methods on one common state: closed forms, counts, covariances, and where they do not apply."""

import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimators.single_copy.common_state._commuting_families import joined, one_by_one, spread_families
from qcgrad.ir import pauli
from qcgrad.studies.hard_instance import hard_instance
from tests.recorder import Recorder
from theory.statistics import empirical_bernstein, key, normal, shifted, variance_ratio

METHODS = [qg.DirectPauli, qg.MutuallyUnbiasedBases, qg.CliffordShadow, qg.LocalShadow]
by_name = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
CIRCUIT = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1)
POOL = qg.OperatorPool(CIRCUIT, "ZI + XX + IZ", ["YI", "XI", "ZY", "IX", "IY"])
PARAMS = np.array([0.5, 1.1])


def all_strings(n):
    return np.divmod(np.arange(1, 4**n), 2**n)


@pytest.mark.parametrize("n", range(1, 9))
def test_a_spread_divides_all_strings_into_two_to_the_n_plus_one_commuting_families(n):
    x, z = all_strings(n)
    found = spread_families(x, z)
    assert np.bincount(found.family).tolist() == [2**n - 1] * (2**n + 1)
    for b in range(2**n + 1):
        members = found.family == b
        assert np.all(pauli.commute(x[members, None], z[members, None], found.x[b], found.z[b]))
        assert np.all(pauli.commute(found.x[b, :, None], found.z[b, :, None], found.x[b], found.z[b]))


@pytest.mark.parametrize("degree", [9, 10, 11, 12])
def test_the_larger_spreads_have_invertible_matrices(degree):
    """T_s alpha = 0 only for alpha = 0 or s = 0, checked for random s; sums of T's are T's, so this is all."""
    from qcgrad.estimators.single_copy.common_state import _commuting_families as commuting_families

    rng = np.random.default_rng(degree)
    unit = commuting_families._spread(degree)
    for s in rng.integers(1, 1 << degree, 20):
        assert len(np.unique(unit[s])) == 1 << degree


@pytest.mark.parametrize("seed", range(10))
def test_families_and_members_give_the_strings_back(seed):
    """Products of the generators in `member`, with `sign`, are the strings; random sets on 4 qubits."""
    rng = np.random.default_rng(seed)
    keys = rng.choice(np.arange(1, 256), size=int(rng.integers(1, 40)), replace=False)
    x, z = np.divmod(keys, 16)
    for found in (spread_families(x, z), one_by_one(x, z), joined(spread_families(x, z), one_by_one(x, z))):
        xs, zs = np.tile(x, len(found.family) // len(x)), np.tile(z, len(found.family) // len(x))
        assert set(found.family.tolist()) == set(range(len(found.x)))
        for d in range(len(found.family)):
            px = pz = power = 0
            for i in range(found.x.shape[1]):
                if found.member[d] >> i & 1:
                    gx, gz = found.x[found.family[d], i], found.z[found.family[d], i]
                    px, pz, more = pauli.product(px, pz, gx, gz)
                    power = (power + more) % 4
            assert (px, pz, power) == (xs[d], zs[d], 1 - found.sign[d])


def test_commuting_strings_need_one_basis_and_a_shared_letter_costs_none():
    x, z = all_strings(2)
    with_letter = spread_families(x, z | 4)  # Z on a third qubit beside all strings of two
    assert len(with_letter.x) == 5
    only_z = spread_families(np.zeros(7, np.int64), np.arange(1, 8))
    assert len(only_z.x) == 1


@pytest.mark.statistical
@by_name
def test_closed_form_on_a_tilted_qubit(method):
    """i<[Z, Y]> = 2<X> = 2 sin t and i<[Z, X]> = -2<Y> = 0; the mean of 40 runs, with tolerances below 0.2."""
    pool = qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["Y", "X"])
    found = [qg.estimate(pool, [0.7], method(copies=600), key=shifted(seed)) for seed in range(40)]
    error = np.mean([e.gradient for e in found], axis=0) - np.array([2 * np.sin(0.7), 0])
    allowed = normal(2) * np.sqrt(np.mean([e.variance for e in found], axis=0) / 40)
    assert np.all(np.abs(error) < allowed)
    value_error = np.mean([e.value for e in found]) - np.cos(0.7)
    assert abs(value_error) < normal() * np.sqrt(np.mean([e.value_variance for e in found]) / 40)
    assert not np.any(found[0].bias_bound)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("method", "moment", "share", "copies"),
    [
        (qg.DirectPauli, 1, 3, 1_000_000),
        (qg.MutuallyUnbiasedBases, 1, 3, 1_000_000),
        (qg.CliffordShadow, 3, 1, 30_000),
        (qg.LocalShadow, 3, 1, 30_000),
    ],
)
def test_variances_are_second_moment_less_square_over_copies(method, moment, share, copies):
    """One qubit, three strings: 4 (moment - <P>^2) share / N for 2<X>; <P>^2 scatters it by 0.5 % at most."""
    pool = qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["Y", "X"])
    e = qg.estimate(pool, [0.7], method(copies), key=key(1))
    np.testing.assert_allclose(e.variance[0], 4 * (moment - np.sin(0.7) ** 2) * share / copies, rtol=0.05)


@pytest.mark.statistical
@by_name
def test_reported_variances_are_the_spread_over_seeds_where_strings_add_up(method):
    """Components of several strings of correlated outcomes; 200 seeds find a variance off by a factor 2."""
    truth = np.asarray(qg.estimate(POOL, PARAMS, qg.Adjoint()).gradient)
    found = [qg.estimate(POOL, PARAMS, method(copies=900), key=shifted(seed)) for seed in range(200)]
    errors = np.array([e.gradient for e in found]) - truth
    mean_variance = np.mean([e.variance for e in found], axis=0)
    used = mean_variance > 1e-12
    assert used.sum() >= 3
    ratio = np.mean(errors[:, used] ** 2, axis=0) / mean_variance[used]
    low, high = variance_ratio(200, used.sum())
    assert np.all((low < ratio) & (ratio < high))


@by_name
def test_a_shared_parameter_and_a_map_to_equal_angles_have_the_same_variance(method):
    start = qg.Circuit(2).ry(0, 0.7).ry(1, 0.4).cx(0, 1)
    shared = qg.Expectation(start.rx(0, param=0).rx(1, param=0, scale=2.0), "ZY + 0.5*YI")
    two = start.rx(0, param=0).rx(1, param=1)
    mapped = qg.Expectation(two, "ZY + 0.5*YI", lambda t: jnp.stack([t[0], 2 * t[0]]), example=np.zeros(1))
    apart = qg.estimate(qg.Expectation(two, "ZY + 0.5*YI"), [0.0, 0.0], method(3000), key=0)
    a, b = (qg.estimate(objective, [0.0], method(3000), key=0) for objective in (shared, mapped))
    np.testing.assert_allclose(a.gradient, apart.gradient @ jnp.array([1.0, 2.0]), atol=1e-12)
    np.testing.assert_allclose(b.variance, a.variance, rtol=1e-9)
    assert a.variance[0] > 0


@pytest.mark.statistical
@by_name
def test_the_hard_instance_is_estimated_and_its_cost_predicted(method):
    """Tolerances: about 0.08 for strings and bases, 0.25 for Clifford and 0.6 for local shadows."""
    objective, params = hard_instance(3), np.zeros(63)
    recorder = Recorder(qg.Statevector())
    # Four qubits: what a shadow says of a string that it measured, and how many outcomes are of one kind.
    weight = {qg.CliffordShadow: 17, qg.LocalShadow: 81}.get(method, 1)
    copies = 20_000 if weight > 1 else 640_000
    outcomes = {qg.DirectPauli: 10_000, qg.MutuallyUnbiasedBases: 64_000}.get(method, copies)
    e = qg.estimate(objective, params, method(copies), recorder, key=key(3))
    truth = np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)
    assert np.all(np.abs(e.gradient - truth) <= empirical_bernstein(e.variance, 1 + weight, outcomes, 63))
    predicted = qg.predict_cost(objective, method(copies))
    assert e.cost == recorder.queries[0].cost()
    if method in METHODS[:2]:  # which strings there are depends on the angles, so these can only be bounded
        assert (predicted.copies, predicted.shots, predicted.qubits) == (copies, copies, e.cost.qubits)
        assert predicted.circuit_runs >= e.cost.circuit_runs
        assert predicted.gates >= e.cost.gates
    else:
        assert e.cost == predicted
    assert e.cost.copies == copies
    assert e.cost.circuit_runs == {"DirectPauli": 64, "MutuallyUnbiasedBases": 10}.get(method.__name__, copies)


@pytest.mark.parametrize("method", METHODS[:2], ids=lambda method: method.__name__)
def test_copies_are_shared_out_to_the_last(method):
    for copies in (10, 11, 101):
        recorder = Recorder(qg.Statevector())
        e = qg.estimate(POOL, PARAMS, method(copies), recorder, key=0)
        assert e.cost.copies == copies
        assert np.ptp(recorder.queries[0].shots) <= 1


@by_name
def test_a_single_copy_for_a_string_has_no_variance_and_says_nan(method):
    objective = qg.Expectation(qg.Circuit(1).h(0).ry(0, param=0), "Z")
    copies = {"DirectPauli": 2, "MutuallyUnbiasedBases": 2}.get(method.__name__, 1)
    assert np.all(np.isnan(qg.estimate(objective, [0.0], method(copies), key=0).variance))


@by_name
def test_nothing_to_measure_is_exact_and_free(method):
    e = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), {"I": 2.0}), [0.0], method(10), key=0)
    assert (float(e.value), e.gradient.tolist(), e.variance.tolist(), e.cost) == (2.0, [0.0], [0.0], qg.Cost())


@by_name
def test_a_circuit_that_is_not_clifford_is_refused_with_gate_and_angle(method):
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rz(1, param=1), "ZX")
    with pytest.raises(qg.NotApplicable, match=rf"{method.__name__} needs .*rz on qubits \(1,\) .* at angle 0\.3"):
        qg.estimate(objective, [0.0, 0.3], method(100), key=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: qg.DirectPauli(0), "copies=0"),
        (lambda: qg.CliffordShadow(10.5), r"copies=10\.5"),
        (lambda: qg.LocalShadow(True), "copies=True"),
        (lambda: qg.MutuallyUnbiasedBases("many"), "copies='many'"),
        (lambda: qg.estimate(POOL, PARAMS, qg.DirectPauli(5), key=0), r"DirectPauli copies=5: \d+ Pauli strings"),
        (lambda: qg.estimate(POOL, PARAMS, qg.MutuallyUnbiasedBases(2), key=0), r"copies=2: \d+ bases are"),
    ],
)
def test_settings_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_more_pairs_than_the_spreads_reach_are_refused_with_an_alternative():
    n = 13
    words = ["I" * q + letter + "I" * (n - 1 - q) for q in range(n) for letter in "XYZ"]
    circuit = qg.Circuit(n).h(0)
    observable = qg.PauliSum({"I" * q + "Z" + "I" * (n - 1 - q): 1.0 for q in range(n)})
    pool = qg.OperatorPool(circuit.ry(0, param=0), observable, words)
    with pytest.raises(qg.NotApplicable, match="MutuallyUnbiasedBases: the strings generate 13 anticommuting pairs"):
        qg.estimate(pool, [0.1], qg.MutuallyUnbiasedBases(10**6), key=0)
