"""What is known of each claim."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..identity import canonical, version_of
from ..store import Row, Store
from ._cell import ClaimCell
from ._found import Script
from ._published import published


def newest(cells: Sequence[ClaimCell], path: Path) -> dict[ClaimCell, Row]:
    """The newest row of each cell in a file of results, by any code; none where there is no file."""
    if not path.is_file():
        return {}
    with Store(path) as store:
        kept = {canonical(row.cell): row for row in store.rows()}
    return {cell: kept[name] for cell in cells if (name := canonical(cell.data)) in kept}


def states(scripts: Sequence[Script], cells: Sequence[ClaimCell], path: Path, root: Path) -> list[dict[str, Any]]:
    """Plain data on each claim: `script`, `claim`, `topic`, `size`, `state`, `seconds`, the record, and `published`.

    `state` is of the file of results: "holds", "does not hold", "could not be computed: ..." or "not computed".
    `is_current`: this version of qcgrad says so, and not an earlier one. `published` is the result of the whole claim
    that the repository keeps, its `state` "not run" where there is none.

    Args:
        scripts, cells: the claims, pairwise.
        path: the file of results.
        root: of the checkout.
    """
    rows, failures = newest(cells, path), _failures(cells, path)
    found = []
    for script, cell in zip(scripts, cells, strict=True):
        row = rows.get(cell)
        about: dict[str, Any] = {"script": cell.where, "topic": script.topic, "size": "small" if cell.small else "full"}
        about |= {"claim": script.claim, "state": "not computed", "seconds": None, "is_current": True}
        if cell in failures:  # of this version: what an earlier one found says nothing of it
            about["state"] = f"could not be computed: {failures[cell]}"
        elif row is not None:
            about |= {"seconds": row.seconds, **row.record, "state": _in_words(row.record["holds"])}
            about["is_current"] = row.code_version == version_of(cell.data)
        kept = published(script, root)
        about["published"] = {"state": "not run"} if kept is None else {"state": _in_words(kept["holds"]), **kept}
        found.append(about)
    return found


def _failures(cells, path) -> dict[ClaimCell, str]:
    if not path.is_file():
        return {}
    with Store(path) as store:
        found = {cell: store.failure(cell.data) for cell in cells}
    return {cell: failure.message for cell, failure in found.items() if failure is not None}


def _in_words(holds: bool) -> str:
    return "holds" if holds else "does not hold"
