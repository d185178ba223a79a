"""Infinite kernels hold what was predicted, and what does not fit is refused before it is allocated."""

import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad.networks import infinite
from qcgrad.networks._recursion import Recursion

from ..peaks import peaks


def images(n, *shape, real=False):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, *shape))
    return jnp.asarray(x if real else x + 1j * rng.normal(size=x.shape))


def strided(activation, **weights):
    layers = []
    for _ in range(2):
        layers += [nn.Conv2D(8, (3, 3), strides=(2, 2), **weights), activation]
    return nn.serial(*layers, nn.GlobalAveragePool(), nn.Dense(1, **weights))


def deep(activation, **weights):
    layers = [nn.Dense(8, sigma_b=0.1, **weights), activation, nn.Dense(8, **weights), activation]
    return nn.serial(*layers, nn.Dense(1, **weights))


def case(net, n, *shape, real=False, batch_size=None):
    """(predicted bytes, the kernel of n inputs in blocks)."""

    def prepare():
        x = images(n, *shape, real=real)
        expected = infinite.forecast(Recursion(net, shape), shape, x.dtype)
        size = batch_size or n
        predicted = expected.block(size, size) + (expected.result(n, n) if size < n else 0)
        return predicted, lambda: net.kernel(x, batch_size=size)

    return prepare


CASES = {
    "strided": case(strided(nn.SplitReLU()), 24, 20, 20, 1, batch_size=12),
    "strided, improper": case(strided(nn.SplitReLU(), tau=0.3j), 10, 16, 16, 1),
    "strided, real": case(strided(nn.ReLU(), dtype="real"), 12, 20, 20, 1, real=True),
    "residual": case(
        nn.serial(
            nn.Conv1D(8, (3,)), nn.Residual(nn.serial(nn.SplitReLU(), nn.Conv1D(8, (3,)))), nn.SplitReLU(),
            nn.GlobalAveragePool(), nn.Dense(1), nn.Readout("real"),
        ), 12, 48, 2,
    ),
    "flattened": case(
        nn.serial(nn.Conv2D(8, (3, 3)), nn.SplitErf(), nn.Conv2D(8, (3, 3)), nn.SplitErf(), nn.Flatten(), nn.Dense(1)),
        60, 20, 20, 1,
    ),
    "vectors": case(deep(nn.SplitReLU()), 700, 8),
    "vectors, blocks": case(deep(nn.SplitReLU()), 900, 8, batch_size=400),
    "vectors, improper": case(deep(nn.SplitReLU(), tau=0.3j), 700, 8),
    "vectors, real": case(deep(nn.ReLU(), dtype="real"), 900, 8, real=True),
    "vectors, series": case(deep(nn.Cardioid()), 700, 8),
    "vectors, long series": case(deep(nn.SplitTanh()), 400, 8),
}  # fmt: skip


@pytest.mark.slow
def test_peaks_are_what_was_predicted_within_a_factor_of_two():
    """Short series on images and norms before pooling are left out: they take two to five times less than predicted."""
    for name, (predicted, measured) in peaks(__name__).items():
        assert predicted / 2 < measured < 2 * predicted, (name, predicted, measured)


NETWORKS = {
    "strided": (strided(nn.SplitReLU(), sigma_b=0.1), (8, 8, 2)),
    "circular": (
        nn.serial(
            nn.Conv2D(8, (3, 2), strides=(2, 1), padding="circular"), nn.SplitReLU(),
            nn.Conv2D(8, (2, 4), strides=(2, 3), padding="circular"), nn.SplitReLU(), nn.AveragePool2D((2, 1)),
            nn.LayerNorm(center=False), nn.Conv2D(2, (1, 2)), nn.Readout("real"),
        ), (8, 6, 2),
    ),
    "sizes that strides do not divide": (strided(nn.SplitReLU()), (7, 5, 1)),
    "branches": (
        nn.serial(
            nn.Conv1D(8, (3,)),
            nn.Sum((nn.Conv1D(8, (1,), strides=(2,)), nn.serial(nn.SplitReLU(), nn.Conv1D(8, (3,), strides=(2,))))),
            nn.SplitReLU(), nn.Conv1D(8, (3,), strides=(2,)), nn.SplitReLU(), nn.GlobalAveragePool(), nn.Dense(1),
        ), (8, 2),
    ),
    "flattened": (
        nn.serial(nn.Conv2D(8, (3, 3), strides=(2, 2)), nn.SplitReLU(), nn.Flatten(), nn.Dense(1)), (6, 6, 1)
    ),
    "improper": (strided(nn.SplitReLU(), tau=0.3j), (4, 4, 2)),
    "vectors": (deep(nn.Cardioid()), (5,)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_blocks_give_the_kernels_of_all_inputs_at_once(name):
    net, shape = NETWORKS[name]
    x, y = images(5, *shape), 1j * images(3, *shape)[::-1]
    for whole, part in zip(net.kernel(x), net.kernel(x, batch_size=2), strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-14)
    for whole, part in zip(net.kernel(x, y), net.kernel(x, y, batch_size=2), strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-14)


def _covariance_of_all_pairs(x, layers):
    """K of circular convolutions and split identities behind them, by loops over pixels: (N, N, P, P) throughout."""
    k = np.einsum("apc,bqc->abpq", x, x.conj()) / x.shape[-1]
    for size, step in layers:
        length = k.shape[-1]
        at = [
            [(step * p + delta - (size - 1) // 2) % length for delta in range(size)] for p in range(-(-length // step))
        ]
        k = np.stack([np.stack([k[:, :, one, other].mean(-1) for other in at], -1) for one in at], -2)
    return k.mean((-2, -1))


@pytest.mark.parametrize("length", [12, 10, 7])
def test_pairs_of_pixels_that_strides_skip_change_nothing(length):
    x, layers = images(2, length, 2), [(3, 2), (2, 3), (2, 1)]
    steps = [part for size, step in layers for part in (nn.Conv1D(4, (size,), (step,), "circular"), nn.Identity())]
    found = nn.serial(*steps, nn.GlobalAveragePool(), nn.Dense(1)).kernel(x).nngp
    np.testing.assert_allclose(found, _covariance_of_all_pairs(np.asarray(x), layers), atol=1e-13)


def test_only_pairs_at_multiples_of_later_strides_are_held():
    strides = Recursion(strided(nn.SplitReLU()), (28, 28, 1))
    assert strides.pairs[:5] == ((4, 4), (2, 2), (2, 2), (1, 1), (1, 1))
    x = jnp.ones((1, 28, 28, 1), complex)
    assert next(strides.states(x, x)).nngp.size == 14**4 // 4


def test_half_of_the_blocks_follow_by_symmetry(monkeypatch):
    seen = []
    monkeypatch.setattr(infinite, "_block", lambda *inputs, block=infinite._block: (seen.append(1), block(*inputs))[1])
    for weights, blocks in ((0.0, 6), (0.3j, 9)):
        seen.clear()
        deep(nn.SplitReLU(), tau=weights).kernel(images(6, 3), batch_size=2)
        assert len(seen) == blocks


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (
            lambda: deep(nn.SplitReLU()).kernel(jnp.ones((200_000, 1))),
            r"200000 x 200000 inputs take 2,5.* TiB.*allowed",
        ),
        (
            lambda: deep(nn.SplitReLU()).kernel(images(100, 3), max_bytes=10_000),
            r"take 640,000 bytes .*as many as 12 x 12\)",
        ),
        (
            lambda: strided(nn.SplitReLU()).kernel(images(2, 64, 64, 1), max_bytes=2**20),
            r"1 x 1 at a time, take .* and 1,048,576 bytes .*smaller ones",
        ),
        (
            lambda: deep(nn.SplitReLU()).kernel(images(300, 3), batch_size=300, max_bytes=2**24),
            r"300 x 300 at a time.* at most batch_size=\d+ fits",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_numbers(work, message):
    with pytest.raises(qg.TooLarge, match=message):
        work()


def test_a_batch_size_that_was_said_to_fit_does():
    net, x = deep(nn.SplitReLU()), images(300, 3)
    with pytest.raises(MemoryError) as refusal:
        net.kernel(x, batch_size=300, max_bytes=2**24)
    fits = int(str(refusal.value).split("batch_size=")[1].split()[0])
    assert fits > 1
    assert net.kernel(x, batch_size=fits, max_bytes=2**24).ntk.shape == (300, 300)


@pytest.mark.parametrize(
    "arguments", [{"batch_size": 0}, {"batch_size": True}, {"max_bytes": -1}, {"max_bytes": "1 GB"}]
)
def test_bounds_that_are_no_numbers_are_refused(arguments):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))} is .*: give a positive number"):
        deep(nn.SplitReLU()).kernel(images(2, 3), **arguments)


def test_a_progress_bar_counts_blocks(capsys):
    deep(nn.SplitReLU()).kernel(images(4, 3), batch_size=2, progress=True)
    assert "kernel" in capsys.readouterr().out
