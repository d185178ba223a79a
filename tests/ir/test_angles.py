"""Angles of any size: the value is that of the exact number which the user gave, in both precisions, or a refusal."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qcgrad as qg
from qcgrad.ir.angles import bound, with_angles

mpmath.mp.dps = 400
ROTATION = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-13}


def reduced(parameter, scale=1.0, offset=0.0, period=4 * mpmath.pi):
    """scale * parameter + offset up to whole periods, worked out in 400 digits."""
    exact = mpmath.mpf(float(scale)) * mpmath.mpf(float(parameter)) + mpmath.mpf(float(offset))
    return float(exact - period * mpmath.nint(exact / period))


@pytest.mark.parametrize(
    ("estimator", "engine"),
    [(qg.Adjoint(), "auto"), (qg.ParameterShift(), "auto"), (qg.Adjoint(), "jax"), (qg.ReverseMode(), "jax")],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_derivative_at_a_large_angle_is_that_of_the_exact_number(estimator, engine, dtype):
    backend = qg.Statevector(engine=engine)
    compiled = jax.jit(jax.value_and_grad(qg.as_jax(ROTATION, estimator, backend)))
    for angle in (1e8, -1e8, 1e15):
        params = dtype([angle])
        t = reduced(params[0])
        found = qg.estimate(ROTATION, params, estimator, backend)
        traced = compiled(jnp.asarray(params))
        for value, gradient in ((found.value, found.gradient), traced):
            np.testing.assert_allclose(value, np.cos(t), atol=TOLERANCE[dtype])
            np.testing.assert_allclose(gradient, [-np.sin(t)], atol=TOLERANCE[dtype])


def test_float32_at_a_hundred_million():
    found = qg.estimate(ROTATION, np.float32([1e8]), qg.ParameterShift())
    np.testing.assert_allclose(found.gradient, [-0.931639], atol=2e-6)


@settings(max_examples=20)
@given(
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([0.0, np.pi, -np.pi, 1e-310, 5e-324, 1e4, 1e8, -3e12, 1e15, 3e20]),
    st.sampled_from([1.0, -1.0, 0.3, 2.0, -1 / 3, 1e-7]),
    st.sampled_from([0.0, 0.7, 1e8]),
    st.sampled_from(["rx", "p", "crx", "cp", "rzz", "pauli_rot"]),
)
def test_every_gate_at_any_parameter_scale_and_offset(dtype, parameter, scale, offset, name):
    """Scale and offset act in exact arithmetic; controlled gates have twice the period."""
    start = qg.Circuit(2).ry(0, 0.9).ry(1, 0.4).cx(0, 1)
    wires, detail = ((0,), None) if name in ("rx", "p") else ((0, 1), "XY" if name == "pauli_rot" else None)
    params = dtype([parameter])
    observable = "XI + 0.5*YZ - ZX"
    gate = qg.Gate(name, wires, 0, scale, offset, detail)
    reference = qg.Expectation(start.add(qg.Gate(name, wires, 0, 1.0, 0.0, detail)), observable)
    right = qg.estimate(reference, [reduced(params[0], scale, offset)], qg.Adjoint())
    objective = qg.Expectation(start.add(gate), observable)
    for method in (qg.Adjoint(), qg.ParameterShift()):
        found = qg.estimate(objective, params, method)
        np.testing.assert_allclose(found.value, right.value, atol=5 * TOLERANCE[dtype])
        np.testing.assert_allclose(found.gradient, scale * right.gradient, atol=5 * TOLERANCE[dtype])


@pytest.mark.parametrize(
    "method",
    [qg.GentleSweep(4000, 1.0), qg.ReadOnceTomography(4000), qg.DirectPauli(4000), qg.BellShadow(4000)],
    ids=lambda e: type(e).__name__,
)
def test_methods_that_sample_see_the_same_angle(method):
    """The same key draws the same numbers, so outcomes at 4 pi k + t and at t agree but for rounding."""
    near = np.float32(1e8)
    quarter = reduced(near)
    objective = qg.Expectation(qg.Circuit(1).ry(0, 0.3).ry(0, param=0, offset=-quarter), "Z")
    # The angle itself is 0, so that methods for Clifford circuits hold too.
    found = qg.estimate(objective, np.array([near]), method, key=3)
    right = qg.estimate(objective, np.array([np.float32(quarter)]), method, key=3)
    np.testing.assert_allclose(found.gradient, right.gradient, atol=1e-5)


def test_a_hamiltonian_whose_levels_have_a_common_divisor_has_a_period():
    """exp(-it (Z0 + 0.5 Z0Z1)) on |++>: <X0> = cos 2t cos t."""
    circuit = qg.Circuit(2).h(0).h(1).evolution(qg.PauliSum({"ZI": 1.0, "ZZ": 0.5}), param=0)
    objective = qg.Expectation(circuit, "XI")
    t = reduced(np.float32(1e8), period=2 * mpmath.pi)
    right = -2 * np.sin(2 * t) * np.cos(t) - np.cos(2 * t) * np.sin(t)
    for method in (qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()):
        found = qg.estimate(objective, np.float32([1e8]), method)
        np.testing.assert_allclose(found.gradient, [right], atol=1e-5)


def test_a_hamiltonian_without_a_period_is_refused_where_rounding_spoils_its_phases():
    circuit = qg.Circuit(2).h(0).h(1).evolution(qg.PauliSum({"ZI": 1.0, "ZZ": 0.3}), param=0)
    objective = qg.Expectation(circuit, "XI")
    with pytest.raises(ValueError, match=r"angle 1e\+08 of gate evolution .* rounds in float32 .* float64"):
        qg.estimate(objective, np.float32([1e8]), qg.Adjoint())
    with pytest.raises(ValueError, match=r"angle 1e\+15 of gate evolution .* rounds in float64 .*smaller parameters$"):
        qg.estimate(objective, np.array([1e15]), qg.Adjoint())
    found = qg.estimate(objective, np.array([1e8]), qg.ParameterShift())
    t = mpmath.mpf(1e8)
    right = -2 * mpmath.sin(2 * t) * mpmath.cos(0.6 * t) - 0.6 * mpmath.cos(2 * t) * mpmath.sin(0.6 * t)
    np.testing.assert_allclose(found.gradient, [float(right)], atol=1e-6)


def test_shifts_of_many_turns_are_refused_in_float32_and_right_in_float64():
    """Two close frequencies take shifts of thousands of radians."""
    circuit = qg.Circuit(2).h(0).h(1).evolution(qg.PauliSum({"ZI": 1.0, "ZZ": 0.9999}), param=0)
    objective = qg.Expectation(circuit, "XI")
    with pytest.raises(ValueError, match=r"gate evolution .* rounds in float32"):
        qg.estimate(objective, np.float32([0.3]), qg.ParameterShift())
    right = qg.estimate(objective, [0.3], qg.Adjoint()).gradient
    np.testing.assert_allclose(qg.estimate(objective, [0.3], qg.ParameterShift()).gradient, right, atol=1e-7)


def test_an_angle_that_overflows_is_named_and_nothing_is_asked():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=10.0), "Z")
    found = qg.estimate(objective, np.array([1e308]), qg.Adjoint())
    assert (found.result, found.cost) == ("not_finite", qg.Cost())
    assert "gate angle [0] is nan" in found.result.message


def test_parameters_are_fixed_at_the_same_angles():
    circuit = qg.Circuit(1).rx(0, 0.2).ry(0, param=0, scale=0.3, offset=0.1)
    (_, gate) = bound(circuit, [1e15]).gates
    np.testing.assert_allclose(gate.offset, reduced(1e15, 0.3, 0.1), atol=1e-12)
    assert with_angles(circuit, [0.5]) == qg.Circuit(1).rx(0, 0.2).ry(0, 0.5)


WITHOUT_X64 = """
import jax, numpy as np, qcgrad as qg
objective = qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=0.3, offset=1e7), "Z")
x = np.float32([1e8])
print(qg.estimate(objective, x, qg.ParameterShift()).gradient[0])
for method in (qg.Adjoint(), qg.ParameterShift()):
    print(jax.jit(jax.grad(qg.as_jax(objective, method)))(x)[0])
"""


def test_compiled_programs_without_64_bits_see_the_exact_angle_too():
    process = subprocess.run([sys.executable, "-c", WITHOUT_X64], capture_output=True, text=True, env=os.environ)
    assert process.returncode == 0, process.stderr
    right = -0.3 * np.sin(reduced(np.float32(1e8), 0.3, 1e7))
    np.testing.assert_allclose([float(line) for line in process.stdout.split()], right, atol=3e-6)
