"""Outcomes of strings that are measured on one copy after another: prepare it, measure it, it is gone."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from ..cost import Cost
from ._query import AbstractQuery, Access, Runnable, Sweepable


@dataclass(frozen=True, eq=False)
class MeasureComponent(AbstractQuery):
    """One Pauli string of a sweep on fresh copies, one after another. Answer: `Means`, two scalars.

    Attributes:
        form: the state and its strings.
        component: which string.
        shots: copies to spend; each is prepared, un-computed up to the string, and measured.

    Cost: one copy a shot.
    """

    form: Sweepable
    component: int
    shots: int
    access: ClassVar[Access] = Access.single_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        form = self.form
        gates = form.preparation_gates + form.gates_until(self.component) + int(form.weights[self.component])
        return Cost(
            copies=self.shots,
            shots=self.shots,
            circuit_runs=1,
            gates=self.shots * gates,
            qubits=form.num_qubits,
        )


class BasisCounts(NamedTuple):
    """Answer of `MeasureBases`: how often each outcome came, (B, 2^r); bit i belongs to generator i, 1 means -1."""

    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class MeasureBases(AbstractQuery):
    """B sets of r commuting Pauli strings, each set measured together on its own copies. Answer: `BasisCounts`.

    Attributes:
        program: circuit whose final state is measured.
        angles: (A,) radians.
        x, z: (B, r) masks of the strings. Identities among them always give bit 0.
        shots: (B,) copies for each set.

    Cost: one copy a shot; each takes the circuit and a basis change: one gate for each qubit measured in X or Y
    where no two strings of the set differ on a qubit, else `stabilizer_gates(n)`.
    """

    program: Runnable
    angles: Any
    x: np.ndarray
    z: np.ndarray
    shots: np.ndarray
    access: ClassVar[Access] = Access.single_copy

    @property
    def is_random(self) -> bool:
        return True

    @property
    def basis_gates(self) -> Int[np.ndarray, "B"]:
        """(B,) gates of each basis change."""
        all_x = np.bitwise_or.reduce(self.x, axis=1, keepdims=True)
        all_z = np.bitwise_or.reduce(self.z, axis=1, keepdims=True)
        support = self.x | self.z
        is_local = np.all((all_x & support == self.x) & (all_z & support == self.z), axis=1)
        rotations = np.bitwise_count(all_x[:, 0]).astype(np.int64)
        return np.where(is_local, rotations, stabilizer_gates(self.program.num_qubits))

    def cost(self) -> Cost:
        total = int(self.shots.sum())
        return Cost(
            copies=total,
            shots=total,
            circuit_runs=len(self.shots),
            gates=total * self.program.num_gates + int(self.shots @ self.basis_gates),
            qubits=self.program.num_qubits,
        )


class Snapshots(NamedTuple):
    """Answer of `RandomizedMeasure`: what was measured on each copy, and what came out.

    Attributes:
        x, z: (S, n) masks of n independent commuting strings.
        bits: (S,) outcomes; bit i belongs to string i, 1 means -1.
    """

    x: np.ndarray
    z: np.ndarray
    bits: np.ndarray


@dataclass(frozen=True, eq=False)
class RandomizedMeasure(AbstractQuery):
    """Each copy measured in its own random basis. Answer: `Snapshots`.

    Attributes:
        program, angles: as in `MeasureBases`.
        ensemble: "clifford", a uniformly random stabilizer basis of all qubits; or "local", X, Y or Z at
            random on each qubit.
        shots: S.

    Cost: one copy and one circuit a shot. Whatever is drawn, a basis change is charged in full: n one-qubit
    gates ("local"), or `stabilizer_gates(n)`.
    """

    program: Runnable
    angles: Any
    ensemble: Literal["clifford", "local"]
    shots: int
    access: ClassVar[Access] = Access.single_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        n = self.program.num_qubits
        change = n if self.ensemble == "local" else stabilizer_gates(n)
        return Cost(
            copies=self.shots,
            shots=self.shots,
            circuit_runs=self.shots,
            gates=self.shots * (self.program.num_gates + change),
            qubits=n,
        )


def stabilizer_gates(num_qubits: int) -> int:
    """Gates that turn any stabilizer basis into the computational one: n(n-1)/2 CZ and three layers of one-qubit gates.

    Every stabilizer basis is that of a graph state up to one-qubit Cliffords (H where needed, then S on some
    qubits, CZ on the edges, H everywhere).
    """
    return num_qubits * (num_qubits - 1) // 2 + 3 * num_qubits
