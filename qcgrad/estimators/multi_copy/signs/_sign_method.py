"""What `BellShadow` needs of a way to find signs: how many copies it leaves to magnitudes, its questions, its cost."""

import abc
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from jaxtyping import Float

from ....array_types import Angles, Masks
from ....cost import Cost
from ....queries import AbstractQuery
from .._pauli_statistics import Signs


class WantedSigns(NamedTuple):
    """The strings that stand out of the noise, strongest first.

    Attributes:
        preparation: what prepares a copy of the state: a program, or a mixture.
        angles: (0,), of it.
        x, z: (D,) masks.
        floors: (D,) lower bounds on |<P>|.
        noise: eta, the error of all <P>^2.
    """

    preparation: Any
    angles: Angles
    x: Masks
    z: Masks
    floors: Float[np.ndarray, "D"]
    noise: float


class AbstractSignSearch(abc.ABC):
    """Signs on their way to be known; immutable."""

    @property
    @abc.abstractmethod
    def signs(self) -> Signs | None:
        """Those of all strings, None until they are found."""

    @abc.abstractmethod
    def ask(self) -> tuple[AbstractQuery, ...]:
        """The next question; none when done."""

    @abc.abstractmethod
    def tell(self, answer: Any) -> Self:
        """The search after the answer to it."""

    @property
    def stats(self) -> dict[str, Any]:
        """What else it found out."""
        return {}


@dataclass(frozen=True, eq=False)
class NothingWanted(AbstractSignSearch):
    """The search for the signs of no strings."""

    signs: Signs | None = None

    def ask(self) -> tuple[AbstractQuery, ...]:
        return ()

    def tell(self, answer: Any) -> Self:
        return self


@dataclass(frozen=True)
class AbstractSignMethod(abc.ABC):
    """A way to find signs with a number of copies.

    Attributes:
        copies: for magnitudes and signs together.
        delta: probability that any string misses its bound.
    """

    copies: int
    delta: float
    least: ClassVar[int]
    """The fewest copies."""
    least_for: ClassVar[str]
    """What they are for, in words."""
    threshold: ClassVar[float]
    """What a square has to exceed for its sign to be looked for, in units of the noise."""

    @abc.abstractmethod
    def pairs(self, strings: int) -> int:
        """Pairs of copies that measure the magnitudes of all strings."""

    @abc.abstractmethod
    def search(self, wanted: WantedSigns, copies: int) -> AbstractSignSearch:
        """The search with the copies that are left."""

    @abc.abstractmethod
    def predicted_cost(self, num_qubits: int, preparation_gates: int, strings: int) -> Cost:
        """Upper bound for at most so many strings, magnitudes included; each counter takes its own worst case."""

    def check_size(self, num_qubits: int) -> None:
        """Refuse states that the method cannot deal with."""
        del num_qubits  # any will do

    def report(self, stats: dict[str, Any]) -> str:
        """The stats of a search in words."""
        return ""
