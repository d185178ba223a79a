"""What cells and specs share that name circuits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from ..errors import ImportRefused
from .cells import Cell
from .circuits import StudyCircuit, content_of, load_study_circuit
from .kind import distinct


def _checked_observable(observable: str) -> str:
    from ..ir.observable import PauliSum

    PauliSum(observable)  # refuses by name what is none
    return observable


CircuitNames = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
"""Names in the circuit library, or OpenQASM files, relative to the folder of the spec."""

ObservableText = Annotated[str, AfterValidator(_checked_observable)]
"""A Pauli sum, for example "ZZI + 0.5*IXI"."""


@dataclass(frozen=True, kw_only=True)
class OnCircuit(Cell):
    """A cell on one circuit.

    Attributes:
        circuit: name in the library, or of a file.
        observable: Pauli sum, None for the recorded or default one.
        path, content: where a file lies, and a hash of it: moving a file changes no result.
    """

    circuit: str
    observable: str | None = None
    path: str | None = None
    content: str | None = None

    @classmethod
    def of(cls, name: str, **settings: Any) -> Self:
        """The cell of a circuit of the library, or of a file as it is now."""
        from ..library import is_file_name

        if is_file_name(name):
            settings |= {"path": name, "content": content_of(name)}
            name = Path(name).name
        return cls(circuit=name, **settings)

    @property
    def where(self) -> str:
        return self.circuit

    @property
    def data(self) -> dict[str, Any]:
        return {name: part for name, part in super().data.items() if name != "path"}

    def load(self) -> StudyCircuit:
        """The circuit at its point.

        Raises:
            ImportRefused, ValueError: it cannot be used, or is not what it was.
        """
        name = self.path or self.circuit
        if self.content is not None and content_of(name) != self.content:
            raise ImportRefused(f"{name} has changed since the study began: run the study again")
        return load_study_circuit(name, self.observable, self.seed)
