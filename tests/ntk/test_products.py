"""Products with tangent kernels, their spectra and distances."""

import numpy as np
import pytest
import scipy.sparse.linalg

from qcgrad import ntk

from .problems import CX, CY, network


def test_products_are_those_with_the_kernel():
    net, params = network(2, True)
    theta, pseudo = map(ntk.as_matrix, ntk.empirical(net.apply, params, CX, CY, "augmented"))
    operator = ntk.product(net.apply, params, CX, CY)
    rng = np.random.default_rng(2)
    v, w = rng.normal(size=8) + 1j * rng.normal(size=8), rng.normal(size=10)
    np.testing.assert_allclose(operator @ v, theta @ v, atol=1e-10)
    np.testing.assert_allclose(operator.pseudo(v), pseudo @ v, atol=1e-10)
    np.testing.assert_allclose(operator.flow(v), (theta @ v + pseudo @ v.conj()) / 2, atol=1e-10)
    np.testing.assert_allclose(operator.rmatvec(w + 0j), theta.conj().T @ w, atol=1e-10)


def test_iterative_solvers_take_products():
    net, params = network(1, True)
    theta = ntk.empirical(net.apply, params, CX)
    target = np.arange(5) + 1j
    solution, failed = scipy.sparse.linalg.cg(ntk.product(net.apply, params, CX), target, rtol=1e-12)
    assert failed == 0
    np.testing.assert_allclose(theta @ solution, target, atol=1e-8)


def test_spectra_compare_kernels():
    k = np.array([[2.0, 1j], [-1j, 2.0]])
    assert ntk.alignment(k, k) == pytest.approx(1)
    assert ntk.alignment(k, np.eye(2)) == pytest.approx(4 / np.sqrt(10 * 2))
    top = np.array([1j, 1.0])  # eigenvector of 3
    assert ntk.target_alignment(k, top) == pytest.approx(3 / np.sqrt(10))
    assert ntk.drift(1.25 * k, k) == pytest.approx(0.25)
    for call in (lambda: ntk.eigenvalues(np.array([[1.0, 2.0], [0.0, 1.0]])), lambda: ntk.eigenvalues(np.ones((2, 3)))):
        with pytest.raises(ValueError, match="kernel"):
            call()
    with pytest.raises(ValueError, match="not defined"):
        ntk.drift(k, 0 * k)
    with pytest.raises(ValueError, match="targets hold 3 numbers"):
        ntk.target_alignment(k, np.ones(3))
    with pytest.raises(ValueError, match="have no alignment"):
        ntk.alignment(k, np.eye(3))
