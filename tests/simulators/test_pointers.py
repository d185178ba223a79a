"""Pointer sweeps against closed forms: means, dephasing, and the variance formula with its interaction term."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.sweep_form import one_state_forms
from qcgrad.queries import MeasureComponent, PointerSweep, ThresholdSweep
from qcgrad.simulators.multicopy import _pointer_circuit as pointer_circuit
from qcgrad.simulators.multicopy import _pointers as pointers
from qcgrad.simulators.multicopy import _thresholds as thresholds
from qcgrad.simulators.multicopy import moments
from qcgrad.simulators.statevector import native_library
from tests.simulators.test_engines import hardware_efficient
from theory.statistics import bernstein, key, normal, variance_ratio


def alternating(length, angle=0.4):
    """X and Y rotations in turn on one qubit: all strings on it interact."""
    circuit = qg.Circuit(1).ry(0, angle)
    for j in range(length):
        circuit = circuit.rx(0, param=j) if j % 2 else circuit.rz(0, param=j)
    objective = qg.Expectation(circuit, "X")
    (form,) = one_state_forms(objective.program, np.zeros(length), "terms")
    return form


def exact_moments(form):
    """<A_j> and Omega_ij = Im<A_i A_j> by dense matrices; nothing is undone at angle 0 but the first gate."""
    vectors = []
    for x, z in zip(form.x, form.z, strict=True):
        vectors.append(qg.PauliSum.from_masks(form.num_qubits, [x], [z], [1.0]).matrix() @ form.state)
    gram = np.conj(vectors) @ np.transpose(vectors)
    return np.real(np.conj(form.state) @ np.transpose(vectors)), np.imag(gram)


@pytest.mark.statistical
def test_outcomes_have_the_dephased_means():
    """Each earlier anticommuting string multiplies the mean by exp(-1/(2 s^2 k)), commuting ones by 1."""
    form, copies, width, batches = alternating(6), 4, 0.5, 40_000
    found = pointers.sweep(PointerSweep(form, copies, width, batches), key(0)).means
    means, _ = exact_moments(form)
    anticommuting = np.array(
        [
            [(int(x & v).bit_count() + int(z & u).bit_count()) % 2 for u, v in zip(form.x, form.z, strict=True)]
            for x, z in zip(form.x, form.z, strict=True)
        ]
    )
    factor = np.exp(-np.tril(anticommuting, -1).sum(axis=1) / (2 * width * copies))
    assert np.min(factor) < 0.6  # the bias is large enough to be seen
    error = np.abs(found.mean(axis=0) - means * factor)
    # About 0.02.
    assert np.all(error < normal(len(error)) * found.std(axis=0) / np.sqrt(batches))


@pytest.mark.statistical
def test_outcomes_have_the_predicted_variance():
    r"""(1 - <A>^2 + s^2 + sum Omega^2 / s^2)/k to within 7 %; corrections are of relative order M/(s^2 k) = 1e-4."""
    form, copies, width, batches = alternating(6), 50_000, 1.0, 20_000
    found = pointers.sweep(PointerSweep(form, copies, width, batches), key(1)).means
    means, omega = exact_moments(form)
    row_sums = np.sum(np.tril(omega**2, -1), axis=1)
    assert np.max(row_sums) > 0.5
    predicted = (1 - means**2 + width + row_sums / width) / copies
    relative = found.var(axis=0, ddof=1) / predicted
    low, high = variance_ratio(batches - 1, len(relative))
    assert np.all((low < relative) & (relative < high))


@pytest.mark.statistical
def test_copies_that_are_left_out_count_as_nothing():
    r"""(p - <A>^2 + s^2 + sum Omega^2/s^2)/k with <A> and Omega of all copies, to within 7 %."""
    circuit = qg.Circuit(2).ry(0, 0.4).cx(0, 1).rx(0, param=0).rz(1, param=1).ry(0, param=2)
    objective = qg.Expectation(circuit, "XX + YY + ZZ + 0.5*ZI + 1.5*YI")
    (form,) = one_state_forms(objective.program, np.array([0.4, -0.7, 0.9]), "block", discards=True)
    form, copies, width, batches = form.busy, 50_000, 0.3, 20_000
    found = pointers.sweep(PointerSweep(form, copies, width, batches), key(2))
    share = form.acceptance
    assert share < 0.9
    assert np.all(np.abs(found.accepted.mean() - share) < normal() * np.sqrt(share * (1 - share) / (copies * batches)))
    means, gram = share * moments.expectations(form), share * moments.products(form)
    row_sums = np.sum(np.triu(np.imag(gram) ** 2, 1), axis=0)
    assert np.max(row_sums) > 0.05
    predicted = (share - means**2 + width + row_sums / width) / copies
    low, high = variance_ratio(batches - 1, len(means))
    relative = found.means.var(axis=0, ddof=1) / predicted
    assert np.all((low < relative) & (relative < high))
    bias = np.arange(len(means)) / (2 * width * copies)
    assert np.all(np.abs(found.means.mean(axis=0) - means) < normal(len(means)) * np.sqrt(predicted / batches) + bias)
    fresh = pointers.measure_component(MeasureComponent(form, 1, 20_000), key(3))
    assert abs(fresh.mean - means[1]) <= bernstein(share - means[1] ** 2, 2, 20_000)
    assert fresh.variance == pytest.approx((share - means[1] ** 2) / 20_000, rel=0.1)


def test_threshold_checks_leave_no_copy_out():
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), "ZZ + XX")
    (form,) = one_state_forms(objective.program, np.array([0.6]), "block", discards=True)
    sweep = ThresholdSweep(form, np.arange(2), np.zeros(2), 10, 0.5, 1.0, "exact")
    with pytest.raises(ValueError, match="leaves copies out"):
        thresholds.run(sweep, jax.random.key(0))


@pytest.mark.statistical
def test_a_component_is_measured_on_fresh_copies():
    form = alternating(3)
    means, _ = exact_moments(form)
    for d in range(form.num_components):
        found = pointers.measure_component(MeasureComponent(form, d, 20_000), key(d))
        # At most 0.05.
        assert abs(found.mean - means[d]) <= bernstein(1 - means[d] ** 2, 2, 20_000, form.num_components)
    assert np.isnan(pointers.measure_component(MeasureComponent(form, 1, 1), jax.random.key(0)).variance)


def test_costs_are_those_of_the_text():
    form = alternating(2)  # 2 qubits; H, RY, RZ, RX, controlled X; strings X on the ancilla, YX, YZ
    sweep = PointerSweep(form, copies=10, pointer_variance=1.0, batches=3)
    # A copy: 5 gates to prepare, 1 to undo (the last rotation) before YZ, 2 (1 + 2 + 2) basis changes, 3 shifts.
    assert sweep.cost() == qg.Cost(copies=30, shots=9, circuit_runs=3, gates=30 * (5 + 1 + 10 + 3), qubits=10 * 2 + 7)
    held = PointerSweep(form, 10, 1.0, 3, held="pointers")
    assert held.cost().qubits == 2 + 3 * 7
    # Held pointers outlive all copies of a sweep, one after another.
    assert (sweep.cost().depth, held.cost().depth) == (1, 10)
    assert MeasureComponent(form, 2, 7).cost() == qg.Cost(copies=7, shots=7, circuit_runs=1, gates=7 * 8, qubits=2)


def test_only_forms_are_swept():
    with pytest.raises(TypeError, match="SweepForm"):
        pointers.sweep(PointerSweep(qg.Circuit(1), 1, 1.0), jax.random.key(0))  # pyright: ignore[reportArgumentType]


@pytest.mark.skipif(native_library.load() is None, reason="the native engine was not built")
@pytest.mark.parametrize(("encoding", "discards"), [("terms", False), ("block", False), ("block", True)])
def test_the_native_engine_reads_the_strings_that_numpy_does(encoding, discards):
    """Every kind of row: controls with and without phases, matrices, Clifford and other angles; and several tiles."""
    circuit = qg.Circuit(4).h(0).ry(1, param=0).crx(0, 1, param=1).cp(1, 2, param=2).ccx(0, 1, 3).rzz(2, 3, param=3)
    circuit = (
        circuit.swap(0, 2)
        .crz(3, 0, param=4)
        .s(1)
        .t(2)
        .sx(3)
        .unitary(np.linalg.qr(np.arange(16.0).reshape(4, 4) ** 2 + 1j)[0], (1, 3))
    )
    small = qg.Expectation(circuit, {"ZZXI": 0.3, "IYZX": -1.2, "XXXX": 0.5})
    rng = np.random.default_rng(2)
    objectives = [(small, rng.uniform(-3, 3, 5))]
    if encoding == "terms":
        wide = hardware_efficient(13, 1)[0]
        objectives.append((qg.Expectation(wide, "X" + 12 * "Z"), rng.uniform(-3, 3, wide.num_parameters)))
    for objective, params in objectives:
        angles = np.asarray(objective.coordinates(params))
        for form in one_state_forms(objective.program, angles, encoding, discards=discards):
            assert pointer_circuit.is_possible(form.busy)
            kicks = rng.normal(scale=0.3, size=(2, form.num_components))
            found = pointer_circuit.expectations(form.busy, kicks)
            np.testing.assert_allclose(found, pointers._expectations(form.busy, kicks), atol=1e-12)
