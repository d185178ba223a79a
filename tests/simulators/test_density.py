"""The density-matrix simulator against Aer, default.mixed, dense channels, and its own state vector without noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.basis_change import basis_change
from qcgrad.ir.noise.noisy_circuit import ChannelStep, noisy
from qcgrad.ir.stabilizers import random_stabilizer_bases
from qcgrad.queries import BellSample, Evaluate, MeasureBases, RandomizedMeasure
from qcgrad.simulators.density._measured import outcome_of
from qcgrad.testing import check_backend
from qcgrad.testing._cases import circuits, wrong_numbers
from tests import dense
from theory.statistics import assert_frequencies, key, normal

CIRCUIT = (
    qg.Circuit(3).h(0).ry(1, param=0).cy(2, 1).cp(0, 2, param=1).y(0).pauli_rot("XY", (2, 0), param=0, scale=-2.0)
    .evolution(qg.PauliSum("ZX + 0.3*XZ"), (2, 1), param=1).swap(0, 1).unitary([[0.6, 0.8j], [0.8j, 0.6]], [2])
    .crx(1, 0, param=1, offset=0.2).rzz(0, 2, 0.4).cx(2, 0)
)  # fmt: skip
PARAMS = np.array([0.4, -0.9])
CHANNELS = (
    qg.NoiseModel()
    .add(qg.ThermalRelaxation(5.0, 7.0, 0.5, 0.1))
    .add(qg.Depolarizing(0.05, 2))
    .add(qg.AmplitudeDamping(0.1), ["cx", "cy"], qubits=[0, 2], when="before")
    .add_idle(qg.PhaseDamping(0.02), qubits=1)
)
READOUT = CHANNELS.add_readout(qg.ReadoutError(0.02, 0.05)).add_readout(qg.ReadoutError(0.1), 1)
OBJECTIVE = qg.Expectation(CIRCUIT, ["ZXI + 0.5*IIZ", {"YYY": 1.0, "III": 0.25}])


def spread(matrix, wires):
    """A matrix on some of three qubits as one on all."""
    columns = [dense.apply(column.reshape(2, 2, 2), matrix, wires).ravel() for column in np.eye(8, dtype=complex)]
    return np.array(columns).T


def reference(circuit, params, noise):
    """The density matrix, gate by gate and Kraus operator by Kraus operator."""
    rho = np.zeros((8, 8), complex)
    rho[0, 0] = 1
    for step in noisy(circuit, noise).steps:
        if isinstance(step, ChannelStep):
            kraus = [spread(k, step.wires) for k in step.channel.operators]
        else:
            gate = step.gate
            angle = gate.offset if gate.param is None else gate.scale * params[gate.param] + gate.offset
            kraus = [spread(dense.gate_matrix(gate, step.factor * angle + step.shift), gate.wires)]
        rho = sum(k @ rho @ k.conj().T for k in kraus)
    return rho


def test_density_matrices_are_right_gate_by_gate_and_channel_by_channel():
    found = qg.DensityMatrix(CHANNELS).matrix(CIRCUIT, PARAMS)
    np.testing.assert_allclose(found, reference(CIRCUIT, PARAMS, CHANNELS), atol=1e-13)


@pytest.mark.parametrize("name", ["x", "y", "s", "cx", "cy", "csx", "ccz", "rx", "crz", "cp"])
def test_over_rotations_turn_gates_further(name):
    """A fixed gate is its primitive's turn; (1 + 0.1) pi + 0.2 is what is left of an X, up to the phase."""
    from qcgrad.ir.gates import GATES

    spec = GATES[name]
    noise = qg.NoiseModel().add(qg.OverRotation(0.1, 0.2), name)
    gate = qg.Gate(name, tuple(range(spec.num_wires)), None, 1.0, 0.7 if spec.has_angle else 0.0)
    base = qg.Circuit(3).h(0).h(1).ry(2, 0.3)
    (primitive,) = spec.primitives
    turn = 1.1 * (0.7 if spec.has_angle else primitive.offset) + 0.2
    string = dense.word_matrix(primitive.letters)
    local = dense.expm(-0.5j * turn * (string - primitive.kappa * np.eye(len(string))))
    matrix = dense.controlled(local, len(primitive.controls)) if primitive.controls else local
    psi = dense.apply(dense.state(base).reshape(2, 2, 2), matrix, gate.wires).ravel()
    found = qg.DensityMatrix(noise).matrix(base.add(gate), [])
    np.testing.assert_allclose(found, np.outer(psi, psi.conj()), atol=1e-13)


def test_without_noise_every_answer_is_the_state_vectors():
    """Values and gradients of all kinds of gates; fidelity and bias are those of a perfect device."""
    for case in circuits():
        found = qg.estimate(case.objective, case.params, qg.ParameterShift(), qg.DensityMatrix(qg.NoiseModel()))
        assert wrong_numbers(case, found) is None
        assert found.fidelity == "exact"
        assert not np.any(found.bias_bound)


def test_exact_values_are_means_of_what_is_read():
    """<P> of misread qubits: each letter becomes alpha + beta P, with alpha and beta of its confusion matrix."""
    found = qg.DensityMatrix(READOUT).answer(Evaluate(OBJECTIVE.program, OBJECTIVE.coordinates(PARAMS)[None]), None)
    rho = reference(CIRCUIT, PARAMS, READOUT)
    errors = noisy(CIRCUIT, READOUT).readout
    expected = []
    for terms in ({"ZXI": 1.0, "IIZ": 0.5}, {"YYY": 1.0}):
        total = 0.0
        for word, c in terms.items():
            operator = np.eye(1)
            for letter, error in zip(word, errors, strict=True):
                up, down = error.one_given_zero, error.zero_given_one
                single = (down - up) * np.eye(2) + (1 - up - down) * dense.PAULIS[letter]
                operator = np.kron(operator, np.eye(2) if letter == "I" else single)
            total += c * np.trace(operator @ rho).real
        expected.append(total)
    np.testing.assert_allclose(found.mean[0], [expected[0], expected[1] + 0.25], atol=1e-13)


def test_biases_are_the_distance_to_the_noiseless_values_and_bound_those_of_gradients():
    e = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), qg.DensityMatrix(READOUT))
    right = qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint())
    bias = qg.noise_bias(OBJECTIVE, PARAMS, READOUT)
    assert e.fidelity == "noisy"
    np.testing.assert_allclose(e.value_bias_bound, np.abs(e.value - right.value), atol=1e-12)
    np.testing.assert_allclose(bias.gradient, e.gradient - right.gradient, atol=1e-12)
    np.testing.assert_allclose(bias.value, e.value - right.value, atol=1e-12)
    assert np.all(np.abs(bias.gradient) <= e.bias_bound + 1e-12)
    assert not np.any(np.asarray(qg.noise_bias(OBJECTIVE, PARAMS, qg.NoiseModel()).value) > 1e-12)


def test_the_shift_rule_is_the_derivative_of_the_noisy_value_unless_noise_changes_its_frequency():
    """One RY on |0>, read in Z: cos(t) without noise, and cos(1.2 t) where it turns a fifth too far."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    damped = qg.DensityMatrix(qg.NoiseModel().add(qg.AmplitudeDamping(0.19)))
    e = qg.estimate(objective, [0.5], qg.ParameterShift(), damped)
    np.testing.assert_allclose([e.value, e.gradient[0]], [0.19 + 0.81 * np.cos(0.5), -0.81 * np.sin(0.5)], atol=1e-12)
    turned = qg.DensityMatrix(qg.NoiseModel().add(qg.OverRotation(0.2)))
    e = qg.estimate(objective, [0.5], qg.ParameterShift(), turned)
    shifted = (np.cos(1.2 * (0.5 + np.pi / 2)) - np.cos(1.2 * (0.5 - np.pi / 2))) / 2
    np.testing.assert_allclose([e.value, e.gradient[0]], [np.cos(0.6), shifted], atol=1e-12)


def test_values_are_traced_batched_and_differentiated():
    f = qg.as_jax(OBJECTIVE, qg.ParameterShift(), qg.DensityMatrix(READOUT))
    points = jnp.stack([PARAMS, 2 * PARAMS])
    one_by_one = [qg.estimate(OBJECTIVE, p, qg.ParameterShift(), qg.DensityMatrix(READOUT)) for p in points]
    np.testing.assert_allclose(jax.jit(jax.vmap(f))(points), [e.value for e in one_by_one], atol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.jacobian(f))(points[0]), one_by_one[0].gradient, atol=1e-12)


def test_costs_do_not_depend_on_noise():
    for shots in (None, 100):
        method = qg.ParameterShift(shots=shots)
        costs = [
            qg.estimate(OBJECTIVE, PARAMS, method, backend, key=0).cost
            for backend in (qg.Statevector(), qg.DensityMatrix(READOUT))
        ]
        assert costs[0] == costs[1] == qg.predict_cost(OBJECTIVE, method)


def test_what_does_not_fit_is_refused_before_it_is_allocated():
    wide = qg.Circuit(20).ry(0, param=0)
    for qubit in range(19):
        wide = wide.cx(qubit, qubit + 1)
    narrow = qg.Expectation(wide, "Z" + 19 * "I")
    noise = qg.DensityMatrix(CHANNELS, max_bytes=1 << 20)
    assert qg.estimate(narrow, [0.1], qg.ParameterShift(), noise).result == "ok"
    with pytest.raises(qg.StateTooLarge, match=r"20 qubits have to be simulated: a density matrix .*qcgrad.Traj"):
        qg.estimate(qg.Expectation(wide, 19 * "I" + "Z"), [0.1], qg.ParameterShift(), noise)


def test_circuits_without_gates_angles_or_strings_have_values():
    noise = qg.DensityMatrix(qg.NoiseModel().add_idle(qg.Depolarizing(0.1)).add_readout(qg.ReadoutError(0.1)))
    empty = qg.Expectation(qg.Circuit(2), "ZI").program
    assert noise.answer(Evaluate(empty, np.zeros((1, 0))), None).mean[0, 0] == pytest.approx(0.8)
    constant = qg.Expectation(qg.Circuit(2).ry(0, param=0), "2*II")
    for shots in (None, 1):
        e = qg.estimate(constant, [0.3], qg.ParameterShift(shots=shots), noise, key=0)
        assert (e.value, e.gradient[0]) == (2.0, 0.0)


def test_sweeps_over_coherent_copies_are_refused_by_name():
    with pytest.raises(qg.UnsupportedQuery, match=r"GentleSweep: backend DensityMatrix does not answer PointerSweep"):
        qg.estimate(qg.Expectation(CIRCUIT, "ZII"), PARAMS, qg.GentleSweep(100, 1.0), qg.DensityMatrix(CHANNELS), key=0)


def test_outcomes_of_all_qubits_are_found_from_those_of_strings():
    """What errors of reading act on, behind the change of any stabilizer basis."""
    x, z = random_stabilizer_bases(4, 30, np.random.default_rng(0))
    for basis in zip(x, z, strict=True):
        change = basis_change(*basis, 4)
        for bits in (0, 5, 15):
            found = change.bits(np.array([outcome_of(change, bits)]))[0]
            assert found @ (1 << np.arange(4)) == bits


@pytest.mark.statistical
def test_every_single_copy_method_of_a_common_state_runs_with_noise():
    """Derivatives of a pool by DirectPauli and by shadows, within 7 reported standard errors of the noisy ones."""
    circuit = qg.Circuit(2).ry(0, param=0, scale=2.0).cx(0, 1).rx(1, param=1)
    pool = qg.OperatorPool(circuit, "ZI + 0.5*XX", ["YI", "XZ", "IX"])
    noise = qg.NoiseModel().add(qg.ThermalRelaxation(5.0, 7.0, 1.5, 0.2), ["ry", "cx", "rx"])
    backend, params = qg.DensityMatrix(noise), np.array([0.3, 0.8])
    exact = qg.estimate(pool, params, qg.ParameterShift(), backend).gradient
    for method in (qg.DirectPauli(20_000), qg.LocalShadow(20_000), qg.CliffordShadow(2000)):
        e = qg.estimate(pool, params, method, backend, key=key(6))
        assert np.all(np.abs(e.gradient - exact) < normal(9) * e.standard_error + 1e-12)
        assert e.fidelity == "noisy"
        assert np.isnan(e.bias_bound).all()


@pytest.mark.statistical
def test_shots_have_the_distribution_of_what_is_read():
    """20000 shots in one basis: the frequencies of -1 and 1 of one string."""
    objective = qg.Expectation(CIRCUIT, "ZXI")
    query = Evaluate(objective.program, objective.coordinates(PARAMS)[None], 20_000)
    backend = qg.DensityMatrix(READOUT)
    found = backend.answer(query, key(1))
    exact = backend.answer(Evaluate(query.program, query.angles), None).mean[0, 0]
    ones = round(20_000 * (1 - float(found.mean[0, 0])) / 2)
    assert_frequencies([20_000 - ones, ones], [(1 + exact) / 2, (1 - exact) / 2])
    assert found.variance[0, 0] == pytest.approx((1 - found.mean[0, 0] ** 2) / 19_999)


@pytest.mark.statistical
def test_stabilizer_bases_random_bases_and_bell_pairs_are_read_with_errors():
    """Counts of XXI with ZZI; one qubit's readings, within 6.1 standard errors of 1/sqrt(N), about 0.08."""
    backend, program = qg.DensityMatrix(READOUT), OBJECTIVE.program
    angles, shots = OBJECTIVE.coordinates(PARAMS), 20_000
    rho = reference(CIRCUIT, PARAMS, READOUT)
    errors = noisy(CIRCUIT, READOUT).readout
    x, z = np.array([[0b110, 0]]), np.array([[0, 0b110]])
    counts = backend.answer(MeasureBases(program, angles, x, z, np.array([shots])), key(2)).counts[0]
    # CZ and H turn the Bell basis into the computational one; confusion acts there.
    cz, h = np.diag([1, 1, 1, -1]), dense.FIXED["h"]
    change = spread(h, (0,)) @ spread(h, (1,)) @ spread(cz, (0, 1)) @ spread(h, (1,))
    p = np.diagonal(change @ rho @ change.conj().T).real.reshape(2, 2, 2)
    for q, error in enumerate(errors):
        p = np.moveaxis(np.tensordot(p, error.confusion, (q, 0)), -1, q)
    p = p.sum(axis=2)
    assert_frequencies(counts, [p[0, 0], p[1, 0], p[0, 1], p[1, 1]])
    snapshots = backend.answer(RandomizedMeasure(program, angles, "local", shots), key(3))
    chosen = snapshots.z[:, 0] & ~snapshots.x[:, 0] > 0
    bits = snapshots.bits[chosen] & 1
    up, down = errors[0].one_given_zero, errors[0].zero_given_one
    exact = (down - up) + (1 - up - down) * np.trace(spread(dense.PAULIS["Z"], (0,)) @ rho).real
    assert abs(np.mean(1 - 2 * bits) - exact) < normal() / np.sqrt(chosen.sum())
    pairs = backend.answer(BellSample(program, angles, shots), key(4))
    signs = 1 - 2 * (np.bitwise_count(pairs.x & 0b100) & 1).astype(int)
    confusion = errors[0].confusion
    mean = np.trace(spread(dense.PAULIS["Z"], (0,)) @ rho).real ** 2
    read = np.array([(1 + mean) / 2, (1 - mean) / 2]) @ confusion
    assert abs(signs.mean() - (read[0] - read[1])) < normal() / np.sqrt(shots)


@pytest.mark.slow
@pytest.mark.parametrize("backend", [qg.DensityMatrix, qg.Trajectories])
def test_without_noise_all_answers_are_those_of_a_perfect_device(backend):
    kinds = check_backend(backend(qg.NoiseModel()), key(7))
    assert set(kinds) == {"Evaluate", "MeasureBases", "RandomizedMeasure"}
