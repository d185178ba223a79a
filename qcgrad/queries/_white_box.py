"""Questions that only a simulator or a classical network answers."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from ..array_types import Amplitudes, Coordinates, Gradient, Key, Values
from ..cost import Cost
from ._query import AbstractQuery, Access, Runnable, state_bytes
from ._schedule import segments


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

    Cost: 1 + 2C gate applications a gate, and one more where not all states are kept; the kept states of memory.
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
            peak_bytes=(kept + 1 + rows) * state_bytes(p.dense_qubits, self.angles.dtype),
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


class SampledSweep(NamedTuple):
    """Answer of `SampleIQP`: value (K,), gradient (C, A), their variances, and covariances (C, A, A) or None."""

    value: Any
    gradient: Any
    value_variance: Any
    variance: Any
    covariance: Any = None


class Sampleable(Protocol):
    """What `SampleIQP` needs to know of a circuit (`ir.iqp_form`)."""

    @property
    def num_pairs(self) -> int: ...
    def sampling_bytes(self, samples: int, rows: int, has_covariance: bool) -> int: ...


@dataclass(frozen=True, eq=False)
class SampleIQP(AbstractQuery):
    """Means of an IQP circuit over uniform bitstrings, from its description alone. Answer: `SampledSweep`.

    Attributes:
        form: the circuit as rotations about products of X.
        angles: (A,) radians.
        cotangents: (C, K); no rows for the values alone.
        samples: bitstrings.
        has_covariance: whether covariances of the derivatives are asked for.

    Cost: no state and no copies. For each bitstring 2 FLOPs for every pair of a string and a generator that
    anticommute, in the phase, and 4 for each cotangent, in derivatives and their squares; bytes of a block of
    bitstrings, not of all.
    """

    form: Sampleable
    angles: Any
    cotangents: Any
    samples: int
    has_covariance: bool = False
    access: ClassVar[Access] = Access.white_box

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        rows = len(self.cotangents)
        return Cost(
            flops=self.samples * self.form.num_pairs * (2 + 4 * rows),
            peak_bytes=self.form.sampling_bytes(self.samples, rows, self.has_covariance),
        )


class BackwardPass(NamedTuple):
    """Answer of `Backward`.

    Attributes:
        value: (1,).
        gradient: in the weights' structure, leaves (C, *weight).
        rule: the successor of a stateful backward rule, else None.
    """

    value: Any
    gradient: Any
    rule: Any = None


class Network(Protocol):
    """What `Backward` needs to know of a network's loss."""

    def backward_cost(self, weights: Coordinates, rule: Any = None) -> Cost: ...
    def step(self, weights: Coordinates, rule: Any = None, key: Key | None = None) -> tuple[Values, Gradient, Any]: ...


@dataclass(frozen=True, eq=False)
class Backward(AbstractQuery):
    """One forward and backward pass through a network. Answer: `BackwardPass`.

    Attributes:
        loss: the objective.
        weights: pytree of arrays.
        cotangents: (C, 1) factors on the gradient.
        rule: the way to the gradient (`networks.AbstractRule`); None is the true one.

    Gradients by complex weights are in JAX's convention.

    Cost: zero copies; FLOPs and bytes as XLA reports them for the compiled program.
    """

    loss: Network
    weights: Any
    cotangents: Any
    rule: Any = None
    access: ClassVar[Access] = Access.white_box

    @property
    def is_random(self) -> bool:
        return self.rule is not None and self.rule.is_random

    def cost(self) -> Cost:
        return self.loss.backward_cost(self.weights, self.rule)
