"""Maps read off JAX programs: the values and derivatives of the program itself, at other points than the traced one."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qcgrad.interop.pennylane._symbolic import Values
from qcgrad.interop.pennylane._traced_map import TracedMap, read_map
from qcgrad.ir.parameter_map import AffineMap

N = 4
TRACED = np.array([0.3, -1.2, 0.8, 2.1])
POINTS = np.array([[0.3, -1.2, 0.8, 2.1], [-0.7, 2.6, 1.4, -3.3], [5.1, 0.4, -2.2, 0.9]])


def read(program):
    """The map of a program (4,) -> (P,)."""
    (values,), atoms = read_map(jax.make_jaxpr(program)(TRACED))
    assert isinstance(values, Values)
    return atoms.map_to(values)


def check(program, points=POINTS):
    found = read(program)

    @jax.jit
    def both(point):
        return [(f(point), jax.jacobian(f)(point)) for f in (found, program)]

    for point in points:
        (ours, our_jacobian), (theirs, their_jacobian) = both(point)
        np.testing.assert_allclose(ours, theirs, atol=1e-12, rtol=1e-12)
        np.testing.assert_allclose(our_jacobian, their_jacobian, atol=1e-11, rtol=1e-11)
    return found


@jax.custom_jvp
def clipped(x):
    return jnp.clip(x, -1.0, 1.0)


# A rule that is not the derivative: the import must keep it.
clipped.defjvp(lambda primals, tangents: (clipped(*primals), 7.0 * tangents[0]))


@jax.custom_vjp
def straight_through(x):
    return jnp.round(x)


straight_through.defvjp(lambda x: (jnp.round(x), None), lambda _, cotangent: (cotangent,))

AFFINE = {
    "identity": lambda x: x,
    "scaled": lambda x: 3.0 * (x / 2 - 1.0) + jnp.array([0.1, 0.2, 0.3, 0.4]),
    "picked": lambda x: jnp.stack([x[3], x[-2], 2 * x[0], -x[0], x[1] * 0]),
    "fancy": lambda x: x[jnp.array([3, 0, 0])] + x[1:],
    "shapes": lambda x: (x.reshape(2, 2).T @ jnp.array([[1.0, 2.0], [0.5, -1.0]]))[::-1].ravel(),
    "matrix": lambda x: jnp.arange(12.0).reshape(3, 4) @ x,
    "sums": lambda x: jnp.array([1.0, 2.0]) * x.sum() - x[:2] + x.mean(),
    "cancelling": lambda x: jnp.stack([x[0] - x[0], x[1] + x[0] - x[1]]),
    "set": lambda x: x.at[1].set(0.5).at[2].set(x[0]),
    "constants": lambda x: jnp.concatenate([jnp.zeros(2), x[:1], jnp.pad(x[1:2], (1, 1), constant_values=0.3)]),
    "where": lambda x: jnp.where(jnp.array([True, False, True, False]), x, 2 * x[::-1]),
    "outer": lambda x: jnp.outer(jnp.arange(3.0), x).ravel(),
    "split": lambda x: jnp.split(x, 2)[1] + jnp.roll(x, 1)[:2],
    "jitted": lambda x: jax.jit(lambda y: 2 * y[0] + y)(x),
    "tiled": lambda x: jnp.tile(x, 2) + jnp.repeat(x, 2),
    "rows": lambda x: sum((row * k for k, row in enumerate(x.reshape(2, 2))), jnp.zeros(2)),
    "dynamic": lambda x: jax.lax.dynamic_slice(x, (1,), (2,)),
}
GENERAL = {
    "floor": lambda x: jnp.floor(x) + 0.1 * x,
    "rounding": lambda x: jnp.stack([jnp.round(x[0]), jnp.ceil(x[1]), jnp.sign(x[2]), jnp.trunc(x[3])]),
    "stopped": lambda x: jax.lax.stop_gradient(x) * x,
    "integers": lambda x: x.astype(int) * 0.5,
    "booleans": lambda x: (x > 0.5) * 1.0,
    "indexed": lambda x: x[jnp.abs(jnp.floor(x[0])).astype(int) % 4] * jnp.ones(2),
    "gathered": lambda x: jnp.arange(5.0)[jnp.abs(x).astype(int)] * x,
    "argmax": lambda x: jnp.stack([jnp.argmax(x) * 1.0, x[jnp.argmin(x)]]),
    "sort": lambda x: jnp.sort(x) + jnp.argsort(x),
    "clip": lambda x: jnp.clip(x, -1.0, 1.0),
    "where": lambda x: jnp.where(x > 0, jnp.sin(x), x**2),
    "maximum": lambda x: jnp.maximum(x, x[::-1]),
    "cond": lambda x: jax.lax.cond(x[0] > 0, lambda y: jnp.cos(y), lambda y: 2 * y, x),
    "switch": lambda x: jax.lax.switch(jnp.abs(x[0]).astype(int), [jnp.sin, jnp.cos, lambda y: y**3], x),
    "scan": lambda x: jax.lax.scan(lambda c, a: (c * 0.5 + a, jnp.sin(c)), 0.1, x)[1],
    "fori": lambda x: jax.lax.fori_loop(0, 3, lambda i, y: y * 1.5 + i, x),
    "cumulative": lambda x: jnp.cumsum(x) + jnp.cumprod(x),
    "custom jvp": lambda x: clipped(x) + jax.nn.relu(x) + jax.nn.softplus(x),
    "custom vjp": lambda x: straight_through(3 * x),
    "keys": lambda x: x * jax.random.normal(jax.random.key(jnp.abs(x[0] * 10).astype(int)), (4,)),
    "products": lambda x: jnp.stack([x[i] * x[j] for i in range(4) for j in range(4)]),
    "powers": lambda x: jnp.abs(x) ** 1.5 + x**3 + x**2.0,
    "linear algebra": lambda x: jnp.linalg.solve(jnp.eye(2) * 9 + jnp.outer(x[:2], x[2:]), x[:2]),
    "softmax": lambda x: jax.nn.softmax(x) + x / jnp.sqrt(1 + x @ x),
    "bits": lambda x: ((jnp.abs(x).astype(int) & 1) ^ 1) * x,
    "complex": lambda x: jnp.abs(jnp.exp(1j * x) + 0.5) + jnp.angle(x + 2j),
    "out of bounds": lambda x: jnp.nan_to_num(x.at[jnp.array([0, 9])].get(mode="fill", fill_value=0.0)) + x[:2],
    "single precision": lambda x: x.astype(jnp.float32).astype(float) * 0 + x,
    "a sum of functions": lambda x: jnp.sin(x[0]) + 2 * jnp.cos(x[1]) + x,
    "functions of sums": lambda x: jnp.sin(x.sum()) * jnp.exp(-(x[:2] + x[2:])),
    "nested": lambda x: jnp.sin(jnp.stack([jnp.cos(x[k]) * x[k - 1] + 0.1 for k in range(4)])),
    "checkpoint": lambda x: jax.checkpoint(lambda y: jnp.sin(y) * y)(x),
    "vmap": lambda x: jax.vmap(lambda y: jax.lax.cond(y > 0, lambda: y**2, lambda: -y))(x),
    "inner gradient": lambda x: jax.grad(lambda y: jnp.sum(jnp.sin(y) * y[::-1]))(x),
}


@pytest.mark.parametrize("name", AFFINE)
def test_affine_programs_are_data(name):
    assert isinstance(check(AFFINE[name]), AffineMap)


@pytest.mark.parametrize("name", GENERAL)
def test_other_programs_are_one_function(name):
    assert isinstance(check(GENERAL[name]), TracedMap)


def test_while_loops():
    """JAX has no derivative by reverse mode here; there is one by forward mode."""

    def program(x):
        return jnp.sin(jax.lax.while_loop(lambda y: jnp.sum(y) < 10, lambda y: y * 1.3 + 0.5, jnp.abs(x))) + x[0]

    found = read(program)
    for other in (found, pickle.loads(pickle.dumps(found))):
        for point in POINTS[:2]:
            np.testing.assert_allclose(other(point), program(point), atol=1e-12)
            np.testing.assert_allclose(other.jacobian(point), jax.jacfwd(program)(point), atol=1e-12)


UNARY = [jnp.sin, jnp.floor, jnp.sign, jnp.abs, jax.lax.stop_gradient, clipped, lambda a: 2 * a - 0.3, lambda a: -a / 3]
UNARY += [lambda a: a.astype(int) * 0.5, lambda a: jnp.where(a > 0.2, a, a**2), lambda a: jnp.exp(-(a**2))]
BINARY = [jnp.add, jnp.subtract, jnp.multiply, jnp.maximum, lambda a, b: jax.lax.cond(a > b, jnp.sin, jnp.cos, a)]
BINARY += [lambda a, b: jnp.sort(jnp.stack([a, b]))[0], lambda a, b: jnp.stack([a, b])[jnp.abs(b).astype(int) % 2]]

expressions = st.recursive(
    st.integers(0, N - 1).map(lambda k: lambda x: x[k]),
    lambda inner: (
        st.tuples(st.sampled_from(UNARY), inner).map(lambda t: lambda x: t[0](t[1](x)))
        | st.tuples(st.sampled_from(BINARY), inner, inner).map(lambda t: lambda x: t[0](t[1](x), t[2](x)))
    ),
    max_leaves=8,
)


@given(st.lists(expressions, min_size=1, max_size=3))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_compositions(found):
    check(lambda x: jnp.stack([expression(x) for expression in found]))


def test_nothing_is_compiled_for_affine_maps():
    program = AFFINE["matrix"]
    with jax.log_compiles(), pytest.MonkeyPatch.context() as patch:
        found = read(program)
        patch.setattr(jax, "jit", None)
        assert isinstance(found(TRACED), np.ndarray)


def test_entry_by_entry_programs_compile_by_depth():
    """A thousand products and sines are two operations."""
    x = np.linspace(0, 1, 1000)
    closed = jax.make_jaxpr(lambda x: jnp.stack([jnp.sin(x[k] * x[k - 1]) for k in range(1000)]))(x)
    (values,), atoms = read_map(closed)
    found = atoms.map_to(values)
    assert isinstance(found, TracedMap)
    assert len(jax.make_jaxpr(found.function)(x).eqns) < 60
    np.testing.assert_allclose(found(x), np.sin(x * np.roll(x, 1)), atol=1e-12)


def test_maps_copy_pickle_and_compare():
    names = ["matrix", "functions of sums", "custom jvp", "cond", "keys"]
    for program in ((AFFINE | GENERAL)[name] for name in names):
        found = read(program)
        restored = pickle.loads(pickle.dumps(found))
        assert copy.deepcopy(found) == found == read(program) == restored
        assert hash(found) == hash(restored)
        assert found != read(AFFINE["scaled"])
        np.testing.assert_allclose(restored(POINTS[1]), program(POINTS[1]), atol=1e-12)
        np.testing.assert_allclose(restored.jacobian(POINTS[1]), jax.jacobian(program)(POINTS[1]), atol=1e-12)
        assert pickle.loads(pickle.dumps(restored)) == found
    batch = jax.vmap(restored)(jnp.asarray(POINTS))
    np.testing.assert_allclose(batch, [program(p) for p in POINTS], atol=1e-12)


def test_second_derivatives_of_pickled_maps():
    program = GENERAL["functions of sums"]
    restored = pickle.loads(pickle.dumps(read(program)))
    second = jax.jacrev(jax.jacrev(restored))(jnp.asarray(TRACED))
    np.testing.assert_allclose(second, jax.hessian(program)(TRACED), atol=1e-12)


def test_maps_that_differ_in_a_derivative_rule_differ():
    def rule(factor):
        @jax.custom_jvp
        def f(x):
            return jnp.sin(x)

        f.defjvp(lambda primals, tangents: (f(*primals), factor * tangents[0]))
        return f

    assert read(rule(2.0)) != read(rule(3.0))
