"""Our estimators as gradients of qiskit-algorithms and qiskit-machine-learning, and what trains with them."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2, real_amplitudes
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer.primitives import EstimatorV2, SamplerV2
from qiskit_algorithms import QAOA, VQE, VarQITE, VarQRTE
from qiskit_algorithms.gradients import (
    QFI,
    DerivativeType,
    LinCombEstimatorGradient,
    LinCombQGT,
    ParamShiftEstimatorGradient,
    ReverseEstimatorGradient,
    ReverseQGT,
)
from qiskit_algorithms.optimizers import COBYLA, L_BFGS_B, GradientDescent
from qiskit_algorithms.time_evolvers import TimeEvolutionProblem
from qiskit_algorithms.time_evolvers.variational import ImaginaryMcLachlanPrinciple, RealMcLachlanPrinciple
from qiskit_machine_learning.gradients import ParamShiftEstimatorGradient as LearningParamShift
from qiskit_machine_learning.neural_networks import EstimatorQNN

import qcgrad as qg
from qcgrad.interop import to_qiskit
from qcgrad.interop.qiskit import (
    EstimatorGradient,
    MachineLearningGradient,
    MachineLearningQGT,
    QcgradEstimator,
    QcgradSampler,
    TangentQGT,
)
from qcgrad.library import load_circuit
from qcgrad.queries import Access, Evaluate
from tests.recorder import Recorder
from theory.statistics import normal, shifted, student

A, B, C = (Parameter(name) for name in "abc")
OBSERVABLE = SparsePauliOp(["IXZ", "ZIY", "YXI", "IIZ"], [0.3, -1.1, 0.7, 0.2])
VALUES = [0.3, -0.7, 1.1]


def asymmetric():
    """Shared parameters in expressions, and no two qubits alike."""
    circuit = QuantumCircuit(3)
    circuit.ry(2 * A + 1, 0)
    circuit.rx(A * B, 1)
    circuit.cx(0, 2)
    circuit.crz(B, 2, 1)
    circuit.rzz(C - A, 0, 1)
    circuit.h(2)
    circuit.rx(C, 2)
    circuit.cx(1, 0)
    return circuit


def gradient_of(estimator, circuit, observable, values, parameters=None, **options):
    chosen = None if parameters is None else [parameters]
    return EstimatorGradient(estimator, **options).run([circuit], [observable], [values], chosen).result()


def qiskits(circuit, observable, values, parameters=None):
    chosen = None if parameters is None else [parameters]
    job = ParamShiftEstimatorGradient(StatevectorEstimator()).run([circuit], [observable], [values], chosen)
    return job.result().gradients[0]


# Gradients


@pytest.mark.parametrize(
    "primitive", [StatevectorEstimator(), EstimatorV2(), QcgradEstimator()], ids=lambda p: type(p).__name__
)
def test_exact_primitives_answer_as_backends(primitive):
    found = gradient_of(qg.ParameterShift(), asymmetric(), OBSERVABLE, VALUES, backend=primitive)
    np.testing.assert_allclose(found.gradients[0], qiskits(asymmetric(), OBSERVABLE, VALUES), atol=1e-9)
    assert found.metadata[0]["fidelity"] == "exact"


@pytest.mark.statistical
@pytest.mark.parametrize("primitive", [SamplerV2, QcgradSampler])
def test_samplers_answer_as_backends(primitive):
    """Each component within its standard errors, which are 0.05 and less: an error of 0.6 is found."""
    sampler = primitive(seed=shifted(3))
    found = gradient_of(
        qg.ParameterShift(shots=2000), asymmetric(), OBSERVABLE, VALUES, backend=sampler, key=shifted(4)
    )
    errors = found.gradients[0] - qiskits(asymmetric(), OBSERVABLE, VALUES)
    deviations = np.sqrt(found.metadata[0]["variance"])
    assert deviations.max() < 0.08
    assert (np.abs(errors) < normal(len(errors)) * deviations).all()


@pytest.mark.parametrize(
    "estimator", [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()], ids=lambda e: type(e).__name__
)
def test_exact_gradients_are_qiskits(estimator):
    found = gradient_of(estimator, asymmetric(), OBSERVABLE, VALUES)
    np.testing.assert_allclose(found.gradients[0], qiskits(asymmetric(), OBSERVABLE, VALUES), atol=1e-11)
    bound = asymmetric().assign_parameters(VALUES)
    np.testing.assert_allclose(found.metadata[0]["value"], Statevector(bound).expectation_value(OBSERVABLE).real)
    assert found.metadata[0]["parameters"] == [A, B, C]
    assert not found.metadata[0]["variance"].any()


@pytest.mark.parametrize("name", ["h2_givens_n4", "tfim_hva_n6_p3", "lih_givens_n10"])
def test_gradients_of_library_circuits_are_qiskits_and_their_makers(name):
    known = load_circuit(name)
    words = known.objective.program.observables[0]
    observable = SparsePauliOp([w[::-1] for w in words.words], words.coefficients)
    circuit = to_qiskit(known.circuit)
    found = gradient_of(qg.Adjoint(), circuit, observable, known.params).gradients[0]
    np.testing.assert_allclose(found, known.gradient, atol=1e-9)


def test_a_hardware_efficient_circuit_has_the_gradient_of_qiskits_reverse_mode():
    circuit = efficient_su2(4, reps=2)
    values = np.random.default_rng(1).normal(size=circuit.num_parameters)
    observable = SparsePauliOp(["IXZY", "ZIIY"], [0.5, -2.0])
    expected = ReverseEstimatorGradient().run([circuit], [observable], [values]).result().gradients[0]
    np.testing.assert_allclose(gradient_of(qg.Adjoint(), circuit, observable, values).gradients[0], expected, atol=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "estimator", [qg.ParameterShift(shots=4000), qg.GentleSweep(400_000, batches=16)], ids=lambda e: type(e).__name__
)
def test_sampled_gradients_lie_within_their_errors(estimator):
    found = gradient_of(estimator, asymmetric(), OBSERVABLE, VALUES, key=shifted(2))
    extra = found.metadata[0]
    off = np.abs(found.gradients[0] - qiskits(asymmetric(), OBSERVABLE, VALUES)) - extra["bias_bound"]
    # 15 batches give 15 degrees of freedom: 15 standard errors; the gradients are about 1, and the errors 0.1 at most.
    assert np.all(off < student(15, count=3) * np.sqrt(extra["variance"]))
    assert np.all(extra["variance"] > 0)
    assert extra["cost"].copies > 0


@pytest.mark.parametrize("estimator", [qg.Adjoint(), qg.ParameterShift()], ids=lambda e: type(e).__name__)
def test_chosen_parameters_come_in_the_order_in_which_they_are_asked_for(estimator):
    whole = qiskits(asymmetric(), OBSERVABLE, VALUES)
    for chosen, places in (([C, A], [2, 0]), ([B], [1]), ([A, B, C], [0, 1, 2]), ([], [])):
        found = gradient_of(estimator, asymmetric(), OBSERVABLE, VALUES, chosen)
        np.testing.assert_allclose(found.gradients[0], whole[places], atol=1e-11)
        assert found.metadata[0]["parameters"] == chosen


def test_shifts_of_parameters_that_nobody_asks_for_are_not_paid():
    hardware = Recorder(qg.Statevector(), Access.single_copy)
    gradient_of(qg.ParameterShift(shots=10), asymmetric(), OBSERVABLE, VALUES, [C], backend=hardware, key=0)
    (query,) = hardware.queries  # all shifts of a circuit are one question
    assert isinstance(query, Evaluate)
    assert len(query.angles) == 1 + 2 * 2  # the value, and two shifts of the two gates that C drives


def test_several_circuits_and_points_are_one_run():
    other = QuantumCircuit(1)
    other.ry(3 * A, 0)
    z = SparsePauliOp("Z")
    job = EstimatorGradient(qg.Adjoint()).run([other, asymmetric(), other], [z, OBSERVABLE, z], [[0.1], VALUES, [0.2]])
    found = job.result().gradients
    np.testing.assert_allclose(found[0], [-3 * np.sin(0.3)], atol=1e-12)
    np.testing.assert_allclose(found[1], qiskits(asymmetric(), OBSERVABLE, VALUES), atol=1e-11)
    np.testing.assert_allclose(found[2], [-3 * np.sin(0.6)], atol=1e-12)


@pytest.mark.parametrize("kind", DerivativeType)
def test_every_derivative_type_is_qiskits(kind):
    found = gradient_of(qg.Adjoint(), asymmetric(), OBSERVABLE, VALUES, [C, A, B], derivative_type=kind)
    linear = LinCombEstimatorGradient(StatevectorEstimator(), derivative_type=kind)
    expected = linear.run([asymmetric()], [OBSERVABLE], [VALUES], [[C, A, B]]).result().gradients[0]
    np.testing.assert_allclose(found.gradients[0], expected, atol=1e-11)
    assert np.iscomplexobj(found.gradients[0]) == (kind is DerivativeType.COMPLEX)


def test_keys_draw_anew_in_every_entry_and_run_and_repeat_with_the_seed():
    def drawn():
        gradient = EstimatorGradient(qg.ParameterShift(shots=50), key=5)
        runs = [gradient.run([asymmetric()] * 2, [OBSERVABLE] * 2, [VALUES] * 2).result().gradients for _ in range(2)]
        return np.array(runs).reshape(4, 3)

    first = drawn()
    assert len(np.unique(first, axis=0)) == 4
    np.testing.assert_array_equal(drawn(), first)


def test_every_run_is_charged_under_the_name_of_its_method():
    with qg.Tracker() as spent:
        job = EstimatorGradient(qg.ParameterShift(shots=50), key=0).run([asymmetric()], [OBSERVABLE], [VALUES])
    assert spent.by_estimator["ParameterShift"].copies == job.result().metadata[0]["cost"].copies > 0


# What is refused


def test_wrong_arguments_are_refused_by_name():
    with pytest.raises(TypeError, match=r"estimator is .*that is a primitive.*backend=") as refused:
        EstimatorGradient(StatevectorEstimator())
    assert "ParameterShift" in str(refused.value)
    with pytest.raises(TypeError, match=r"estimator is <class .*give a qcgrad estimator object"):
        EstimatorGradient(qg.Adjoint)
    with pytest.raises(TypeError, match=r"backend is .*give a qcgrad backend"):
        EstimatorGradient(qg.Adjoint(), StatevectorEstimator)
    with pytest.raises(TypeError, match="key is"):
        EstimatorGradient(qg.Adjoint(), key=1.5)


def test_a_precision_and_options_are_refused_where_they_would_not_be_heeded():
    run = [asymmetric()], [OBSERVABLE], [VALUES]
    sampled = EstimatorGradient(qg.ParameterShift(shots=10), key=0)
    with pytest.raises(ValueError, match=r"precision is 0.1: the errors of ParameterShift"):
        sampled.run(*run, precision=0.1)
    sampled.precision = 0.2
    with pytest.raises(ValueError, match=r"precision is 0.2"):
        sampled.run(*run)
    EstimatorGradient(qg.Adjoint()).run(*run, precision=0.1).result()  # an exact gradient meets any
    with pytest.raises(ValueError, match=r"options are \{'shots': 5\}"):
        MachineLearningGradient(qg.Adjoint()).run(*run, shots=5)


def test_parameters_that_a_circuit_does_not_have_are_named():
    for base in (EstimatorGradient(qg.Adjoint()), MachineLearningGradient(qg.Adjoint())):
        with pytest.raises(ValueError, match=r"parameters\[0\] names d, which the circuit does not have.*a, b, c"):
            base.run([asymmetric()], [OBSERVABLE], [VALUES], [[A, Parameter("d")]])
    with pytest.raises(ValueError, match=r"parameters\[0\] names d"):
        TangentQGT().run([asymmetric()], [VALUES], [[Parameter("d")]])


def test_values_and_observables_that_do_not_fit_are_refused():
    gradient = EstimatorGradient(qg.Adjoint())
    with pytest.raises(ValueError, match=r"number of values \(2\)"):
        gradient.run([asymmetric()], [OBSERVABLE], [[0.1, 0.2]])
    with pytest.raises(ValueError, match="number of qubits"):
        gradient.run([asymmetric()], [SparsePauliOp("Z")], [VALUES])
    with pytest.raises(qg.ImportRefused, match="not Hermitian"):
        gradient.run([asymmetric()], [SparsePauliOp("XYZ", 1j)], [VALUES]).result()
    with pytest.raises(ValueError, match="params holds nan"):
        gradient.run([asymmetric()], [OBSERVABLE], [[0.1, np.nan, 0.2]]).result()


def test_imaginary_derivatives_by_sampling_and_of_global_phases_are_refused():
    with pytest.raises(qg.NotApplicable, match=r"ParameterShift estimates real derivatives.*Adjoint"):
        gradient_of(qg.ParameterShift(), asymmetric(), OBSERVABLE, VALUES, derivative_type=DerivativeType.IMAG)
    phased = asymmetric()
    phased.global_phase = A
    real = gradient_of(qg.Adjoint(), phased, OBSERVABLE, VALUES).gradients[0]
    np.testing.assert_allclose(real, qiskits(asymmetric(), OBSERVABLE, VALUES), atol=1e-11)
    with pytest.raises(qg.NotApplicable, match="global phase"):
        gradient_of(qg.Adjoint(), phased, OBSERVABLE, VALUES, derivative_type=DerivativeType.COMPLEX)
    with pytest.raises(qg.NotApplicable, match="phase_fix=False"):
        TangentQGT(phase_fix=False).run([phased], [VALUES]).result()


def test_a_backend_that_shows_no_amplitudes_refuses_a_sweep_by_name():
    hardware = Recorder(qg.Statevector(), Access.single_copy)
    with pytest.raises(qg.AccessError, match="AdjointSweep needs white_box"):
        gradient_of(qg.Adjoint(), asymmetric(), OBSERVABLE, VALUES, backend=hardware)
    with pytest.raises(qg.AccessError, match="PointerSweep needs multi_copy"):
        gradient_of(qg.GentleSweep(1000), asymmetric(), OBSERVABLE, VALUES, backend=hardware, key=0)


# Metrics


@pytest.mark.parametrize("phase_fix", [True, False])
@pytest.mark.parametrize("kind", DerivativeType)
def test_geometric_tensors_are_qiskits(phase_fix, kind):
    found = TangentQGT(phase_fix, kind).run([asymmetric()], [VALUES], [[C, A, B]]).result().qgts[0]
    linear = LinCombQGT(StatevectorEstimator(), phase_fix, kind)
    expected = linear.run([asymmetric()], [VALUES], [[C, A, B]]).result().qgts[0]
    np.testing.assert_allclose(found, expected, atol=1e-11)
    # The copy of the base class in qiskit-machine-learning has another type of derivative, of the same names.
    other = MachineLearningQGT(phase_fix).run([asymmetric()], [VALUES], [[C, A, B]]).result().qgts[0]
    part = {"real": np.real, "imag": np.imag, "complex": np.asarray}[kind.value]
    np.testing.assert_allclose(part(other), found, atol=1e-15)


def test_the_fisher_information_is_four_times_the_metric_of_qiskits_reverse_mode():
    circuit = real_amplitudes(3, reps=1)
    values = np.random.default_rng(2).normal(size=circuit.num_parameters)
    found = QFI(TangentQGT()).run(circuit, [values]).result().qfis[0]
    expected = ReverseQGT().run([circuit], [values]).result().qgts[0]
    np.testing.assert_allclose(found, 4 * expected.real, atol=1e-9)


# What trains with them

ISING = SparsePauliOp(["ZZI", "IZZ", "XII", "IXI", "IIX"], [-1, -1, -0.6, -0.6, -0.6])
# What SciPy and Qiskit's optimisers say to each other.
TRAINING = pytest.mark.filterwarnings("ignore::DeprecationWarning")
GROUND = float(np.linalg.eigvalsh(ISING.to_matrix())[0])


@TRAINING
def test_vqe_finds_the_ground_state():
    ansatz = real_amplitudes(3, reps=2)
    vqe = VQE(
        QcgradEstimator(), ansatz, L_BFGS_B(maxiter=100), gradient=EstimatorGradient(qg.Adjoint()),
        initial_point=np.full(ansatz.num_parameters, 0.3),
    )  # fmt: skip
    with qg.Tracker() as spent:
        found = vqe.compute_minimum_eigenvalue(ISING)
    np.testing.assert_allclose(found.eigenvalue, GROUND, atol=1e-3)
    assert set(spent.by_estimator) == {"QcgradEstimator", "Adjoint"}


@TRAINING
def test_vqe_descends_with_sampled_gradients():
    """From an energy of 1.7, while a gradient's standard error is about 0.1."""
    ansatz = real_amplitudes(3, reps=1)
    start = np.full(ansatz.num_parameters, -1.0)
    gradient = EstimatorGradient(qg.ParameterShift(shots=500), key=3)
    estimator = QcgradEstimator(default_precision=0.05, seed=4)
    vqe = VQE(estimator, ansatz, GradientDescent(15, 0.1), gradient=gradient, initial_point=start)
    end = vqe.compute_minimum_eigenvalue(ISING).optimal_point
    before, after = (QcgradEstimator().run([(ansatz, ISING, x)]).result()[0].data.evs for x in (start, end))
    assert after < before - 1


@TRAINING
def test_qaoa_finds_the_best_cut_with_our_sampler():
    """Of a path of three nodes: the middle one against the others."""
    qaoa = QAOA(QcgradSampler(default_shots=500, seed=1), COBYLA(maxiter=20), reps=1, initial_point=[0.6, 0.4])
    found = qaoa.compute_minimum_eigenvalue(SparsePauliOp(["ZZI", "IZZ"], [1.0, 1.0]))
    assert found.best_measurement["bitstring"] in ("010", "101")


@TRAINING
def test_qaoas_energy_descends_along_our_gradient():
    """The ansatz shares each of its two parameters between many gates."""
    from qiskit.circuit.library import qaoa_ansatz

    ansatz = qaoa_ansatz(SparsePauliOp(["ZZI", "IZZ"], [1.0, 0.5]), reps=1)
    cost = SparsePauliOp(["ZZI", "IZZ"], [1.0, 0.5])
    vqe = VQE(QcgradEstimator(), ansatz, L_BFGS_B(maxiter=30), gradient=EstimatorGradient(qg.Adjoint()),
              initial_point=[0.6, 0.4])  # fmt: skip
    found = vqe.compute_minimum_eigenvalue(cost)
    slope = gradient_of(qg.Adjoint(), ansatz, cost, found.optimal_point).gradients[0]
    assert found.eigenvalue < -1.0
    np.testing.assert_allclose(slope, 0, atol=1e-3)


@pytest.mark.parametrize("principle", [ImaginaryMcLachlanPrinciple, RealMcLachlanPrinciple], ids=["VarQITE", "VarQRTE"])
@pytest.mark.filterwarnings("ignore:A gradient instance with a setting:UserWarning")
def test_variational_dynamics_are_those_of_qiskits_own_gradients(principle):
    ansatz = efficient_su2(2, reps=1)
    hamiltonian = SparsePauliOp(["ZI", "IZ", "XX"], [0.4, -0.3, 0.8])
    start = np.linspace(-0.4, 0.9, 8)
    evolver = VarQITE if principle is ImaginaryMcLachlanPrinciple else VarQRTE
    kind = DerivativeType.REAL if evolver is VarQITE else DerivativeType.IMAG
    ours = principle(TangentQGT(), EstimatorGradient(qg.Adjoint(), derivative_type=kind))
    theirs = principle(
        LinCombQGT(StatevectorEstimator()), LinCombEstimatorGradient(StatevectorEstimator(), derivative_type=kind)
    )
    ends = []
    for chosen in (ours, theirs):
        problem = TimeEvolutionProblem(hamiltonian, time=0.1)
        evolution = evolver(ansatz, start, chosen, num_timesteps=3)
        ends.append(evolution.evolve(problem).parameter_values[-1])
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-8)
    assert np.abs(ends[0] - start).max() > 1e-3


def network(gradient, **options):
    x, weights = [Parameter("x0"), Parameter("x1")], [Parameter("w0"), Parameter("w1"), Parameter("w2")]
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.ry(x[1] * weights[2], 1)
    circuit.rx(weights[0], 0)
    circuit.cx(0, 1)
    circuit.ry(weights[1] - x[0], 1)
    observables = [SparsePauliOp("ZI"), SparsePauliOp(["XZ", "IZ"], [0.5, 1.0])]
    return EstimatorQNN(
        circuit=circuit, estimator=QcgradEstimator(), observables=observables, input_params=x, weight_params=weights,
        gradient=gradient, default_precision=0.0, **options,
    )  # fmt: skip


@pytest.mark.parametrize("input_gradients", [False, True])
def test_a_network_has_the_derivatives_of_qiskits_own_gradient(input_gradients):
    data = np.random.default_rng(3).normal(size=(4, 2))
    weights = np.array([0.2, -0.5, 1.3])
    ours = network(MachineLearningGradient(qg.Adjoint()), input_gradients=input_gradients)
    theirs = network(LearningParamShift(StatevectorEstimator()), input_gradients=input_gradients)
    assert ours.forward(data, weights).shape == (4, 2)
    for found, expected in zip(ours.backward(data, weights), theirs.backward(data, weights), strict=True):
        assert (found is None) == (expected is None)
        if found is not None:
            np.testing.assert_allclose(found, expected, atol=1e-10)


def test_a_torch_model_around_a_network_trains():
    torch = pytest.importorskip("torch")
    from qiskit_machine_learning.connectors import TorchConnector

    torch.manual_seed(0)
    data = torch.tensor(np.random.default_rng(4).normal(size=(6, 2)), dtype=torch.float32)
    target = torch.sin(data[:, :1])
    model = torch.nn.Sequential(
        TorchConnector(network(MachineLearningGradient(qg.Adjoint()), input_gradients=True), [0.1, 0.2, 0.3]),
        torch.nn.Linear(2, 1),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = torch.mean((model(data) - target) ** 2)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
