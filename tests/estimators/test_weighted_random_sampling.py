"""WeightedRandomSampling: what is drawn, what it costs, and what an outcome counts."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.queries import Access, Evaluate, Means
from tests.recorder import Recorder
from theory.statistics import counts, key

CIRCUIT = qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1)
OBJECTIVE = qg.Expectation(CIRCUIT, {"ZI": 3.0, "XX": 1.0, "II": 7.0})
ANGLES = np.array([0.4, 0.9])


def asked(shots, seed=0, objective=OBJECTIVE, params=ANGLES):
    recorder = Recorder(qg.Statevector())
    e = qg.estimate(objective, params, qg.WeightedRandomSampling(shots), recorder, key=key(seed))
    return e, recorder.queries


def taken(queries):
    """Shots of each evaluation, 1 + 2 + 4 of them."""
    return sum(np.bincount(query.rows, query.shots_per_setting, 7) for query in queries)


def test_every_evaluation_takes_its_shots_whatever_is_drawn():
    e, queries = asked(5)
    np.testing.assert_array_equal(taken(queries), np.full(7, 5))
    assert e.cost.copies == e.cost.shots == 35
    own = (9, 1, 2, 3, 4, 5, 6)
    np.testing.assert_array_equal(taken(asked(own)[1]), own)


@pytest.mark.statistical
def test_bases_are_drawn_by_their_weight():
    """ZI three times as often as XX: of 28,000 shots 21,000 +- 443."""
    _, queries = asked(4000)
    heavy = sum(sum(q.shots_per_setting) for q in queries if q.program.observables[0].words == ("ZI",))
    low, high = counts(28_000, 0.75)
    assert low <= heavy <= high


def test_mean_and_variance_are_those_of_the_drawn_outcomes():
    """A device whose outcome is always +1 in Z and -1 in XX: samples are 4 or -4, and the identity adds 7."""

    class Fixed(qg.AbstractBackend):
        access = Access.single_copy

        def answer(self, query, key):
            assert isinstance(query, Evaluate)
            value = 3.0 if query.program.observables[0].words == ("ZI",) else -1.0
            shots = np.array(query.shots_per_setting)[:, None]
            # A single outcome has no sample variance.
            return Means(np.full(shots.shape, value), np.where(shots > 1, 0.0, np.nan))

    backend = Recorder(Fixed())
    e = qg.estimate(OBJECTIVE, ANGLES, qg.WeightedRandomSampling(6), backend, key=1)
    light = next(q for q in backend.queries if q.program.observables[0].words == ("XX",))
    ones = int(np.bincount(light.rows, light.shots_per_setting, 7)[0])
    samples = np.array([4.0] * (6 - ones) + [-4.0] * ones)
    np.testing.assert_allclose(e.value, 7 + samples.mean(), atol=1e-12)
    np.testing.assert_allclose(e.value_variance, samples.var(ddof=1) / 6, atol=1e-12)


def test_the_identity_takes_no_shots_and_is_exact():
    e, _ = asked(3, objective=qg.Expectation(CIRCUIT, {"II": 2.0}))
    assert (e.value, e.value_variance, e.cost.copies) == (2.0, 0.0, 0)
    np.testing.assert_allclose(e.gradient, np.zeros(2), atol=1e-12)


def test_several_observables_are_estimated_from_the_same_outcomes():
    objective = qg.Expectation(CIRCUIT, ["ZI", {"ZI": 2.0, "XX": 0.5}, "ZZ"])
    e, queries = asked(50, objective=objective)
    assert e.cost.copies == 7 * 50
    np.testing.assert_array_equal(taken(queries), np.full(7, 50))
    assert (e.gradient.shape, e.value.shape) == ((3, 2), (3,))


def test_one_shot_has_no_variance_and_gives_a_value():
    e, _ = asked(1)
    assert np.isfinite(e.value)
    assert np.isnan(e.value_variance)
    assert np.isnan(e.variance).all()


@pytest.mark.parametrize("shots", [0, -1, 2.5, True, None, "many"])
def test_what_is_no_number_of_shots_is_refused(shots):
    with pytest.raises(ValueError, match="shots="):
        qg.WeightedRandomSampling(shots)


def test_a_wrong_number_of_shots_says_how_many_there_are():
    with pytest.raises(ValueError, match="shots has 3 numbers, but there are 7 circuit evaluations"):
        asked((1, 2, 3))


@pytest.mark.parametrize("make", [qg.WeightedRandomSampling, qg.ParameterShift])
def test_shots_are_allotted_to_the_evaluations_of_each_angle(make):
    point, _ = qg.objective.point_at(OBJECTIVE, ANGLES)
    assert make(10).allotted(point, 4, np.array([2, 3])).shots == (4, 2, 2, 3, 3, 3, 3)


def test_a_split_by_coefficients_is_kept_within_each_angle():
    point, _ = qg.objective.point_at(OBJECTIVE, ANGLES)
    found = qg.ParameterShift(10, "coefficient").allotted(point, 4, np.array([2, 100])).shots
    # (1 + sqrt 2) / (2 sqrt 2) = 0.854 of the shots go to the two nearer evaluations.
    assert sorted(found) == [2, 2, 4, 29, 29, 171, 171]


def test_methods_that_share_what_they_measure_allot_nothing():
    point, _ = qg.objective.point_at(OBJECTIVE, ANGLES)
    with pytest.raises(qg.NotApplicable, match="GentleSweep has no shots for each coordinate"):
        qg.GentleSweep(100).allotted(point, 4, np.array([2, 3]))
