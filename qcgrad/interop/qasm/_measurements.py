"""Measurements and resets: final and initial ones are left out, the rest is mid-circuit and refused."""

from collections.abc import Sequence

from ...errors import ImportRefused
from ._source import Place, Source
from .notes import Notes

_MEASURE = "measure is left out: after the last gate it changes no expectation value, and the observable replaces it"
_RESET = "reset is left out: the qubit is still in its initial state"


class Measurements:
    """Which qubits have been used and which are measured."""

    def __init__(self, source: Source, notes: Notes):
        self._source, self._notes = source, notes
        self._used: set[int] = set()
        self._measured: dict[int, Place] = {}

    def use(self, wires: Sequence[int], name: str) -> None:
        """A gate acts on qubits.

        Raises:
            ImportRefused: one of them has been measured.
        """
        self._used.update(wires)
        if self._measured:
            for wire in wires:
                if wire in self._measured:
                    line, _ = self._source.where(self._measured[wire])
                    raise ImportRefused(
                        f"gate {name} on a qubit that line {line} measures: mid-circuit measurement is not supported"
                    )

    def measure(self, wires: Sequence[int]) -> None:
        """Qubits are measured; nothing may act on them any more."""
        for wire in wires:
            self._measured.setdefault(wire, self._notes.place)
        self._notes.add("measure", _MEASURE, len(wires))

    def reset(self, wires: Sequence[int]) -> None:
        """Qubits return to their initial state.

        Raises:
            ImportRefused: one of them has left it, so that this is not unitary.
        """
        if not self._used.isdisjoint(wires) or not self._measured.keys().isdisjoint(wires):
            raise ImportRefused("reset of a qubit that has been used: it is not unitary; write the circuit without it")
        self._notes.add("reset", _RESET, len(wires))
