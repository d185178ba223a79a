"""Qiskit's primitives on our engine: values, shapes, qubit order, promised precision, and what is refused."""

import jax
import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import PrimitiveJob, StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import Operator, Pauli, SparseObservable, SparsePauliOp, Statevector
from qiskit.transpiler import CouplingMap

import qcgrad as qg
from qcgrad.interop.qiskit import QcgradEstimator, QcgradSampler
from qcgrad.library import load_circuit
from qcgrad.queries import Access, Evaluate
from tests.recorder import Recorder
from theory.statistics import assert_frequencies, normal, shifted, variance_ratio

A, B = Parameter("a"), Parameter("b")
OBSERVABLE = SparsePauliOp(["IXZ", "ZIY", "YXI", "IIZ", "III"], [0.3, -1.1, 0.7, 0.2, 2.5])


def asymmetric():
    """No two qubits are alike."""
    circuit = QuantumCircuit(3)
    circuit.ry(2 * A + 0.4, 0)
    circuit.rx(A * B, 1)
    circuit.cx(0, 2)
    circuit.crz(B, 2, 1)
    circuit.h(2)
    circuit.rx(B, 2)
    return circuit


def exact(circuit, observable, values):
    bound = circuit.assign_parameters(dict(zip(circuit.parameters, values, strict=True)))
    return Statevector(bound).expectation_value(observable).real


def evs(pub, **options):
    return QcgradEstimator(**options).run([pub]).result()[0].data.evs


# Values


def test_values_of_an_asymmetric_circuit_are_qiskits():
    for values in ([0.3, -0.7], [2.0, 9.0]):
        found = evs((asymmetric(), OBSERVABLE, values))
        assert found.shape == ()
        np.testing.assert_allclose(found, exact(asymmetric(), OBSERVABLE, values), atol=1e-12)


@pytest.mark.parametrize("name", ["lih_givens_n10", "tfim_hva_n6_p3", "h2_givens_n4"])
def test_values_of_library_circuits_are_those_of_their_makers(name):
    from qcgrad.interop import to_qiskit

    found = load_circuit(name)
    words = found.objective.program.observables[0]
    observable = SparsePauliOp([w[::-1] for w in words.words], words.coefficients)
    circuit = to_qiskit(found.circuit)
    np.testing.assert_allclose(evs((circuit, observable, found.params)), found.value, atol=1e-9)


def test_observables_and_parameters_broadcast_as_arrays_do():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(4, 1, 3, 2))
    observables = [[["ZII"], ["XYI"]]]  # (1, 2, 1)
    found = QcgradEstimator().run([(asymmetric(), observables, values)]).result()[0]
    expected = StatevectorEstimator().run([(asymmetric(), observables, values)]).result()[0]
    assert found.data.shape == found.data.evs.shape == found.data.stds.shape == (4, 2, 3)
    np.testing.assert_allclose(found.data.evs, expected.data.evs, atol=1e-12)
    assert not found.data.stds.any()
    assert found.metadata["circuit_runs"] == 12  # one state for each of 4 x 3 settings


def test_pairs_of_settings_and_observables_prepare_each_state_once():
    """Six observables, each at a setting of its own: elementwise, not the outer product."""
    values = np.random.default_rng(6).normal(size=(6, 2))
    observables = [Pauli(label) for label in ("ZII", "IZI", "IIZ", "XII", "IYI", "IIX")]
    found = QcgradEstimator().run([(asymmetric(), observables, values)]).result()[0]
    expected = [exact(asymmetric(), o, v) for o, v in zip(observables, values, strict=True)]
    np.testing.assert_allclose(found.data.evs, expected, atol=1e-12)
    assert found.metadata["circuit_runs"] == 6


def test_parameters_are_found_by_name_in_any_grouping():
    values = np.array([[0.3, -0.7], [0.1, 0.2]])
    expected = evs((asymmetric(), "ZXY", values))
    np.testing.assert_allclose(evs((asymmetric(), "ZXY", {("b", "a"): values[:, ::-1]})), expected, atol=1e-15)
    np.testing.assert_allclose(evs((asymmetric(), "ZXY", {B: values[:, 1], A: values[:, 0]})), expected, atol=1e-15)


@pytest.mark.parametrize(
    "observable",
    [
        "IXZ",
        Pauli("-YIZ"),
        {"IXZ": 0.5, "ZZI": -2.0},
        SparseObservable.from_list([("0XZ", 0.7), ("I+r", 1.5)]),
        SparsePauliOp(["IXZ", "IXZ", "ZII"], [1.0, -1.0, 0.25]),
        SparsePauliOp("III", 3.0),
    ],
    ids=["word", "signed", "mapping", "projectors", "cancelling", "identity"],
)
def test_every_kind_of_observable_has_its_value(observable):
    operator = observable
    if isinstance(observable, dict):
        operator = SparsePauliOp(list(observable), list(observable.values()))
    elif isinstance(observable, SparseObservable):
        operator = SparsePauliOp.from_sparse_observable(observable)
    elif isinstance(observable, str):
        operator = SparsePauliOp(observable)
    np.testing.assert_allclose(
        evs((asymmetric(), observable, [0.3, 0.9])), exact(asymmetric(), operator, [0.3, 0.9]), atol=1e-12
    )


def test_circuits_without_parameters_and_empty_arrays_are_answered():
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    np.testing.assert_allclose(evs((bell, ["ZZ", "XX", "ZI"])), [1, 1, 0], atol=1e-15)
    for precision in (0.0, 0.1):
        nothing = QcgradEstimator().run([(asymmetric(), "ZII", np.zeros((0, 2)), precision)]).result()[0]
        assert nothing.data.evs.shape == (0,)
    assert len(QcgradEstimator().run([]).result()) == 0


def test_transpiled_circuits_take_observables_with_their_layout():
    isa = transpile(
        asymmetric(), basis_gates=["rz", "sx", "x", "cx"], coupling_map=CouplingMap.from_line(6),
        initial_layout=[4, 2, 3], optimization_level=1, seed_transpiler=3,
    )  # fmt: skip
    found = evs((isa, OBSERVABLE.apply_layout(isa.layout), [0.3, -0.7]))
    np.testing.assert_allclose(found, exact(asymmetric(), OBSERVABLE, [0.3, -0.7]), atol=1e-10)
    with pytest.raises(ValueError, match=r"pubs\[0\]: The number of qubits of the circuit \(6\)"):
        QcgradEstimator().run([(isa, OBSERVABLE, [0.3, -0.7])])


def test_values_are_double_precision_where_the_user_left_jax_in_single():
    with jax.enable_x64(False):
        found = evs((asymmetric(), OBSERVABLE, [0.3, -0.7]))
    np.testing.assert_allclose(found, exact(asymmetric(), OBSERVABLE, [0.3, -0.7]), atol=1e-12)


def test_a_circuit_that_is_changed_in_place_is_read_again():
    circuit = asymmetric()
    estimator = QcgradEstimator()
    before = float(estimator.run([(circuit, "IIZ", [0.3, 0.9])]).result()[0].data.evs)
    circuit.x(0)
    after = float(estimator.run([(circuit, "IIZ", [0.3, 0.9])]).result()[0].data.evs)
    np.testing.assert_allclose(after, -before, atol=1e-12)
    circuit.data[0] = circuit.data[0].replace(operation=circuit.data[1].operation)  # another angle
    changed = float(estimator.run([(circuit, "IIZ", [0.3, 0.9])]).result()[0].data.evs)
    np.testing.assert_allclose(changed, exact(circuit, SparsePauliOp("IIZ"), [0.3, 0.9]), atol=1e-12)


# Shots


def hard():
    """A large norm and terms that agree with each other in every shot: the variance is that of the whole norm."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    return circuit, SparsePauliOp(["IIZ", "IZI", "ZII", "ZZZ", "XXX", "III"], [7, 5, 6, 2, 3, 40])


@pytest.mark.statistical
def test_a_precision_is_reached_with_a_large_norm_and_correlated_terms():
    """shots = 1 / precision^2 would miss it 20 times over. The state has the largest variance there is."""
    circuit, observable = hard()
    runs, precision = 400, 0.5
    pub = (circuit, [observable] * runs, None, precision)
    found = QcgradEstimator(seed=shifted(3)).run([pub]).result()[0]
    assert found.data.stds.max() <= precision
    ratio = np.mean(np.square(found.data.evs - 43)) / precision**2  # XXX is 1, the odd words are 0
    smallest, largest = variance_ratio(runs)  # 0.6 and 1.5
    spent = 400 / (400 + 9)  # XXX takes shots, and has no variance here
    assert smallest * spent < ratio < largest * spent


@pytest.mark.statistical
def test_reported_errors_are_the_spread_of_results():
    runs = 300
    pub = (asymmetric(), OBSERVABLE, np.tile([0.3, -0.7], (runs, 1)), 0.2)
    found = QcgradEstimator(seed=shifted(4)).run([pub]).result()[0].data
    truth = exact(asymmetric(), OBSERVABLE, [0.3, -0.7])
    ratio = np.mean(np.square(found.evs - truth)) / np.mean(np.square(found.stds))
    smallest, largest = variance_ratio(runs)  # 0.6 and 1.6; that of 300 reported errors together is known to 1e-2
    assert 0.98 * smallest < ratio < 1.02 * largest
    assert abs(found.evs.mean() - truth) < normal() * np.sqrt(np.sum(np.square(found.stds))) / runs


def test_shots_are_those_of_the_stated_rule_and_charged_as_copies():
    circuit, observable = hard()
    with qg.Tracker() as spent:
        found = QcgradEstimator(seed=0).run([(circuit, [[observable], ["ZII"]], None, 0.5)]).result()[0]
    # Bases ZZZ, with |coefficients| 7 + 5 + 6 + 2, and XXX with 3.
    shots = 20 * 23 * 4 + 2 + 3 * 23 * 4 + 2
    np.testing.assert_array_equal(found.metadata["shots"], [[shots], [4 + 2]])
    np.testing.assert_array_equal(found.metadata["bases"], [[2], [1]])
    assert found.metadata["copies"] == shots + 6 == spent.total.copies
    assert spent.by_estimator["QcgradEstimator"].shots == spent.total.shots
    assert found.metadata["target_precision"] == 0.5


def test_a_constant_needs_no_shots():
    found = QcgradEstimator().run([(asymmetric(), SparsePauliOp("III", -3), [0.1, 0.2], 1e-6)]).result()[0]
    assert (float(found.data.evs), float(found.data.stds), found.metadata["copies"]) == (-3.0, 0.0, 0)


def test_many_shots_are_drawn_in_parts_that_fit_into_memory(monkeypatch):
    monkeypatch.setattr("qcgrad.interop.qiskit._expectations._MOST_DRAWS", 1000)
    pub = (asymmetric(), OBSERVABLE, [0.3, -0.7], 0.02)
    found = QcgradEstimator(seed=1).run([pub]).result()[0]
    assert found.data.stds <= 0.02
    assert found.metadata["circuit_runs"] > 10
    assert abs(found.data.evs - exact(asymmetric(), OBSERVABLE, [0.3, -0.7])) < 8 * found.data.stds


def test_no_two_elements_pubs_or_runs_share_their_noise():
    pub = (asymmetric(), [OBSERVABLE, OBSERVABLE], [[0.3, 0.3], [0.3, 0.3]], 0.02)
    estimator = QcgradEstimator(seed=7)
    first, second = (estimator.run([pub, pub]).result() for _ in range(2))
    drawn = np.concatenate([result.data.evs for run in (first, second) for result in run])
    assert len(np.unique(drawn)) == len(drawn) == 8
    again = QcgradEstimator(seed=7).run([pub, pub]).result()
    np.testing.assert_array_equal(again[1].data.evs, first[1].data.evs)
    generator = np.random.default_rng(7)
    runs = [QcgradEstimator(seed=generator).run([pub]).result()[0].data.evs for _ in range(2)]
    assert not set(runs[0]) & set(runs[1])
    unknown = [QcgradEstimator().run([pub]).result()[0].data.evs for _ in range(2)]
    assert not set(unknown[0]) & set(unknown[1])


def test_a_precision_of_the_pub_comes_first_then_the_runs_then_the_default():
    estimator = QcgradEstimator(default_precision=0.5, seed=0)
    pubs = [(asymmetric(), "ZII", [0.1, 0.2]), (asymmetric(), "ZII", [0.1, 0.2], 0.25)]
    assert [r.metadata["shots"] for r in estimator.run(pubs).result()] == [4 + 2, 16 + 2]
    assert [r.metadata["shots"] for r in estimator.run(pubs, precision=0.1).result()] == [100 + 2, 16 + 2]
    assert estimator.default_precision == 0.5


def test_another_backend_answers_and_is_asked_once_for_all_settings_in_each_basis():
    hardware = Recorder(qg.Statevector(), Access.single_copy)
    values = np.random.default_rng(8).normal(size=(20, 2))
    found = QcgradEstimator(seed=0, backend=hardware).run([(asymmetric(), OBSERVABLE, values, 0.1)]).result()[0]
    assert [(type(q), q.angles.shape[0]) for q in hardware.queries] == [(Evaluate, 20)] * 2
    assert found.data.evs.shape == (20,)


def test_a_ledger_waits_for_jobs_that_were_started_in_its_block():
    with qg.Tracker() as spent:
        job = QcgradEstimator(seed=0).run([(efficient_su2(6), "Z" * 6, np.zeros((50, 48)), 0.05)])
    assert isinstance(job, PrimitiveJob)
    assert spent.total.copies == job.result()[0].metadata["copies"] > 0


# What is refused


@pytest.mark.parametrize(
    ("pub", "error", "message"),
    [
        (
            lambda c: (c, "ZII"),
            ValueError,
            r"pubs\[1\]: The number of values \(0\).*The circuit has 2 parameter.* a, b",
        ),
        (lambda c: (c, "ZII", [0.1]), ValueError, r"pubs\[1\]: "),
        (lambda c: (c, "ZII", [0.1, 0.2, 0.3]), ValueError, r"pubs\[1\]: .*a, b"),
        (lambda c: (c, "ZII", {"a": 0.1, "c": 0.2}), ValueError, r"pubs\[1\]: Could not find placement.*'c'"),
        (lambda c: (c, "ZII", [0.1, np.nan]), ValueError, r"pubs\[1\]: parameter_values hold nan for 'b'"),
        (lambda c: (c, "ZII", [0.1, 1j]), TypeError, r"pubs\[1\]: "),
        (lambda c: (c, "ZI", [0.1, 0.2]), ValueError, r"pubs\[1\]: The number of qubits[^;]*$"),
        (lambda c: (c, SparsePauliOp("ZII", 1j), [0.1, 0.2]), ValueError, r"pubs\[1\]: Non-Hermitian"),
        (lambda c: (c, Operator(np.eye(8)), [0.1, 0.2]), TypeError, r"pubs\[1\]: Invalid observable type"),
        (lambda c: (c, ["ZII", "IZI"], np.zeros((3, 2))), ValueError, r"pubs\[1\]: .*not broadcastable"),
        (lambda c: (c, "ZII", [0.1, 0.2], -1.0), ValueError, r"pubs\[1\]: precision.*-1.0 was given$"),
        (lambda c: (c, "ZII", [0.1, 0.2], np.nan), ValueError, r"pubs\[1\]: precision is nan"),
        (lambda c: c, ValueError, r"pubs\[1\]: "),
        (lambda c: 3, TypeError, r"pubs\[1\]: "),
    ],
)
def test_a_bad_pub_is_refused_before_anything_runs_and_named(pub, error, message):
    hardware = Recorder(qg.Statevector(), Access.single_copy)
    with pytest.raises(error, match=message):
        QcgradEstimator(backend=hardware).run([(asymmetric(), "ZII", [0.1, 0.2]), pub(asymmetric())])
    assert hardware.queries == []


def test_parameters_that_a_compiler_removed_are_reported():
    circuit = QuantumCircuit(1, 1)
    circuit.rx(A, 0)
    circuit.rz(Parameter("c"), 0)
    circuit.rx(0.3, 0)
    circuit.rz(B, 0)  # changes no outcome
    circuit.measure(0, 0)
    isa = transpile(circuit, basis_gates=["rz", "rx"], optimization_level=3)
    assert [p.name for p in isa.parameters] == ["a", "c"]
    with pytest.raises(ValueError, match=r"The circuit has 2 parameter.* a, c; compilers remove parameters on which"):
        QcgradEstimator().run([(isa, "Z", [0.1, 0.2, 0.3])])


@pytest.mark.parametrize("precision", [-0.1, np.inf, np.nan, "0.1", True, 1j])
def test_what_is_no_precision_is_refused_by_name(precision):
    with pytest.raises((TypeError, ValueError), match="default_precision is"):
        QcgradEstimator(default_precision=precision)
    with pytest.raises((TypeError, ValueError), match="precision is"):
        QcgradEstimator().run([], precision=precision)


def test_a_precision_that_takes_too_many_shots_is_refused_with_their_number():
    job = QcgradEstimator(seed=0).run([(asymmetric(), OBSERVABLE, [0.1, 0.2], 1e-9)])
    with pytest.raises(ValueError, match=r"precision is 1e-09: .* shots in one of 2 bases; .*0 for exact"):
        job.result()


@pytest.mark.parametrize("primitive", [QcgradEstimator, QcgradSampler])
def test_bad_options_are_refused_by_name(primitive):
    for seed in (1.5, True, "7", -1):
        with pytest.raises((TypeError, ValueError), match="seed is"):
            primitive(seed=seed)
    with pytest.raises(TypeError, match=r"backend is .*give a qcgrad backend"):
        primitive(backend=StatevectorEstimator)
    with pytest.raises(TypeError, match="give a list of pubs"):
        primitive().run(asymmetric())


def test_one_pub_without_a_list_is_refused():
    with pytest.raises(TypeError, match="give a list of pubs"):
        QcgradEstimator().run(EstimatorPub.coerce((asymmetric(), "ZII", [0.1, 0.2])))


@pytest.mark.parametrize("primitive", [QcgradEstimator, QcgradSampler])
def test_measurements_inside_of_a_circuit_are_refused_by_place(primitive):
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure([0, 1], [0, 1])
    pub = (circuit, "ZZ") if primitive is QcgradEstimator else circuit
    with pytest.raises(qg.ImportRefused, match=r"a measurement inside of the circuit: qubit 0 \(q\[0\]\)"):
        primitive().run([pub]).result()


# The sampler


def measured():
    """Two registers, filled partly and out of order, by qubits that are all different."""
    qubits, first, second = QuantumRegister(5, "q"), ClassicalRegister(3, "first"), ClassicalRegister(10, "second")
    circuit = QuantumCircuit(qubits, first, second)
    circuit.x(0)
    circuit.ry(A, 1)
    circuit.cx(1, 2)
    circuit.ry(2 * A, 3)
    circuit.barrier()
    circuit.measure(0, second[9])
    circuit.measure(2, first[0])
    circuit.measure(3, first[2])
    circuit.measure(1, second[0])
    circuit.measure(4, second[1])
    circuit.measure(1, second[2])
    return circuit


@pytest.mark.statistical
def test_outcomes_stand_in_the_bits_that_they_were_measured_into():
    shots = 20_000
    found = QcgradSampler(seed=shifted(5)).run([(measured(), [[0.4], [1.9]])], shots=shots).result()[0]
    assert (found.data.first.shape, found.data.second.shape) == ((2,), (2,))
    assert (found.data.first.num_bits, found.data.second.num_bits, found.data.first.num_shots) == (3, 10, shots)
    for row, angle in enumerate((0.4, 1.9)):
        one, three = np.sin(angle / 2) ** 2, np.sin(angle) ** 2
        words = found.data.first[row].get_bitstrings()
        expected = {"000": (1 - one) * (1 - three), "001": one * (1 - three)}
        expected |= {"100": (1 - one) * three, "101": one * three}
        counts = np.array([words.count(word) for word in expected])
        assert_frequencies(counts, np.array(list(expected.values())))
        # Registers are read in the same shots: qubits 1 and 2 agree.
        both = zip(words, found.data.second[row].get_bitstrings(), strict=True)
        assert all(second == "1000000" + first[2] + "0" + first[2] for first, second in both)


def test_shots_come_in_random_order():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    bits = QcgradSampler(seed=0).run([circuit], shots=1000).result()[0].data.meas.array.ravel()
    assert 300 < np.count_nonzero(np.diff(bits.astype(int))) < 700


def test_the_last_measurement_into_a_bit_counts_and_shared_bits_show_twice():
    qubits, bits = QuantumRegister(2, "q"), ClassicalRegister(2, "c")
    shared = ClassicalRegister(name="shared", bits=[bits[1], bits[0]])
    circuit = QuantumCircuit(qubits, bits, shared)
    circuit.x(1)
    circuit.measure(0, bits[0])
    circuit.measure(1, bits[0])
    data = QcgradSampler(seed=0).run([circuit], shots=5).result()[0].data
    assert (data.c.get_counts(), data.shared.get_counts()) == ({"01": 5}, {"10": 5})


def test_wide_circuits_with_idle_qubits_are_sampled():
    isa = transpile(measured().assign_parameters([0.4]), coupling_map=CouplingMap.from_line(127), seed_transpiler=1)
    wide = QuantumCircuit(127)
    wide.x(100)
    wide.measure_all()
    sampler = QcgradSampler(seed=0)
    assert set(sampler.run([wide], shots=9).result()[0].data.meas.get_counts()) == {"0" * 26 + "1" + "0" * 100}
    assert set(sampler.run([isa], shots=200).result()[0].data.first.get_counts()) <= {"000", "001", "100", "101"}
    idle = QuantumCircuit(70)
    idle.measure_all()
    assert sampler.run([idle], shots=3).result()[0].data.meas.get_counts() == {"0" * 70: 3}


def test_shots_of_the_pub_come_first_and_all_are_charged():
    with qg.Tracker() as spent:
        result = QcgradSampler(default_shots=10, seed=0).run([(measured(), [0.1]), (measured(), [[0.1]] * 4, 7)])
        found = result.result()
    assert [r.metadata["shots"] for r in found] == [10, 7]
    assert [r.metadata["copies"] for r in found] == [10, 28]
    assert spent.by_estimator["QcgradSampler"].copies == spent.total.copies == 38
    assert found[1].data.first.shape == (4,)


def test_no_two_points_pubs_or_runs_of_a_sampler_share_their_shots():
    pub = (measured(), [[1.2], [1.2]])
    sampler = QcgradSampler(seed=3)
    first, second = (sampler.run([pub, pub], shots=200).result() for _ in range(2))
    words = {tuple(r.data.first[k].get_bitstrings()) for run in (first, second) for r in run for k in range(2)}
    assert len(words) == 8
    again = QcgradSampler(seed=3).run([pub, pub], shots=200).result()
    assert again[1].data.first == first[1].data.first


def test_what_measures_nothing_is_refused():
    bare, empty = QuantumCircuit(1), QuantumCircuit(1, 1)
    for circuit in (bare, empty):
        with pytest.raises(ValueError, match=r"pubs\[1\]: the circuit measures nothing.*measure_all"):
            QcgradSampler().run([(measured(), [0.1]), circuit])


def test_a_composite_instruction_that_measures_is_refused():
    inner = QuantumCircuit(1, 1)
    inner.measure(0, 0)
    outer = QuantumCircuit(1, 1)
    outer.append(inner.to_instruction(), [0], [0])
    with pytest.raises(qg.ImportRefused, match=r"pubs\[0\]: .* acts on classical bits.*decompose"):
        QcgradSampler().run([outer])


@pytest.mark.parametrize("shots", [0, -1, 1.5, True, "10"])
def test_what_is_no_number_of_shots_is_refused(shots):
    with pytest.raises((TypeError, ValueError), match=r"shots"):
        QcgradSampler().run([(measured(), [0.1])], shots=shots)
    with pytest.raises(ValueError, match="default_shots is"):
        QcgradSampler(default_shots=shots)


def test_unbound_parameters_of_a_sampled_circuit_are_named():
    with pytest.raises(ValueError, match=r"pubs\[0\]: .*does not match.*The circuit has 1 parameter\(s\) a"):
        QcgradSampler().run([measured()])


def test_a_vector_of_parameters_keeps_its_order_beyond_nine_elements():
    vector = ParameterVector("t", 12)
    circuit = QuantumCircuit(1)
    for k, angle in enumerate(vector):
        circuit.ry((k + 1) * angle, 0)
    values = np.linspace(0.01, 0.2, 12)
    np.testing.assert_allclose(evs((circuit, "Z", values)), np.cos(np.arange(1, 13) @ values), atol=1e-12)
