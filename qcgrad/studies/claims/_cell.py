"""A claim, computed and checked."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..cells import Cell
from ..records import Record
from ._found import Script, content_of, repository


def imported(module: str) -> Any:
    """The module of a script."""
    repository()
    return importlib.import_module(module)


@dataclass(frozen=True, kw_only=True)
class ClaimCell(Cell):
    """One script of theory/, in small or in full.

    Attributes:
        module: its name.
        small: in seconds instead of minutes, with the tolerances that go with it.
        content: a hash of the script and of the scripts that it imports: another text, another result.
        folder: where its figure goes; no part of the result.
    """

    kind: ClassVar[str] = "claim"
    hurries: ClassVar[bool] = False
    module: str
    small: bool
    content: str
    folder: str

    @classmethod
    def of(cls, script: Script, *, small: bool, folder: Path) -> "ClaimCell":
        """The cell of a script as it is now."""
        return cls(module=script.name, small=small, content=content_of(script), folder=str(folder))

    @property
    def where(self) -> str:
        return self.module.removeprefix("theory.").replace(".", "/")

    @property
    def label(self) -> str:
        return f"{self.where}, {'small' if self.small else 'full'}"

    @property
    def data(self) -> dict[str, Any]:
        return {name: part for name, part in super().data.items() if name != "folder"}

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        script = imported(self.module)
        notify("computing")
        result = script.compute(self.small)
        lines = list(script.report(result))
        quantity, expected, measured = script.headline(result) if hasattr(script, "headline") else ("", "", "")
        figure = Path(self.folder) / f"{self.module.rpartition('.')[2]}.png"
        figure.parent.mkdir(parents=True, exist_ok=True)
        # The figure comes before the check: a claim that fails is what one wants to see.
        script.figure(result, figure)
        failure = ""
        try:
            script.check(result)
        except AssertionError as error:
            failure = str(error) or "a check of the script fails without a message"
        claim = (script.__doc__ or self.where).strip()
        return {
            "claim": claim,
            "quantity": quantity,
            "expected": expected,
            "measured": measured,
            "holds": not failure,
            "failure": failure,
            "report": lines,
            "figure": figure.name,
        }
