"""Bell measurements as ordinary circuits on 2n qubits, for any device or simulator that returns bitstrings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from ...array_types import Key
from ...backend import AbstractBackend
from ...draws import generator, pairings
from ...errors import UnsupportedQuery
from ...ir import pauli
from ...ir.circuit import Circuit
from ...ir.gates import Gate
from ...ir.mixture import Mixture
from ...ir.state_preparation import prepare
from ...queries import AbstractQuery, Access, BellOutcomes, BellSample, MajorityVotes, Votes

Bitstrings = Iterable[str] | Mapping[str, int]


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
        bitstrings: one string of 2n characters for each shot, or a mapping from strings to counts. Character q
            belongs to qubit q; Qiskit writes them in the other direction.

    Raises:
        ValueError: strings of odd or different lengths, or of other characters than 0 and 1.

    Example:
        >>> from qcgrad.interop.sampler import bell_outcomes
        >>> bell_outcomes({"0111": 2})  # the first n bits are the phases z, the others the flips x
        BellOutcomes(x=array([3, 3]), z=array([1, 1]))
    """
    outcomes, length = _integers(bitstrings)
    if length % 2:
        raise ValueError(f"bitstrings have {length} characters: a Bell measurement of n pairs gives 2n")
    half = length // 2
    return BellOutcomes(outcomes & ((1 << half) - 1), outcomes >> half)


class SampledBell(AbstractBackend):
    """Answers `BellShadow` by measuring ordinary circuits elsewhere.

    All of signs="mimicking" runs so, on 2n qubits. Coherent votes need k copies at once and are refused.

    Args:
        sampler: function of a circuit without parameters and a number of shots, which measures all qubits and
            returns one bitstring for each shot, or counts (see `bell_outcomes`).

    Example:
        >>> import jax, qcgrad as qg
        >>> from qiskit import transpile
        >>> from qiskit.primitives import StatevectorSampler
        >>> from qcgrad.interop import to_qiskit
        >>> from qcgrad.interop.sampler import SampledBell
        >>> jax.config.update("jax_enable_x64", True)
        >>> device = StatevectorSampler(seed=1)
        >>> def sampler(circuit, shots):
        ...     measured = transpile(to_qiskit(circuit), basis_gates=["cx", "u"])
        ...     measured.measure_all()
        ...     found = device.run([measured], shots=shots).result()[0].data.meas
        ...     return [bits[::-1] for bits in found.get_bitstrings()]  # Qiskit puts qubit 0 last
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), "ZI", ["YI"])
        >>> e = qg.estimate(pool, [0.5], qg.BellShadow(4000, "mimicking"), SampledBell(sampler), key=0)
        >>> bool(abs(e.gradient[0] - 0.9589) < 5 * e.variance[0] ** 0.5)
        True
    """

    access = Access.multi_copy

    def __init__(self, sampler: Callable[[Circuit, int], Bitstrings]):
        if not callable(sampler):
            raise TypeError(f"sampler is {sampler!r}: give a function of a circuit and a number of shots")
        self.sampler = sampler

    def answer(self, query: AbstractQuery, key: Key | None) -> BellOutcomes | Votes:
        if isinstance(query, BellSample):
            return self._pairs(query, key)
        if isinstance(query, MajorityVotes):
            if query.is_shared:
                raise UnsupportedQuery(
                    f"SampledBell cannot hold {query.copies} copies for coherent votes: use signs='mimicking'"
                )
            return self._votes(query, key)
        return self.refuse(query)

    def _pairs(self, query, key):
        rng = generator(key)
        weights, circuits = _preparations(query.program, query.angles)
        partners, others = weights, circuits
        if query.partner is not None:
            partners = query.partner.probabilities
            others = [prepare(vector) for vector in query.partner.vectors]
        x, z = np.empty(query.pairs, np.int64), np.empty(query.pairs, np.int64)
        for i, j, members in pairings(weights, partners, query.pairs, rng):
            x[members], z[members] = bell_outcomes(self._measured(bell_circuit(circuits[i], others[j]), len(members)))
        return BellOutcomes(x, z)

    def _votes(self, query, key):
        rng = generator(key)
        weights, circuits = _preparations(query.program, query.angles)
        signs = []
        for x, z in zip(query.x.tolist(), query.z.tolist(), strict=True):
            eigenvalues = []
            for circuit, shots in zip(circuits, rng.multinomial(query.copies, weights).tolist(), strict=True):
                if shots:
                    measured = self._measured(_in_basis(circuit, x, z), shots)
                    eigenvalues += (1 - 2 * (pauli.popcount(_integers(measured)[0] & (x | z)) & 1)).tolist()
            # One copy, drawn at random, decides a tie.
            signs.append(np.sign(sum(eigenvalues)) or rng.choice(eigenvalues))
        return Votes(np.array(signs, np.int64), np.exp(-query.copies * np.square(query.magnitudes) / 2))

    def _measured(self, circuit, shots):
        bitstrings = self.sampler(circuit, shots)
        total = sum(bitstrings.values()) if isinstance(bitstrings, Mapping) else len(bitstrings := list(bitstrings))
        if total != shots:
            raise ValueError(f"sampler returned {total} outcomes for {shots} shots: return one bitstring for each shot")
        return bitstrings


def _preparations(program, angles) -> tuple[np.ndarray, list[Circuit]]:
    """Probabilities and circuits without parameters of what a query's program prepares."""
    if isinstance(program, Mixture):
        return program.probabilities, list(program.circuits)
    return np.ones(1), [program.bound(angles)]


def _in_basis(circuit: Circuit, x, z) -> Circuit:
    """The circuit, then rotations that turn X and Y letters of a string into Z."""
    n = circuit.num_qubits
    gates = list(circuit.gates)
    for q in range(n):
        if x & pauli.bit(q, n):
            is_y = bool(z & pauli.bit(q, n))
            gates.append(Gate("rx", (q,), offset=np.pi / 2) if is_y else Gate("h", (q,)))
    return Circuit(n, gates)


def _integers(bitstrings: Bitstrings) -> tuple[np.ndarray, int]:
    """Outcomes with qubit 0 as the most significant bit, and the length of the strings."""
    counts = bitstrings if isinstance(bitstrings, Mapping) else dict.fromkeys(bitstrings := list(bitstrings), 1)
    lengths = {len(bits) for bits in counts}
    if len(lengths) != 1 or not all(set(bits) <= {"0", "1"} for bits in counts):
        raise ValueError(f"bitstrings holds {sorted(counts)[:3]}: give strings of 0 and 1, all of the same length")
    value = {bits: int(bits, 2) for bits in counts}
    if isinstance(bitstrings, Mapping):
        found = np.repeat(list(value.values()), list(counts.values()))
    else:
        found = np.array([value[bits] for bits in bitstrings])
    return found.astype(np.int64), lengths.pop()
