"""A circuit together with what is measured at its end, and everything that follows from the two."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from . import pauli
from .angles import with_angles
from .circuit import Circuit
from .observable import PauliSum, qubit_wise_groups
from .op_table import MATRIX


class MeasurementBasis(NamedTuple):
    """One product basis that measures a group of Pauli strings together.

    Attributes:
        x, z: the measured letter of each qubit (0, 0 where the computational basis will do).
        supports: (T,) masks; the parity of the outcome on a support is the outcome of that string.
        coefficients: (K, T), what each string contributes to each observable.
    """

    x: int
    z: int
    supports: np.ndarray
    coefficients: np.ndarray


class Program:
    """A circuit and K observables of its final state.

    Raises:
        ValueError: an observable acts on another number of qubits than the circuit.
    """

    def __init__(self, circuit: Circuit, observables: Sequence[PauliSum]):
        self.circuit = circuit
        self.observables = tuple(observables)
        for observable in self.observables:
            if observable.num_qubits != circuit.num_qubits:
                raise ValueError(
                    f"observable acts on {observable.num_qubits} qubits, but the circuit has {circuit.num_qubits}: "
                    "write one letter per qubit, I where nothing is measured"
                )

    def __eq__(self, other):
        return isinstance(other, Program) and (self.circuit, self.observables) == (other.circuit, other.observables)

    def __hash__(self):
        return hash((self.circuit, self.observables))

    def bound(self, angles) -> Circuit:
        """The circuit with the gate angles of a query (A,) as plain numbers, radians: what a device can run.

        A query's angles hold the gates' scales and offsets already; the gates of `circuit` still carry them.

        Raises:
            ValueError: not one angle for each parameterised gate.
            TypeError: angles that JAX is tracing.
        """
        return with_angles(self.circuit, angles)

    @property
    def num_qubits(self) -> int:
        return self.circuit.num_qubits

    @property
    def num_gates(self) -> int:
        return self.circuit.num_gates

    @property
    def num_angles(self) -> int:
        return self.circuit.num_angles

    @property
    def num_observables(self) -> int:
        return len(self.observables)

    @cached_property
    def terms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distinct strings of all observables: x (T,), z (T,), coefficients (K, T)."""
        position: dict[tuple[int, int], int] = {}
        entries = []
        for k, observable in enumerate(self.observables):
            for x, z, c in zip(observable.x, observable.z, observable.coefficients, strict=True):
                t = position.setdefault((int(x), int(z)), len(position))
                entries.append((k, t, c))
        coefficients = np.zeros((len(self.observables), len(position)))
        for k, t, c in entries:
            coefficients[k, t] = c
        x, z = np.array(list(position), dtype=np.int64).reshape(-1, 2).T
        return x, z, coefficients

    @cached_property
    def constants(self) -> np.ndarray:
        """(K,) coefficients of the identity, which nothing needs to be measured for."""
        x, z, coefficients = self.terms
        return coefficients[:, (x | z) == 0].sum(axis=1)

    @cached_property
    def bases(self) -> tuple[MeasurementBasis, ...]:
        """The measured circuits' bases: greedy groups of qubit-wise commuting strings."""
        x, z, coefficients = self.terms
        return tuple(
            MeasurementBasis(
                int(np.bitwise_or.reduce(x[group])),
                int(np.bitwise_or.reduce(z[group])),
                x[group] | z[group],
                coefficients[:, group],
            )
            for group in qubit_wise_groups(x, z)
        )

    @property
    def basis_rotations(self) -> tuple[int, ...]:
        """Gates that turn each basis into the computational one: one for each qubit measured in X or Y."""
        return tuple(int(pauli.popcount(basis.x)) for basis in self.bases)

    @property
    def run_flops(self) -> int:
        """FLOPs of one dense simulation: 14 an amplitude for a + bP, 6 if diagonal, 8*2^k - 2 for a matrix."""
        table = self.circuit.op_table
        active = 2.0 ** (table.num_qubits - pauli.popcount(table.controls))
        per_amplitude = np.where(table.kind == MATRIX, 8 * 2**table.matrix_wires - 2, np.where(table.x == 0, 6, 14))
        return int(np.sum(active * per_amplitude))

    @property
    def observable_flops(self) -> int:
        """FLOPs to apply all observables: 8 an amplitude for each distinct X mask, 2 for each term."""
        x, _, _ = self.terms
        return (8 * len(np.unique(x)) + 2 * len(x)) * 2**self.num_qubits
