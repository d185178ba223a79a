"""Samples of the native engine from known random numbers, against a dense reference."""

import native_ctypes as native
import numpy as np
from check_common import THREADS, apply_pauli, check_close, random_mask
from native_ctypes import Basis

_CHUNK = 256  # kDrawChunk in kernels.h
_LOW = np.uint64(0xFFFFFFFF)


def philox(counter, key):
    """Philox 4x32-10 (Salmon et al., SC 2011): counters (4, N) and a key of two words to words (4, N)."""
    c = [np.asarray(word, np.uint64) for word in counter]
    k = [int(word) for word in key]
    for _ in range(10):
        p = [np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]]
        high = [word >> np.uint64(32) for word in p]
        c = [high[1] ^ c[1] ^ np.uint64(k[0]), p[1] & _LOW, high[0] ^ c[3] ^ np.uint64(k[1]), p[0] & _LOW]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c)


# The authors' test vectors.
assert [hex(w) for w in philox(np.zeros((4, 1)), (0, 0))[:, 0].tolist()] == [
    "0x6627e8d5",
    "0xe169c58d",
    "0xbc57ac4c",
    "0x9b00dbd8",
]


def uniforms(stream, basis, count):
    """The first numbers of a stream in a basis: chunk by chunk, first all first halves of the blocks of four words."""
    block = np.arange(-(-count // _CHUNK) * _CHUNK // 2, dtype=np.uint64)
    same = np.ones_like(block)
    words = philox((block & _LOW, block >> np.uint64(32), same * np.uint64(basis), same * stream[2]), stream[:2])
    numbers = ((words[1::2] << np.uint64(32) | words[::2]) >> np.uint64(11)) * 2.0**-53
    return numbers.reshape(2, -1, _CHUNK // 2).transpose(1, 0, 2).ravel()[:count]


def random_basis(rng, num_qubits, outputs):
    """Any letters; some observables may have nothing to measure in it, but not all. Sums of values are exact."""
    x, z = (random_mask(rng, num_qubits) * int(rng.integers(2)) for _ in range(2))
    sums = [
        [(random_mask(rng, num_qubits), rng.integers(-9, 10) / 8) for _ in range(rng.integers(4))]
        for _ in range(outputs)
    ]
    sums[0].append((random_mask(rng, num_qubits), 1.0))
    return Basis(x, z, sums)


def values_of(basis, size):
    """(K, 2^n) what each outcome says."""
    outcomes = np.arange(size)
    rows = [sum(c * (1 - 2.0 * (np.bitwise_count(outcomes & s) & 1)) for s, c in terms) for terms in basis.sums]
    return np.array([np.broadcast_to(row, size) for row in rows])


def drawn(basis, psi, numbers, all_sums):
    """(K, draws) values: outcomes in order, or, where many agree and tables are small, classes of them in order."""
    for bit in range(psi.size.bit_length() - 1):
        if basis.x >> bit & 1:
            measures_y = basis.z >> bit & 1
            sign = -1 if measures_y else 1  # RX(pi/2) = (1 - iX)/sqrt 2, RY(-pi/2) = (1 + iY)/sqrt 2
            psi = (psi + sign * 1j * apply_pauli(1 << bit, 0 if measures_y else 1 << bit, psi)) / np.sqrt(2)
    probability, values = np.abs(psi) ** 2, values_of(basis, psi.size)
    classes, of = np.unique(values, axis=1, return_inverse=True)
    if all_sums * psi.size <= 2**17 and classes.shape[1] <= psi.size // 4:
        probability, values = np.bincount(of.ravel(), probability), classes
    ends = np.cumsum(probability)
    return values[:, np.minimum(np.searchsorted(ends, numbers * ends[-1], side="right"), len(ends) - 1)]


def expected(bases, states, shots, streams):
    """Means and variances (B, K)."""
    outputs = len(bases[0].sums)
    means, variances = np.zeros((2, len(states), outputs))
    for i, psi in enumerate(states):
        for g, basis in enumerate(bases):
            values = drawn(basis, psi, uniforms(streams[i], g, shots[i, g]), len(bases) * outputs)
            means[i] += values.mean(axis=1)
            variances[i] += values.var(axis=1, ddof=1) / shots[i, g]
    return means, variances


def check_sampling(rng, circuit, states, angles):
    """A few bases in every configuration: to 1e-12, or in single precision to two outcomes that rounding moved."""
    outputs = int(rng.integers(1, 4))
    bases = [random_basis(rng, circuit.num_qubits, outputs) for _ in range(rng.integers(1, 4))]
    shots = rng.integers(2, 700, (len(angles), len(bases)))
    few = np.broadcast_to(np.arange(len(angles)) > 0, shots.T.shape).T
    streams = rng.integers(2**32, size=(len(angles), 3), dtype=np.uint64)
    wanted = expected(bases, states, shots, streams)
    # One angle after the other replaced; what another row of the batch has there is as good as any.
    owner = np.arange(-1, circuit.num_angles) if len(angles) > 1 else np.arange(0)
    moved = [0.0 if o < 0 else angles[1, o] for o in owner]
    one_by_one = np.repeat(angles[:1], 1 + len(owner), axis=0)
    for row, (o, angle) in enumerate(zip(owner, moved, strict=True), 1):
        one_by_one[row, o] = angle if o >= 0 else angles[0, o]
    many = rng.integers(0, 99, (1 + len(owner), len(bases)))
    many_streams = rng.integers(2**32, size=(1 + len(owner), 3), dtype=np.uint64)
    for single in (0, 1):
        room = 30 / shots.min() if single else 1e-12
        for isa in native.instruction_sets():
            for threads in THREADS:
                native.set_num_threads(threads)
                name = (
                    f"samples of {circuit.num_qubits} qubits, single={single}, instruction set {isa}, {threads} threads"
                )

                def run(at, count, stream, shifts=None, single=single, isa=isa):
                    return native.sample(circuit, bases, at, count, stream, single, isa, shifts)

                found, again, rare = (run(angles, count, streams) for count in (shots, shots, few))
                assert all(map(np.array_equal, found, again)), f"{name}: not reproducible"
                check_close(f"{name}, mean", found[0], wanted[0], room)
                check_close(f"{name}, variance", found[1], wanted[1], room)
                assert np.isnan(rare[1]).all(), f"{name}: a variance from one shot or none"
                assert np.isnan(rare[0][0]).all(), f"{name}: a mean from no shot"
                assert np.isfinite(rare[0][1:]).all(), f"{name}: no mean from one shot"
                if single:
                    continue  # rounding moves an outcome now and then
                shifted, each = (
                    run(angles[:1], many, many_streams, (owner, [moved])),
                    run(one_by_one, many, many_streams),
                )
                for one, other in zip(shifted, each, strict=True):
                    assert np.array_equal(np.isnan(one), np.isnan(other)), f"{name}: shifts, NaN"
                    check_close(f"{name}, shifts", np.nan_to_num(one), np.nan_to_num(other), 1e-11)
