"""Questions about amplitudes, which only a simulator answers."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..array_types import Amplitudes
from ..cost import Cost
from ._query import AbstractQuery, Access, Runnable, state_bytes
from ._schedule import recorded_states, segments


class Sweep(NamedTuple):
    """Answer of the white-box sweeps: value (K,) and gradient by angle (C, A)."""

    value: Any
    gradient: Any


@dataclass(frozen=True, eq=False)
class AdjointSweep(AbstractQuery):
    """One forward run, then one backward pass that un-computes the state. Answer: `Sweep`.

    Attributes:
        program: circuit and observables.
        angles: (A,) radians.
        cotangents: (C, K); C adjoint states travel back together.

    Cost: (2 + C) gate applications a gate, 1 + C states of memory and one to work in.
    """

    program: Runnable
    angles: Any
    cotangents: Any
    access: ClassVar[Access] = Access.white_box

    def cost(self) -> Cost:
        p, rows = self.program, len(self.cotangents)
        return Cost(
            circuit_runs=1,
            gates=(2 + rows) * p.num_gates,
            qubits=p.num_qubits,
            # The derivative of each gate costs about one more application to each adjoint state.
            flops=(2 + 2 * rows) * p.run_flops + (1 + rows) * p.observable_flops,
            peak_bytes=(2 + rows) * state_bytes(p.dense_qubits, self.angles.dtype),
        )


@dataclass(frozen=True, eq=False)
class ReverseSweep(AbstractQuery):
    """One forward run that keeps intermediate states, then reverse-mode AD. Answer: `Sweep`.

    Attributes:
        program, angles, cotangents: as in `AdjointSweep`.
        keeps_all: whether the state in front of every gate is kept; else those in front of `segments`, and each gate is
            applied once more.

    Cost: 1 + 2C gate applications a gate, and one more where not all states are kept; the kept states of memory, and
    `recorded_states` to work in.
    """

    program: Runnable
    angles: Any
    cotangents: Any
    keeps_all: bool = True
    access: ClassVar[Access] = Access.white_box

    def cost(self) -> Cost:
        p, rows = self.program, len(self.cotangents)
        kept = p.num_gates if self.keeps_all else segments(p.num_gates).states
        runs = 2 - self.keeps_all + 2 * rows
        return Cost(
            circuit_runs=1,
            gates=runs * p.num_gates,
            qubits=p.num_qubits,
            flops=runs * p.run_flops + (1 + rows) * p.observable_flops,
            peak_bytes=recorded_states(kept, rows) * state_bytes(p.dense_qubits, self.angles.dtype),
        )


@dataclass(frozen=True, eq=False)
class ForwardSweeps(AbstractQuery):
    """One run for each of A angles, which carries the derivative of the state by that angle along. Answer: `Sweep`.

    Attributes:
        program: circuit and observables.
        angles: (A,) radians.
        cotangents: (C, K) rows that the derivatives of the K observables are multiplied with.

    Cost: 1 + 2A gate applications a gate, two states of memory and one to work in.
    """

    program: Runnable
    angles: Any
    cotangents: Any
    access: ClassVar[Access] = Access.white_box

    def cost(self) -> Cost:
        p, runs = self.program, 1 + 2 * self.program.num_angles
        return Cost(
            circuit_runs=1 + p.num_angles,
            gates=runs * p.num_gates,
            qubits=p.num_qubits,
            flops=runs * (p.run_flops + p.observable_flops),
            peak_bytes=3 * state_bytes(p.dense_qubits, self.angles.dtype),
        )


class FinalState(NamedTuple):
    """Answer of `ReadState`: (2^n,) amplitudes, qubit 0 the most significant bit of an index."""

    amplitudes: Amplitudes


@dataclass(frozen=True, eq=False)
class ReadState(AbstractQuery):
    """All amplitudes of the final state, global phase included. Answer: `FinalState`.

    Attributes:
        program: its circuit is run; its observables play no role.
        angles: (A,) radians.

    Cost: one exact run of all n qubits, also those that no gate acts on; the state and one to work in.
    """

    program: Runnable
    angles: Any
    access: ClassVar[Access] = Access.white_box

    def cost(self) -> Cost:
        p = self.program
        return Cost(
            circuit_runs=1,
            gates=p.num_gates,
            qubits=p.num_qubits,
            flops=p.state_flops,
            peak_bytes=2 * state_bytes(p.num_qubits, self.angles.dtype),
        )


class Tangents(NamedTuple):
    """Answer of `TangentSweep`: overlaps of a state and its D derivatives, complex.

    Attributes:
        gram: (D, D), of derivatives i and j.
        overlap: (D,), of the state and derivative j.
        observed: (K, D), of observable k applied to the state and derivative j.
    """

    gram: Any
    overlap: Any
    observed: Any


@dataclass(frozen=True, eq=False)
class TangentSweep(AbstractQuery):
    """One forward run that carries derivatives of the state along. Answer: `Tangents`.

    Attributes:
        program: circuit and observables.
        angles: (A,) radians.
        directions: (D, A); derivative d is that along row d of the angles.

    Cost: 1 + D gate applications a gate, 1 + D states of memory and one to work in.
    """

    program: Runnable
    angles: Any
    directions: Any
    access: ClassVar[Access] = Access.white_box

    def cost(self) -> Cost:
        p, rows = self.program, len(self.directions)
        products = 8 * (rows * (rows + 1) + rows * p.num_observables) * 2**p.dense_qubits
        return Cost(
            circuit_runs=1,
            gates=(1 + rows) * p.num_gates,
            qubits=p.num_qubits,
            flops=(1 + rows) * p.run_flops + p.observable_flops + products,
            peak_bytes=(2 + rows) * state_bytes(p.dense_qubits, self.angles.dtype),
        )
