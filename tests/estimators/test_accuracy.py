"""`for_accuracy`: closed forms, refusals, and that what it promises is kept."""

import math
from itertools import islice

import numpy as np
import pytest

import qcgrad as qg
from qcgrad import catalogue
from qcgrad.ir.mixed_expectation import MixedExpectation
from qcgrad.objective import point_at
from qcgrad.studies.hard_instance import hard_instance
from qcgrad.studies.repeat import trial_gradients
from theory.statistics import counts, shifted

EPSILON, DELTA = 0.3, 0.02
ROTATION = qg.Circuit(1).ry(0, param=0)


def at(objective, params):
    return point_at(objective, params)[0]


def hard():
    return at(hard_instance(2), np.zeros(15))


def rotation(observable="Z"):
    return at(qg.Expectation(ROTATION, observable), [0.7])


def commuting(observable="Z"):
    """For methods that take circuits of commuting rotations only."""
    return at(qg.Expectation(qg.Circuit(1).rx(0, param=0), observable), [0.7])


def log(components, delta=DELTA):
    return math.log(2 * components / delta)


@pytest.mark.parametrize("size", [1.0, -2.5])
def test_shots_of_the_two_term_rule(size):
    found = qg.ParameterShift.for_accuracy(rotation({"Z": size, "I": 7.0}), EPSILON, DELTA)
    assert found.shots == math.ceil(size**2 * log(1) / EPSILON**2)
    assert qg.ParameterShift.for_accuracy(hard(), EPSILON, DELTA).shots == math.ceil(log(15) / EPSILON**2)


def test_shots_add_up_the_ranges_of_the_bases():
    """Z and X are measured apart, ZI and IZ together."""
    apart = qg.ParameterShift.for_accuracy(rotation({"Z": 1.0, "X": 2.0}), EPSILON, DELTA)
    assert apart.shots == math.ceil(5 * log(1) / EPSILON**2)
    circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1)
    together = at(qg.Expectation(circuit, {"ZI": 1.0, "IZ": 2.0}), [0.1, 0.2])
    assert qg.ParameterShift.for_accuracy(together, EPSILON, DELTA).shots == math.ceil(9 * log(2) / EPSILON**2)


def test_general_rules_take_shots_in_proportion_to_their_coefficients():
    """The four-term rule of a controlled rotation: coefficients (sqrt(2) +- 1)/(4 sqrt(2)), which add up to 1."""
    mixed = at(qg.Expectation(qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1), "IZ"), [0.4, 0.9])
    found = qg.ParameterShift.for_accuracy(mixed, EPSILON, DELTA).shots
    large, small = ((math.sqrt(2) + sign) / (4 * math.sqrt(2)) for sign in (1, -1))
    expected = [math.ceil(2 * log(2) * c / EPSILON**2) for c in (0.5, 0.5, large, small, large, small)]
    assert isinstance(found, tuple)
    assert (found[0], sorted(found[1:])) == (max(expected), sorted(expected))


def test_samples_of_iqp_circuits():
    """ZI feels XI and XX, of one parameter but two angles; IZ, three times as large, the second one."""
    circuit = qg.Circuit(2).rx(0, param=0, scale=2.0).rxx(0, 1, param=0).evolution({"XI": 1.0, "IX": 0.5}, param=1)
    point = at(qg.Expectation(circuit, {"ZI": 1.0, "IZ": -3.0, "II": 9.0}), [0.1, 0.2])
    found = qg.IQPSampling.for_accuracy(point, EPSILON, DELTA)
    # By angle: 1 and 1 + 3 of rotations, 2 * 1 + 2 * 0.5 * 3 of the evolution.
    assert found.samples == math.ceil(2 * log(3) * 5**2 / EPSILON**2)


def test_several_outputs_count_each():
    both = at(qg.Expectation(ROTATION, ["Z", "X"]), [0.7])
    found = qg.ParameterShift.for_accuracy(both, EPSILON, DELTA)
    assert found.shots == math.ceil(log(2) / EPSILON**2)


def test_shots_of_all_bases_together_count_the_whole_range():
    """Z and X are measured apart: an outcome counts 3 at most, and there is one number of shots for both."""
    found = qg.WeightedRandomSampling.for_accuracy(rotation({"Z": 1.0, "X": -2.0, "I": 5.0}), EPSILON, DELTA)
    assert found.shots == math.ceil(9 * log(1) / EPSILON**2)


def test_shots_of_groups_count_the_ranges_of_their_outcomes():
    """XX, YY and ZZ commute: their sum lies between -3 and 1, so r is 2, where three bases have 1 + 1 + 1."""
    circuit = qg.Circuit(2).ry(0, param=0).cx(0, 1)
    found = qg.Measured.for_accuracy(at(qg.Expectation(circuit, "XX + YY + ZZ"), [0.1]), EPSILON, DELTA)
    assert (found.grouping, found.allocation) == ("commuting", "weighted")
    assert found.estimator.shots == math.ceil(2**2 * log(1) / EPSILON**2)
    apart = qg.Measured.for_accuracy(rotation({"Z": 1.0, "X": 2.0}), EPSILON, DELTA)
    needed = 3**2 * log(1) / EPSILON**2
    assert needed <= apart.estimator.shots <= needed + 3


def test_copies_of_methods_on_one_state():
    """M = 15 derivatives and 16 strings on 3 qubits: 15 that contain Z on the ancilla, and Y for the value."""
    point, each = hard(), math.ceil(2 * log(15) / EPSILON**2)
    assert qg.DirectPauli.for_accuracy(point, EPSILON, DELTA).copies == 16 * each
    bases = qg.estimate(point.objective, np.zeros(15), qg.MutuallyUnbiasedBases(6000), key=0).cost.circuit_runs
    assert bases == 6  # 2^2 + 1, and the value's
    assert qg.MutuallyUnbiasedBases.for_accuracy(point, EPSILON, DELTA).copies == 6 * each
    for method, weight in ((qg.CliffordShadow, 9), (qg.LocalShadow, 27)):
        expected = (2 * weight + 2 / 3 * EPSILON * (weight + 1)) * log(15) / EPSILON**2
        assert method.for_accuracy(point, EPSILON, DELTA).copies == math.ceil(expected)


def test_sums_of_strings_of_one_basis_count_together():
    """Half of i[XX, ZI + IZ] is YX + XY, which commute: with copies of their own 1 + 1, from one basis (1 + 1)^2."""
    pool = at(qg.OperatorPool(qg.Circuit(2).ry(0, param=0), "ZI + IZ", ["XX"]), [0.3])
    strings, bases = 4, 2  # the value's ZI and IZ are measured too
    direct = strings * math.ceil(2 * log(1) * 2 / EPSILON**2)
    assert qg.DirectPauli.for_accuracy(pool, EPSILON, DELTA).copies == direct
    together = bases * math.ceil(2 * log(1) * 4 / EPSILON**2)
    assert qg.MutuallyUnbiasedBases.for_accuracy(pool, EPSILON, DELTA).copies == together
    spread, largest = (2 * math.sqrt(9)) ** 2, 2 * (9 + 1)
    shadow = math.ceil((2 * spread + 2 / 3 * largest * EPSILON) * log(1) / EPSILON**2)
    assert qg.LocalShadow.for_accuracy(pool, EPSILON, DELTA).copies == shadow


def test_copies_of_bell_measurements():
    found = qg.BellShadow.for_accuracy(hard(), EPSILON, DELTA)
    noise, delta = (EPSILON / (math.sqrt(2) + math.sqrt(3))) ** 2, DELTA / 6
    pairs = math.ceil(2 * math.log(32 / delta) / noise**2)
    assert found.copies == 2 * pairs + math.ceil(2 * math.log(16 / delta) / noise) + 2
    assert found.delta == delta
    # What the proof asks of the shares that it is divided into.
    reading = qg.estimate(hard().objective, np.zeros(15), found, key=0)
    assert reading.stats["noise"] <= noise
    votes = found.copies - 2 * reading.stats["samples"]
    assert delta + 4 * 16 * math.exp(-votes * reading.stats["noise"] / 2) < DELTA


def test_bell_measurements_of_a_mixed_state_count_its_strings():
    """At 0 the derivative is one string, and so is the value, as from a pure state."""
    source = qg.Mixture([(0.7, qg.Circuit(1)), (0.3, qg.Circuit(1).x(0))])
    mixed = MixedExpectation(source, qg.Expectation(ROTATION, "Z"))
    pure = at(qg.Expectation(ROTATION, "Z"), [0.0])
    for question in (qg.BellShadow.for_accuracy, qg.BellShadow.expected_for_accuracy):
        assert question(at(mixed, [0.0]), EPSILON, DELTA) == question(pure, EPSILON, DELTA)


def test_copies_of_pointer_sweeps():
    """The last of 15 strings behind the value's and 14 others; k solves 15/(2 s^2 k) + sqrt(2 l V/k) = epsilon."""
    read_once, gentle = (m.for_accuracy(hard(), EPSILON, DELTA) for m in (qg.ReadOnceTomography, qg.GentleSweep))
    assert (read_once.batches, gentle.batches) == (1, 1)
    for method, width in ((read_once, 4.0), (gentle, gentle.pointer_variance)):
        copies = method.copies - 1  # one for the single sweep
        off = 15 / (2 * width * copies) + math.sqrt(2 * log(15) * (1 + width + 15 / width) / copies)
        assert EPSILON * (1 - 1 / copies) < off <= EPSILON
    assert gentle.copies <= read_once.copies


def test_what_typical_states_take():
    """Closed forms without the worst case; where there are none, what is proved."""
    single, several = rotation({"Z": 2.0}), rotation({"Z": 1.0, "X": 2.0, "I": 5.0})
    for point, size in ((single, 2), (several, 3)):
        gentle = qg.GentleSweep.expected_for_accuracy(point, EPSILON, DELTA)
        assert gentle == qg.GentleSweep(math.ceil(6 * log(1) * (size / EPSILON) ** 2), 1.0, batches=1)
        read_once = qg.ReadOnceTomography.expected_for_accuracy(point, EPSILON, DELTA)
        assert read_once == qg.ReadOnceTomography(math.ceil(6 * log(1) * (size / EPSILON) ** 2), batches=1)
    bell = qg.BellShadow.expected_for_accuracy(hard(), EPSILON, DELTA)
    assert bell == qg.BellShadow(math.ceil(2 * log(15) / EPSILON**4), delta=DELTA)
    for make in (qg.ParameterShift, qg.DirectPauli, qg.LocalShadow):
        assert make.expected_for_accuracy(hard(), EPSILON, DELTA) == make.for_accuracy(hard(), EPSILON, DELTA)


def test_online_tomography_takes_the_accuracy_as_it_is():
    found = qg.OnlineTomography.for_accuracy(rotation(), EPSILON, DELTA)
    assert (found.epsilon, found.delta) == (EPSILON, DELTA)
    assert qg.OnlineTomography.for_accuracy(rotation(), 3.0, DELTA).epsilon < 1
    several = at(qg.Expectation(qg.Circuit(2).ry(0, param=0), "ZI + 0.5*XX"), [0.5])
    assert qg.OnlineTomography.for_accuracy(several, EPSILON, DELTA).encoding == "block"


def test_exact_methods_are_themselves():
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: out.sum(), (np.ones((1, 2)), np.ones(1)))
    assert qg.Adjoint.for_accuracy(rotation(), EPSILON, DELTA) == qg.Adjoint()
    for make in (qg.ReverseMode, qg.Checkpointed, qg.ForwardMode):
        assert make.for_accuracy(rotation(), EPSILON, DELTA) == make()
    assert qg.Backprop.for_accuracy(at(loss, np.zeros(2)), EPSILON, DELTA) == qg.Backprop()


EVERY = [m.make for m in catalogue.methods().values()]
METHODS = pytest.mark.parametrize("make", EVERY, ids=lambda m: m.__name__)


@METHODS
@pytest.mark.parametrize(
    ("epsilon", "delta", "message"),
    [
        (0.0, 0.1, "epsilon=0.0: give a positive number"),
        (-1, 0.1, "epsilon=-1: give a positive number"),
        (math.nan, 0.1, "epsilon=nan: give a positive number"),
        (math.inf, 0.1, "epsilon=inf: give a positive number"),
        (1e-200, 0.1, "epsilon=1e-200: give a number between 1e-50 and 1e.50"),
        (1e200, 0.1, "epsilon=1e.200: give a number between 1e-50 and 1e.50"),
        ("0.1", 0.1, "epsilon='0.1': give a positive number"),
        (0.1, 0, "delta=0: give a number between 0 and 1"),
        (0.1, 1.0, "delta=1.0: give a number between 0 and 1"),
        (0.1, None, "delta=None: give a number between 0 and 1"),
    ],
)
def test_wrong_accuracies_are_refused(make, epsilon, delta, message):
    for question in (make.for_accuracy, make.expected_for_accuracy):
        with pytest.raises(ValueError, match=f"^{message}$"):
            question(rotation(), epsilon, delta)


@METHODS
def test_what_it_is_not_for_is_refused_by_name(make):
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: out.sum(), (np.ones((1, 2)), np.ones(1)))
    other = rotation() if make is qg.Backprop else at(loss, np.zeros(2))
    for question in (make.for_accuracy, make.expected_for_accuracy):
        with pytest.raises(qg.NotApplicable, match=f"^{make.__name__} differentiates"):
            question(other, EPSILON, DELTA)


@METHODS
def test_what_needs_a_common_state_says_so_elsewhere(make):
    odd = at(qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z"), [0.5, 0.3])
    if make.needs_common_state:
        with pytest.raises(qg.NotApplicable, match=f"^{make.__name__} needs gradient observables"):
            make.for_accuracy(odd, EPSILON, DELTA)
    elif make is qg.IQPSampling:
        with pytest.raises(qg.NotApplicable, match=r"^IQPSampling needs an IQP circuit, but gate ry on qubits \(0,\)"):
            make.for_accuracy(odd, EPSILON, DELTA)
    elif make is not qg.Backprop:
        assert isinstance(make.for_accuracy(odd, EPSILON, DELTA), make)


def test_an_accuracy_that_nobody_can_count_to_is_refused():
    for make in (qg.ParameterShift, qg.DirectPauli, qg.LocalShadow, qg.BellShadow, qg.GentleSweep):
        for epsilon in (1e-12, 1e-50):
            with pytest.raises(qg.NotApplicable, match=rf"would take .* copies to reach epsilon={epsilon:g}"):
                make.for_accuracy(hard(), epsilon, DELTA)


@METHODS
def test_an_accuracy_that_anything_has_takes_next_to_nothing(make):
    if make.differentiates == "circuits":
        # The hard instance has no commuting blocks, and rotations that are no products of X.
        where = {qg.CommutingBlock: rotation, qg.IQPSampling: commuting}.get(make, hard)
        found = make.for_accuracy(where(), 1e50, DELTA)
        copies = 32 if make in (qg.DirectPauli, qg.MutuallyUnbiasedBases) else 200  # Bell's noise stays below a half
        assert max(getattr(found, "copies", None) or 0, getattr(found, "shots", None) or 0) <= copies


@METHODS
def test_a_constant_has_no_error(make):
    if make.differentiates == "circuits":
        circuit = qg.Circuit(1).rx(0, param=0) if make is qg.IQPSampling else ROTATION
        constant = at(qg.Expectation(circuit, {"I": 2.0}), [0.0])
        found = make.for_accuracy(constant, EPSILON, DELTA)
        assert qg.estimate(constant.objective, [0.0], found, key=0).gradient.tolist() == [0]
        assert max(getattr(found, "copies", None) or 0, getattr(found, "shots", None) or 0) <= 3


def test_a_method_without_a_bound_says_so():
    class Unbounded(qg.Adjoint):
        for_accuracy = classmethod(qg.AbstractEstimator.for_accuracy.__func__)

    with pytest.raises(qg.NotApplicable, match=r"^Unbounded states no bound on its errors"):
        Unbounded.for_accuracy(rotation(), EPSILON, DELTA)


MIXED = qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1).rz(1, param=2).rx(1, param=3)
# What is drawn scatters as far as the bounds allow. One derivative is 1, and the other sees it with fair signs; of two
# strings that do the same with opposite signs each is drawn, and too many frequencies leave the gate without a rule.
SIGNS = qg.Circuit(1).ry(0, param=0).rx(0, param=1)
OPPOSED = {"XIIII": 0.2, "XZIII": -0.2, "IIZII": 0.001, "IIIZI": 0.0021, "IIIIZ": 0.0044}
PROBLEMS = {
    "signs": (qg.Expectation(SIGNS, "Z"), np.array([np.pi / 2, 0.0])),
    "opposed": (qg.Expectation(qg.Circuit(5).evolution(OPPOSED, range(5), param=0), "YIIII"), np.array([0.3])),
    "hard": (hard_instance(2), np.zeros(15)),
    "circuit": (qg.Expectation(MIXED, {"ZI": 1.0, "XX": 0.5, "IZ": 0.5}), np.array([0.4, 0.9, 1.3, -0.2])),
    "commuting": (qg.Expectation(qg.Circuit(2).rx(0, param=0).rxx(0, 1, param=1), "ZI + 0.5*ZZ"), np.array([0.4, 0.9])),
    "pool": (qg.OperatorPool(ROTATION, "Z + 0.5*X", ["Y"]), np.array([0.3])),
}
KEPT = [
    (qg.ParameterShift, "hard", 500),
    (qg.ParameterShift, "circuit", 500),
    (qg.WeightedRandomSampling, "circuit", 300),
    (qg.IQPSampling, "commuting", 300),
    (qg.HadamardTest, "circuit", 50),
    (qg.CommutingBlock, "pool", 100),
    (qg.StochasticParameterShift, "opposed", 300),
    (qg.FiniteDifference, "circuit", 100),
    (qg.ForwardGradient, "signs", 300),
    (qg.RandomCoordinateShift, "circuit", 100),
    (qg.Measured, "circuit", 300),
    (qg.ZeroNoiseExtrapolation, "circuit", 100),
    (qg.DirectPauli, "hard", 300),
    (qg.MutuallyUnbiasedBases, "hard", 300),
    (qg.CliffordShadow, "hard", 100),
    (qg.LocalShadow, "hard", 100),
    (qg.LocalShadow, "pool", 300),
    (qg.BellShadow, "hard", 50),
    (qg.ReadOnceTomography, "hard", 300),
    (qg.ReadOnceTomography, "circuit", 300),
    (qg.GentleSweep, "circuit", 300),
    (qg.OnlineTomography, "pool", 30),
    (qg.AmplitudeEstimation, "circuit", 200),
    (qg.QuantumGradient, "circuit", 200),
]


@pytest.mark.statistical
@pytest.mark.parametrize(("make", "where", "trials"), KEPT, ids=lambda part: getattr(part, "__name__", str(part)))
def test_the_promise_is_kept(make, where, trials):
    """Failures are no more frequent than delta, by an exact test.

    Found for sure: Hoeffding's bounds with four times too few shots on the hard instance, where one of 15 derivatives
    is then off in every third trial, and no more than one in six may be; samples and directions as in the next test.
    """
    epsilon = 0.4
    method, failures = _failures(make, where, trials, epsilon)
    assert failures <= counts(trials, DELTA)[1]
    if make is qg.StochasticParameterShift:
        assert method.samples > 50, "nothing was sampled"


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("make", "where", "option"),
    [
        (qg.StochasticParameterShift, "opposed", "samples"),
        (qg.ForwardGradient, "signs", "directions"),
    ],
)
def test_a_twelfth_of_what_is_proved_is_found(make, where, option):
    """Of 150 trials 18 may fail by luck; of 4 samples six in ten do, of 5 directions three in eight."""
    _, failures = _failures(make, where, 150, 0.4, option)
    assert failures > counts(150, DELTA)[1]


def _failures(make, where, trials, epsilon, less=None):
    """The method, a twelfth of its option `less` taken, and how many trials are off by more than epsilon."""
    objective, params = PROBLEMS[where]
    point, _ = point_at(objective, params)
    truth = np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)
    method = make.for_accuracy(point, epsilon, DELTA)
    if less is not None:
        method = catalogue.described(make).changed(method, **{less: getattr(method, less) // 12})
    drawn = islice(trial_gradients(objective, params, method, qg.Statevector(), shifted(7)), trials)
    return method, sum(not np.max(np.abs(gradient - truth)) <= epsilon for gradient in drawn)
