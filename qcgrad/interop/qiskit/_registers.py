"""Which qubit each classical bit of a circuit shows at its end."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8
from qiskit import QuantumCircuit
from qiskit.circuit import Measure
from qiskit.primitives import BitArray

from ...errors import ImportRefused


class Registers(NamedTuple):
    """The classical registers of a circuit whose measurements stand at its end.

    Attributes:
        qubits: those that are measured, ascending.
        sources: for each register by name, the qubit that each of its bits shows; -1 for a bit that stays 0.
    """

    qubits: tuple[int, ...]
    sources: dict[str, np.ndarray]

    def bit_arrays(self, outcomes: Int[np.ndarray, "... shots"], qubits: Sequence[int]) -> dict[str, BitArray]:
        """Outcomes, whose bit i belongs to `qubits[i]`, in Qiskit's form; all other qubits are in |0>."""
        place = {qubit: i for i, qubit in enumerate(qubits)}
        found = {}
        for name, sources in self.sources.items():
            shifts = np.array([place.get(qubit, -1) for qubit in sources.tolist()], np.int64)
            found[name] = BitArray(_packed(outcomes, shifts), len(sources))
        return found


def registers_of(circuit: QuantumCircuit) -> Registers:
    """Where the measurements of a circuit lead; a bit that is written twice holds what came last.

    Raises:
        ValueError: nothing is measured into a register.
        ImportRefused: a composite instruction that measures.
    """
    source: dict[int, int] = {}
    for item in circuit.data:
        if isinstance(item.operation, Measure):
            source[circuit.find_bit(item.clbits[0]).index] = circuit.find_bit(item.qubits[0]).index
        elif item.clbits:
            raise ImportRefused(
                f"{item.operation.name} acts on classical bits: only measurements can, write them out "
                "(circuit.decompose())"
            )
    sources = {}
    for register in circuit.cregs:
        sources[register.name] = np.array([source.get(circuit.find_bit(bit).index, -1) for bit in register], np.int64)
    qubits = sorted({int(qubit) for row in sources.values() for qubit in row} - {-1})
    if not qubits:
        raise ValueError(
            "the circuit measures nothing into a classical register: add circuit.measure_all(), or measurements"
        )
    return Registers(tuple(qubits), sources)


def _packed(outcomes, shifts) -> UInt8[np.ndarray, "... shots bytes"]:
    """Bytes with the register's first bit as the last one of all, as `BitArray` holds them."""
    bits = np.zeros((*outcomes.shape, len(shifts) + -len(shifts) % 8), np.uint8)
    for bit, shift in enumerate(shifts.tolist()):
        if shift >= 0:
            bits[..., -1 - bit] = outcomes >> shift & 1
    return np.packbits(bits, axis=-1)
