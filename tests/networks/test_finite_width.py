"""Infinite-width kernels against brute-force Jacobians of finite networks."""

import pytest

from qcgrad import networks as nn

from .finite import SEEDS, VECTORS, agrees, convolutional, data, dense, others

pytestmark = pytest.mark.statistical

# About ten seconds each; these repeat terms that the others check one by one.
_REPEATING = {
    "polynomial in z and conj z",
    "improper, complex tau",
    "real weights, complex data",
    "sum",
    "real readout",
    "real readout, improper",
}


def _marks(case):
    return (pytest.mark.slow, pytest.mark.study) if case in _REPEATING else () if case == "split" else pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, marks=_marks(case)) for case in VECTORS])
def test_dense_networks_at_finite_width(case):
    # Tangent kernels of modReLU have long tails.
    agrees(VECTORS[case], data(1, 3, 4), others(4), seeds=160 if "modReLU" in case else SEEDS)


def test_real_networks_at_finite_width():
    agrees(dense(nn.ReLU(), dtype="real"), data(1, 3, 4).real, others(4).real)


@pytest.mark.parametrize(
    "net",
    [
        # Half a minute each; the last covers convolutions and pooling in every run.
        pytest.param(convolutional(()), marks=(pytest.mark.slow, pytest.mark.study)),
        pytest.param(
            convolutional((nn.LayerNorm(center=False), nn.AveragePool1D((2,)))),
            marks=(pytest.mark.slow, pytest.mark.study),
        ),
        convolutional((nn.AveragePool1D((2,)),), tau=0.5j),
    ],
    ids=["flatten", "norm and pool", "pool, improper"],
)
def test_convolutions_at_finite_width(net):
    agrees(net, data(1, 2, 6, 2), others(6, 2), seeds=48)


@pytest.mark.slow
@pytest.mark.study
def test_images_at_finite_width():
    net = nn.serial(
        nn.Conv2D(48, (3, 2), strides=(1, 2), sigma_w=2**0.5),
        nn.SplitReLU(),
        nn.AveragePool2D((2, 1)),
        nn.Conv2D(48, (2, 2), padding="circular"),
        nn.SplitReLU(),
        nn.Flatten(),
        nn.Dense(1),
    )
    agrees(net, data(1, 2, 4, 4, 2), others(4, 4, 2), seeds=48)
