"""The native engine of density matrices against the interpreter in JAX, on random circuits with every kind of noise."""

from functools import partial

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.queries import Evaluate, ShiftedSettings
from qcgrad.simulators.density import _native as native
from qcgrad.simulators.statevector import native_library

if native_library.load() is None:
    pytest.skip("the native engine was not built", allow_module_level=True)

GATES = ["h", "s", "rx", "ry", "rz", "p", "cx", "cy", "swap", "iswap", "crx", "cp", "rzz", "ccx", "ccz", "cswap"]
ANGLED = {"rx", "ry", "rz", "p", "crx", "cp", "rzz"}
KRAUS = qg.Kraus([[[1, 0], [0, 0.6]], [[0, 0.48], [0, 0]], [[0, 0], [0, 0.64]]])
EVERYTHING = (
    qg.NoiseModel()
    .add(qg.Depolarizing(0.05, 2))
    .add(qg.Depolarizing.mixing(0.02), "h")
    .add(qg.AmplitudeDamping(0.1, 0.2), ["rx", "cx"], when="before")
    .add(qg.PhaseDamping(0.07), ["ry", "swap"])
    .add(qg.ThermalRelaxation(5.0, 7.0, 0.5, 0.1), "rz", qubits=[0, 3])
    .add(qg.PauliChannel({"X": 0.02, "Y": 0.03}), "crx", qubits=3)
    .add(qg.PauliChannel({"ZX": 0.05, "YI": 0.1}), ["cp", "rzz"])
    .add(KRAUS, ["ccx", "p"])
    .add(qg.OverRotation(0.1, 0.05), ["rx", "crx", "pauli_rot"])
    .add_idle(qg.PhaseDamping(0.02))
    .add_readout(qg.ReadoutError(0.02, 0.05))
    .add_readout(qg.ReadoutError(0.1), 1)
)
STRENGTH_ONE = (
    qg.NoiseModel()
    .add(qg.Depolarizing.mixing(1.0), "h")
    .add(qg.AmplitudeDamping(1.0), "rx", qubits=3)
    .add(qg.PhaseDamping(1.0), "cx")
    .add(qg.PauliChannel({"Y": 1.0}), "rz")
)
NOISES = {"every channel": EVERYTHING, "strength one": STRENGTH_ONE, "none": qg.NoiseModel()}
WORDS = ["ZIII + 0.5*IXYZ - 0.2*IIIZ", "XXXX", {"IIII": 0.3, "IIYI": 1.0}]


def random_circuit(rng, n=4, gates=24):
    """Every kind of gate on three parameters, with scales and offsets; fixed angles; gates on three qubits."""
    circuit = qg.Circuit(n)
    for name in rng.permutation(GATES * 2)[:gates]:
        wires = tuple(map(int, rng.permutation(n)[: 3 if name in ("ccx", "ccz", "cswap") else 2]))
        if name in ("h", "s", "rx", "ry", "rz", "p"):
            wires = wires[:1]
        if name in ANGLED and rng.random() < 0.6:
            circuit = circuit.add(qg.Gate(name, wires, int(rng.integers(3)), float(rng.normal()), float(rng.normal())))
        else:
            circuit = circuit.add(qg.Gate(name, wires, None, 1.0, float(rng.normal()) if name in ANGLED else 0.0))
    matrix = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]
    return (
        circuit.unitary(matrix, (3, 1)).ry(0, param=0).pauli_rot("XYZ", (2, 0, 3), param=1, scale=-2.0).rx(3, param=2)
    )


def both(noise):
    return qg.DensityMatrix(noise), qg.DensityMatrix(noise, engine="jax")


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_matrices_values_biases_and_draws_are_those_of_the_interpreter(noise):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        objective = qg.Expectation(random_circuit(rng), WORDS)
        params = rng.normal(size=3)
        ours, theirs = both(noise)
        found, right = (backend.matrix(objective.circuit, params) for backend in (ours, theirs))
        np.testing.assert_allclose(found, right, atol=1e-12)
        angles = np.stack([objective.coordinates(scale * params) for scale in (1, -2, 0)])
        for shots in (None, (50, 1, 7)):
            query = Evaluate(objective.program, angles, shots)
            found, right = (backend.answer(query, jax.random.key(seed)) for backend in (ours, theirs))
            jax.tree.map(partial(np.testing.assert_allclose, atol=1e-12), found[:3], right[:3])


@pytest.mark.parametrize("keeps_all", [True, False], ids=["all states", "every fourth"])
def test_shifts_of_a_point_are_what_each_setting_is_on_its_own(keeps_all, monkeypatch):
    """Angles in blocks, in a string on three qubits, in several blocks, moved by nothing, and owned by none."""
    if not keeps_all:
        monkeypatch.setattr(native, "_KEPT_BYTES", 0)
    circuit = random_circuit(np.random.default_rng(5)).crx(0, 1, param=0).pauli_rot("XYZ", (3, 1, 0), param=1)
    program = qg.Expectation(circuit, WORDS).program
    point = np.random.default_rng(6).normal(size=program.num_angles)
    backend = qg.DensityMatrix(EVERYTHING)
    for owner in (np.arange(-1, len(point)), np.array([], int)):
        shifts = np.linspace(-4, 4, len(owner))
        settings = ShiftedSettings(point, owner, shifts, point[owner] + shifts)
        rows = np.asarray(settings)
        found, right = (backend.answer(Evaluate(program, angles), None) for angles in (settings, rows))
        np.testing.assert_allclose(found.mean, right.mean, atol=1e-12)
        np.testing.assert_allclose(found.bias, right.bias, atol=1e-12)


def test_an_angle_that_drives_strings_in_several_blocks_is_run_setting_by_setting():
    """A rotation with two controls is four exponentials."""
    circuit = qg.Circuit(4).h(0).h(1).add(qg.Gate("ccx", (0, 1, 2))).evolution(
        qg.PauliSum("XYZI + 0.3*ZZII + 0.2*IIZZ"), (0, 1, 2, 3), param=0
    )  # fmt: skip
    objective = qg.Expectation(circuit, "ZZXZ + ZIII")
    found, right = (qg.estimate(objective, [0.3], qg.ParameterShift(), b) for b in both(EVERYTHING))
    np.testing.assert_allclose(found.gradient, right.gradient, atol=1e-12)


def test_single_precision_is_kept():
    objective = qg.Expectation(random_circuit(np.random.default_rng(1)), WORDS)
    params = np.array([0.3, -1.1, 0.7])
    ours, theirs = both(EVERYTHING)
    single = params.astype(np.float32)
    found = qg.estimate(objective, single, qg.ParameterShift(), ours)
    right = qg.estimate(objective, params, qg.ParameterShift(), theirs)
    assert found.gradient.dtype == np.float32
    np.testing.assert_allclose(found.gradient, right.gradient, atol=2e-5)
    assert ours.matrix(objective.circuit, single).dtype == np.complex64


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_any_number_of_qubits_from_one_on_with_noise_on_the_last_one(n):
    """Only the last qubit turns; with 7 there are several tiles."""
    circuit = qg.Circuit(n).ry(n - 1, param=0)
    for q in range(n - 1):
        circuit = circuit.h(q).cz(q, n - 1)
    noise = qg.NoiseModel().add(qg.AmplitudeDamping(0.19), "ry", qubits=n - 1)
    objective = qg.Expectation(circuit, "I" * (n - 1) + "Z")
    e = qg.estimate(objective, [0.5], qg.ParameterShift(), qg.DensityMatrix(noise))
    np.testing.assert_allclose([e.value, e.gradient[0]], [0.19 + 0.81 * np.cos(0.5), -0.81 * np.sin(0.5)], atol=1e-12)


def test_kernels_of_wide_states_agree_with_the_interpreter_on_every_pair_of_qubits():
    """Neighbouring and distant qubits of seven, so that runs of every length are gathered."""
    n, rng = 7, np.random.default_rng(3)
    circuit = qg.Circuit(n)
    for a, b in [(0, 1), (1, 0), (5, 6), (6, 5), (0, 6), (3, 5), (4, 2), (6, 3), (2, 4)]:
        circuit = circuit.ry(a, float(rng.normal())).rz(b, float(rng.normal())).cx(a, b)
    circuit = circuit.ry(5, param=0)
    noise = qg.NoiseModel().add(qg.AmplitudeDamping(0.1), ["ry", "rz"]).add(qg.Depolarizing(0.1, 2), "cx")
    objective = qg.Expectation(circuit, "XYZIIZX + ZZZZZZZ + IIIIIYX")
    found, right = (qg.estimate(objective, [0.4], qg.ParameterShift(), backend) for backend in both(noise))
    np.testing.assert_allclose([found.value, found.gradient[0]], [right.value, right.gradient[0]], atol=1e-12)


def test_nan_reaches_whoever_asked():
    program = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), "ZZ").program
    noise = qg.NoiseModel().add(qg.Depolarizing(0.05, 2))
    found = qg.DensityMatrix(noise).answer(Evaluate(program, np.array([[np.nan], [0.1]])), None)
    assert np.isnan(found.mean[0, 0])
    assert np.isfinite(found.mean[1, 0])


def test_what_does_not_fit_is_refused_before_it_is_allocated():
    circuit = qg.Circuit(12).h(0)
    for q in range(11):
        circuit = circuit.cx(q, q + 1)
    program = qg.Expectation(circuit, "Z" * 12).program
    needed = 16 * 4**12
    with pytest.raises(qg.StateTooLarge, match=r"12 qubits have to be simulated: a density matrix .* holds 1 of them"):
        qg.DensityMatrix(EVERYTHING, max_bytes=needed - 1).answer(Evaluate(program, np.zeros((1, 0))), None)


def test_without_the_engine_or_where_it_does_not_reach_the_interpreter_answers(monkeypatch):
    objective = qg.Expectation(random_circuit(np.random.default_rng(0)), WORDS)
    params = np.array([0.3, -1.1, 0.7])
    # A model of its own, since circuits are packed once.
    noise = EVERYTHING.add(qg.Depolarizing(0.01), "h")
    right = qg.estimate(objective, params, qg.ParameterShift(), qg.DensityMatrix(noise, engine="jax"))
    wide = qg.NoiseModel().add(qg.PauliChannel({"XYZ": 0.1}), "ccx")
    program = qg.Expectation(qg.Circuit(3).h(0).add(qg.Gate("ccx", (0, 1, 2))), "XII").program
    assert qg.DensityMatrix(wide).answer(Evaluate(program, np.zeros((1, 0))), None).mean.shape == (1, 1)
    monkeypatch.setattr(native_library, "load", lambda: None)
    native_library.warn_of_absence.cache_clear()
    with pytest.warns(RuntimeWarning, match="installed without its native engine"):
        found = qg.estimate(objective, params, qg.ParameterShift(), qg.DensityMatrix(noise))
    np.testing.assert_allclose(found.gradient, right.gradient, atol=1e-12)


def test_an_engine_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"DensityMatrix engine='native': give 'auto' or 'jax'"):
        qg.DensityMatrix(EVERYTHING, engine="native")  # pyright: ignore[reportArgumentType]


def test_draws_while_jax_traces_are_those_without():
    objective = qg.Expectation(random_circuit(np.random.default_rng(2)), WORDS)
    params = np.array([0.3, -1.1, 0.7])
    query = Evaluate(objective.program, objective.coordinates(params)[None], 100)
    backend = qg.DensityMatrix(EVERYTHING)
    traced = jax.jit(lambda key: backend.answer(query, key).mean)(jax.random.key(0))
    np.testing.assert_allclose(backend.answer(query, jax.random.key(0)).mean, traced, atol=1e-12)
