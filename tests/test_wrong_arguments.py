"""Wrong arguments across the public interface, and functions of JAX that a method cannot follow: errors that say so."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg

CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1)
OBJECTIVE = qg.Expectation(CIRCUIT, "ZZ + ZI")
PARAMS = [0.3, 0.7]
NOT_TRACEABLE = [
    qg.GentleSweep(1000),
    qg.ReadOnceTomography(1000),
    qg.OnlineTomography(0.5, 0.1),
    qg.DirectPauli(1000),
    qg.MutuallyUnbiasedBases(1000),
    qg.CliffordShadow(100),
    qg.LocalShadow(100),
    qg.BellShadow(1000),
]


@pytest.mark.parametrize("estimator", NOT_TRACEABLE, ids=lambda e: type(e).__name__)
def test_tracing_a_method_that_looks_at_numbers_is_refused_by_name(estimator):
    message = rf"{type(estimator).__name__} cannot be traced by JAX: .* call qcgrad.estimate outside jax.jit, jax.vmap"
    with pytest.raises(qg.NotApplicable, match=message):
        jax.jit(lambda p: qg.estimate(OBJECTIVE, p, estimator, key=0).gradient)(jnp.array(PARAMS))
    with pytest.raises(qg.NotApplicable, match=message):
        jax.vmap(lambda p: qg.estimate(OBJECTIVE, p, estimator, key=0).gradient)(jnp.array([PARAMS]))
    with pytest.raises(qg.NotApplicable, match=message):
        jax.jit(lambda k: qg.estimate(OBJECTIVE, PARAMS, estimator, key=k).gradient)(jax.random.key(0))


def test_a_pool_is_no_jax_function():
    with pytest.raises(qg.NotApplicable, match="OperatorPool becomes another objective at given parameters"):
        qg.as_jax(qg.OperatorPool(CIRCUIT, "ZZ", ["XX"]), qg.Adjoint())


LOSS = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.sum((out - y) ** 2), (jnp.eye(2), jnp.ones(2)))


@pytest.mark.skipif(np.longdouble == np.float64, reason="longdouble is float64 on this platform")
@pytest.mark.parametrize(
    ("objective", "estimator"),
    [
        (OBJECTIVE, qg.Adjoint()),
        (OBJECTIVE, qg.GentleSweep(100, 1.0)),
        (qg.OperatorPool(CIRCUIT, "ZZ", ["XX"]), qg.Adjoint()),
        (qg.Expectation(CIRCUIT, "ZZ", lambda t: t, example=np.zeros(2)), qg.Adjoint()),
        (LOSS, qg.Backprop()),
    ],
)
def test_numbers_of_more_than_64_bits_are_refused_by_name(objective, estimator):
    with pytest.raises(
        TypeError,
        match=r"(params|weights) has dtype .*JAX (does not know|has no extended precision): give",
    ):
        qg.estimate(objective, np.ones(2, np.longdouble), estimator, key=0)


def test_a_masked_array_is_refused():
    with pytest.raises(TypeError, match="params is a masked array"):
        qg.estimate(OBJECTIVE, np.ma.array(PARAMS, mask=[False, True]), qg.Adjoint())


PROGRAM = OBJECTIVE.program


@pytest.mark.parametrize(
    ("program", "angles", "message"),
    [
        (PROGRAM, [0.1], "angles has shape (1,): the circuit takes (2,)"),
        (PROGRAM, [[0.1, 0.2]], "angles has shape (1, 2)"),
        (PROGRAM, np.array(PARAMS) + 0j, "angles has complex dtype complex128"),
        (PROGRAM, [np.nan, 0.1], "angles holds nan at index [0]"),
        (CIRCUIT, [0.1], "params has shape (1,): the circuit takes (2,)"),
        (OBJECTIVE, [0.1], "params has shape (1,)"),
        (None, PARAMS, "program is None: give a qcgrad.Circuit"),
        ("ry", PARAMS, "program is 'ry'"),
    ],
)
def test_the_state_of_what_is_none_is_refused(program, angles, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        qg.Statevector().state(program, angles)


@pytest.mark.parametrize("program", [PROGRAM, CIRCUIT, OBJECTIVE], ids=["program", "circuit", "objective"])
@pytest.mark.parametrize("angles", [PARAMS, np.array(PARAMS), jnp.array(PARAMS)], ids=["list", "NumPy", "JAX"])
def test_the_state_of_a_circuit_is_had_in_every_way(program, angles):
    half = np.array(PARAMS) / 2
    # RY(a) and CX, then RX(b) on qubit 1.
    c, s = np.cos(half), np.sin(half)
    right = [c[0] * c[1], -1j * c[0] * s[1], -1j * s[0] * s[1], s[0] * c[1]]
    np.testing.assert_allclose(qg.Statevector().state(program, angles), right, atol=1e-12)


C = qg.Circuit(2)
Z = qg.PauliSum("ZZ")
REFUSED = [
    (lambda: qg.Circuit(2, None), TypeError, "gates is None: give a sequence"),
    (lambda: qg.Circuit(2, ["x"]), TypeError, "gates holds 'x': give qcgrad.Gate"),
    (lambda: C.add("x"), TypeError, "gates holds 'x'"),
    (lambda: C.add(qg.Gate("x", 0)), TypeError, "with a tuple of qubits"),
    (lambda: C.add(qg.Gate(["x"], (0,))), TypeError, "gates holds Gate(name=['x']"),
    (lambda: C.add(qg.Gate("ry", (0,), 0, "a")), ValueError, "gate ry has scale='a'"),
    (lambda: C.ry(0, "x"), TypeError, "gate ry: its angle is 'x'; give a real number"),
    (lambda: C.ry(0, 1j), TypeError, "gate ry: its angle is 1j"),
    (lambda: C.ry(0, [1.0, 2.0]), TypeError, "gate ry: its angle is [1.0, 2.0]"),
    (lambda: C.ry(0, param=0, scale=None), TypeError, "gate ry: its scale is None"),
    (lambda: jax.jit(lambda a: C.ry(0, a).num_gates)(0.1), TypeError, "its angle is being traced by JAX"),
    (lambda: C.pauli_rot(3, param=0), TypeError, "pauli_rot word is 3"),
    (lambda: C.pauli_rot("X", 0, param=0), TypeError, "wires is 0: give a sequence of qubits"),
    (lambda: C.evolution(None, param=0), TypeError, "observable is None"),
    (lambda: C.unitary("x", [0]), TypeError, "unitary is 'x': give a 2x2"),
    (lambda: C.unitary([[1], [1, 2]], [0]), TypeError, "unitary is [[1], [1, 2]]"),
    (lambda: C.unitary(np.eye(2), 0), TypeError, "wires is 0"),
    (lambda: qg.PauliSum({"Z": "a"}), TypeError, "coefficients are ['a']: give one real number"),
    (lambda: qg.PauliSum({"Z": [1.0, 2.0]}), (TypeError, ValueError), "PauliSum"),
    (lambda: jax.jit(lambda a: qg.PauliSum({"Z": a}).num_terms)(0.1), TypeError, "coefficients are being traced"),
    (lambda: Z * None, TypeError, "unsupported operand"),
    (lambda: qg.PauliSum.from_masks(1, [1, 2], [0], [1.0]), ValueError, "x=[1, 2] with 1 coefficients"),
    (lambda: qg.PauliSum.from_masks(1, [8], [0], [1.0]), ValueError, "an integer of 1 bits"),
    (lambda: qg.PauliSum.from_masks(1, [-1], [0], [1.0]), ValueError, "x=[-1]"),
    (lambda: qg.PauliSum.from_masks(None, [1], [0], [1.0]), ValueError, "PauliSum on None qubits"),
    (lambda: qg.PauliSum.from_sparse([("ZZ", (0,), 1.0)], 2), ValueError, "term ('ZZ', (0,), 1.0): give (letters"),
    (lambda: qg.PauliSum.from_sparse([("ZZ", (0, 5), 1.0)], 2), ValueError, "different qubits 0 to 1"),
    (lambda: qg.PauliSum.from_sparse([("ZZ", (0, 0), 1.0)], 2), ValueError, "different qubits 0 to 1"),
    (lambda: qg.PauliSum.from_sparse([("ZZ", 1.0)], 2), ValueError, "term ('ZZ', 1.0)"),
    (lambda: qg.Mixture(None), TypeError, "members holds None: give pairs"),
    (lambda: qg.Mixture([C]), TypeError, "members holds Circuit(num_qubits=2"),
    (lambda: qg.Mixture([("a", C)]), TypeError, "members holds ('a'"),
    (lambda: qg.OperatorPool(None, "ZZ", ["XX"]), TypeError, "circuit is None"),
    (lambda: qg.OperatorPool(C, "ZZ", None), TypeError, "paulis is None: give a sequence"),
    (lambda: qg.OperatorPool(C, "ZZ", "XX"), TypeError, "paulis is 'XX': give a sequence"),
    (lambda: qg.OperatorPool(C, "ZZ", [1]), ValueError, "paulis holds 1"),
    (lambda: qg.Expectation(C, "ZZ", 3, example=np.zeros(2)), TypeError, "parameter_map is 3: give a function"),
    (
        lambda: qg.predict_cost(OBJECTIVE, qg.OnlineTomography(1e-9, 0.1)),
        ValueError,
        "epsilon leaves each string an accuracy of 5e-10, and below",
    ),
    (
        lambda: qg.estimate(OBJECTIVE, PARAMS, qg.OnlineTomography(5e-324, 0.1, copies=100), key=0),
        ValueError,
        "more than 1,000,000,000,000,000,000 copies: give a larger epsilon",
    ),
    (lambda: qg.predict_cost(OBJECTIVE, qg.Adjoint(), dtype="x"), ValueError, "dtype='x': give float32 or float64"),
    (lambda: qg.predict_cost(OBJECTIVE, qg.Adjoint(), dtype=complex), ValueError, "give float32 or float64"),
    (lambda: qg.ParameterShift(10**19), ValueError, "shots=10000000000000000000: give at most"),
    (lambda: qg.GentleSweep(10**20), ValueError, "give at most 1,000,000,000,000,000,000"),
    (lambda: qg.GentleSweep(100, extrapolate="no"), ValueError, "extrapolate='no': give True or False"),
    (lambda: qg.Statevector("a"), ValueError, "Statevector max_bytes='a': give a positive number of bytes"),
    (lambda: qg.Statevector(float("inf")), ValueError, "Statevector max_bytes=inf"),
    (lambda: qg.Cost(copies=1) * 1.5, TypeError, "unsupported operand"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_wrong_arguments_get_one_error_that_names_them(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("mapped", "found"),
    [(lambda t: None, "None"), (lambda t: t * (1 + 0j), "complex128"), (lambda t: jnp.array([1, 2]), "int64")],
)
def test_a_map_that_returns_no_real_numbers_is_refused(mapped, found):
    objective = qg.Expectation(CIRCUIT, "ZZ", mapped, example=np.zeros(2))
    with pytest.raises(TypeError, match=f"parameter_map returned {found}: return an array of real floating-point"):
        qg.estimate(objective, PARAMS, qg.Adjoint())


def test_a_map_may_return_a_list():
    objective = qg.Expectation(CIRCUIT, "ZZ + ZI", lambda t: [t[1], t[0]], example=np.zeros(2))
    np.testing.assert_allclose(qg.estimate(objective, PARAMS[::-1], qg.Adjoint()).value, np.cos(PARAMS).sum())
