r"""Bell sampling of two copies of a pure state, exactly and without 4^n memory.

Measuring each qubit pair of psi (x) psi in the Bell basis gives masks (x, z). Drawing a, b from |psi|^2
fixes x = a XOR b with its exact distribution, and given x,

.. math:: \Pr[z \mid x] \propto \Big|\sum_b (-1)^{b \cdot z}\, \psi_b\, \psi_{b \oplus x}\Big|^2 ,

a Walsh-Hadamard transform of 2^n numbers. For a string P of masks (p, q) the outcome's eigenvalue of
P (x) P is (-1)^{p.z + q.x + |p & q|}, and its mean is <P>^2.

References:
    H.-Y. Huang, R. Kueng, J. Preskill, "Information-theoretic bounds on quantum advantage in machine
    learning", Phys. Rev. Lett. 126, 190505 (2021), arXiv:2101.02464.
"""

import jax
import numpy as np

from ...queries import BellOutcomes

# Amplitudes transformed at a time: keeps the working set at a few tens of MiB.
_CHUNK_AMPLITUDES = 1 << 21


def sample(psi, pairs: int, key) -> BellOutcomes:
    """Draw `pairs` Bell measurements of psi (x) psi; O(n 2^n) for each distinct x."""
    psi = np.asarray(psi)
    rng = generator(key)
    probabilities = np.abs(psi.astype(np.complex128)) ** 2
    probabilities /= probabilities.sum()
    first, second = rng.choice(len(psi), size=(2, pairs), p=probabilities)
    x = first ^ second
    z = np.empty_like(x)
    distinct, where = np.unique(x, return_inverse=True)
    step = max(1, _CHUNK_AMPLITUDES // len(psi))
    order = np.argsort(where, kind="stable")
    bounds = np.searchsorted(where[order], np.arange(len(distinct) + 1))
    index = np.arange(len(psi))
    for start in range(0, len(distinct), step):
        masks = distinct[start : start + step]
        weights = np.abs(walsh_hadamard(psi * psi[index ^ masks[:, None]])) ** 2
        for row, weight in enumerate(weights):
            members = order[bounds[start + row] : bounds[start + row + 1]]
            z[members] = rng.choice(len(psi), size=len(members), p=weight / weight.sum())
    return BellOutcomes(x.astype(np.int64), z.astype(np.int64))


def walsh_hadamard(rows: np.ndarray) -> np.ndarray:
    """sum_b (-1)^{b.z} rows[:, b] for every z, along the last axis."""
    count, dimension = rows.shape
    half = 1
    while half < dimension:
        blocks = rows.reshape(count, dimension // (2 * half), 2, half)
        rows = np.stack([blocks[:, :, 0] + blocks[:, :, 1], blocks[:, :, 0] - blocks[:, :, 1]], axis=2)
        half *= 2
    return rows.reshape(count, dimension)


def generator(key) -> np.random.Generator:
    """A NumPy generator seeded by all bits of a JAX key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).tolist())
