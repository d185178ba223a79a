"""Empirical kernels and what follows from them hold what was predicted; what does not fit is refused beforehand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.ntk import _matrices as matrices
from qcgrad.ntk import blockwise
from qcgrad.ntk._empirical import _method
from qcgrad.ntk.problem import make_problem

from ..peaks import peaks


def data(n, *shape, seed=0):
    rng = np.random.default_rng(seed)
    return jnp.asarray(rng.normal(size=(n, *shape)) + 1j * rng.normal(size=(n, *shape)))


def convolutional(channels=32, outputs=10):
    return nn.serial(nn.Conv2D(channels, (3, 3)), nn.SplitReLU(), nn.GlobalAveragePool(), nn.Dense(outputs))


def dense(width, outputs, **weights):
    return nn.serial(nn.Dense(width, **weights), nn.SplitReLU(), nn.Dense(outputs, **weights))


def planned(net, x, method="auto", kind="complex", rule=None, **bounds):
    params = net.init(jax.random.key(0), x.shape[1:])
    problem = make_problem(net.apply, params, x, None, rule, "unit", kind != "complex")
    chosen = blockwise.batching(
        _method(method, problem), problem, kind, bounds.get("batch_size"), bounds.get("max_bytes")
    )
    return chosen, params


def kernel(net, n, *shape, method="auto", kind="complex", rule=None, **bounds):
    """(predicted bytes, the kernel of n inputs)."""

    def prepare():
        x = data(n, *shape)
        chosen, params = planned(net, x, method, kind, rule, **bounds)
        return chosen.peak, lambda: ntk.empirical(net.apply, params, x, kind=kind, rule=rule, method=method, **bounds)

    return prepare


def matrix(work, copies, side=1000):
    """(predicted bytes, linear algebra on a Hermitian matrix that is complex, its real block of `side` rows)."""

    def prepare():
        half = data(side // 2, side // 2)
        theta = half @ half.conj().T + jnp.eye(side // 2)
        return int(copies * side**2 * 8), lambda: work(theta)

    return prepare


def _regression(theta, **bounds):
    k = nn.serial(nn.Dense(1)).kernel(jnp.ones((1, 1)) + 0j)
    k = type(k)(theta, theta, 0 * theta, theta, 0 * theta)
    return ntk.regression(k, k, k, theta[0], jitter=1.0, **bounds).covariance


CASES = {
    "convolutions": kernel(convolutional(), 60, 12, 12, 1),
    "convolutions, products": kernel(convolutional(128, 2), 24, 16, 16, 2, method="vector_product"),
    "a rule": kernel(convolutional(), 60, 12, 12, 1, kind="augmented", rule=nn.HolomorphicBranch()),
    "structured": kernel(dense(512, 4), 400, 16),
    "structured, real block": kernel(dense(64, 4), 300, 8, kind="real_block"),
    "jacobian": kernel(dense(64, 2, tau=0.3), 200, 64, method="jacobian"),
    "jacobian, batches": kernel(dense(64, 4, tau=0.3), 260, 64, method="jacobian", kind="augmented", batch_size=100),
    "products": kernel(dense(512, 2), 300, 16, method="vector_product"),
    "eigenvalues": matrix(ntk.eigenvalues, 2 * matrices.EIGENVALUES / 4),
    "gradient flow": matrix(lambda m: ntk.gradient_flow(m, m[0], jnp.ones(())).train, matrices.EIGENVECTORS),
    "regression": matrix(_regression, matrices.REGRESSION),
}


@pytest.mark.slow
def test_peaks_are_what_was_predicted_within_a_factor_of_two():
    for name, (predicted, measured) in peaks(__name__).items():
        assert predicted / 2 < measured < 2 * predicted, (name, predicted, measured)


@pytest.mark.parametrize("method", ["auto", "vector_product"])
def test_convolutions_are_differentiated_input_by_input(method):
    """A batch of b convolutions with kernels of their own costs b^2: 48 of these took 10 GB."""
    chosen, _ = planned(convolutional(64), data(48, 12, 12, 1), method)
    assert chosen.size == 48
    assert chosen.peak < 2**26


@pytest.mark.parametrize(
    ("net", "shape", "method"),
    [
        (convolutional(4, 3), (6, 6, 1), "jacobian"),
        (dense(8, 3, tau=0.3), (5,), "jacobian"),
        (dense(8, 3), (5,), "structured"),
        (dense(8, 3), (5,), "vector_product"),
    ],
)
def test_kernels_do_not_depend_on_the_pieces_they_are_computed_in(net, shape, method, monkeypatch):
    x = data(5, *shape)
    params = net.init(jax.random.key(0), shape)
    whole = ntk.empirical(net.apply, params, x, kind="augmented", method="jacobian")
    monkeypatch.setattr(blockwise, "BLOCK_BYTES", 1)  # as small as can be
    chosen, _ = planned(net, x, method, "augmented")
    assert chosen.size == 1
    for found, expected in zip(
        ntk.empirical(net.apply, params, x, kind="augmented", method=method), whole, strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.slow
def test_batches_shrink_until_they_fit():
    x, net = data(200, 30), dense(256, 4, tau=0.3)
    bound = 2**24 + 200**2 * 4**2 * 16
    chosen, params = planned(net, x, max_bytes=bound)
    assert chosen.size < 100
    assert chosen.peak <= bound
    assert ntk.empirical(net.apply, params, x, max_bytes=bound).shape == (200, 200, 4, 4)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: planned(dense(4, 10), data(200_000, 1)), r"200000 x 200000 inputs with 10 outputs takes .* TiB\)"),
        (lambda: planned(dense(4, 1), data(100, 3), max_bytes=40_000), r"takes 160,000 bytes .*as many as 50 x 50"),
        (
            lambda: planned(dense(2048, 2), data(8, 3), max_bytes=2**16),
            r"1 at a time by Structured, takes .* 65,536 bytes .* allowed: give fewer outputs",
        ),
        (
            lambda: planned(dense(2048, 2), data(64, 3), batch_size=64, max_bytes=2**20),
            r"64 at a time .* give a smaller batch_size",
        ),
        (lambda: ntk.eigenvalues(jnp.eye(100), max_bytes=1000), r"100 x 100 numbers takes .*: 5 rows fit"),
        (lambda: ntk.gradient_flow(jnp.eye(50) + 0j, jnp.ones(50), 1.0, max_bytes=1000), "of 100 x 100 .* takes"),
        (
            lambda: ntk.cross(dense(4, 2).apply, dense(4, 2).init(jax.random.key(0), (3,)), data(5, 3),
                              nn.HolomorphicBranch(), max_bytes=10_000),
            "takes .* allowed",
        ),
        (lambda: _regression(jnp.eye(50) + 0j, max_bytes=10_000), "regression of 100 x 100 numbers takes"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_numbers(work, message):
    with pytest.raises(qg.TooLarge, match=message):
        work()


def test_products_of_networks_too_large_are_refused():
    net = convolutional()
    params = net.init(jax.random.key(0), (12, 12, 1))
    with pytest.raises(qg.TooLarge, match="a product with the kernel of 40 x 40 inputs takes"):
        ntk.product(net.apply, params, data(40, 12, 12, 1), max_bytes=2**18)
