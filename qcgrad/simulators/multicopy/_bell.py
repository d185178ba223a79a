r"""Bell sampling of pairs of states, exactly and without 4^n memory.

Measuring each qubit pair of psi (x) phi in the Bell basis gives masks (x, z). Drawing a from |psi|^2 and b from
|phi|^2 fixes x = a XOR b with its exact distribution, and given x,

.. math:: \Pr[z \mid x] \propto \Big|\sum_b (-1)^{b \cdot z}\, \psi_b\, \phi_{b \oplus x}\Big|^2 ,

a Walsh-Hadamard transform of 2^n numbers. For a string P of masks (p, q) the outcome's eigenvalue of
P (x) P is (-1)^{p.z + q.x + |p & q|}, and its mean is the product of P's expectations in psi and phi. From a mixed
state each copy is a vector drawn from any ensemble of it.

References:
    H.-Y. Huang, R. Kueng, J. Preskill, "Information-theoretic bounds on quantum advantage in machine
    learning", Phys. Rev. Lett. 126, 190505 (2021), arXiv:2101.02464.
"""

from collections.abc import Sequence

import jax
import numpy as np

from ...array_types import Amplitudes, Key
from ...draws import generator, pairings, positions
from ...errors import StateTooLarge
from ...ir import pauli
from ...ir.strings import CHUNK_AMPLITUDES, walsh_hadamard
from ...memory import allowed_bytes, require_count
from ...queries import BellOutcomes, Ensemble

# Measured: which vectors meet, the masks, and what sorts them.
_BYTES_PER_PAIR = 80


def sample(state: Amplitudes | Ensemble, pairs: int, key: Key, partner: Ensemble | None = None) -> BellOutcomes:
    """Draw `pairs` Bell measurements; O(n 2^n) for each distinct x of each pair of vectors.

    Args:
        state: amplitudes (2^n,) or an `Ensemble`.
        pairs: how many.
        key: JAX random key.
        partner: the second state of each pair; by default another copy of the first.
    """
    first, rng = as_ensemble(state), generator(key)
    second = first if partner is None else partner
    x, z = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
    for i, j, members in pairings(first.probabilities, second.probabilities, pairs, rng):
        x[members], z[members] = _sample_product(first.vectors[i], second.vectors[j], len(members), rng)
    return BellOutcomes(x, z)


def check_pairs(pairs: int, num_qubits: int, max_bytes: int | None = None) -> None:
    """Refuse more Bell measurements of n qubit pairs than fit into memory.

    Raises:
        StateTooLarge: with the number that would fit.
    """
    # Beyond 62 qubits the masks are Python's integers, and there are some of each size before and behind `widened`.
    wide = 6 * pauli.mask_bytes(num_qubits) if num_qubits > pauli.WORD_QUBITS else 0
    require_count(
        "Bell measurements",
        pairs,
        lambda pairs: pairs * (_BYTES_PER_PAIR + wide),
        allowed_bytes(max_bytes),
        "give fewer copies, and average several estimates",
        StateTooLarge,
    )


def widened(outcomes: BellOutcomes, qubits: Sequence[int], num_qubits: int, key: Key) -> BellOutcomes:
    """Outcomes on all n qubits from those on `qubits`: of two |0> every x is 0 and every z a fair coin."""
    idle = [q for q in range(num_qubits) if q not in set(qubits)]
    x, z = (pauli.spread(masks, qubits, num_qubits) for masks in outcomes)
    rng = generator(jax.random.fold_in(key, 1))
    for q in idle:
        z |= np.asarray(rng.integers(2, size=len(z)), z.dtype) << (num_qubits - 1 - q)
    return BellOutcomes(x, z)


def as_ensemble(state: Amplitudes | Ensemble) -> Ensemble:
    """The pure state (2^n,) as an ensemble of one vector; ensembles as they are."""
    if isinstance(state, Ensemble):
        return state
    return Ensemble(np.ones(1), np.asarray(state)[None])


def _sample_product(psi, phi, count, rng):
    """(x, z) of `count` pairs psi (x) phi."""
    x = _draw(psi, count, rng) ^ _draw(phi, count, rng)
    z = np.empty_like(x)
    distinct, where = np.unique(x, return_inverse=True)
    members = positions(where, len(distinct))
    index = np.arange(len(psi))
    step = max(1, CHUNK_AMPLITUDES // len(psi))
    for start in range(0, len(distinct), step):
        masks = distinct[start : start + step]
        weights = np.abs(walsh_hadamard(psi * phi[index ^ masks[:, None]])) ** 2
        for weight, chosen in zip(weights, members[start : start + step], strict=True):
            z[chosen] = rng.choice(len(psi), size=len(chosen), p=weight / weight.sum())
    return x, z


def _draw(psi, count, rng):
    probabilities = np.abs(psi.astype(np.complex128)) ** 2
    return rng.choice(len(psi), size=count, p=probabilities / probabilities.sum())
