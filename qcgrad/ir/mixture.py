"""Mixed states as circuits drawn at random."""

import math
from collections.abc import Iterable

import numpy as np

from ..array_types import CircuitParams
from .angles import bound
from .circuit import Circuit
from .observable import PauliSum
from .program import Program


class Mixture:
    r"""The state \(\rho = \sum_r p_r |\psi_r\rangle\langle\psi_r|\), where circuit r prepares \(\psi_r\).

    Every copy is prepared by a circuit drawn at random; nothing depends on which decomposition of \(\rho\) is given.

    Args:
        members: pairs (probability, circuit) on the same number of qubits. Parameters are shared: parameter k is
            the same number in every circuit.

    Attributes:
        probabilities: (R,).
        circuits: the R circuits.
        num_qubits: n.
        num_parameters: P, of the circuit that takes most.
        num_gates: of the largest circuit, so that costs are upper bounds.

    Raises:
        ValueError: no members, probabilities that are negative or do not add up to 1, different numbers of qubits.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.ir.mixture import Mixture
        >>> bit_flip = Mixture([(0.9, qg.Circuit(1)), (0.1, qg.Circuit(1).x(0))])
        >>> bit_flip
        Mixture(num_qubits=1, 2 circuits, 0 parameters)
    """

    def __init__(self, members: Iterable[tuple[float, Circuit]]):
        pairs = list(members) if isinstance(members, Iterable) else [members]
        if not pairs:
            raise ValueError("members is empty: give at least one pair (probability, circuit)")
        if wrong := [pair for pair in pairs if not _is_member(pair)]:
            raise TypeError(f"members holds {wrong[0]!r}: give pairs (probability, qcgrad.Circuit)")
        self.circuits = tuple(circuit for _, circuit in pairs)
        given = [float(p) for p, _ in pairs]
        total = math.fsum(given)
        if not all(p >= 0 for p in given) or not abs(total - 1) < 1e-9:
            raise ValueError(f"members has probabilities {given}: give numbers of at least 0 that add up to 1")
        if len(sizes := {circuit.num_qubits for circuit in self.circuits}) > 1:
            raise ValueError(f"members has circuits on {sorted(sizes)} qubits: give all the same number")
        self.probabilities = np.array(given) / total

    @property
    def num_qubits(self) -> int:
        return self.circuits[0].num_qubits

    @property
    def num_parameters(self) -> int:
        return max(circuit.num_parameters for circuit in self.circuits)

    @property
    def num_gates(self) -> int:
        return max(circuit.num_gates for circuit in self.circuits)

    @property
    def programs(self) -> tuple[Program, ...]:
        """The circuits as what backends run; nothing is observed."""
        identity = PauliSum("I" * self.num_qubits)
        return tuple(Program(circuit, [identity]) for circuit in self.circuits)

    def bound(self, params: CircuitParams) -> "Mixture":
        """The same mixture with its parameters (P,) fixed, radians."""
        pairs = zip(self.probabilities.tolist(), self.circuits, strict=True)
        return Mixture([(p, bound(circuit, params)) for p, circuit in pairs])

    def __repr__(self) -> str:
        return f"Mixture(num_qubits={self.num_qubits}, {len(self.circuits)} circuits, {self.num_parameters} parameters)"


def _is_member(pair) -> bool:
    is_pair = isinstance(pair, (tuple, list)) and len(pair) == 2
    return is_pair and isinstance(pair[0], (int, float, np.number)) and isinstance(pair[1], Circuit)
