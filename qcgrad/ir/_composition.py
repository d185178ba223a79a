"""Circuits made of circuits: one after the other, backwards, several times."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from .adjoint import adjoint_gate
from .gates import Gate


class Composition:
    """What `Circuit` does with other circuits; every method returns a new one."""

    num_qubits: int
    gates: tuple[Gate, ...]

    def compose(self, other: Self, wires: Sequence[int] | None = None, first_param: int = 0) -> Self:
        """This circuit, then another one.

        Args:
            other: acts on as many qubits as `wires` has, at most as many as this circuit.
            wires: qubit q of the other circuit is qubit wires[q] here; by default q itself.
            first_param: parameter k of the other circuit is parameter first_param + k here; by default the two share
                parameters of the same index. `first_param=self.num_parameters` gives it parameters of its own.

        Raises:
            TypeError: other is no circuit.
            ValueError: wires that do not fit the other circuit, or a negative first_param.

        Example:
            >>> import qcgrad as qg
            >>> layer = qg.Circuit(1).ry(0, param=0)
            >>> print(qg.Circuit(2).compose(layer, [0]).compose(layer, [1], first_param=1).cx(0, 1))
            q0: ─RY(θ0)─●──
                        │
            q1: ─RY(θ1)─X──
        """
        if not isinstance(other, Composition):
            raise TypeError(f"other is {other!r}: give a qcgrad.Circuit")
        if wires is None and other.num_qubits > self.num_qubits:
            raise ValueError(
                f"other has {other.num_qubits} qubits, but this circuit has qubits 0 to {self.num_qubits - 1}"
            )
        places = tuple(range(other.num_qubits)) if wires is None else tuple(wires)
        if len(places) != other.num_qubits:
            raise ValueError(f"wires={places}: give one qubit for each of the other circuit's {other.num_qubits}")
        if isinstance(first_param, bool) or not isinstance(first_param, (int, np.integer)) or first_param < 0:
            raise ValueError(f"first_param={first_param!r}: give the index of a parameter, 0 or more")
        moved = [
            replace(
                gate,
                wires=tuple(places[w] for w in gate.wires),
                param=None if gate.param is None else gate.param + int(first_param),
            )
            for gate in other.gates
        ]
        return type(self)(self.num_qubits, [*self.gates, *moved])  # pyright: ignore[reportCallIssue]

    def inverse(self) -> Self:
        """The gates backwards, each undone: U^dagger, with the same parameters.

        Example:
            >>> import qcgrad as qg
            >>> print(qg.Circuit(1).ry(0, param=0).s(0).inverse())
            q0: ─SDG─RY(-θ0)──
        """
        undone = [adjoint_gate(gate) for gate in reversed(self.gates)]
        return type(self)(self.num_qubits, undone)  # pyright: ignore[reportCallIssue]

    def repeat(self, times: int, *, new_parameters: bool = False) -> Self:
        """The circuit several times.

        Args:
            times: 0 or more.
            new_parameters: whether every repetition has parameters of its own, as layers of an ansatz have; by default
                all share them.

        Raises:
            ValueError: times that are no count.

        Example:
            >>> import qcgrad as qg
            >>> layer = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1)
            >>> layer.repeat(3).num_parameters, layer.repeat(3, new_parameters=True).num_parameters
            (2, 6)
        """
        if isinstance(times, bool) or not isinstance(times, (int, np.integer)) or times < 0:
            raise ValueError(f"times={times!r}: give how often, an integer of at least 0")
        found = type(self)(self.num_qubits)  # pyright: ignore[reportCallIssue]
        step = max((gate.param + 1 for gate in self.gates if gate.param is not None), default=0)
        for repetition in range(times):
            found = found.compose(self, first_param=repetition * step if new_parameters else 0)
        return found
