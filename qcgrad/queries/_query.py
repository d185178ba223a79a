"""What a question is: the access it needs, what it costs, and what it needs to know of a circuit."""

import abc
import enum
import math
from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import jax
import numpy as np
from jaxtyping import Int
from numpy.typing import DTypeLike

from ..array_types import Angles, Values
from ..cost import Cost


class Access(enum.IntEnum):
    """How much of a quantum state may be touched; each level includes the ones before it."""

    single_copy = 1
    """Prepare one copy, measure it, it is gone: any quantum computer."""
    multi_copy = 2
    """Measure k copies jointly: a larger quantum computer, or one with memory."""
    coherent = 3
    """Run the preparation and its inverse many times within one circuit: a fault-tolerant computer."""
    white_box = 4
    """Read amplitudes: only a simulator, or a classical network."""


class Runnable(Protocol):
    """A circuit with its observables, as queries hold it: all that costs and backends need (`ir.Program`).

    A backend runs `bound(angles)` for the angles of a query and reads the observables off `observables`. It need not
    look at `circuit`, whose gates name parameters with scales and offsets that the query's angles hold already.
    """

    @property
    def num_qubits(self) -> int:
        """n; qubit 0 is the most significant bit of a basis-state index."""
        ...

    @property
    def dense_qubits(self) -> int: ...
    @property
    def num_gates(self) -> int: ...
    @property
    def num_angles(self) -> int:
        """A, one angle for each parameterised gate in the order of the circuit."""
        ...

    @property
    def num_observables(self) -> int:
        """K."""
        ...

    @property
    def observables(self) -> tuple[Any, ...]:
        """K Pauli sums, each with `words` (character q acts on qubit q) and `coefficients`."""
        ...

    def bound(self, angles: Angles) -> Any:
        """The circuit with its angles (A,) as plain numbers, radians: a `Circuit` without parameters."""
        ...

    @property
    def terms(self) -> Any:
        """All distinct strings: masks x (T,), z (T,), coefficients (K, T)."""
        ...

    @property
    def constants(self) -> Any:
        """(K,) coefficients of the identity."""
        ...

    @property
    def bases(self) -> Any:
        """Product bases in which all strings are measured, a tuple; shots are counted for each."""
        ...

    @property
    def basis_rotations(self) -> tuple[int, ...]:
        """Gates of each basis change."""
        ...

    @property
    def run_flops(self) -> int: ...
    @property
    def state_flops(self) -> int: ...
    @property
    def observable_flops(self) -> int: ...
    @property
    def circuit(self) -> Any:
        """The circuit with its parameters."""
        ...


class Sweepable(Protocol):
    """What queries need to know of a state that is un-computed while it is measured (`ir.sweep_form`)."""

    @property
    def num_qubits(self) -> int: ...
    @property
    def num_components(self) -> int: ...
    @property
    def preparation_gates(self) -> int: ...
    @property
    def weights(self) -> Int[np.ndarray, "D"]: ...
    def gates_until(self, component: int) -> int: ...


@jax.tree_util.register_static
class Fidelity(str):
    """How faithful an answer is, in a word; no leaf of the answer's tree, so that functions of arrays pass it by."""

    __slots__ = ()


EXACT = Fidelity("exact")
"""The fidelity of answers that have the distribution which physics gives them."""

NOISY = Fidelity("noisy")
"""The fidelity of answers of a device with noise: nobody knows a bound on how far off they are on average."""


def fidelity_of(answer: Any) -> str:
    """How faithful an answer is: what its record says in `fidelity`; one without that field is exact."""
    return getattr(answer, "fidelity", EXACT)


def value_in(answer: Any) -> Values:
    """What an answer says of the outputs (K,), as `mean` or `value`; no numbers where it holds outcomes or states."""
    return answer.mean[0] if hasattr(answer, "mean") else getattr(answer, "value", np.zeros(0))


def together(fidelities: Iterable[str]) -> str:
    """The fidelity of what several answers give: "exact" if all are, else what the others say."""
    return " and ".join(sorted(set(fidelities) - {EXACT})) or EXACT


class AbstractQuery(abc.ABC):
    """One question to a backend."""

    access: ClassVar[Access]
    is_divisible: ClassVar[bool] = False
    """Whether a part may be asked where a budget ends before the whole: see `num_parts`, `first` and `completed`."""

    @property
    def is_random(self) -> bool:
        """Whether the answer is drawn at random, so that a key is needed."""
        return False

    @abc.abstractmethod
    def cost(self) -> Cost:
        """What answering spends."""

    @property
    def num_parts(self) -> int:
        """Parts that are answered independently of each other; 1 for a question that is not divisible."""
        return 1

    def first(self, parts: int) -> "AbstractQuery":
        """The question about the first parts only."""
        raise NotImplementedError(f"{type(self).__name__} is not divisible")

    def completed(self, answer: Any) -> Any:
        """The answer to some first parts (None for no part), with NaN for all others."""
        return answer


def state_bytes(num_qubits: int, real_dtype: DTypeLike) -> int:
    """Bytes of one state vector in the complex precision that belongs to `real_dtype`."""
    return 2 * np.dtype(real_dtype).itemsize * math.prod((2,) * num_qubits)
