"""IQP circuits by classical sampling: closed forms, other forms of the same circuit, sizes, refusals."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.iqp_form import iqp_form
from theory.statistics import key, normal, rng, shifted, variance_ratio


def layered(num_qubits, diagonal):
    """Diagonal gates between two layers of H."""
    circuit = qg.Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit = circuit.h(qubit)
    circuit = diagonal(circuit)
    for qubit in range(num_qubits):
        circuit = circuit.h(qubit)
    return circuit


def every(circuit):
    """Each kind of diagonal gate, with fixed Clifford and other gates, and CX that come in pairs."""
    circuit = circuit.rz(0, param=0, scale=2.0, offset=0.3).cp(0, 1, param=1).t(2).ccz(0, 1, 2).s(0)
    circuit = circuit.crz(1, 2, param=2, offset=0.2).cx(0, 1).rz(1, param=3).cx(0, 1).rzz(0, 2, 0.7)
    return circuit.evolution({"ZI": 1.0, "ZZ": 0.6}, (1, 2), param=0)


PLAIN = (
    qg.Circuit(3).rx(0, param=0, scale=2.0, offset=0.3).rxx(0, 2, param=1).pauli_rot("XXX", param=0, scale=-0.5).x(1)
    .pauli_rot("XX", (0, 1), 0.7).evolution({"XI": 1.0, "XX": 0.7}, (1, 2), param=2)
)  # fmt: skip
OBSERVABLES = ["ZII", "ZZI + 0.5*IIZ - 0.2*III", "YIZ", "IYX - 2*YYZ", "XXI", {"III": 3.0}]


@pytest.mark.statistical
@pytest.mark.parametrize("circuit", [PLAIN, layered(3, every)], ids=["plain", "layered"])
def test_all_strings_agree_with_the_state_vector(circuit):
    """40,000 bitstrings: an error of 0.03 in units of the observables is found."""
    objective = qg.Expectation(circuit, OBSERVABLES)
    params = np.random.default_rng(1).normal(size=objective.num_parameters)
    truth = qg.estimate(objective, params, qg.Adjoint())
    found = qg.estimate(objective, params, qg.IQPSampling(40_000), key=key(0))
    count = found.gradient.size + found.value.size
    for ours, right, variance in (
        (found.value, truth.value, found.value_variance),
        (found.gradient, truth.gradient, found.variance),
    ):
        assert np.all(np.abs(ours - right) <= normal(count) * np.sqrt(variance) + 1e-12)
    assert found.value[-1] == 3
    assert found.value[4] == 0
    assert not found.variance[4:].any()  # products of X have no derivative, and are known without sampling


@pytest.mark.statistical
@pytest.mark.parametrize("shared", [False, True])
def test_variances_are_those_of_repetitions(shared):
    """150 repetitions: a variance that is off by a factor 2.5 is found."""
    circuit = qg.Circuit(3).rx(0, param=0).rxx(0, 1, param=0 if shared else 1).pauli_rot("XXX", param=1 + (not shared))
    objective = qg.Expectation(circuit, "ZII + 0.5*ZZI + 0.7*IZZ")
    params = np.array([0.4, 0.9, -0.7])[: objective.num_parameters]
    runs = [qg.estimate(objective, params, qg.IQPSampling(128), key=shifted(3000 + i)) for i in range(150)]
    drawn = np.array([np.append(run.gradient, run.value) for run in runs])
    reported = np.mean([np.append(run.variance, run.value_variance) for run in runs], axis=0)
    low, high = variance_ratio(149, drawn.shape[1])
    # Samples lie between -2.2 and 2.2, so that means of 128 are normal; reported variances vary by a few percent.
    assert np.all(drawn.var(axis=0, ddof=1) / reported > low / 1.1)
    assert np.all(drawn.var(axis=0, ddof=1) / reported < high * 1.1)


def test_a_single_bitstring_is_worked_out_by_hand():
    """Cosines and signs of one bitstring, from the same generator."""
    circuit = qg.Circuit(2).rx(0, param=0).rxx(0, 1, param=1)
    e = qg.estimate(qg.Expectation(circuit, "ZI"), [0.4, 0.9], qg.IQPSampling(1), key=0)
    phases = {signs: signs[0] * 0.4 + signs[1] * 0.9 for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1))}
    (signs,) = [s for s, phase in phases.items() if np.allclose(-np.sin(phase) * np.array(s), e.gradient)][:1]
    np.testing.assert_allclose(e.value, np.cos(phases[signs]))
    assert np.isnan(e.variance).all()
    assert np.isnan(e.value_variance)


@pytest.mark.statistical
def test_two_hundred_qubits_have_a_closed_form():
    """A chain of XX with a turn of each qubit: three rotations anticommute with each Z inside."""
    n, draw = 200, np.random.default_rng(2)
    circuit = qg.Circuit(n)
    for q in range(n):
        circuit = circuit.rx(q, param=q)
    for q in range(n - 1):
        circuit = circuit.rxx(q, q + 1, param=n + q)
    params = draw.normal(size=2 * n - 1)
    terms = [("Z", (q,), 1.0) for q in range(1, n - 1, 9)]
    objective = qg.Expectation(circuit, [qg.PauliSum.from_sparse([term], n) for term in terms])
    found = qg.estimate(objective, params, qg.IQPSampling(5000), key=key(1))
    three = np.stack([params[1 : n - 1], params[n : 2 * n - 2], params[n + 1 : 2 * n - 1]])[:, ::9]
    right = np.cos(three).prod(axis=0)
    assert np.all(np.abs(found.value - right) <= normal(n) * np.sqrt(found.value_variance) + 1e-12)
    slope = -np.sin(three[0]) * np.cos(three[1:]).prod(axis=0)
    ours, error = (np.diagonal(part[:, 1 : n - 1 : 9]) for part in (found.gradient, np.sqrt(found.variance)))
    assert np.all(np.abs(ours - slope) <= normal(n) * error)
    assert found.cost.copies == found.cost.qubits == 0


def test_memory_does_not_grow_with_samples_and_blocks_draw_on():
    objective = qg.Expectation(PLAIN, "ZZI")
    few, many = (qg.predict_cost(objective, qg.IQPSampling(samples)) for samples in (10_000, 10**9))
    assert few.peak_bytes == many.peak_bytes
    assert many.flops == 10**5 * few.flops


def test_it_is_traced_with_the_same_numbers():
    objective = qg.Expectation(PLAIN, ["ZZI", "YIZ"])
    params = np.array([0.3, -0.2, 0.8])

    def gradient(params):
        return qg.estimate(objective, params, qg.IQPSampling(100), key=jax.random.key(4)).gradient

    eager = gradient(params)
    np.testing.assert_allclose(jax.jit(gradient)(params), eager, atol=1e-12)
    np.testing.assert_allclose(jax.vmap(gradient)(np.stack([params, params]))[1], eager, atol=1e-12)
    single = gradient(params.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, eager, atol=1e-5)
    f = qg.as_jax(objective, qg.IQPSampling(100))
    assert jax.jacrev(f)(params, jax.random.key(4)).shape == (2, 3)


@pytest.mark.parametrize(
    ("circuit", "gate"),
    [
        (qg.Circuit(2).rx(0, param=0).ry(1, param=1), r"ry on qubits \(1,\) turns about Y1"),
        (qg.Circuit(2).rx(0, param=0).rz(1, 0.3), r"rz on qubits \(1,\) turns about Z1"),
        (qg.Circuit(2).rx(0, param=0).h(0).rx(0, param=0), r"rx on qubits \(0,\) turns about Z0"),
        (qg.Circuit(2).rx(0, param=0).crx(0, 1, param=1), r"crx on qubits \(0, 1\) turns about Z0 X1"),
        (qg.Circuit(2).rx(0, param=0).unitary(np.eye(2), [1]), r"unitary on qubits \(1,\) is a matrix"),
    ],
)
def test_the_first_gate_that_is_no_product_of_x_is_named(circuit, gate):
    with pytest.raises(qg.NotApplicable, match=f"^IQPSampling needs an IQP circuit, but gate {gate}"):
        qg.estimate(qg.Expectation(circuit, "ZZ"), np.zeros(circuit.num_parameters), qg.IQPSampling(10), key=0)


def test_wrong_numbers_of_samples_and_too_little_memory_are_refused():
    for samples in (0, -1, 1.5, True, None):
        with pytest.raises(ValueError, match="samples="):
            qg.IQPSampling(samples)
    objective = qg.Expectation(PLAIN, "ZZI")
    with pytest.raises(qg.TooLarge, match="sampling 4 generators for 1 strings takes"):
        qg.estimate(objective, np.zeros(3), qg.IQPSampling(10), qg.Statevector(max_bytes=1000), key=0)


@pytest.mark.parametrize("num_qubits", [1, 62, 63, 200])
def test_generators_and_strings_survive_any_width(num_qubits):
    """Dense products of X: pairs that anticommute are those with an odd overlap."""
    draw = rng(5)
    supports = [np.flatnonzero(draw.integers(2, size=num_qubits)).tolist() or [0] for _ in range(20)]
    circuit = qg.Circuit(num_qubits)
    for index, support in enumerate(supports):
        circuit = circuit.pauli_rot("X" * len(support), support, param=index)
    measured = sorted(set(draw.integers(num_qubits, size=5).tolist()))
    observable = qg.PauliSum.from_sparse([("Z" * len(measured), measured, 1.0)], num_qubits)
    form = iqp_form(qg.Expectation(circuit, observable).program)
    odd = [index for index, support in enumerate(supports) if len(set(support) & set(measured)) % 2]
    assert form.slot.tolist() == odd
    assert form.num_pairs == len(odd)
