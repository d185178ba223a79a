"""Where the scripts are."""

import ast
import hashlib
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
        module = ast.parse(path.read_text("utf-8"), filename=str(path))
        if any(isinstance(node, ast.FunctionDef) and node.name == "compute" for node in module.body):
            claim = (ast.get_docstring(module) or path.stem).splitlines()[0]
            topic = path.parent.name.replace("_", "-")
            found.append(Script(topic, f"theory.{path.parent.name}.{path.stem}", path, claim))
    return found


def content_of(script: Script) -> str:
    """A hash of a script and of all scripts that it imports, directly or not."""
    root = script.path.parents[2]
    waiting, texts = [script.path], dict[Path, bytes]()
    while waiting:
        path = waiting.pop()
        if path not in texts:
            texts[path] = path.read_bytes()
            waiting += _imported(path, texts[path], root)
    digest = hashlib.sha256()
    for path in sorted(texts):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(texts[path])
    return digest.hexdigest()


def _imported(path: Path, text: bytes, root: Path) -> list[Path]:
    """Files of theory/ that a script imports."""
    names = []
    for node in ast.walk(ast.parse(text, filename=str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(path.relative_to(root).parts[: -node.level]) if node.level else ""
            module = ".".join(filter(None, (package, node.module)))
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    files = (root.joinpath(*name.split(".")).with_suffix(".py") for name in names if name.startswith("theory."))
    return [file for file in files if file.is_file()]
