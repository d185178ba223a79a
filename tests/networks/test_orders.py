"""Layers in every order: the kernel is that of wide finite networks, or it is refused by name."""

import itertools
import random

import equinox as eqx
import jax
import pytest

from qcgrad import networks as nn
from qcgrad.errors import NotApplicable
from qcgrad.networks._recursion import Recursion

from .finite import agrees, data, others

WIDTH = 64
SHAPE = (4, WIDTH)
LETTERS = "dcapfnrs"
# Activations are smooth: behind a real part, derivatives across the kink of SplitReLU are a matter of convention.


def _layer(letter, shape):
    """One layer for inputs of this shape; None where the order makes no network."""
    is_image = len(shape) == 2
    match letter:
        case "d":
            return nn.Dense(WIDTH, sigma_w=1.3, sigma_b=0.3)
        case "c":
            return nn.Conv1D(WIDTH, (2,), padding="circular", sigma_b=0.2) if is_image else None
        case "a":
            return nn.SplitErf()
        case "p":
            return nn.AveragePool1D((2,)) if is_image and shape[0] % 2 == 0 else None
        case "f":
            return nn.Flatten() if is_image else None
        case "n":
            return nn.LayerNorm()
        case "r":
            return nn.Readout("real")
        case "s":
            return nn.Residual(nn.serial(nn.SplitErf(), nn.Dense(shape[-1])))


def _network(letters, shape):
    """(network, channels in front of a Flatten behind the last weights), or None."""
    layers, channels = [], shape[-1]
    for letter in letters:
        if (layer := _layer(letter, shape)) is None:
            return None
        layers.append(layer)
        shape = layer.output_shape(shape)
        channels = channels if letter in "fanrp" else shape[-1]
    return nn.serial(*layers), channels


def _orders(lengths):
    for length in lengths:
        yield from ("".join(letters) for letters in itertools.product(LETTERS, repeat=length))


def _refusal(net, shape):
    """Why the network has no infinite-width kernel, or None. Nothing is computed: shapes are enough to know."""
    x = jax.ShapeDtypeStruct((1, *shape), complex)
    try:
        eqx.filter_eval_shape(Recursion(net, shape).run, x, x)
    except NotApplicable as refusal:
        return str(refusal)
    return None


def test_what_stands_behind_the_last_weights_decides():
    """All orders of up to three layers: none with a nonlinear layer behind its last weights has a kernel."""
    for letters in _orders((1, 2, 3)):
        if (made := _network(letters, SHAPE)) is None:
            continue
        behind = letters[max(letters.rfind(weights) for weights in "dcs") + 1 :]
        refusal = _refusal(made[0], SHAPE)
        if "a" in behind or "n" in behind:
            assert refusal is not None, letters
        elif set(letters) <= set("dcpf"):
            assert refusal is None, letters


def _check(letters):
    net, channels = _network(letters, SHAPE)
    assert _refusal(net, SHAPE) is None
    agrees(net, data(1, 2, *SHAPE), others(*SHAPE), seeds=32, channels=channels)


@pytest.mark.statistical
@pytest.mark.parametrize("letters", ["drs", "fdsnd", "dppdrd", "dpac", "cf"])
def test_orders_agree_with_wide_networks(letters):
    _check(letters)


@pytest.mark.slow
@pytest.mark.study
@pytest.mark.statistical
def test_orders_drawn_at_random_agree_with_wide_networks():
    draw, seen = random.Random(0), set()
    while len(seen) < 60:
        letters = "".join(draw.choices(LETTERS, k=draw.randint(2, 6)))
        made = _network(letters, SHAPE)
        if made is None or letters in seen or not set(letters) & set("dcs") or _refusal(made[0], SHAPE):
            continue
        seen.add(letters)
        _check(letters)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            (nn.Dense(8), nn.SplitReLU(), nn.Dense(1), nn.SplitReLU(), nn.Readout("real")),
            "Put a Dense or Conv layer in front",
        ),
        ((nn.Dense(8), nn.SplitReLU(), nn.Dense(1), nn.SplitReLU(), nn.Dense(8)), "width 1 stands in front of Dense"),
        ((nn.Dense(8), nn.Dense(1), nn.Dense(1)), "width 1 stands in front of Dense"),
        ((nn.Dense(8), nn.LayerNorm()), "ends with LayerNorm"),
        ((nn.Dense(8), nn.SplitReLU(), nn.Flatten()), "ends with SplitReLU"),
        ((nn.Readout("real"), nn.Dense(8)), "Put a Dense or Conv layer in front"),
        ((nn.Dense(8), nn.Cardioid(), nn.Readout("real"), nn.Dense(8)), "Put a Dense or Conv layer in front"),
    ],
)
def test_what_has_no_limit_is_refused_by_name(layers, message):
    with pytest.raises(NotApplicable, match=message):
        nn.serial(*layers).kernel(data(1, 2, 4))
