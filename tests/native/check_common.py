"""What the checks of the native engine share."""

import numpy as np

THREADS = (1, 2)


def apply_pauli(x, z, vectors):
    """i^{|x&z|} X^x Z^z on each row."""
    index = np.arange(vectors.shape[-1])
    signs = 1 - 2.0 * (np.bitwise_count(index & z) & 1)
    result = np.empty_like(vectors)
    result[..., index ^ x] = 1j ** ((x & z).bit_count() % 4) * signs * vectors
    return result


def random_mask(rng, num_qubits):
    return int(rng.integers(2**num_qubits))


def check_close(what, got, want, tolerance):
    """The largest error, relative to the largest entry if that is above 1."""
    error = np.max(np.abs(got - want), initial=0.0) / np.max(np.abs(want), initial=1.0)
    assert error < tolerance, f"{what}: error {error:.3g}, allowed {tolerance:.3g}"  # a NaN fails as well
    return error
