"""Trajectories against the density matrix that they unravel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.noise.noisy_circuit import noisy
from qcgrad.queries import Evaluate, MeasureBases, RandomizedMeasure
from qcgrad.simulators.trajectories._drawn import DrawnErrors
from qcgrad.simulators.trajectories._jumps import Jumps
from qcgrad.simulators.trajectories._native_jumps import NativeJumps
from qcgrad.simulators.trajectories._prepared import prepared
from qcgrad.testing import check_backend
from theory.statistics import assert_frequencies, bernstein, key, normal

CIRCUIT = (
    qg.Circuit(3).h(0).ry(1, param=0).cy(2, 1).cp(0, 2, param=1).pauli_rot("XYZ", (2, 0, 1), param=0, scale=-2.0)
    .evolution(qg.PauliSum("ZX + 0.3*XZ"), (2, 1), param=1).unitary([[0.6, 0.8j], [0.8j, 0.6]], [2])
    .crx(1, 0, param=1, offset=0.2).cx(2, 0)
)  # fmt: skip
PARAMS = np.array([0.4, -0.9])
OBJECTIVE = qg.Expectation(CIRCUIT, ["ZXI + 0.5*IIZ", {"YYY": 1.0, "III": 0.25}])
PAULI = (
    qg.NoiseModel()
    .add(qg.Depolarizing(0.1, 2))
    .add(qg.PhaseDamping(0.1), qubits=[0, 2])
    .add(qg.PauliChannel({"XYZ": 0.3}))
    .add(qg.OverRotation(0.1, 0.05), ["cy", "pauli_rot", "crx", "evolution"])
    .add_readout(qg.ReadoutError(0.02, 0.05))
)
ANY = (
    qg.NoiseModel()
    .add(qg.ThermalRelaxation(5.0, 7.0, 1.5, 0.2))
    .add(qg.Depolarizing(0.1, 2))
    .add_idle(qg.AmplitudeDamping(0.2))
    .add_readout(qg.ReadoutError(0.02, 0.05))
)
KINDS = pytest.mark.parametrize("noise", [PAULI, ANY], ids=["pauli", "any"])


def test_errors_are_drawn_ahead_where_no_state_decides_them():
    assert isinstance(prepared(noisy(CIRCUIT, PAULI), np.dtype(float)), DrawnErrors)
    assert isinstance(prepared(noisy(CIRCUIT, ANY), np.dtype(float)), Jumps | NativeJumps)


@pytest.mark.statistical
@KINDS
def test_outcomes_have_exactly_the_distribution_of_the_density_matrix(noise):
    """All 8 outcomes of all qubits in one basis, 2048 shots: a relative entropy of 0.04 would be found."""
    program = qg.Expectation(CIRCUIT, "ZZZ").program
    angles, shots = OBJECTIVE.coordinates(PARAMS), 2048
    x, z = np.zeros((1, 3), np.int64), np.array([[4, 2, 1]])
    query = MeasureBases(program, angles, x, z, np.array([shots]))
    counts = qg.Trajectories(noise).answer(query, key(0)).counts[0]
    rho = np.asarray(qg.DensityMatrix(noise).matrix(CIRCUIT, PARAMS))
    p = np.real(np.diagonal(rho)).reshape(2, 2, 2)
    confusion = qg.ReadoutError(0.02, 0.05).confusion
    p = np.einsum("abc,ai,bj,ck->kji", p, confusion, confusion, confusion)  # bit i of a count belongs to string i
    assert_frequencies(counts, p)


@pytest.mark.statistical
@KINDS
def test_means_and_gradients_are_those_of_the_density_matrix(noise):
    """Within 6.2 standard errors of 1024 shots, about 0.2."""
    exact = qg.DensityMatrix(noise).answer(Evaluate(OBJECTIVE.program, OBJECTIVE.coordinates(PARAMS)[None]), None)
    query = Evaluate(OBJECTIVE.program, OBJECTIVE.coordinates(PARAMS)[None], 1024)
    found = qg.Trajectories(noise).answer(query, key(1))
    assert np.all(np.abs(found.mean - exact.mean) < normal(2) * np.sqrt(found.variance))
    assert np.all(found.variance > 0)
    assert found.bias is None


@pytest.mark.statistical
def test_fewer_trajectories_than_shots_have_variances_of_their_own():
    """GHZ-like: a bit flip in half of the runs, then a fixed outcome. 20 runs of 50 shots are worth 20 shots, not 1000.

    The mean of 20 coins has variance 1/20, and so says the mean of the reported variances of 200 keys, to 0.02.
    """
    objective = qg.Expectation(qg.Circuit(1).rx(0, param=0), "Z")
    noise = qg.NoiseModel().add(qg.PauliChannel({"X": 0.5}))
    query = Evaluate(objective.program, np.zeros((200, 1)), 1000)
    found = qg.Trajectories(noise, trajectories=20).answer(query, key(2))
    assert abs(found.variance.mean() - 1 / 20) < bernstein(1e-4, 0.06, 200)
    assert abs(found.mean.mean()) < normal() * np.sqrt(1 / 20 / 200)
    single = qg.Trajectories(noise, trajectories=1).answer(Evaluate(objective.program, np.zeros((1, 1)), 10), key(3))
    assert np.isnan(single.variance).all()


@pytest.mark.statistical
@KINDS
def test_random_bases_give_the_strings_of_the_density_matrix(noise):
    """ZXI from the snapshots that hit it, without errors of reading: a ninth of 2048, so within 0.4."""
    noise = qg.NoiseModel(noise.gates, noise.idle)
    rho = np.asarray(qg.DensityMatrix(noise).matrix(CIRCUIT, PARAMS))
    exact = np.trace(qg.PauliSum("ZXI").matrix() @ rho).real
    program, angles = OBJECTIVE.program, OBJECTIVE.coordinates(PARAMS)
    found = qg.Trajectories(noise).answer(RandomizedMeasure(program, angles, "local", 2048), key(4))
    hit = (found.x[:, 0] == 0) & (found.z[:, 1] == 0) & (found.x[:, 1] != 0)
    signs = 1 - 2 * ((found.bits & 1) ^ (found.bits >> 1 & 1))
    assert abs(np.mean(signs[hit]) - exact) < normal() / np.sqrt(np.count_nonzero(hit))


@pytest.mark.statistical
def test_a_single_copy_method_runs_on_it_and_its_bias_is_unknown():
    e = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=512), qg.Trajectories(PAULI), key=key(5))
    exact = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), qg.DensityMatrix(PAULI))
    assert np.all(np.abs(e.gradient - exact.gradient) < normal(4) * e.standard_error)
    assert e.fidelity == "noisy"
    assert np.isnan(e.bias_bound).all()
    assert e.cost == qg.predict_cost(OBJECTIVE, qg.ParameterShift(shots=512))


def test_it_is_traced_and_batched():
    estimator, backend = qg.ParameterShift(shots=16), qg.Trajectories(PAULI)
    batched = jax.jit(jax.vmap(lambda p, k: qg.estimate(OBJECTIVE, p, estimator, backend, key=k).gradient))
    found = batched(jnp.stack([PARAMS, PARAMS]), jax.random.split(jax.random.key(0), 2))
    assert found.shape == (2, 2, 2)
    assert np.all(np.isfinite(found))
    one = qg.estimate(OBJECTIVE, PARAMS, estimator, backend, key=jax.random.split(jax.random.key(0), 2)[1])
    np.testing.assert_allclose(found[1], one.gradient, atol=1e-12)


def test_what_it_cannot_answer_is_refused_by_name():
    with pytest.raises(qg.UnsupportedQuery, match=r"does not answer exact expectation values: give the method shots"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), qg.Trajectories(PAULI))
    with pytest.raises(qg.AccessError, match="Trajectories allows single_copy"):
        qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint(), qg.Trajectories(PAULI))
    with pytest.raises(ValueError, match="trajectories=0: give a positive integer"):
        qg.Trajectories(PAULI, trajectories=0)
    with pytest.raises(TypeError, match=r"noise is None: give a qcgrad.NoiseModel"):
        qg.Trajectories(None)
    with pytest.raises(qg.StateTooLarge, match="a trajectory in complex128 takes"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=2), qg.Trajectories(PAULI, max_bytes=100), key=0)


@pytest.mark.slow
@pytest.mark.statistical
@pytest.mark.parametrize("channel", [qg.Depolarizing(0.1), qg.AmplitudeDamping(0.2)], ids=["drawn errors", "jumps"])
def test_trajectories_answer_every_query_as_the_density_matrix_with_the_same_noise(channel):
    """With noise on gates that pools do not append; twelve reported standard errors, so that none is off by chance."""
    noise = qg.NoiseModel().add(channel, ["ry", "cx", "rx"]).add_readout(qg.ReadoutError(0.05, 0.1))
    like = qg.DensityMatrix(noise)
    kinds = check_backend(qg.Trajectories(noise), key(8), like)
    assert set(kinds) == {"Evaluate", "MeasureBases", "RandomizedMeasure"}
    with pytest.raises(AssertionError, match="backend Trajectories answers Evaluate wrongly"):
        check_backend(qg.Trajectories(qg.NoiseModel()), key(8), like)
    with pytest.raises(TypeError, match="like is 'density': give a backend object with the same noise"):
        check_backend(like, key(8), "density")
