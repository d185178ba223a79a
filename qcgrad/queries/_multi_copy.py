"""Questions that need several copies of a state held together."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..cost import Cost
from ._query import EXACT, AbstractQuery, Access, Fidelity, Runnable


class BellOutcomes(NamedTuple):
    """Answer of `BellSample`: masks x and z of each pair's outcome, int64 arrays of shape (pairs,)."""

    x: np.ndarray
    z: np.ndarray


class Ensemble(NamedTuple):
    """A mixed state that is known classically: vectors (R, 2^n), each with its probability (R,)."""

    probabilities: np.ndarray
    vectors: np.ndarray


@dataclass(frozen=True, eq=False)
class BellSample(AbstractQuery):
    """Measure `pairs` pairs of copies in the Bell basis, qubit by qubit. Answer: `BellOutcomes`.

    For every Pauli string P = (a, b), (-1)^{a.z + b.x + |a & b|} averages to the product of P's expectations in
    the two halves of the pair: <P>^2, or <P> tr(P sigma) with a partner.

    Attributes:
        program: what prepares the state: a circuit, or a mixture of circuits, drawn anew for every copy.
        angles: (A,) radians.
        pairs: pairs of copies.
        partner: sigma, which takes the second copy's place; one of its vectors is drawn for each pair.
        hypothesis: classical FLOPs and bytes that sigma took, charged with the question it belongs to.

    Cost: 2 copies a pair, held together on 2n qubits; one CNOT and one Hadamard a qubit pair. A partner is no copy
    of the unknown state, so a pair then consumes 1 copy, and 2^{n+1} - 2 Pauli rotations prepare the partner's vector
    (`ir.state_preparation`); every vector is a circuit of its own.
    """

    program: Runnable
    angles: Any
    pairs: int
    partner: Ensemble | None = None
    hypothesis: Cost | None = None
    access: ClassVar[Access] = Access.multi_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        p = self.program
        other = p.num_gates if self.partner is None else 2 ** (p.num_qubits + 1) - 2
        count = Cost(
            copies=self.pairs * (2 if self.partner is None else 1),
            shots=self.pairs,
            circuit_runs=1 if self.partner is None else min(self.pairs, len(self.partner.probabilities)),
            gates=self.pairs * (p.num_gates + other + 2 * p.num_qubits),
            qubits=2 * p.num_qubits,
        )
        return count + (self.hypothesis or Cost())


class Votes(NamedTuple):
    """Answer of `MajorityVotes`: a sign for each string, and how sure it is.

    Attributes:
        signs: int array of +1 and -1, (D,); the first copy decides a tie.
        failures: (D,) bounds on the probability that a sign is wrong, back-action of earlier votes included.
        fidelity: "exact", or "idealized" where each vote was drawn as if on fresh copies.
    """

    signs: np.ndarray
    failures: np.ndarray
    fidelity: Fidelity = EXACT


@dataclass(frozen=True, eq=False)
class MajorityVotes(AbstractQuery):
    """Signs of D Pauli strings by majority votes of k copies. Answer: `Votes`.

    Coherent votes share the copies: a vote measures only whether most of the k copies would say +1, which hardly
    disturbs copies that nearly agree.

    Attributes:
        program, angles: as in `BellSample`.
        x, z: masks of the strings, int64 (D,), in the order of the votes: strongest first, since every vote
            adds to the disturbance of all later ones.
        magnitudes: (D,) lower bounds on |<P>|, from which the answer's bounds follow.
        copies: k.
        is_shared: whether all strings share k copies, held together. Else each string is measured on k copies of
            its own, one copy at a time.

    Cost: shared, k copies on nk qubits; each vote applies P's basis change and its inverse (weight of P gates
    each way at most) to every copy and counts into a register of k gates. Not shared, k copies a string on n
    qubits, one shot each.
    """

    program: Runnable
    angles: Any
    x: np.ndarray
    z: np.ndarray
    magnitudes: np.ndarray
    copies: int
    is_shared: bool = True
    access: ClassVar[Access] = Access.multi_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        p, strings = self.program, len(self.x)
        weight = int(np.bitwise_count(self.x | self.z).sum())
        if not self.is_shared:
            total = strings * self.copies
            return Cost(
                copies=total,
                shots=total,
                circuit_runs=strings,
                gates=total * p.num_gates + self.copies * weight,
                qubits=p.num_qubits,
            )
        return Cost(
            copies=self.copies,
            shots=strings,
            circuit_runs=1,
            gates=self.copies * (p.num_gates + 2 * weight + 2 * strings),
            qubits=self.copies * p.num_qubits,
        )
