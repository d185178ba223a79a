"""A circuit together with what is measured at its end, and everything that follows from the two."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ..array_types import Angles, MaskArray, Masks
from . import light_cone, pauli
from .angles import with_angles
from .circuit import Circuit
from .light_cone import Part
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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and (self.circuit, self.observables) == (other.circuit, other.observables)

    def __hash__(self) -> int:
        return hash((self.circuit, self.observables))

    def __getstate__(self) -> dict[str, Any]:
        # What follows from the two is found again; some of it points back here.
        return {"circuit": self.circuit, "observables": self.observables}

    def bound(self, angles: Angles) -> Circuit:
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
    def terms(self) -> tuple[Masks, Masks, Float[np.ndarray, "K D"]]:
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
        x, z = (pauli.mask_array([key[i] for key in position], self.num_qubits) for i in (0, 1))
        return x, z, coefficients

    @cached_property
    def constants(self) -> Float[np.ndarray, "K"]:
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
    def remaining(self) -> str:
        """What is left of the circuit, for refusals of its size."""
        return f"{self.circuit.name or 'the circuit'}: {self.num_qubits} of {self.num_qubits} qubits"

    @cached_property
    def on_all(self) -> Part:
        """The program itself."""
        return Part(self, tuple(range(self.num_qubits)), None)

    @cached_property
    def seen(self) -> Part:
        """What the observables' expectation values, and the outcomes in `bases`, depend on."""
        x, z, _ = self.terms
        return self.part(x, z)

    @cached_property
    def busy(self) -> Part:
        """The whole state, without the qubits that no gate acts on."""
        gates = self.circuit.gates
        acting = [i for i, gate in enumerate(gates) if light_cone.acted_on(gate)]
        return self.on(acting, sorted(light_cone.busy_qubits(gates)))

    @cached_property
    def whole(self) -> Part:
        """The whole state, on the qubits that a gate acts on or whose observables notice that they are idle."""
        x, _, _ = self.terms
        gates = self.circuit.gates
        acting = [i for i, gate in enumerate(gates) if light_cone.acted_on(gate)]
        return self.on(acting, sorted(self.qubits_of(x) | light_cone.busy_qubits(gates)))

    def part(self, x: MaskArray, z: MaskArray) -> Part:
        """What measurements of the strings with masks x, z (any shape) depend on, in any basis that suits them.

        Left out are gates outside of the light cone, and qubits that stay in |0> and are measured in Z at most.
        """
        gates = self.circuit.gates
        measured = self.qubits_of(x) | self.qubits_of(z)
        seen = light_cone.seen_gates(gates, measured)
        return self.on(seen, sorted(self.qubits_of(x) | light_cone.busy_qubits(gates[i] for i in seen)))

    def on(self, gates: Sequence[int], qubits: Sequence[int]) -> Part:
        """Some of the gates on some of the qubits, on which they have to act."""
        if len(gates) == self.num_gates and len(qubits) == self.num_qubits:
            return self.on_all
        # A circuit has a qubit, also where nothing matters.
        kept = tuple(qubits) or (0,)
        place = {qubit: k for k, qubit in enumerate(kept)}
        all_gates = self.circuit.gates
        moved = [light_cone.moved(all_gates[i], place) for i in gates]
        angle_of = np.cumsum([gate.param is not None for gate in all_gates]) - 1
        angles = np.array([angle_of[i] for i in gates if all_gates[i].param is not None], np.int64)
        return Part(Compact(self, Circuit(len(kept), moved, self.circuit.name), kept), kept, angles)

    def qubits_of(self, masks: MaskArray) -> set[int]:
        """Qubits whose bit is set in any of the masks."""
        union = int(np.bitwise_or.reduce(np.ravel(masks), initial=0))
        return {q for q in range(self.num_qubits) if union & pauli.bit(q, self.num_qubits)}

    @property
    def dense_qubits(self) -> int:
        """Qubits of a dense simulation: those that the observables depend on."""
        return self.seen.program.num_qubits

    @property
    def run_flops(self) -> int:
        """FLOPs of one dense simulation: 14 an amplitude for a + bP, 6 if diagonal, 8*2^k - 2 for a matrix."""
        return self.seen.program.state_flops

    @property
    def state_flops(self) -> int:
        """The same of all gates and qubits, whatever is measured."""
        return self._flops

    @cached_property
    def _flops(self) -> int:
        table = self.circuit.op_table
        controls = pauli.popcount(table.controls)
        per_amplitude = np.where(table.kind == MATRIX, 8 * 2**table.matrix_wires - 2, np.where(table.x == 0, 6, 14))
        kinds, count = np.unique(np.stack([controls, per_amplitude]), axis=1, return_counts=True)
        # Python's integers, which hold the dimension of any number of qubits.
        return sum(
            int(m) * int(each) * 2 ** (table.num_qubits - int(c)) for c, each, m in zip(*kinds, count, strict=True)
        )

    @property
    def observable_flops(self) -> int:
        """FLOPs to apply all observables: 8 an amplitude for each distinct X mask, 2 for each term."""
        x, _, _ = self.seen.program.terms
        return (8 * len(np.unique(x)) + 2 * len(x)) * 2**self.dense_qubits


class Compact(Program):
    """A program on some of another's qubits, measured in the same bases."""

    def __init__(self, whole: Program, circuit: Circuit, qubits: tuple[int, ...]):
        n = whole.num_qubits
        found = []
        for observable in whole.observables:
            x, z = (pauli.squeezed(mask, qubits, n) for mask in (observable.x, observable.z))
            found.append(PauliSum.from_masks(len(qubits), x, z, observable.coefficients))
        super().__init__(circuit, found)
        self._whole, self._kept = whole, qubits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Compact) and (self._whole, self._kept) == (other._whole, other._kept)

    def __hash__(self) -> int:
        return hash((self._whole, self._kept))

    @cached_property
    def constants(self) -> Float[np.ndarray, "K"]:
        return self._whole.constants

    @cached_property
    def bases(self) -> tuple[MeasurementBasis, ...]:
        # Groups chosen anew could be fewer, and then shots would not be what they cost.
        n = self._whole.num_qubits
        return tuple(
            MeasurementBasis(
                int(pauli.squeezed(basis.x, self._kept, n)),
                int(pauli.squeezed(basis.z, self._kept, n)),
                pauli.squeezed(basis.supports, self._kept, n),
                basis.coefficients,
            )
            for basis in self._whole.bases
        )

    @property
    def remaining(self) -> str:
        left_out = "(without those that stay idle or that nothing measured depends on)"
        return f"{self.circuit.name or 'the circuit'}: {self.num_qubits} of {self._whole.num_qubits} qubits {left_out}"

    @cached_property
    def seen(self) -> Part:
        return self.on_all
