"""Questions about what is known classically: a network, or a circuit that is sampled without its state."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from ..array_types import Coordinates, Gradient, Key, Values
from ..cost import Cost
from ._query import AbstractQuery, Access


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
