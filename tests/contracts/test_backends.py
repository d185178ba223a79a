"""What every backend promises: it answers the kinds of query it knows, and refuses others by name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import queries
from qcgrad.ir.iqp_form import iqp_form
from qcgrad.ir.sweep_form import one_state_forms
from qcgrad.objective import AbstractObjective, point_at
from qcgrad.queries import Access
from tests.recorder import Recorder

from .problems import problem

OBJECTIVE = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rz(1, param=1), ["ZZ", "XX", "IY"])
PROGRAM = OBJECTIVE.program
ANGLES = np.array([0.4, 0.9])
STRINGS = (np.array([0, 3]), np.array([3, 0]))
LOSS = problem("linear")
# Strings X (the value), Y on IZ before anything is undone, Y on YI behind RZ and CX.
(FORM,) = one_state_forms(qg.Expectation(OBJECTIVE.circuit, "ZZ").program, ANGLES, "terms")


# ZI anticommutes with both generators.
IQP = iqp_form(qg.Expectation(qg.Circuit(2).rx(0, param=0).rxx(0, 1, param=1), "ZI").program)

_, REGISTERS = qg.QuantumGradient(2).plan(point_at(qg.Expectation(OBJECTIVE.circuit, "ZZ"), ANGLES)[0], None)


class Unheard(queries.AbstractQuery):
    """A kind of query that no backend knows."""

    access = Access.single_copy

    def cost(self):
        return qg.Cost()


QUERIES = {
    queries.Evaluate: queries.Evaluate(PROGRAM, np.stack([ANGLES, -ANGLES]), 50),
    queries.AdjointSweep: queries.AdjointSweep(PROGRAM, ANGLES, np.eye(3)),
    queries.ReverseSweep: queries.ReverseSweep(PROGRAM, ANGLES, np.eye(3)),
    queries.Overlaps: queries.Overlaps(PROGRAM, ANGLES, np.array([ANGLES, ANGLES]), 50),
    queries.ForwardSweeps: queries.ForwardSweeps(PROGRAM, ANGLES, np.eye(3)),
    queries.TangentSweep: queries.TangentSweep(PROGRAM, ANGLES, np.eye(2)),
    queries.ReadState: queries.ReadState(PROGRAM, ANGLES),
    queries.SampleIQP: queries.SampleIQP(IQP, ANGLES, np.eye(1), 50, has_covariance=True),
    queries.BellSample: queries.BellSample(PROGRAM, ANGLES, 20),
    queries.MajorityVotes: queries.MajorityVotes(PROGRAM, ANGLES, *STRINGS, np.ones(2), 9),
    queries.MeasureComponent: queries.MeasureComponent(FORM, 2, 30),
    queries.PointerSweep: queries.PointerSweep(FORM, 10, 1.0, batches=2),
    queries.ThresholdSweep: queries.ThresholdSweep(FORM, np.arange(3), np.zeros(3), 16, 0.5, 4.0, "idealized"),
    queries.MeasureBases: queries.MeasureBases(PROGRAM, ANGLES, np.array([[3, 0]]), np.array([[0, 3]]), np.array([25])),
    queries.RandomizedMeasure: queries.RandomizedMeasure(PROGRAM, ANGLES, "local", 12),
    queries.Backward: queries.Backward(LOSS.objective, LOSS.params, np.ones((1, 1))),
    queries.EstimatePhases: queries.EstimatePhases(FORM, np.array([0, 2]), 3, 1),
    queries.GradientRegisters: REGISTERS,
    Unheard: Unheard(),
}
QUANTUM = set(QUERIES) - {queries.Backward, Unheard}
MEASURED = {queries.Evaluate, queries.MeasureBases, queries.RandomizedMeasure}
NOISE = qg.NoiseModel().add(qg.PhaseDamping(0.1), "cx").add_readout(qg.ReadoutError(0.01), 0)
ROWS = {
    qg.Statevector: QUANTUM,
    qg.Autodiff: {queries.Backward},
    qg.DensityMatrix: MEASURED | {queries.BellSample},
    qg.Trajectories: MEASURED,
}
MAKE = {qg.DensityMatrix: lambda: qg.DensityMatrix(NOISE), qg.Trajectories: lambda: qg.Trajectories(NOISE)}


def test_every_public_backend_has_a_row_and_every_query_an_example():
    members = [
        m for m in (getattr(qg, name) for name in dir(qg)) if isinstance(m, type) and issubclass(m, qg.AbstractBackend)
    ]
    # It runs other circuits than these: tests/simulators/test_hamming_weight.py.
    assert set(ROWS) | {qg.HammingWeight} == set(members) - {qg.AbstractBackend}
    kinds = [m for m in vars(queries).values() if isinstance(m, type) and issubclass(m, queries.AbstractQuery)]
    assert set(QUERIES) == (set(kinds) - {queries.AbstractQuery}) | {Unheard}


@pytest.mark.parametrize("kind", QUERIES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("backend", ROWS, ids=lambda backend: backend.__name__)
def test_known_queries_are_answered_and_others_refused_by_name(backend, kind):
    query = QUERIES[kind]
    key = jax.random.key(0) if query.is_random else None
    if kind in ROWS[backend]:
        answer = MAKE.get(backend, backend)().answer(query, key)
        assert isinstance(answer, tuple)
        assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(answer))
        return
    with pytest.raises(qg.UnsupportedQuery, match=f"{backend.__name__} does not answer {kind.__name__}"):
        MAKE.get(backend, backend)().answer(query, key)


@pytest.mark.parametrize(
    ("kind", "record", "shapes"),
    [
        (queries.Evaluate, queries.Means, [(2, 3), (2, 3)]),
        (queries.AdjointSweep, queries.Sweep, [(3,), (3, 2)]),
        (queries.ReverseSweep, queries.Sweep, [(3,), (3, 2)]),
        (queries.Overlaps, queries.Means, [(2, 1), (2, 1)]),
        (queries.ForwardSweeps, queries.Sweep, [(3,), (3, 2)]),
        (queries.TangentSweep, queries.Tangents, [(2, 2), (2,), (3, 2)]),
        (queries.ReadState, queries.FinalState, [(4,)]),
        (queries.SampleIQP, queries.SampledSweep, [(1,), (1, 2), (1,), (1, 2), (1, 2, 2)]),
        (queries.BellSample, queries.BellOutcomes, [(20,), (20,)]),
        (queries.MajorityVotes, queries.Votes, [(2,), (2,)]),
        (queries.MeasureComponent, queries.Means, [(), ()]),
        (queries.PointerSweep, queries.PointerOutcomes, [(2, 3), (2,)]),
        (queries.ThresholdSweep, queries.SweepStop, [(), (), ()]),
        (queries.MeasureBases, queries.BasisCounts, [(1, 4)]),
        (queries.RandomizedMeasure, queries.Snapshots, [(12, 2), (12, 2), (12,)]),
    ],
)
def test_statevector_answers_with_the_record_that_the_query_names(kind, record, shapes):
    answer = qg.Statevector().answer(QUERIES[kind], jax.random.key(0))
    assert type(answer) is record
    # Fields that are no numbers, and the bias that a simulator does not have, are no leaves.
    assert [np.shape(leaf) for leaf in jax.tree.leaves(answer)] == shapes


def test_autodiff_answers_with_one_row_for_each_cotangent():
    query = queries.Backward(LOSS.objective, LOSS.params, np.array([[1.0], [-2.0]]))
    value, gradient, _ = qg.Autodiff().answer(query, None)
    np.testing.assert_allclose(value, [LOSS.value], atol=1e-12)
    np.testing.assert_allclose(gradient, np.outer([1.0, -2.0], LOSS.gradient), atol=1e-12)


@pytest.mark.parametrize("kind", [kind for kind in QUERIES if kind is not Unheard], ids=lambda kind: kind.__name__)
def test_a_query_costs_what_its_docstring_counts(kind):
    """Numbers by hand for 2 qubits, 3 gates, bases ZZ, XX and IY (rotations 0, 2, 1), B = 2, C = K = 3."""
    state = 4 * 16
    runs = 6 * 4 + 14 * 4 // 2 + 14 * 4  # rz diagonal, cx on half of the amplitudes, ry
    terms = (8 * 3 + 2 * 3) * 4  # three distinct X masks, three strings
    cost = {
        queries.Evaluate: qg.Cost(300, 300, 6, 100 * (9 + 3), 2),
        queries.AdjointSweep: qg.Cost(0, 0, 1, 5 * 3, 2, 8 * runs + 4 * terms, 5 * state),
        queries.ReverseSweep: qg.Cost(0, 0, 1, 7 * 3, 2, 7 * runs + 4 * terms, (3 + 5 * (1 + 3)) * state),
        queries.Overlaps: qg.Cost(100, 100, 2, 100 * 2 * 3, 2),
        queries.ForwardSweeps: qg.Cost(0, 0, 1 + 2, 5 * 3, 2, 5 * (runs + terms), 3 * state),
        # Three states through three gates; products of two derivatives with three states and three images.
        queries.TangentSweep: qg.Cost(0, 0, 1, 3 * 3, 2, 3 * runs + terms + 8 * 12 * 4, 4 * state),
        queries.ReadState: qg.Cost(0, 0, 1, 3, 2, runs, 2 * state),
        # 50 bitstrings, two pairs. A block of 64 holds bits of two generators, one table, two qubits and two strings,
        # 512 generators written out three times with their pairs, four numbers a bitstring, sums and covariances.
        queries.SampleIQP: qg.Cost(
            flops=50 * 2 * 6, peak_bytes=(2 + 256 + 2 + 2) * 8 + 8 * (512 * (3 * 64 + 1) + 4 * 64 + 2 * (2 + 2))
        ),
        queries.BellSample: qg.Cost(40, 20, 1, 20 * (2 * 3 + 2 * 2), 4),
        queries.MajorityVotes: qg.Cost(9, 2, 1, 9 * (3 + 2 * 4 + 2 * 2), 18),
        # H, the circuit and a controlled string prepare; two gates are undone; the strings weigh 1, 2 and 2.
        queries.MeasureComponent: qg.Cost(30, 30, 1, 30 * (5 + 2 + 2), 3),
        queries.PointerSweep: qg.Cost(20, 6, 2, 20 * (5 + 2 + 2 * 5 + 3), 10 * 3 + 7),
        queries.ThresholdSweep: qg.Cost(16, 3, 1, 16 * (5 + 2 + 2 * 5 + 2 * 3), 16 * 3 + 2 * 5),
        queries.MeasureBases: qg.Cost(25, 25, 1, 25 * (3 + 1 + 6), 2),
        queries.RandomizedMeasure: qg.Cost(12, 12, 12, 12 * (3 + 2), 2),
        # Seven walks, each with the state and its inverse, the string and a reflection; three qubits are read.
        queries.EstimatePhases: qg.Cost(
            28,
            2,
            2,
            7 * (2 * 5 + 1 + 1) + 7 * (2 * (5 + 2) + 2 + 1) + 2 * (7 + 3 + 3 * 4 // 2),
            3 + 3,
            depth=2 * 7,
        ),
    }
    if kind is queries.GradientRegisters:
        # Two runs of each evolution, forth and back; registers of two qubits beside the circuit, encoding and signal.
        counted = REGISTERS.cost()
        assert REGISTERS.walks == 2 * 2 * sum(REGISTERS.degrees)
        assert (counted.copies, counted.shots, counted.circuit_runs) == (2 * REGISTERS.walks, 1, 1)
        assert counted.depth == 2 * REGISTERS.walks
        assert counted.qubits == 2 + REGISTERS.encoding_qubits + 2 * 2 + 1
        return
    if kind is queries.Backward:
        counted = QUERIES[kind].cost()
        assert (counted.copies, counted.circuit_runs, counted.gates) == (0, 0, 0)
        assert counted.flops >= 2 * 2 * 5 * 3  # one product x @ w and one x^T @ error at least
        return
    assert QUERIES[kind].cost() == cost[kind]


def test_exact_evaluations_are_charged_as_simulated_runs():
    exact = queries.Evaluate(PROGRAM, np.stack([ANGLES, -ANGLES]))
    assert not exact.is_random
    assert (exact.cost().copies, exact.cost().circuit_runs, exact.cost().gates) == (0, 2, 6)


def test_a_query_beyond_the_backends_access_is_refused_before_it_is_answered():
    hardware = Recorder(qg.Statevector(), Access.single_copy)
    with pytest.raises(qg.AccessError, match=r"AdjointSweep needs white_box.*backend Recorder allows single_copy"):
        qg.estimate(OBJECTIVE, ANGLES, qg.Adjoint(), hardware)
    assert hardware.queries == []
    found = qg.estimate(OBJECTIVE, ANGLES, qg.ParameterShift(shots=10), hardware, key=0)
    assert found.result == "ok"


def test_a_query_beyond_the_estimators_own_declaration_is_refused():
    class Liar(qg.Adjoint):
        access = Access.single_copy

    with pytest.raises(qg.AccessError, match=r"estimator Liar allows single_copy"):
        qg.estimate(OBJECTIVE, ANGLES, Liar())


def test_as_jax_holds_estimators_to_their_access_too():
    hardware = Recorder(qg.Statevector(), Access.single_copy)
    f = qg.as_jax(OBJECTIVE, qg.Adjoint(), hardware)
    with pytest.raises(qg.AccessError, match="AdjointSweep"):
        jax.vjp(f, jnp.asarray(ANGLES))[1](jnp.ones(3))


@pytest.mark.parametrize("backend", [qg.Statevector, "statevector", 3])
def test_what_is_no_backend_is_refused_by_name(backend):
    with pytest.raises(TypeError, match=r"backend is .*give a backend object"):
        qg.estimate(OBJECTIVE, ANGLES, qg.Adjoint(), backend)


def test_an_objective_of_a_new_kind_needs_a_backend_and_is_told_so():
    class Other(AbstractObjective):
        is_vector: bool = False

        @property
        def num_outputs(self):
            return 1

        def check(self, params):
            return params

        def coordinates(self, params):
            return params

        def placeholder(self):
            return np.zeros(1)

        def to_params(self, params, reading):
            return reading

    with pytest.raises(TypeError, match="backend"):
        qg.estimate(Other(), np.zeros(1), qg.Adjoint())
