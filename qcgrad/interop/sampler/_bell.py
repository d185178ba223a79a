"""Bell measurements as ordinary circuits on 2n qubits, and majority votes on one copy after another."""

from dataclasses import replace

import numpy as np

from ...array_types import Key
from ...draws import generator, pairings
from ...errors import UnsupportedQuery
from ...ir import pauli
from ...ir.basis_change import product_change
from ...ir.circuit import Circuit
from ...ir.gates import Gate
from ...ir.mixture import Mixture
from ...ir.state_preparation import prepare
from ...queries import BellOutcomes, BellSample, MajorityVotes, Votes
from ._bitstrings import Bitstrings, masks_of
from ._plans import Plan, Run, followed


def bell_circuit(first: Circuit, second: Circuit | None = None) -> Circuit:
    """Two preparations side by side and a Bell measurement of qubit q with qubit n + q.

    Measure all 2n qubits of it in the computational basis and give the outcomes to `bell_outcomes`.

    Args:
        first: prepares the first state, on n qubits.
        second: prepares the other; by default another copy of the first.

    Raises:
        ValueError: different numbers of qubits.

    Cost: one CNOT and one Hadamard a qubit pair.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.interop.sampler import bell_circuit
        >>> print(bell_circuit(qg.Circuit(1).ry(0, 0.3)))
        q0: ─RY(0.3)─●─H──
                     │
        q1: ─RY(0.3)─X────
    """
    second = first if second is None else second
    n = first.num_qubits
    if second.num_qubits != n:
        raise ValueError(f"second has {second.num_qubits} qubits, but first has {n}: give the same number")
    gates = list(first.gates)
    gates += [replace(gate, wires=tuple(n + w for w in gate.wires)) for gate in second.gates]
    gates += [Gate("cx", (q, n + q)) for q in range(n)] + [Gate("h", (q,)) for q in range(n)]
    return Circuit(2 * n, gates)


def bell_outcomes(bitstrings: Bitstrings) -> BellOutcomes:
    """The masks of measured outcomes of a `bell_circuit`.

    Args:
        bitstrings: one string of 2n characters for each shot, a mapping from strings to counts, or an array of 0 and 1.
            Character q belongs to qubit q; Qiskit writes them in the other direction.

    Raises:
        ValueError: strings of odd or different lengths, or of other characters than 0 and 1.

    Example:
        >>> from qcgrad.interop.sampler import bell_outcomes
        >>> bell_outcomes({"0111": 2})  # the first n bits are the phases z, the others the flips x
        BellOutcomes(x=array([3, 3]), z=array([1, 1]))
    """
    outcomes, length = masks_of(bitstrings)
    if not length:
        raise ValueError("bitstrings holds []: give one string for each shot")
    if length % 2:
        raise ValueError(f"bitstrings have {length} characters: a Bell measurement of n pairs gives 2n")
    return _halves(outcomes, length // 2)


def bell_sample(query: BellSample, key: Key) -> Plan:
    """One circuit for each two preparations that meet."""
    n = query.program.num_qubits
    weights, circuits = _preparations(query.program, query.angles)
    partners, others = weights, circuits
    if query.partner is not None:
        partners = query.partner.probabilities
        others = [prepare(vector) for vector in query.partner.vectors]
    meetings = list(pairings(weights, partners, query.pairs, generator(key)))
    runs = [Run(bell_circuit(circuits[i], others[j]), len(members)) for i, j, members in meetings]

    def read(outcomes) -> BellOutcomes:
        x, z = (pauli.mask_array([0] * query.pairs, n) for _ in range(2))
        for (_, _, members), found in zip(meetings, outcomes, strict=True):
            x[members], z[members] = _halves(found, n)
        return BellOutcomes(x, z)

    return Plan(tuple(runs), read)


def majority_votes(query: MajorityVotes, key: Key) -> Plan:
    """Each string on copies of its own.

    Raises:
        UnsupportedQuery: coherent votes.
    """
    if query.is_shared:
        raise UnsupportedQuery(
            f"circuits that are measured once cannot hold {query.copies} copies for coherent votes: use "
            "signs='mimicking'"
        )
    rng, n = generator(key), query.program.num_qubits
    weights, circuits = _preparations(query.program, query.angles)
    strings = list(zip(query.x.tolist(), query.z.tolist(), strict=True))
    runs, owner = [], []
    for d, (x, z) in enumerate(strings):
        for circuit, shots in zip(circuits, rng.multinomial(query.copies, weights).tolist(), strict=True):
            if shots:
                runs.append(Run(followed(circuit, product_change(x, z, n)), shots))
                owner.append(d)

    def read(outcomes) -> Votes:
        eigenvalues: list[list[int]] = [[] for _ in strings]
        for d, found in zip(owner, outcomes, strict=True):
            x, z = strings[d]
            eigenvalues[d] += (1 - 2 * (pauli.popcount(found & (x | z)) & 1)).tolist()
        # One copy, drawn at random, decides a tie.
        signs = [np.sign(sum(votes)) or rng.choice(votes) for votes in eigenvalues]
        return Votes(np.array(signs, np.int64), np.exp(-query.copies * np.square(query.magnitudes) / 2))

    return Plan(tuple(runs), read)


def _preparations(program, angles) -> tuple[np.ndarray, list[Circuit]]:
    """Probabilities and circuits without parameters of what a query's program prepares."""
    if isinstance(program, Mixture):
        return program.probabilities, list(program.circuits)
    return np.ones(1), [program.bound(angles)]


def _halves(outcomes, n: int) -> BellOutcomes:
    """The masks x and z of outcomes on 2n qubits."""
    x, z = outcomes & ((1 << n) - 1), outcomes >> n
    return BellOutcomes(pauli.mask_array(x, n), pauli.mask_array(z, n))
