"""Which gates and qubits can change what is measured."""

from collections.abc import Iterable, Sequence

from .gates import Gate


def acted_on(gate: Gate) -> tuple[int, ...]:
    """The wires that a gate does something to: an I in a Pauli word does nothing."""
    if gate.name == "pauli_rot":
        return tuple(w for w, letter in zip(gate.wires, gate.detail, strict=True) if letter != "I")
    if gate.name == "evolution":
        return tuple(gate.wires[q] for q in gate.detail.support)
    return () if gate.name == "id" else gate.wires


def seen_gates(gates: Sequence[Gate], measured: Iterable[int]) -> list[int]:
    """Positions of the gates in the past light cone of some qubits, ascending.

    Backwards from the end, a gate that acts on none of the qubits that matter so far commutes with all that is
    measured and cancels its own inverse; any other makes all of its qubits matter.
    """
    cone, seen = set(measured), []
    for position in range(len(gates) - 1, -1, -1):
        wires = acted_on(gates[position])
        if not cone.isdisjoint(wires):
            cone.update(wires)
            seen.append(position)
    return seen[::-1]


def busy_qubits(gates: Iterable[Gate]) -> set[int]:
    """Qubits that some gate acts on; the others are in |0>."""
    return {wire for gate in gates for wire in acted_on(gate)}
