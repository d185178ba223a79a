"""Coherent majority votes on k copies, idealized.

Each vote is drawn from its exact distribution on fresh copies, a binomial count. Real votes share their
copies, so each one disturbs the next; the quantum union bound limits that, and the bound is returned.
"""

import numpy as np

from ...ir import pauli
from ...queries import MajorityVotes, Votes
from .bell import generator


def draw(psi, query: MajorityVotes, key) -> Votes:
    """One vote for each string of the query; see `qcgrad.queries.MajorityVotes`."""
    expectations = pauli_expectations(np.asarray(psi), query.x, query.z)
    rng = generator(key)
    majority = 2 * rng.binomial(query.copies, np.clip((1 + expectations) / 2, 0, 1)) - query.copies
    # The first copy decides a tie; given a tie, its vote is a fair coin.
    majority = np.where(majority == 0, rng.choice([-1, 1], size=len(majority)), majority)
    return Votes(np.sign(majority).astype(np.int64), disturbance_bound(query.magnitudes, query.copies))


def disturbance_bound(magnitudes: np.ndarray, copies: int) -> float:
    r"""Quantum union bound on the probability that any of the shared votes goes wrong.

    Each vote fails with at most \(\epsilon_i = e^{-k p_i^2/2}\) (Hoeffding); measured in sequence on the
    same copies, all succeed except with probability at most \(4 \sum_i \epsilon_i\).

    References:
        J. Gao, "Quantum union bounds for sequential projective measurements", Phys. Rev. A 92, 052331
        (2015), arXiv:1410.5688.
    """
    return float(min(1.0, 4 * np.sum(np.exp(-copies * np.square(magnitudes) / 2))))


def pauli_expectations(psi: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """<P> for D strings, one pass over the state for each X mask and one dot product for each string."""
    index = np.arange(len(psi))
    out = np.empty(len(x))
    for mask in np.unique(x):
        overlap = np.conj(psi) * psi[index ^ mask]
        for d in np.flatnonzero(x == mask):
            signs = 1 - 2 * (np.bitwise_count(index & z[d]) & 1).astype(np.int64)
            out[d] = np.real((-1j) ** int(pauli.popcount(mask & z[d])) * np.dot(signs, overlap))
    return out
