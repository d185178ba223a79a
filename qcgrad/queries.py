"""What an estimator may ask, what it needs for that, and what each question costs.

A query is a frozen record. `access` says how much of the state it needs and `cost()` what it spends,
from the structure of the query and its circuit alone, so a cost is known before anything runs. A
backend answers with the record named in the query's docstring.
"""

import abc
import enum
import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from .cost import Cost


class Access(enum.IntEnum):
    """How much of a quantum state may be touched; each level includes the ones before it."""

    single_copy = 1
    """Prepare one copy, measure it, it is gone: any quantum computer."""
    multi_copy = 2
    """Measure k copies jointly: a larger quantum computer, or one with memory."""
    white_box = 3
    """Read amplitudes: only a simulator, or a classical network."""


class Program(Protocol):
    """What queries need to know of a circuit with its observables."""

    @property
    def num_qubits(self) -> int: ...
    @property
    def num_gates(self) -> int: ...
    @property
    def num_observables(self) -> int: ...
    @property
    def basis_rotations(self) -> tuple[int, ...]: ...
    @property
    def run_flops(self) -> int: ...
    @property
    def observable_flops(self) -> int: ...


class AbstractQuery(abc.ABC):
    """One question to a backend."""

    access: ClassVar[Access]

    @property
    def is_random(self) -> bool:
        """Whether the answer is drawn at random, so that a key is needed."""
        return False

    @abc.abstractmethod
    def cost(self) -> Cost:
        """What answering spends."""


class Means(NamedTuple):
    """Answer of `Evaluate`: expectation values and the variances of these estimates, both (B, K)."""

    mean: Any
    variance: Any


class Sweep(NamedTuple):
    """Answer of the white-box sweeps: value (K,) and gradient by angle (C, A)."""

    value: Any
    gradient: Any


class BellOutcomes(NamedTuple):
    """Answer of `BellSample`: masks x and z of each pair's outcome, int64 arrays of shape (pairs,)."""

    x: np.ndarray
    z: np.ndarray


class Votes(NamedTuple):
    """Answer of `MajorityVotes`: a sign for each string, and the simulation's error bound.

    Attributes:
        signs: int array of +1 and -1, (D,); the first copy decides a tie.
        disturbance: bound on the probability that back-action between votes changed any of them.
    """

    signs: np.ndarray
    disturbance: float


@dataclass(frozen=True, eq=False)
class Evaluate(AbstractQuery):
    """Expectation values of K observables at B settings of the gate angles. Answer: `Means`.

    Attributes:
        program: circuit and observables.
        angles: (B, A) radians.
        shots: shots per circuit evaluation: in each of the program's measurement bases one setting is
            measured this often. One number, B numbers, or None for exact expectation values.

    Cost: B evaluations of `len(basis_rotations)` measured circuits each; with `shots=None` B exact
    runs, charged as simulated gates, FLOPs and one state of memory.
    """

    program: Program
    angles: Any
    shots: "int | tuple[int, ...] | None" = None
    access: ClassVar[Access] = Access.single_copy

    @property
    def is_random(self) -> bool:
        return self.shots is not None

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
                peak_bytes=2 * state_bytes(p.num_qubits, self.angles.dtype),
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
class AdjointSweep(AbstractQuery):
    """One forward run, then one backward pass that un-computes the state. Answer: `Sweep`.

    Attributes:
        program: circuit and observables.
        angles: (A,) radians.
        cotangents: (C, K); C adjoint states travel back together.

    Cost: (2 + C) gate applications a gate, 1 + C states of memory and one to work in.
    """

    program: Program
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
            peak_bytes=(2 + rows) * state_bytes(p.num_qubits, self.angles.dtype),
        )


@dataclass(frozen=True, eq=False)
class ReverseSweep(AbstractQuery):
    """One forward run that keeps every intermediate state, then reverse-mode AD. Answer: `Sweep`.

    Fields as `AdjointSweep`. Cost: 1 + 2C gate applications a gate; one state of memory a gate.
    """

    program: Program
    angles: Any
    cotangents: Any
    access: ClassVar[Access] = Access.white_box

    def cost(self) -> Cost:
        p, rows = self.program, len(self.cotangents)
        return Cost(
            circuit_runs=1,
            gates=(1 + 2 * rows) * p.num_gates,
            qubits=p.num_qubits,
            flops=(1 + 2 * rows) * p.run_flops + (1 + rows) * p.observable_flops,
            peak_bytes=(p.num_gates + 1 + rows) * state_bytes(p.num_qubits, self.angles.dtype),
        )


@dataclass(frozen=True, eq=False)
class BellSample(AbstractQuery):
    """Measure `pairs` pairs of copies in the Bell basis, qubit by qubit. Answer: `BellOutcomes`.

    For every Pauli string P = (a, b), (-1)^{a.z + b.x + |a & b|} averages to <P>^2.

    Attributes:
        program: circuit whose final state is measured.
        angles: (A,) radians.
        pairs: pairs of copies.

    Cost: 2 copies a pair, held together on 2n qubits; one CNOT and one Hadamard a qubit pair.
    """

    program: Program
    angles: Any
    pairs: int
    access: ClassVar[Access] = Access.multi_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        p = self.program
        return Cost(
            copies=2 * self.pairs,
            shots=self.pairs,
            circuit_runs=1,
            gates=self.pairs * (2 * p.num_gates + 2 * p.num_qubits),
            qubits=2 * p.num_qubits,
        )


@dataclass(frozen=True, eq=False)
class MajorityVotes(AbstractQuery):
    """Signs of D Pauli strings by coherent majority votes, one after another on the same k copies.

    Answer: `Votes`. A vote measures only whether most of the k copies would say +1, which hardly
    disturbs copies that nearly agree, so all D votes share them.

    Attributes:
        program, angles: as in `BellSample`.
        x, z: masks of the strings, int64 (D,).
        magnitudes: (D,) estimates of |<P>|, used to bound the disturbance.
        copies: k, held together.

    Cost: k copies on nk qubits; each vote applies P's basis change and its inverse (weight of P gates
    each way at most) to every copy and counts into a register of k gates.
    """

    program: Program
    angles: Any
    x: np.ndarray
    z: np.ndarray
    magnitudes: np.ndarray
    copies: int
    access: ClassVar[Access] = Access.multi_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        p = self.program
        weight = int(np.bitwise_count(self.x | self.z).sum())
        return Cost(
            copies=self.copies,
            shots=len(self.x),
            circuit_runs=1,
            gates=self.copies * (p.num_gates + 2 * weight + 2 * len(self.x)),
            qubits=self.copies * p.num_qubits,
        )


class Network(Protocol):
    """What `Backward` needs to know of a network's loss."""

    def backward_cost(self, weights: Any) -> Cost: ...
    def value_and_gradient(self, weights: Any) -> tuple[Any, Any]: ...


@dataclass(frozen=True, eq=False)
class Backward(AbstractQuery):
    """One forward and backward pass through a network. Answer: `Sweep` with the weights' structure.

    Attributes:
        loss: the objective.
        weights: pytree of arrays.
        cotangents: (C, 1) factors on the gradient.

    Cost: zero copies; FLOPs and bytes as XLA reports them for the compiled program.
    """

    loss: Network
    weights: Any
    cotangents: Any
    access: ClassVar[Access] = Access.white_box

    def cost(self) -> Cost:
        return self.loss.backward_cost(self.weights)


def state_bytes(num_qubits: int, real_dtype) -> int:
    """Bytes of one state vector in the complex precision that belongs to `real_dtype`."""
    return 2 * np.dtype(real_dtype).itemsize * math.prod((2,) * num_qubits)
