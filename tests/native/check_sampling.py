"""Samples of the native engine for chosen random numbers, against a dense reference."""

import native_ctypes as native
import numpy as np
from check_common import THREADS, apply_pauli, check_close, random_mask
from native_ctypes import Basis


def random_basis(rng, num_qubits, outputs):
    """Any letters; some observables may have nothing to measure in it, but not all."""
    x, z = (random_mask(rng, num_qubits) * int(rng.integers(2)) for _ in range(2))
    sums = [[(random_mask(rng, num_qubits), rng.normal()) for _ in range(rng.integers(4))] for _ in range(outputs)]
    sums[0].append((random_mask(rng, num_qubits), 1.0))
    return Basis(x, z, sums)


def outcomes_in(rng, basis, psi, draws):
    """Outcomes, and for each a number in the middle of its part of [0, 1)."""
    for bit in range(psi.size.bit_length() - 1):
        if basis.x >> bit & 1:
            measures_y = basis.z >> bit & 1
            sign = -1 if measures_y else 1  # RX(pi/2) = (1 - iX)/sqrt 2, RY(-pi/2) = (1 + iY)/sqrt 2
            psi = (psi + sign * 1j * apply_pauli(1 << bit, 0 if measures_y else 1 << bit, psi)) / np.sqrt(2)
    probability = np.abs(psi) ** 2
    # Likely enough that rounding to single precision does not reach a neighbour.
    outcomes = rng.choice(np.flatnonzero(probability > 0.1 / psi.size), draws)
    return outcomes, (np.cumsum(probability) - probability / 2)[outcomes]


def expected(rng, bases, states, shots, draws):
    """Uniforms (B, G, draws), and the means and variances (B, K) that the first `shots` of them give."""
    outputs = len(bases[0].sums)
    uniforms = np.empty((len(states), len(bases), draws))
    means, variances = np.zeros((2, len(states), outputs))
    for i, psi in enumerate(states):
        for g, basis in enumerate(bases):
            outcomes, uniforms[i, g] = outcomes_in(rng, basis, psi, draws)
            for k, terms in enumerate(basis.sums):
                values = np.zeros(shots[i])
                for support, coefficient in terms:
                    values += coefficient * (1 - 2.0 * (np.bitwise_count(outcomes[: shots[i]] & support) & 1))
                means[i, k] += values.mean()
                variances[i, k] += values.var(ddof=1) / shots[i]
    return uniforms, means, variances


def check_sampling(rng, circuit, states, angles):
    """A few bases in every configuration, to 1e-12: outcomes are discrete, so the precision does not matter."""
    draws = int(rng.integers(2, 700))
    outputs = int(rng.integers(1, 4))
    bases = [random_basis(rng, circuit.num_qubits, outputs) for _ in range(rng.integers(1, 4))]
    shots = rng.integers(2, draws + 1, len(angles))
    uniforms, means, variances = expected(rng, bases, states, shots, draws)
    few = [0] + [1] * (len(angles) - 1)
    for single in (0, 1):
        for isa in native.instruction_sets():
            for threads in THREADS:
                native.set_num_threads(threads)
                name = (
                    f"samples of {circuit.num_qubits} qubits, single={single}, instruction set {isa}, {threads} threads"
                )
                found, again, rare = (
                    native.sample(circuit, bases, angles, uniforms, count, single, isa) for count in (shots, shots, few)
                )
                assert all(map(np.array_equal, found, again)), f"{name}: not reproducible"
                check_close(f"{name}, mean", found[0], means, 1e-12)
                check_close(f"{name}, variance", found[1], variances, 1e-12)
                assert np.isnan(rare[1]).all(), f"{name}: a variance from one shot or none"
                assert np.isnan(rare[0][0]).all(), f"{name}: a mean from no shot"
                assert np.isfinite(rare[0][1:]).all(), f"{name}: no mean from one shot"
