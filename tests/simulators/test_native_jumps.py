"""Quantum jumps by the native engine: against the interpreter in JAX, density matrices and state vectors."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.noise.noisy_circuit import noisy
from qcgrad.simulators.statevector import native_library
from qcgrad.simulators.trajectories._jumps import Jumps
from qcgrad.simulators.trajectories._layout import measuring_turns, padded_angles
from qcgrad.simulators.trajectories._native_jumps import native_jumps
from tests import dense
from theory.statistics import bernstein, key

if native_library.load() is None:
    pytest.skip("the native engine was not built", allow_module_level=True)

CHANNELS = (
    qg.NoiseModel()
    .add(qg.AmplitudeDamping(0.3, 0.2), ["h", "rx"])
    .add(qg.Depolarizing(0.2, 2))
    .add(qg.Kraus([[[1, 0], [0, 0.6]], [[0, 0.48], [0, 0]], [[0, 0], [0, 0.64]]]), "ry")
    .add(qg.ThermalRelaxation(5.0, 7.0, 2.0, 0.1), "crx")
    .add(qg.PauliChannel({"Y": 0.2}), "rz")
)


def states(circuit, noise, prepare, count, angles=(), dtype=np.float64, seed=0):
    """(N, 2^n) states of a circuit's trajectories, not turned."""
    program = qg.Expectation(circuit, "Z" * circuit.num_qubits).program
    found = noisy(program.circuit, noise)
    gates = np.zeros((count, padded_angles(found)), dtype)
    gates[:, : len(angles)] = angles
    turns = np.zeros((count, 2 * circuit.num_qubits), dtype)
    keys = jax.random.split(key(seed), count)
    return np.asarray(jax.jit(lambda run: run.states(gates, turns, keys))(prepare(found)))


def test_jumps_of_two_qubits_are_those_of_the_interpreter():
    """With two qubits there is one block, so that channels look at the state in the same order."""
    circuit = qg.Circuit(2).h(0).rx(1, param=0).cx(0, 1).ry(0, param=1).crx(1, 0, param=0).rz(1, 0.4).iswap(1, 0).h(1)
    circuit = circuit.unitary([[0.6, 0.8j], [0.8j, 0.6]], [1]).rx(0, 1.0).cy(1, 0).ry(1, param=2)
    angles = [0.3, -1.1, 0.3, 0.7]
    found, right = (
        states(circuit, CHANNELS, prepare, 64, angles)
        for prepare in (native_jumps, lambda circuit: Jumps(circuit, np.dtype(float)))
    )
    # Up to a phase, which differs where a controlled gate is written as strings.
    np.testing.assert_allclose(np.abs(np.sum(found.conj() * right, axis=1)), 1, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_without_noise_every_trajectory_is_the_state(dtype):
    """Strings on many qubits, controls, dense gates on neighbours and on the ends of seven qubits."""
    circuit = qg.Circuit(7).h(0).h(3).rx(6, 0.4).cx(0, 6).unitary(dense.FIXED["iswap"], (5, 6)).ry(2, param=0)
    circuit = circuit.pauli_rot("XYZZ", (6, 0, 3, 5), param=1).pauli_rot("ZZZ", (1, 2, 6), 0.3).ccx(0, 3, 4).cz(1, 2)
    circuit = circuit.cswap(0, 2, 5).crz(4, 1, 0.7).swap(1, 6)
    found = states(circuit, qg.NoiseModel(), native_jumps, 2, [0.5, -0.8], dtype)
    assert found.dtype == np.result_type(dtype, np.complex64)
    right = np.asarray(qg.Statevector().state(circuit, np.array([0.5, -0.8])))
    np.testing.assert_allclose(np.abs(found.conj() @ right), 1, atol=1e-12 if dtype == np.float64 else 1e-5)


@pytest.mark.statistical
def test_the_mean_over_trajectories_is_the_density_matrix():
    """Every entry of 32 x 32, of 4000 trajectories, to 0.07."""
    circuit = qg.Circuit(5).h(0).rx(4, 1.0).cx(0, 4).ry(2, 0.9).crx(4, 2, 1.3).rz(0, 0.4).cx(2, 1).ry(1, -0.7)
    circuit = circuit.pauli_rot("XYZ", (4, 1, 0), 0.6).h(3).cx(3, 0).rx(4, 0.5).ry(0, 0.3).cx(1, 4).h(4)
    psi = states(circuit, CHANNELS, native_jumps, 4000)
    np.testing.assert_allclose(np.linalg.norm(psi, axis=1), 1, atol=1e-12)
    difference = psi.T @ psi.conj() / len(psi) - np.asarray(qg.DensityMatrix(CHANNELS).matrix(circuit, []))
    # Real and imaginary parts are between -1/2 and 1/2 beside the diagonal, between 0 and 1 on it.
    worst = max(np.abs(difference.real).max(), np.abs(difference.imag).max())
    assert worst < bernstein(0.25, 1.0, len(psi), 2 * 32 * 32)


def test_batches_of_trajectories_are_run_as_one():
    program = qg.Expectation(qg.Circuit(2).h(0).cx(0, 1).rx(1, param=0), "ZZ").program
    jumps = native_jumps(noisy(program.circuit, CHANNELS))
    gates, turns = np.linspace(0, 1, 6).reshape(2, 3, 1) * np.ones(64), np.zeros((3, 4))
    keys = jax.random.split(key(1), (2, 3))
    run = jax.jit(lambda jumps, gates, keys: jumps.states(gates, turns, keys))
    found = jax.jit(jax.vmap(run, (None, 0, 0)))(jumps, gates, keys)
    right = [run(jumps, gates[i], keys[i]) for i in range(2)]
    np.testing.assert_allclose(found, right, atol=1e-14)


def test_damping_of_strength_one_leaves_the_ground_state_of_the_last_qubit():
    noise = qg.NoiseModel().add(qg.AmplitudeDamping(1.0), "rx", qubits=2)
    found = states(qg.Circuit(3).h(0).h(2).cx(2, 1).rx(2, 0.4), noise, native_jumps, 50)
    np.testing.assert_allclose(found.reshape(50, 4, 2)[:, :, 1], 0, atol=1e-14)


def test_a_single_qubit_is_read_in_any_basis():
    """RX(0.5) read in Y, after damping that is not there."""
    noise = qg.NoiseModel().add(qg.AmplitudeDamping(0.5), "ry")
    found = noisy(qg.Expectation(qg.Circuit(1).ry(0, 0.0).rx(0, param=0), "Y").program.circuit, noise)
    gates, turns = np.full((1, padded_angles(found)), 0.5), measuring_turns(1, 1, 1)[None]
    run, keys = native_jumps(found), jax.random.split(key(0), 1)
    psi = np.asarray(jax.jit(lambda run: run.states(gates, turns, keys))(run))
    np.testing.assert_allclose(np.abs(psi[0]) ** 2, [(1 - np.sin(0.5)) / 2, (1 + np.sin(0.5)) / 2], atol=1e-14)


def test_what_acts_on_three_qubits_is_left_to_the_interpreter():
    noise = qg.NoiseModel().add(qg.PauliChannel({"XYZ": 0.1}), "ccx").add(qg.AmplitudeDamping(0.1), "h")
    circuit = qg.Expectation(qg.Circuit(3).h(0).ccx(0, 1, 2), "ZZZ").program.circuit
    assert native_jumps(noisy(circuit, noise)) is None
    assert native_jumps(noisy(circuit, qg.NoiseModel().add(qg.AmplitudeDamping(0.1), "h"))) is not None
