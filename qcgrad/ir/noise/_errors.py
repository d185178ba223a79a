"""Errors that are no channels of their own: of a gate's angle, and of reading."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from . import _checks as checks


@dataclass(frozen=True)
class OverRotation:
    r"""A coherent error: a gate turns by \((1 + s)\,\theta + \delta\) instead of \(\theta\).

    For gates with an angle, and for fixed ones that are one turn about a Pauli string (X, S, SX, CX, CCZ, ...: X turns
    by pi). With a scale s the noisy expectation value has frequencies 1 + s times the gate's own, so a shift rule of
    these is no longer its derivative: it estimates the derivative without noise, with a bias.

    Args:
        scale: s.
        offset: delta, radians.
    """

    scale: float = 0.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        for name in ("scale", "offset"):
            object.__setattr__(self, name, checks.real(f"OverRotation {name}", getattr(self, name)))

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return not self.scale and not self.offset


@dataclass(frozen=True)
class ReadoutError:
    """A qubit's outcome that is written down wrongly.

    Args:
        one_given_zero: probability that 1 is written down where the outcome was 0.
        zero_given_one: the other way round; by default the same.

    Example:
        >>> import qcgrad as qg
        >>> qg.ReadoutError.from_matrix([[0.98, 0.02], [0.05, 0.95]])
        ReadoutError(one_given_zero=0.02, zero_given_one=0.05)
    """

    one_given_zero: float
    zero_given_one: float | None = None

    def __post_init__(self) -> None:
        if self.zero_given_one is None:
            object.__setattr__(self, "zero_given_one", self.one_given_zero)
        for name in ("one_given_zero", "zero_given_one"):
            object.__setattr__(self, name, checks.probability(f"ReadoutError {name}", getattr(self, name)))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> Self:
        """From a confusion matrix: entry [i, j] is the probability of writing down j where the outcome was i.

        Raises:
            ValueError: no 2x2 matrix of probabilities, or rows that do not add up to 1.
        """
        found = np.asarray(matrix, float)
        if found.shape != (2, 2) or not np.all((found >= 0) & (found <= 1)) or np.abs(found.sum(1) - 1).max() > 1e-9:
            raise ValueError(f"confusion matrix is {found.tolist()}: give 2x2 probabilities whose rows add up to 1")
        return cls(float(found[0, 1]), float(found[1, 0]))

    @property
    def confusion(self) -> Float[np.ndarray, "2 2"]:
        """Entry [i, j]: the probability of writing down j where the outcome was i."""
        up, down = self.one_given_zero, self.one_given_zero if self.zero_given_one is None else self.zero_given_one
        return np.array([[1 - up, up], [down, 1 - down]])

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return not self.one_given_zero and not self.zero_given_one
