"""Data and parameters of every dtype: the precision that they ask for, or one clear error."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad import ntk

NET = nn.serial(nn.Dense(4), nn.SplitReLU(), nn.Dense(1))
REAL = nn.serial(nn.Dense(4, dtype="real"), nn.ReLU(), nn.Dense(1, dtype="real"))
DATA = [[1, 2], [3, 4]]


def kernels(x):
    """Precisions of the infinite and of the finite kernel."""
    params = NET.init(jax.random.key(0), (2,))
    return NET.kernel(x).ntk.dtype, ntk.empirical(NET.apply, params, x).dtype


@pytest.mark.parametrize("x", [DATA, np.array(DATA), np.array(DATA, np.int8), np.array(DATA, np.uint32)], ids=repr)
def test_integers_count_in_double_precision_where_it_is_on(x):
    found, _ = kernels(x)
    assert found == np.complex128
    np.testing.assert_array_equal(NET.kernel(x).ntk, NET.kernel(np.array(DATA, float)).ntk)
    assert REAL.kernel(x).ntk.dtype == np.float64


def test_single_precision_stays_and_halves_become_single():
    assert NET.kernel(np.array(DATA, np.float32)).ntk.dtype == np.complex64
    assert REAL.kernel(np.array(DATA, np.float16)).ntk.dtype == np.float32
    assert REAL.kernel(jnp.asarray(DATA, jnp.bfloat16)).ntk.dtype == np.float32


REFUSED = {
    "booleans": (np.array([[True, False]]), "bool"),
    "extended": (np.ones((2, 2), np.longdouble), "extended precision"),
    "extended complex": (np.ones((2, 2), np.clongdouble), "extended precision"),
    "words": (np.array([["a", "b"]]), "give an array of real or complex numbers"),
    "ragged": ([[1, 2], [3]], "give an array of real or complex numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_number_of_jax_is_refused_by_name(name):
    x, message = REFUSED[name]
    with pytest.raises(TypeError, match=message):
        NET.kernel(x)
    with pytest.raises(TypeError, match=message):
        ntk.empirical(NET.apply, NET.init(jax.random.key(0), (2,)), x)


@pytest.mark.parametrize("dtype", [np.longdouble, np.clongdouble])
def test_parameters_of_extended_precision_are_refused_by_name(dtype):
    net = REAL if dtype == np.longdouble else NET
    params = jax.tree.map(lambda w: np.asarray(w).astype(dtype), net.init(jax.random.key(0), (2,)))
    with pytest.raises(TypeError, match="extended precision"):
        ntk.empirical(net.apply, params, np.ones((2, 2)))
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.mean(jnp.abs(out - y) ** 2), (jnp.eye(2), jnp.ones(2)))
    with pytest.raises(TypeError, match="extended precision"):
        qg.estimate(loss, np.ones(2, dtype), qg.Backprop())


def test_wirtinger_derivatives_of_booleans_are_refused_by_name():
    with pytest.raises(TypeError, match="bool"):
        nn.wirtinger(lambda z: z**2)(True)
    with pytest.raises(TypeError, match="bool"):
        nn.wirtinger(lambda z: jnp.abs(z) > 0)(1j)
