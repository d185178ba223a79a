"""Where the scripts are."""

import ast
import sys
from pathlib import Path
from typing import NamedTuple

from ...errors import QcgradError


class ClaimsNotFound(QcgradError, LookupError):
    """There are no claims where they were looked for; the message says where to look."""


class Script(NamedTuple):
    """A script with a claim.

    Attributes:
        topic: its folder, in kebab case as on the command line.
        name: of the module, "theory.<topic>.<claim>".
        path: of the file.
        claim: the first line of its docstring.
    """

    topic: str
    name: str
    path: Path
    claim: str


def repository(start: "str | Path | None" = None) -> Path:
    """The root of the checkout that a folder is in, the current one by default; its scripts can be imported then.

    Raises:
        ClaimsNotFound: it is in none, and qcgrad is not imported from one.
    """
    folder = Path.cwd() if start is None else Path(start).resolve()
    for root in (folder, *folder.parents, Path(__file__).resolve().parents[3]):
        if (root / "theory" / "claim.py").is_file():
            if str(root) not in sys.path:
                sys.path.insert(0, str(root))
            return root
    raise ClaimsNotFound(
        f"{folder} is in no checkout of qcgrad: claims are scripts in its folder theory/, run it there"
    )


def claims_in(root: Path) -> list[Script]:
    """All claims of a checkout, by topic and name; the scripts are read and not run."""
    found = []
    for path in sorted((root / "theory").glob("*/*.py")):
        module = ast.parse(path.read_text("utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "compute" for node in module.body):
            claim = (ast.get_docstring(module) or path.stem).splitlines()[0]
            topic = path.parent.name.replace("_", "-")
            found.append(Script(topic, f"theory.{path.parent.name}.{path.stem}", path, claim))
    return found
