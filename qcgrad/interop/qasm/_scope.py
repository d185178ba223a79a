"""What names mean at some place of a program."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import ImportRefused
from ..instructions._angle import Angle
from ._language import Language
from .notes import Notes


class Qubits(NamedTuple):
    """A qubit or a register of them; a range where they were declared, so that size costs nothing."""

    wires: Sequence[int]
    is_register: bool


class Bits(NamedTuple):
    """A classical bit or a register, of which only the size matters."""

    size: int
    is_register: bool


class Scope:
    """Names in one block, with the block around it.

    Attributes:
        language: the version of the program.
        notes: what to tell the user about the program.
        names: values (int, float, bool, `Angle`), `Qubits` and `Bits`.
        parent: the scope around, None for the whole program.
    """

    def __init__(self, language: Language, notes: Notes, parent: "Scope | None" = None):
        self.language, self.notes, self.parent = language, notes, parent
        self.names: dict[str, Any] = {}

    def child(self, names: dict[str, Any]) -> "Scope":
        """A block inside, with names of its own."""
        found = Scope(self.language, self.notes, self)
        found.names = names
        return found

    @property
    def root(self) -> "Scope":
        """The scope of the whole program."""
        return self if self.parent is None else self.parent.root

    def declare(self, name: str, meaning: Any) -> None:
        """Give a name its meaning.

        Raises:
            ImportRefused: the name is taken in this block.
        """
        if name in self.names:
            raise ImportRefused(f"{name!r} is declared twice")
        self.names[name] = meaning

    def find(self, name: str) -> Any:
        """What a name means, None if nothing."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def value(self, name: str) -> "int | float | bool | Angle":
        """The number that a name stands for.

        Raises:
            ImportRefused: it stands for none.
        """
        found = self.find(name)
        if found is None:
            found = self.language.constants.get(name)
        if isinstance(found, Bits):
            raise ImportRefused(
                f"{name!r} is a classical bit: what depends on measured bits is mid-circuit, which is not supported"
            )
        if isinstance(found, Qubits):
            raise ImportRefused(f"{name!r} is a qubit, not a number")
        if found is None:
            advice = f"; declare it with 'input float[64] {name};'" if self.language.version == 3 else ""
            raise ImportRefused(f"{name!r} is not defined here{advice}")
        return found
