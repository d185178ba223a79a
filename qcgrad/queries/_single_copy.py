"""Questions that any quantum computer answers: prepare one copy, measure it, it is gone."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from ..arrays import namespace
from ..cost import Cost
from ._query import EXACT, AbstractQuery, Access, Fidelity, Runnable, Sweepable, state_bytes


class Means(NamedTuple):
    """Answer of `Evaluate`.

    Attributes:
        mean: (B, K) expectation values.
        variance: (B, K) variances of these estimates.
        bias: (B, K) bounds on how far off they are on average, as devices with noise may know; None means zero.
        fidelity: "exact", or how a simulation idealizes.
    """

    mean: Any
    variance: Any
    bias: Any = None
    fidelity: Fidelity = EXACT

    def map(self, function: Callable[[Any], Any]) -> "Means":
        """The same with a function of each array."""
        bias = None if self.bias is None else function(self.bias)
        return self._replace(mean=function(self.mean), variance=function(self.variance), bias=bias)


class ShiftSums(NamedTuple):
    """Answer of `Evaluate` with `weights` by who knows the sums without the single values. They have no variance.

    Attributes:
        mean: (1, K) expectation values at the point.
        sums: (A, K), for each angle the sum of weights times expectation values over the settings that move it.
        fidelity: as in `Means`.
    """

    mean: Any
    sums: Any
    fidelity: Fidelity = EXACT


@dataclass(frozen=True, eq=False)
class Evaluate(AbstractQuery):
    """Expectation values of K observables at B settings of the gate angles. Answer: `Means`, or `ShiftSums`.

    Attributes:
        program: circuit and observables.
        angles: (B, A) radians; `ShiftedSettings` where the settings are shifts of one point.
        shots: shots per circuit evaluation: in each of the program's measurement bases one setting is
            measured this often. One number, B numbers, or None for exact expectation values.
        weights: of exact values at `ShiftedSettings`, one for each shift, where the asker reads nothing but the value
            at the point and, for every angle, the sum of weights times values over the settings that move it. It is
            what a quantum computer would run, and charged as such; whoever has these sums more cheaply may answer them
            as `ShiftSums`, and everybody else answers each value.

    Cost: B evaluations of `len(basis_rotations)` measured circuits each; with `shots=None` B exact
    runs, charged as simulated gates, FLOPs and one state of memory.
    """

    program: Runnable
    angles: Any
    shots: "int | tuple[int, ...] | None" = None
    weights: np.ndarray | None = field(default=None, kw_only=True)
    access: ClassVar[Access] = Access.single_copy
    is_divisible: ClassVar[bool] = True

    @property
    def is_random(self) -> bool:
        return self.shots is not None

    @property
    def num_parts(self) -> int:
        """B."""
        return len(self.angles)

    def first(self, parts: int) -> "Evaluate":
        shots = self.shots[:parts] if isinstance(self.shots, tuple) else self.shots
        return replace(self, angles=self.angles[:parts], shots=shots, weights=None)

    def completed(self, answer: Means | None) -> Means:
        shape, dtype = (self.num_parts, self.program.num_observables), self.angles.dtype
        known = Means(np.zeros((0, shape[1]), dtype), np.zeros((0, shape[1]), dtype)) if answer is None else answer
        if len(known.mean) == self.num_parts:
            return known
        xp = namespace(known)
        unknown = np.full((shape[0] - len(known.mean), shape[1]), np.nan, dtype)
        return known.map(lambda part: xp.concatenate([part, unknown]))

    @property
    def shots_per_setting(self) -> tuple[int, ...]:
        settings = len(self.angles)
        return (self.shots,) * settings if isinstance(self.shots, int) else tuple(self.shots or (0,) * settings)

    def cost(self) -> Cost:
        p, settings = self.program, len(self.angles)
        if self.shots is None:
            return Cost(
                circuit_runs=settings,
                gates=settings * p.num_gates,
                qubits=p.num_qubits,
                flops=settings * (p.run_flops + p.observable_flops),
                peak_bytes=2 * state_bytes(p.dense_qubits, self.angles.dtype),
            )
        total = sum(self.shots_per_setting)
        gates = sum(p.num_gates + rotations for rotations in p.basis_rotations)
        bases = len(p.basis_rotations)
        return Cost(
            copies=total * bases,
            shots=total * bases,
            circuit_runs=settings * bases,
            gates=total * gates,
            qubits=p.num_qubits,
        )


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
