"""The spec of a study of backward rules, and its cells."""

from collections.abc import Iterator, Sequence
from typing import Self

from pydantic import Field

from ..cells import Cell
from ..kind import AbstractKind, Whole
from ..learning._fields import Learning
from ..records import Record
from ..summary import Summary
from ._cell import RuleCell


class Rules(Learning, AbstractKind):
    """What networks learn by backward rules, how far their gradients are from the true one, and what they cost.

    Attributes:
        draws: passes of a rule that draws, whenever it is compared with the true gradient: its variance is of one pass.
        inputs: of the tangent kernel whose smallest eigenvalue tells whether the rule descends; 0 leaves it out.

    All others are those of `Learning`.

    Example:
        >>> from qcgrad.studies.rules import Rules
        >>> spec = Rules(tasks=("modulation",), activations=("cardioid",), rules=("holomorphic-branch",), seeds=1)
        >>> [cell.label for cell in spec.cells(seed=0)]  # doctest: +NORMALIZE_WHITESPACE
        ['holomorphic-branch, adam (learning_rate=0.01), modulation, dense, cardioid, 2 × 64, seed 0']
    """

    draws: Whole = Field(default=16, ge=2, le=1000)
    inputs: Whole = Field(default=6, ge=0, le=1000)

    def cells(self, seed: int) -> Iterator[Cell]:
        for fields in self.trainings(seed):
            yield RuleCell(**fields, draws=self.draws, inputs=self.inputs)

    def is_mine(self, cell: Cell) -> bool:
        return isinstance(cell, RuleCell)

    def quick(self) -> Self:
        return self.shorter().model_copy(update={"draws": min(6, self.draws)})

    def summary(self, records: Sequence[tuple[Cell, Record]]) -> Summary:
        from ._summary import summary

        return summary([(cell, record) for cell, record in records if isinstance(cell, RuleCell)])
