"""Majority votes on k copies: coherent ones idealized, incoherent ones exact.

Each vote is drawn from its exact distribution on fresh copies, a binomial count. Coherent votes share their
copies, so each one disturbs the next; the quantum union bound limits that, and the bound is returned.
"""

import numpy as np
from jaxtyping import Float

from ...array_types import Amplitudes, Key, Masks
from ...draws import generator
from ...ir.strings import diagonals_of, expectations
from ...queries import EXACT, Ensemble, Fidelity, MajorityVotes, Votes
from ._bell import as_ensemble


def draw(state: Amplitudes | Ensemble, query: MajorityVotes, key: Key) -> Votes:
    """One vote for each string of the query, of a pure state (2^n,) or an `Ensemble`; see `queries.MajorityVotes`."""
    mean = pauli_expectations(state, query.x, query.z)
    rng = generator(key)
    majority = 2 * rng.binomial(query.copies, np.clip((1 + mean) / 2, 0, 1)) - query.copies
    # The first copy decides a tie; given a tie, its vote is a fair coin.
    majority = np.where(majority == 0, rng.choice([-1, 1], size=len(majority)), majority)
    # Votes on copies of their own disturb nothing that is used again.
    return Votes(
        np.sign(majority).astype(np.int64), _failures(query), Fidelity("idealized") if query.is_shared else EXACT
    )


def _failures(query):
    if query.is_shared:
        return failure_bounds(query.magnitudes, query.copies)
    return np.exp(-query.copies * np.square(query.magnitudes) / 2)


def failure_bounds(magnitudes: Float[np.ndarray, "D"], copies: int) -> Float[np.ndarray, "D"]:
    r"""Quantum union bound: (D,) the probability that vote j, or one before it on the same copies, goes wrong.

    Each vote fails with at most \(\epsilon_i = e^{-k p_i^2/2}\) (Hoeffding); measured in sequence on the
    same copies, the first j all succeed except with probability at most \(4 \sum_{i \le j} \epsilon_i\).

    References:
        J. Gao, "Quantum union bounds for sequential projective measurements", Phys. Rev. A 92, 052331
        (2015), arXiv:1410.5688.
    """
    return np.minimum(1, 4 * np.cumsum(np.exp(-copies * np.square(magnitudes) / 2)))


def disturbance_bound(magnitudes: Float[np.ndarray, "D"], copies: int) -> float:
    """`failure_bounds` for any of the votes."""
    return float(np.max(failure_bounds(magnitudes, copies), initial=0.0))


def pauli_expectations(state: Amplitudes | Ensemble, x: Masks, z: Masks) -> Float[np.ndarray, "D"]:
    """<P> for D strings (x, z), of a pure state (2^n,) or an `Ensemble`."""
    found = np.zeros(len(x))
    for probability, psi in zip(*as_ensemble(state), strict=True):
        psi = np.asarray(psi, np.complex128)
        found += probability * expectations(diagonals_of(psi), len(psi), x, z)
    return found
