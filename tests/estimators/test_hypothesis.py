"""Hypothesis states: against density matrices carried through the rows, and against each other."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm, logm

import qcgrad as qg
from qcgrad.estimators.multi_copy.hypothesis import Dense, MatrixProduct, Product
from qcgrad.estimators.multi_copy.online_plan import update_rate
from qcgrad.ir import pauli, rows
from qcgrad.ir.sweep_form import SweepForm, one_state_forms
from tests import dense, strategies

SEEDS = st.integers(0, 2**32 - 1)


def one_form(circuit, params, observable) -> SweepForm:
    objective = qg.Expectation(circuit, observable)
    (form,) = one_state_forms(objective.program, np.asarray(objective.coordinates(np.asarray(params))), "none")
    return form


def a_form(case) -> SweepForm:
    circuit, params = case
    return one_form(circuit, params, "Z" * circuit.num_qubits)


def word_matrix(form, d):
    return dense.word_matrix(pauli.word(int(form.x[d]), int(form.z[d]), form.num_qubits))


def conjugated(row, sigma):
    """U sigma U^dagger, row by row on both sides of the matrix."""
    return rows.apply(row, rows.apply(row, sigma.T).T.conj()).conj()


def carried(form, sigma, start, stop):
    for row in form.undo[start:stop]:
        sigma = conjugated(row, sigma)
    return sigma


def expected(form, sigma, step=0):
    """tr(A_d sigma) for the strings from `step` on, by carrying sigma."""
    found = []
    for d in range(form.num_components):
        if form.step[d] >= step:
            sigma, step = carried(form, sigma, step, form.step[d]), form.step[d]
            found.append(np.real(np.trace(word_matrix(form, d) @ sigma)))
    return np.array(found)


def rotations(num_qubits=2, gates=9, seed=1):
    """A circuit of Pauli rotations and CNOTs, and its parameters."""
    rng = np.random.default_rng(seed)
    circuit = qg.Circuit(num_qubits)
    for param in range(gates):
        circuit = circuit.pauli_rot("".join(rng.choice(list("XYZ"), num_qubits)), param=param)
        circuit = circuit.cx(*rng.permutation(num_qubits)[:2])
    return circuit, rng.uniform(-3, 3, gates)


@pytest.mark.slow
def test_one_update_of_the_value_is_a_hyperbolic_tangent():
    """exp(b X): <X> = tanh b and nothing else is known."""
    form = one_form(qg.Circuit(1).ry(0, param=0), [0.7], "Z")
    for start in (Dense.start(form), Product.start(form), MatrixProduct.start(form, 4)):
        np.testing.assert_array_equal(start.predictions(np.arange(2)), [0, 0])
        found = start.updated(0, 0.8).predictions(np.arange(2))
        np.testing.assert_allclose(found, [np.tanh(0.8), 0], atol=1e-14)


def test_two_updates_that_do_not_commute_add_up_in_the_exponent():
    """By hand for RY(t), Z: strings X 1 and, one gate back, Y Y, which commutes with the gate that is undone."""
    form = one_form(qg.Circuit(1).ry(0, param=0).rz(0, param=1), [0.7, 0.4], "Z")
    # The strings: value XI; after nothing is undone YZ; with RZ(0.4) undone YY, seen from before: YY turned by RZ.
    turned = np.cos(0.4) * dense.word_matrix("YY") - np.sin(0.4) * dense.word_matrix("YX")
    exponent = 0.3 * dense.word_matrix("XI") - 0.5 * dense.word_matrix("YZ")
    sigma = expm(exponent) / np.trace(expm(exponent))
    found = Dense.start(form).updated(0, 0.3).updated(1, -0.5).predictions(np.arange(3))
    reference = [np.trace(string @ sigma).real for string in (dense.word_matrix("XI"), dense.word_matrix("YZ"), turned)]
    np.testing.assert_allclose(found, reference, atol=1e-13)


@settings(max_examples=20)
@given(strategies.circuits(max_qubits=3, max_gates=8), SEEDS)
def test_dense_predictions_are_traces_of_the_carried_state(case, seed):
    form, rng = a_form(case), np.random.default_rng(seed)
    order = np.arange(form.num_components)
    first, second = np.sort(rng.integers(0, form.num_components, 2))
    rates = rng.normal(size=2)
    exponent = sum(
        rate * carried_back(form, word_matrix(form, d), d) for rate, d in zip(rates, (first, second), strict=True)
    )
    sigma = expm(exponent) / np.trace(expm(exponent))
    found = Dense.start(form).updated(int(first), rates[0]).updated(int(second), rates[1])
    np.testing.assert_allclose(found.predictions(order), expected(form, sigma), atol=1e-10)
    np.testing.assert_allclose(found.predictions(order[second:]), expected(form, sigma)[second:], atol=1e-10)


def carried_back(form, matrix, d):
    """The string in the frame of the prepared state."""
    for row in reversed(form.undo[: form.step[d]]):
        matrix = conjugated(row.inverse(), matrix)
    return matrix


@pytest.mark.parametrize("seed", range(5))
def test_every_update_lowers_the_relative_entropy_as_the_bound_on_triggers_needs(seed):
    r"""S(rho || sigma) falls by at least (t - p)^2 / 2, t the target between prediction p and truth."""
    form = a_form(rotations(seed=seed))
    rho = np.outer(form.state, form.state.conj())
    hypothesis, entropy = Dense.start(form), form.num_qubits * np.log(2)
    tolerance, progress = 0.05, 0
    for d in range(form.num_components):
        prediction = hypothesis.predictions(np.array([d]))[0]
        truth = np.trace(carried_back(form, word_matrix(form, d), d) @ rho).real
        if abs(truth - prediction) < 3 * tolerance:
            continue
        measured = truth + tolerance * np.random.default_rng(d).uniform(-1, 1)
        hypothesis = hypothesis.updated(d, update_rate(prediction, measured, tolerance))
        after = -np.trace(rho @ logm(hypothesis.state)).real
        gap = abs(measured - prediction) - tolerance
        assert entropy - after >= gap**2 / 2 - 1e-9
        entropy, progress = after, progress + 1
    assert progress >= 2
    assert entropy > -1e-9


def test_the_rate_moves_a_prediction_to_the_measured_value_less_its_error():
    assert np.tanh(np.arctanh(0.2) + update_rate(0.2, 0.8, 0.1)) == pytest.approx(0.7)
    assert np.tanh(np.arctanh(0.2) + update_rate(0.2, -1.0, 0.1)) == pytest.approx(-0.9)
    assert update_rate(0.2, 0.25, 0.1) == 0
    assert np.isfinite(update_rate(-1.0, 1.0, 1e-12))


def product_matrix(bloch):
    out = np.eye(1)
    for r in bloch:
        out = np.kron(out, (np.eye(2) + sum(c * dense.PAULIS[p] for c, p in zip(r, "XYZ", strict=True))) / 2)
    return out


def random_bloch(count, rng):
    vectors = rng.normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * rng.uniform(0, 1, (count, 1))


def marginals_form(form, undo):
    """Single letters on every qubit, measured after `undo`."""
    n = form.num_qubits
    bits = 1 << np.arange(n - 1, -1, -1)
    x = np.stack([bits, bits, 0 * bits], axis=1).ravel()
    z = np.stack([0 * bits, bits, bits], axis=1).ravel()
    return replace(form, undo=tuple(undo), x=x, z=z, step=np.full(3 * n, len(undo)))


@settings(max_examples=20)
@given(strategies.circuits(max_qubits=3, max_gates=6), SEEDS)
def test_a_product_state_keeps_the_marginals_of_every_gate(case, seed):
    whole = a_form(case)
    bloch = random_bloch(whole.num_qubits, np.random.default_rng(seed))
    for row in whole.undo:
        form = marginals_form(whole, [row])
        found = replace(Product.start(form), bloch=bloch).predictions(np.arange(form.num_components))
        np.testing.assert_allclose(found, expected(form, product_matrix(bloch)), atol=1e-12)


@given(strategies.words(3).filter(lambda word: set(word) != {"I"}), SEEDS)
def test_a_product_state_keeps_the_marginals_of_an_update(word, seed):
    rng = np.random.default_rng(seed)
    bloch, rate = random_bloch(3, rng), rng.normal()
    base = marginals_form(a_form(rotations()), [])
    x, z = pauli.masks(word, range(3), 3)
    form = replace(base, x=np.append(x, base.x), z=np.append(z, base.z), step=np.zeros(10, int))
    sigma = expm(rate / 2 * dense.word_matrix(word))
    sigma = sigma @ product_matrix(bloch) @ sigma
    found = replace(Product.start(form), bloch=bloch).updated(0, rate).predictions(np.arange(1, 10))
    np.testing.assert_allclose(found, expected(form, sigma / np.trace(sigma))[1:], atol=1e-12)


def test_product_is_exact_where_nothing_is_entangled():
    """Single-qubit gates, and strings of one letter: the same as a density matrix, update after update."""
    circuit = qg.Circuit(2).ry(0, 0.4).rz(1, 0.3).rx(0, param=0).ry(1, param=1)
    form = a_form((circuit, [0.8, -0.3]))
    form = replace(form, x=form.x & 3, z=form.z & 3, undo=form.undo)  # the ancilla's letter left out
    form = replace(form, x=form.x[1:], z=form.z[1:], step=form.step[1:])
    assert np.all(form.weights == 1)
    exact, product = Dense.start(form), Product.start(form)
    for d, rate in ((0, 0.6), (1, -0.4)):
        exact, product = exact.updated(d, rate), product.updated(d, rate)
        order = np.arange(d, form.num_components)
        np.testing.assert_allclose(product.predictions(order), exact.predictions(order), atol=1e-13)


@pytest.mark.slow
@settings(max_examples=12)
@given(strategies.circuits(max_qubits=3, max_gates=6), SEEDS)
def test_mpo_at_full_bond_is_dense(case, seed):
    """One update, then every kind of gate; 4^2 is the full bond of 4 qubits, so truncation drops rounding only."""
    form = a_form(case)
    component = int(np.random.default_rng(seed).integers(form.num_components))
    order = np.arange(component, form.num_components)
    full = Dense.start(form).updated(component, 0.9).predictions(order)
    for bond in (16, 10_000):
        found = MatrixProduct.start(form, bond).updated(component, 0.9).predictions(order)
        np.testing.assert_allclose(found, full, atol=1e-10)


def test_mpo_updates_by_commuting_strings_are_dense_too():
    form = a_form((qg.Circuit(3).rzz(0, 1, param=0).rzz(1, 2, param=1).rz(1, param=2), [0.3, 0.5, 0.2]))
    exact, mpo = Dense.start(form), MatrixProduct.start(form, 16)
    for d, rate in ((1, 0.7), (2, -0.5)):
        exact, mpo = exact.updated(d, rate), mpo.updated(d, rate)
    np.testing.assert_allclose(mpo.predictions(np.array([2, 3])), exact.predictions(np.array([2, 3])), atol=1e-12)


def test_a_small_bond_is_kept_and_gives_expectations_all_the_same():
    form = a_form(rotations(4, 8))
    mpo = MatrixProduct.start(form, 3).updated(0, 0.5).updated(4, 1.5).updated(6, -1.0)
    assert max(tensor.shape[2] for tensor in mpo.tensors) <= 3
    found = mpo.predictions(np.arange(6, form.num_components))
    assert np.all(np.abs(found) <= 1)
    assert np.any(np.abs(found) > 0.3)


@pytest.mark.parametrize("kind", [Dense, Product, MatrixProduct])
def test_no_hypothesis_costs_more_than_the_most(kind):
    form = a_form(rotations(3, 6))
    extra = (8,) if kind is MatrixProduct else ()
    hypothesis, most = kind.start(form, *extra), kind.largest_cost(form, *extra)
    for d in (0, 2, 5):
        cost = hypothesis.cost(np.arange(d, form.num_components))
        assert 0 < cost.flops <= most.flops
        assert 0 < cost.peak_bytes <= most.peak_bytes
        hypothesis = hypothesis.updated(d, 0.4)


def test_a_dense_hypothesis_too_large_for_memory_is_refused_with_bytes_and_the_alternative():
    form = one_form(qg.Circuit(15).ry(0, param=0), [0.1], "Z" * 15)
    with pytest.raises(
        qg.StateTooLarge, match=r"16 qubits with 2 strings takes 412,316,860,416 bytes.*hypothesis='mpo'"
    ):
        Dense.start(form)


def test_wide_gates_with_controls_are_refused_by_name():
    circuit = qg.Circuit(8).add(
        qg.Gate("evolution", tuple(range(7)), offset=0.2, detail=qg.PauliSum({"X" * 7: 1.0, "Z" + 6 * "I": 0.5}))
    )
    form = one_form(qg.Circuit(8, [*qg.Circuit(8).ry(0, param=0).gates, *circuit.gates]), [0.2], "Z" * 8)
    with pytest.raises(qg.NotApplicable, match=r"acts on 7 qubits.*hypothesis='dense'"):
        Product.start(form).predictions(np.arange(form.num_components))


def test_without_quimb_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "quimb.tensor", None)
    with pytest.raises(ImportError, match=r"pip install 'qcgrad\[mpo\]'"):
        MatrixProduct.start(a_form(rotations()), 4)
