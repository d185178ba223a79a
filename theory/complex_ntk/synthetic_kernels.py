"""Kernels of the infinitely wide networks that `synthetic_tasks` compares."""

import numpy as np

from qcgrad import networks as nn
from qcgrad.networks.kernel_state import Kernel
from theory.complex_ntk.real_limit import network

TURNS, BIAS = 8, -0.5  # the bias is that of modReLU
REAL, SPLIT, AVERAGED = "real ReLU", "split ReLU", "split ReLU, averaged over turns"
MODRELU, MODRELU_PAIR = "modReLU", "modReLU, two real outputs"


def relu_kernels(x) -> dict[str, Kernel]:
    """The kernels of ReLUs between all inputs."""
    x = _scaled(x)
    split, phases = network(nn.SplitReLU()), np.exp(2j * np.pi * np.arange(TURNS) / TURNS)
    # In NumPy, slices of every size need no compilation.
    orbit = [each(np.asarray, split.kernel(phase * x, x)) for phase in phases]
    return {
        REAL: each(np.asarray, network(nn.ReLU()).kernel(np.concatenate([x.real, x.imag], axis=1))),
        SPLIT: orbit[0],
        AVERAGED: each(lambda *k: np.tensordot(phases.conj() / TURNS, np.stack(k), 1), *orbit),
    }


def modrelu_kernels(x) -> dict[str, Kernel]:
    """Those of modReLU, which are sums of series and take most of the time."""
    kernel = each(np.asarray, network(nn.ModReLU(BIAS)).kernel(_scaled(x)))
    return {MODRELU: kernel, MODRELU_PAIR: real_outputs(kernel)}


def _scaled(x):
    """Inputs of mean power one."""
    return x / np.sqrt(np.mean(np.abs(x) ** 2)) + 0j


def each(function, *kernels) -> Kernel:
    return Kernel(*(function(*arrays) for arrays in zip(*kernels, strict=True)))


def real_outputs(kernel: Kernel) -> Kernel:
    """The same network with real readouts: kernels Re K/2, Re Theta/2, which pseudo-kernels equal."""
    half = each(lambda k: np.real(k) / 2, kernel)
    return half._replace(pseudo=half.nngp, ntk_pseudo=half.ntk)
