"""What identifies a result: the cell, and the code that computed it."""

import hashlib
import inspect
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..catalogue import methods, rules
from ..version import __version__


def cell_key(cell: dict[str, Any]) -> str:
    """What identifies a result: a hash of the cell, and of the code that computes it."""
    return hashlib.sha256(f"{canonical(cell)}\n{version_of(cell)}".encode()).hexdigest()


def version_of(cell: dict[str, Any]) -> str:
    """Version of the code that computes a cell: of qcgrad, and of the packages that its method or rule comes from."""
    return code_version() + "".join(_code_of_others(kind, cell[kind]) for kind in ("method", "rule") if kind in cell)


def canonical(cell: dict[str, Any]) -> str:
    """A cell's data as one text."""
    return json.dumps(cell, sort_keys=True)


@lru_cache(maxsize=1)
def code_version() -> str:
    """Package version and a hash of all sources and circuits: another code, other results.

    The native engine counts by the sources that it says it was built from, not by its bytes: on another machine, built
    by another compiler, the same sources agree but for rounding. Without an engine results are others, since samples
    are drawn differently.
    """
    from ..library import list_circuits
    from ..simulators.statevector import native_library

    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    digest.update(native_library.sources().encode())
    for source in sorted(root.rglob("*.py")):
        digest.update(source.relative_to(root).as_posix().encode())
        digest.update(source.read_bytes())
    for circuit in list_circuits():
        digest.update(circuit.path.read_bytes())
        digest.update(repr((circuit.terms, circuit.params.tolist())).encode())
    return f"{__version__}+{digest.hexdigest()[:16]}"


@lru_cache(maxsize=256)
def _code_of_others(kind: str, name: str) -> str:
    """A hash of the file in which another package writes a method or a rule; nothing for ours."""
    entry = (methods() if kind == "method" else rules()).get(name)
    if entry is None or entry.make.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return ""
    try:
        source = Path(inspect.getsourcefile(entry.make) or "")
        return f"+{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    except (OSError, TypeError):  # written in a session, or compiled
        return ""
