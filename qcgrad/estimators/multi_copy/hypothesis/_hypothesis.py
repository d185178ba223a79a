"""What online tomography needs of a hypothesis state."""

import abc
from typing import Self

import numpy as np
from jaxtyping import Float, Int

from ....cost import Cost


class AbstractHypothesis(abc.ABC):
    """A state of a form's register, maximally mixed at first, that predicts the strings still to come.

    Immutable. Strings are visited in the form's order, so a hypothesis may forget what lies behind it.
    """

    @abc.abstractmethod
    def predictions(self, order: Int[np.ndarray, "V"]) -> Float[np.ndarray, "V"]:
        """What <A> should be for the strings `order` (V,), none before the last update's; in [-1, 1]."""

    @abc.abstractmethod
    def updated(self, component: int, rate: float) -> Self:
        """The hypothesis after one more factor exp(rate A) for string A; a positive rate raises <A>."""

    @abc.abstractmethod
    def cost(self, order: Int[np.ndarray, "V"]) -> Cost:
        """FLOPs of making this hypothesis out of the one before and of `predictions(order)`, and peak bytes."""
