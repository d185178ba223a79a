"""What tells trainings of one study apart, in few words."""

from collections.abc import Callable, Iterable, Iterator

from ..choices import labelled
from ._cell import LearningCell


def task(cell: LearningCell) -> str:
    """Where its data come from."""
    return labelled(cell.task, cell.task_options)


def rule(cell: LearningCell) -> str:
    """Its backward rule."""
    return labelled(cell.rule, cell.rule_options)


def optimizer(cell: LearningCell) -> str:
    """Its optimiser."""
    return labelled(cell.optimizer, cell.optimizer_options)


class Names:
    """Names of some trainings: what they have in common is said once.

    Args:
        cells: all that stand side by side, at least one.
    """

    def __init__(self, cells: Iterable[LearningCell]):
        known = list(cells)
        self._first = known[0]
        self._different = {part for part in (*_NETWORK, optimizer, *_SETTINGS) if len(set(map(part, known))) > 1}

    def network(self, cell: LearningCell) -> str:
        """How its network differs from the others; nothing where there is one only."""
        return ", ".join(part(cell) for part in _NETWORK if part in self._different)

    def optimizer(self, cell: LearningCell) -> str:
        """Its optimiser; nothing where there is one only."""
        return optimizer(cell) if optimizer in self._different else ""

    def setting(self, cell: LearningCell) -> str:
        """How its loss, its steps and samples and its first weights differ from those of others."""
        return ", ".join(part(cell) for part in _SETTINGS if part in self._different)

    def curve(self, cell: LearningCell) -> str:
        """The rule, and how it differs else."""
        parts = rule(cell), self.network(cell), self.optimizer(cell), self.setting(cell)
        return ", ".join(filter(None, parts))

    def look(self, cell: LearningCell) -> dict[str, str]:
        """Of its curve: rules by colour, all else by marker."""
        return {"colour": rule(cell), "marker": f"{self.network(cell)} {self.optimizer(cell)} {self.setting(cell)}"}

    def in_common(self) -> Iterator[str]:
        """Sentences on what all of them share."""
        if shared := [part(self._first) for part in _NETWORK if part not in self._different]:
            yield f"All networks: {', '.join(shared)}."
        if optimizer not in self._different:
            yield f"Optimiser: {optimizer(self._first)}."


def _layer(cell: LearningCell) -> str:
    return labelled(cell.layer, cell.layer_options) + (", pooled" if cell.pools else "")


def _activation(cell: LearningCell) -> str:
    return labelled(cell.activation, cell.activation_options)


def _size(cell: LearningCell) -> str:
    return f"{cell.depth} × {cell.width}"


def _samples(cell: LearningCell) -> str:
    return f"{cell.examples:,} examples, {cell.tests:,} tests"


def _scales(cell: LearningCell) -> str:
    return f"σ_w = {cell.sigma_w:g}, σ_b = {cell.sigma_b:g}"


_NETWORK: tuple[Callable[[LearningCell], str], ...] = (_layer, _activation, _size)

_SETTINGS: tuple[Callable[[LearningCell], str], ...] = (
    lambda cell: cell.loss,
    lambda cell: f"{cell.steps:,} steps",
    lambda cell: f"batch {cell.batch:,}",
    _samples,
    _scales,
    lambda cell: f"{cell.points:,} looks",
)
