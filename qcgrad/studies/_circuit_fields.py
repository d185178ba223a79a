"""What cells and specs share that name circuits."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field

from ..errors import ImportRefused
from .cells import MOST_CELLS, Cell
from .circuits import StudyCircuit, absolute_name, content_of, load_study_circuit, short_name, within
from .factories import Factory, expanded, is_factory_name
from .kind import Part, check_words, distinct


def _checked_observable(observable: str) -> str:
    from ..ir.observable import PauliSum

    PauliSum(observable)  # refuses by name what is none
    return observable


def _names(entries: Any) -> Any:
    """Names, with a name for each point of a function's grid."""
    if not isinstance(entries, (list, tuple)):
        return entries
    found = []
    for entry in entries:
        found += expanded(entry) if isinstance(entry, dict) else [entry]
        if len(found) > MOST_CELLS:
            raise ValueError(f"more than {MOST_CELLS:,} circuits: leave out values")
    return tuple(found)


def _readable(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        check_words(name)
        if is_factory_name(name):
            Factory.named(name)  # refuses what names no function
    return distinct(names)


CircuitNames = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_names), AfterValidator(_readable)]
"""Names in the circuit library; OpenQASM files; or functions that make circuits, as "file.py:function(depth=2)" or as
{factory = "file.py:function", arguments = {depth = [1, 2]}}, where lists are grids. Files are relative to the folder of
the spec."""


class OnCircuits(Part):
    """Fields of what is done on each of some circuits.

    Attributes:
        circuits: see `CircuitNames`.
    """

    circuits: CircuitNames

    def with_files_in(self, folder: Path) -> Self:
        """With absolute names of files."""
        return self.model_copy(update={"circuits": tuple(absolute_name(name, folder) for name in self.circuits)})

    def within(self, max_qubits: int) -> Self | None:
        """Without circuits on more qubits; None where none is left."""
        kept = within(self.circuits, max_qubits)
        return self.model_copy(update={"circuits": kept}) if kept else None


ObservableText = Annotated[str, AfterValidator(_checked_observable)]
"""A Pauli sum, for example "ZZI + 0.5*IXI"."""


@dataclass(frozen=True, kw_only=True)
class OnCircuit(Cell):
    """A cell on one circuit.

    Attributes:
        circuit: its name, without the folder of a file.
        observable: Pauli sum, None for the recorded or default one.
        path, content: its whole name, and what `content_of` says of it: moving a file changes no result. None for
            circuits of the library.
        allow_code: whether a function of the user's may be run to make it; no part of what it is.
    """

    circuit: str
    observable: str | None = None
    path: str | None = None
    content: str | None = None
    allow_code: bool = False

    @classmethod
    def of(cls, name: str, **settings: Any) -> Self:
        """The cell of a circuit as it is now."""
        return cls(**placed(name), **settings)

    @property
    def where(self) -> str:
        return self.circuit

    @property
    def data(self) -> dict[str, Any]:
        found = super().data
        found.pop("path", None)
        del found["allow_code"]
        return found

    @property
    def source(self) -> tuple[str, str | None]:
        """Which circuit it is, whatever its folder."""
        return self.circuit, self.content

    def permitted(self) -> Self:
        return replace(self, allow_code=True) if is_factory_name(self.circuit) else self

    def load(self) -> StudyCircuit:
        """The circuit at its point.

        Raises:
            CodeRefused: only the user's code can make it, which nobody has permitted.
            ImportRefused, ValueError: it cannot be used, or is not what it was.
        """
        name = self.path or self.circuit
        if self.content is not None and content_of(name) != self.content:
            raise ImportRefused(f"{name} has changed since the study began: run the study again")
        return load_study_circuit(name, self.observable, self.seed, allow_code=self.allow_code, content=self.content)


def told_apart(cells: Iterable[OnCircuit]) -> dict[tuple[str, str | None], str]:
    """Names by `source`: those of circuits, with as much of the folder as tells them from others of that name."""
    paths = {cell.source: cell.path or cell.circuit for cell in cells}
    names = {}
    for source, path in paths.items():
        others = [other for found, other in paths.items() if found != source and found[0] == source[0]]
        names[source] = _told_from(others, path, source[0]) if others else source[0]
    return names


def _told_from(others: list[str], path: str, name: str) -> str:
    for slash in reversed([place for place, character in enumerate(path) if character == "/"]):
        end = path[slash + 1 :]
        if len(end) > len(name) and not any(other.endswith(f"/{end}") for other in others):
            return end
    return path


def placed(name: str) -> dict[str, Any]:
    """The fields of `OnCircuit` that say which circuit it is on."""
    content = content_of(name)
    return {
        "circuit": name if content is None else short_name(name),
        "path": None if content is None else name,
        "content": content,
    }
