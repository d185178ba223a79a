"""Circuits of more qubits than a state can hold, of which few matter; and inputs that nothing depends on."""

import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.mixture import Mixture

N = 100


def placed(letters, qubits=(3, 50, 97, 98)):
    found = ["I"] * N
    for letter, qubit in zip(letters, qubits, strict=True):
        found[qubit] = letter
    return "".join(found)


def problem(scale=1.0):
    """The same problem on 100 qubits and on the four that matter; Z on idle qubits is 1, X is 0."""
    wide, small = qg.Circuit(N), qg.Circuit(4)
    for q in ((3, 50, 97, 98), (0, 1, 2, 3)):
        circuit = wide if q[0] else small
        circuit = circuit.ry(q[0], 0.4 * scale).cx(q[0], q[2]).ry(q[0], param=0).rx(q[1], param=1)
        circuit = circuit.crx(q[2], q[3], param=0)
        wide, small = (circuit, small) if q[0] else (wide, circuit)
    idle = "".join(a if a != "I" else "Z" for a in placed("YZZZ"))
    terms = {placed("XIZI"): 1.0, idle: 0.5, "I" * N: 0.25, placed("ZIIZX", (3, 50, 97, 98, 0)): 2.0}
    local = {"XIZI": 1.0, "YZZZ": 0.5, "IIII": 0.25}
    return qg.Expectation(wide, terms), qg.Expectation(small, local)


PARAMS = np.array([0.3, 0.7])


@pytest.mark.parametrize(
    "estimator", [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()], ids=lambda e: type(e).__name__
)
@pytest.mark.parametrize("engine", ["auto", "jax"])
def test_exact_methods(estimator, engine):
    wide, small = problem()
    found = qg.estimate(wide, PARAMS, estimator, backend=qg.Statevector(engine=engine))
    exact = qg.estimate(small, PARAMS, qg.Adjoint())
    np.testing.assert_allclose(found.value, exact.value, atol=1e-12)
    np.testing.assert_allclose(found.gradient, exact.gradient, atol=1e-12)
    assert found.cost.qubits == N
    assert found.cost == qg.predict_cost(wide, estimator)


# Six standard errors of (value, two derivatives): a false alarm has probability 2e-9 for a normal estimate. A gate or
# string lost shifts a component by 0.1 or more, ten standard errors.
SAMPLED = [
    qg.ParameterShift(shots=40_000),
    qg.GentleSweep(400_000, pointer_variance=1.0),
    qg.ReadOnceTomography(400_000),
]


@pytest.mark.parametrize("estimator", SAMPLED, ids=lambda e: type(e).__name__)
def test_sampled_methods(estimator):
    wide, small = problem()
    found = qg.estimate(wide, PARAMS, estimator, key=3)
    exact = qg.estimate(small, PARAMS, qg.Adjoint())
    bias = 0 if found.bias_bound is None else found.bias_bound
    # The spread of 8 batches underestimates by a factor 3 with probability 1e-4 each, so the bound is doubled twice.
    spread = 24 if "Parameter" not in type(estimator).__name__ else 6
    assert np.all(np.abs(found.gradient - exact.gradient) < spread * np.sqrt(found.variance) + bias + 1e-9)
    assert np.all(np.sqrt(found.variance) < 0.05)
    assert found.cost == qg.predict_cost(wide, estimator)


def clifford_problem():
    """ry(pi/2) and a CNOT make (|00> + |11>)/sqrt2 of qubits 3 and 97: d<X3 Z97>/da = <Z3 Z97> = 1, d/db = 0."""
    circuit = qg.Circuit(N).ry(3, np.pi / 2).cx(3, 97).ry(3, param=0).rx(50, param=1).cx(97, 98)
    return qg.Expectation(circuit, placed("XIZ", (3, 50, 97)))


@pytest.mark.parametrize(
    "estimator",
    [qg.DirectPauli(4000), qg.MutuallyUnbiasedBases(4000), qg.LocalShadow(20_000), qg.BellShadow(8000)],
    ids=lambda e: type(e).__name__,
)
def test_methods_on_one_common_state(estimator):
    found = qg.estimate(clifford_problem(), [0.0, np.pi / 2], estimator, key=1)
    # Five standard errors; BellShadow and the bases are exact here, since every outcome is certain.
    error = np.abs(np.asarray(found.gradient) - [1.0, 0.0])
    assert np.all(error <= 5 * np.sqrt(np.nan_to_num(found.variance)) + 1e-9)
    assert found.cost.qubits >= N


def test_online_tomography_without_a_dense_hypothesis():
    found = qg.estimate(problem()[0], PARAMS, qg.OnlineTomography(0.5, 0.1, hypothesis="product"), key=0)
    exact = qg.estimate(problem()[1], PARAMS, qg.Adjoint())
    assert np.all(np.abs(found.gradient - exact.gradient) < 0.5)


def test_a_mixed_state_of_many_qubits():
    """0.75 |0><0| + 0.25 |1><1| on qubit 70: i<[XY, YY]> = i<2i Z> = -2 * 0.5; the other string commutes."""
    mixture = Mixture([(0.75, qg.Circuit(N)), (0.25, qg.Circuit(N).x(70))])
    pool = qg.OperatorPool(mixture, {placed("XY", (70, 71)): 1.0}, [placed("YY", (70, 71)), placed("Y", (5,))])
    found = qg.estimate(pool, [], qg.BellShadow(40_000), key=0)
    # Standard error 0.02; six of them miss with probability 2e-9.
    assert np.all(np.abs(np.asarray(found.gradient) - [-1.0, 0.0]) <= 6 * np.sqrt(np.nan_to_num(found.variance)) + 1e-9)


def test_what_is_too_wide_is_refused_with_what_remains():
    circuit = qg.Circuit(300, name="big.qasm")
    for q in range(80):
        circuit = circuit.ry(q, param=0)
    chain = circuit
    for q in range(79):
        chain = chain.cx(q, q + 1)
    observable = "I" * 79 + "Z" + "I" * 220
    with pytest.raises(qg.StateTooLarge, match=r"big.qasm: 80 of 300 qubits .*have to be simulated"):
        qg.estimate(qg.Expectation(chain, observable), [0.1], qg.Adjoint())
    # Without the chain the observable depends on one qubit only.
    np.testing.assert_allclose(qg.estimate(qg.Expectation(circuit, observable), [0.1], qg.Adjoint()).value, np.cos(0.1))
    with pytest.raises(qg.StateTooLarge, match="301 qubits, of which 81 are not idle"):
        qg.estimate(qg.Expectation(chain, observable), [0.1], qg.GentleSweep(4000, 1.0), key=0)
    with pytest.raises(qg.StateTooLarge, match="hypothesis='dense' on 301 qubits"):
        qg.estimate(qg.Expectation(chain, observable), [0.1], qg.OnlineTomography(0.5, 0.1), key=0)
    with pytest.raises(qg.StateTooLarge, match="100 of 100 qubits"):
        qg.estimate(clifford_problem(), [0.0, np.pi / 2], qg.CliffordShadow(100), key=0)
    assert qg.predict_cost(qg.Expectation(chain, observable), qg.Adjoint()).peak_bytes == 3 * 16 * 2**80


NO_INPUT = [
    qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift(), qg.ParameterShift(shots=100), qg.DirectPauli(100),
    qg.MutuallyUnbiasedBases(100), qg.CliffordShadow(100), qg.LocalShadow(100), qg.BellShadow(100),
    qg.BellShadow(100, "mimicking"), qg.GentleSweep(1000), qg.GentleSweep(1000, 1.0, extrapolate=True),
    qg.ReadOnceTomography(1000), qg.OnlineTomography(0.5, 0.1), qg.OnlineTomography(0.5, 0.1, order="random"),
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(NO_INPUT)))
@pytest.mark.parametrize("kind", ["phase", "map", "vector"])
def test_inputs_that_nothing_depends_on_have_gradient_zero(k, kind):
    flipped = qg.Circuit(1).x(0)
    if kind == "phase":
        objective, params = qg.Expectation(flipped.add(qg.Gate("gphase", (), 0)), "Z"), [0.3]
    elif kind == "map":
        objective = qg.Expectation(flipped, "Z", lambda t: jnp.zeros(0, t.dtype), example=np.zeros(2))
        params = [0.3, 0.4]
    else:
        objective = qg.Expectation(flipped, ["Z", "I"], lambda t: jnp.zeros(0, t.dtype), example=np.zeros(2))
        params = [0.3, 0.4]
    found = qg.estimate(objective, params, NO_INPUT[k], key=0)
    assert np.shape(found.gradient) == ((2, 2) if kind == "vector" else np.shape(params))
    assert not np.any(found.gradient)
    assert found.cost.copies <= qg.predict_cost(objective, NO_INPUT[k]).copies
