"""What the cells of a scaling study share."""

from dataclasses import dataclass

from ...catalogue import Method, methods
from ..cells import Cell


@dataclass(frozen=True, kw_only=True)
class MethodCell(Cell):
    """A method on a model at one size and accuracy.

    Attributes:
        method: a name of the catalogue.
        model: what points are fitted together with.
        epsilon, delta: the accuracy, None for exact methods.
    """

    method: str
    model: str
    epsilon: float | None = None
    delta: float | None = None

    @property
    def described(self) -> Method:
        """The method."""
        return methods()[self.method]

    @property
    def label(self) -> str:
        # What has no accuracy draws nothing that matters.
        drawn = "" if self.epsilon is None else f", ε = {self.epsilon:g}, seed {self.seed}"
        return f"{self.method}, {self.where}{drawn}"
