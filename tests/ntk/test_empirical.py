"""Tangent kernels of finite networks: three methods, one kernel, against Jacobians taken by brute force."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.ntk import blockwise

from .problems import CX, CY, METHODS, X, Y, brute_force, gram, network

CASES = [(1, True, "complex"), (3, True, "complex"), (3, False, "complex"), (2, True, "real")]


@pytest.mark.parametrize(("outputs", "is_complex", "readout"), CASES)
@pytest.mark.parametrize("method", METHODS)
def test_methods_agree_with_brute_force(outputs, is_complex, readout, method):
    net, params = network(outputs, is_complex, readout)
    x1, x2 = (CX, CY) if is_complex else (X, Y)
    left, right = brute_force(net.apply, params, x1), brute_force(net.apply, params, x2)
    theta, pseudo = ntk.empirical(net.apply, params, x1, x2, "augmented", method=method)
    drop = (lambda k: k[..., 0, 0]) if outputs == 1 else (lambda k: k)
    np.testing.assert_allclose(theta, drop(gram(left, right.conj())), atol=1e-10)
    np.testing.assert_allclose(pseudo, drop(gram(left, right)), atol=1e-10)
    assert np.iscomplexobj(theta) == (is_complex and readout == "complex")
    square = ntk.empirical(net.apply, params, x1, method=method, batch_size=2)
    np.testing.assert_allclose(square, drop(gram(left, left.conj())), atol=1e-10)


def test_the_real_block_is_the_kernel_of_real_and_imaginary_parts():
    net, params = network(2, True)
    g = brute_force(net.apply, params, CX)
    split = np.concatenate([g.real, g.imag], axis=1)
    block = ntk.empirical(net.apply, params, CX, kind="real_block")
    np.testing.assert_allclose(block, gram(split, split), atol=1e-10)
    matrix = ntk.as_matrix(block)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > -1e-12


def test_theta_is_hermitian_and_positive():
    net, params = network(3, True)
    matrix = ntk.as_matrix(ntk.empirical(net.apply, params, CX))
    np.testing.assert_allclose(matrix, matrix.conj().T, atol=1e-13)
    values = ntk.eigenvalues(ntk.empirical(net.apply, params, CX))
    assert values.shape == (15,)
    assert values.min() > -1e-12
    np.testing.assert_allclose(values.sum(), np.trace(matrix).real)


@pytest.mark.parametrize("method", METHODS)
def test_derivatives_by_re_and_im_give_twice_the_unit_metric(method):
    net, params = network(2, True)
    unit, reim = (ntk.empirical(net.apply, params, CX, method=method, param_metric=m) for m in ("unit", "reim"))
    np.testing.assert_allclose(reim, 2 * unit, rtol=1e-12)


def test_real_parameters_count_once_in_both_metrics():
    """f = a x + w x with a real, w complex: Theta = x conj x' (1 + 1), or (1 + 2) by Re and Im."""

    def apply(p, x):
        return (p["real"] + p["complex"]) * x[:, 0]

    params = {"real": np.array(0.3), "complex": np.array(0.2 + 1j)}
    outer = np.outer(CX[:, 0], CX[:, 0].conj())
    for metric, factor in (("unit", 2), ("reim", 3)):
        for method in ("jacobian", "vector_product"):
            found = ntk.empirical(apply, params, CX, method=method, param_metric=metric)
            np.testing.assert_allclose(found, factor * outer, atol=1e-12)


def test_the_kernel_of_a_circuit_is_the_gram_matrix_of_its_jacobian():
    circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1).rx(0, param=2).ry(1, param=3)
    f = qg.as_jax(qg.Expectation(circuit, "ZZ"), qg.Adjoint())

    def apply(params, x):
        return jax.vmap(lambda one: f(jnp.concatenate([one, params])))(x)

    params = jnp.array([0.4, -0.7])
    jacobian = jnp.stack([jax.grad(lambda p, one=one: apply(p, one[None])[0])(params) for one in X[:, :2]])
    found = ntk.empirical(apply, params, X[:, :2])
    np.testing.assert_allclose(found, jacobian @ jacobian.T, atol=1e-12)
    # By hand for the last angle: a derivative by ry on qubit 1 is half a commutator; central differences suffice.
    step = 1e-5
    moved = [apply(params.at[1].add(s), X[:, :2]) for s in (step, -step)]
    np.testing.assert_allclose((moved[0] - moved[1]) / (2 * step), jacobian[:, 1], atol=1e-9)
    np.testing.assert_allclose(ntk.empirical(apply, params, X[:, :2], method="vector_product"), found, atol=1e-12)


def test_complex_amplitudes_of_real_angles_have_a_kernel():
    """psi = (cos t/2, -i sin t/2) e^{i x t}: one real parameter, outputs complex."""

    def apply(t, x):
        return jnp.stack([jnp.cos(t / 2) + 0j * x[:, 0], -1j * jnp.sin(t / 2) + 0j * x[:, 0]], 1) * jnp.exp(1j * x * t)

    t, x = jnp.array(0.7), X[:, :1]
    phase = np.exp(1j * x * 0.7)
    value = np.array([np.cos(0.35), -1j * np.sin(0.35)]) * phase
    slope = np.array([-np.sin(0.35), -1j * np.cos(0.35)]) / 2 * phase + 1j * x * value
    np.testing.assert_allclose(ntk.empirical(apply, t, x), gram(slope[..., None], slope.conj()[..., None]), atol=1e-12)


def test_batches_bound_what_is_computed_at_one_time(monkeypatch):
    seen = []
    original = blockwise._features

    def recorded(method, model, params, x):
        seen.append(len(x))
        return original(method, model, params, x)

    monkeypatch.setattr(blockwise, "_features", recorded)
    net, params = network(1, True)
    ntk.empirical(net.apply, params, CX, CY, batch_size=2)
    assert set(seen) == {2}
    seen.clear()
    ntk.empirical(net.apply, params, CX)
    assert seen == [5]


def test_a_progress_bar_appears_only_when_asked_for(capsys):
    def linear(w, x):
        return x @ w

    ntk.empirical(linear, np.ones(3), X)
    assert capsys.readouterr().out == ""
    ntk.empirical(linear, np.ones(3), X, batch_size=2, progress=True)
    assert "tangent kernel" in capsys.readouterr().out


@pytest.mark.parametrize("method", METHODS)
def test_kernels_can_be_traced(method):
    net, params = network(1, True)
    plain = ntk.empirical(net.apply, params, CX)
    traced = jax.jit(lambda p: ntk.empirical(net.apply, p, CX, method=method))(params)
    np.testing.assert_allclose(traced, plain, atol=1e-12)


def test_kernels_of_constants_inside_a_traced_function():
    """A bug: checks of numbers that are at hand were traced themselves."""

    def scaled(factor):
        theta = ntk.empirical(lambda w, x: x @ w, np.ones(3), X)
        return factor * theta + factor * nn.serial(nn.Dense(1)).kernel(X).ntk

    np.testing.assert_allclose(jax.jit(scaled)(2.0), 2 * X @ X.T * (1 + 1 / 3), rtol=1e-12)


def test_single_precision_stays_single():
    params = np.ones(3, np.complex64)
    found = ntk.empirical(lambda w, x: x @ w, params, X.astype(np.float32))
    assert found.dtype == np.complex64
    np.testing.assert_allclose(found, X @ X.T, rtol=1e-5)


def test_improper_weights_and_convolutions_take_the_jacobian():
    net = nn.serial(nn.Dense(2, tau=0.5))
    params = net.init(jax.random.key(0), (3,))
    with pytest.raises(qg.NotApplicable, match="improper weights"):
        ntk.empirical(net.apply, params, CX, method="structured")
    g = brute_force(net.apply, params, CX)
    np.testing.assert_allclose(ntk.empirical(net.apply, params, CX), gram(g, g.conj()), atol=1e-10)
    # One linear layer: Theta = K for every tau.
    k = np.einsum("nm,oq->nmoq", CX @ CX.conj().T / 3, np.eye(2))
    np.testing.assert_allclose(ntk.empirical(net.apply, params, CX), k, atol=1e-10)


def linear(w, x):
    return x @ w


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x1": X[:0]}, ValueError, "x1 has shape .*at least one input"),
        ({"x2": Y[:0]}, ValueError, "x2 has shape"),
        ({"x2": Y[:, :2]}, ValueError, "they must agree"),
        ({"kind": "imaginary"}, ValueError, "kind is 'imaginary'"),
        ({"method": "fast"}, ValueError, "method is 'fast'"),
        ({"method": "structured"}, qg.NotApplicable, "not the method `apply`"),
        ({"param_metric": "si"}, ValueError, "param_metric is 'si'"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"rule": "full"}, TypeError, "rule is 'full'"),
        ({"params": np.array([1, 2, 3])}, TypeError, "params hold dtype int64"),
        ({"params": np.array([1.0, np.nan, 0.0])}, ValueError, "params holds nan"),
        ({"params": {}}, ValueError, "zero parameters"),
        ({"apply": lambda w, x: (x @ w, 1j * (x @ w))}, TypeError, "must return one array"),
        ({"apply": lambda w, x: jnp.sum(x @ w)}, ValueError, r"it must return \(N,\) or \(N, O\)"),
        ({"apply": lambda w, x: jnp.argmax(x, axis=1)}, TypeError, "outputs must be real or complex"),
        ({"apply": 3}, TypeError, "apply is 3"),
        (
            {"apply": lambda w, x: (x - x.mean(axis=0, keepdims=True)) @ w},
            ValueError,
            "when it is alone than in a batch",
        ),
        ({"x1": {"w": 1.0}}, TypeError, "x1 is a dict: give an array"),
        ({"x1": np.where(X > 1, np.nan, X)}, ValueError, "x1 has entries that are not finite"),
        ({"rule": nn.HolomorphicBranch}, TypeError, "give a rule object"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    arguments = {"apply": linear, "params": np.ones(3), "x1": X, **arguments}
    with pytest.raises(error, match=message):
        ntk.empirical(**arguments)


@pytest.mark.parametrize("method", ["jacobian", "vector_product"])
def test_the_kernel_of_another_network_of_the_same_shapes_is_not_planned_again(method):
    traced = []

    def apply(params, x):
        traced.append(len(x))
        return jnp.tanh(x @ params)

    x = jnp.ones((3, 2))
    first = ntk.empirical(apply, jnp.array([0.1, 0.2]), x, method=method)
    before = len(traced)
    second = ntk.empirical(apply, jnp.array([0.3, 0.4]), x, method=method)
    assert len(traced) <= before + 1  # looking for convolutions
    assert not np.allclose(first, second)
