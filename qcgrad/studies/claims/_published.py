"""Whole claims as files of the repository: what was measured, when, and on what."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import replacing
from ..store import Row, Run
from ._found import Script, content_of

FOLDER = Path("theory", "results")
# Of the provenance: no names of machines. Of the platform it has the system and the kind of processor alone.
_ABOUT = ("qcgrad", "commit", "python", "packages", "platform", "processors", "engine")
_OF_RECORD = ("claim", "quantity", "expected", "measured", "holds", "failure", "report")


def is_uncommitted(provenance: Mapping[str, Any]) -> bool:
    """Whether sources computed it that no commit has, so that nobody else could compute it again."""
    return str(provenance.get("commit")).endswith("+")


def publish(script: Script, row: Row, run: Run | None, root: Path) -> Path:
    """Write what a store keeps of a whole claim to where `published` finds it.

    Args:
        script: of the claim.
        row: its result, of `small=False`.
        run: under which it was computed; the names of machines are left out.
        root: of the checkout.
    """
    about = {} if run is None else {name: run.provenance.get(name) for name in _ABOUT}
    data = {
        **{name: row.record[name] for name in _OF_RECORD},
        "seconds": round(row.seconds, 1),
        "finished": time.strftime("%Y-%m-%d", time.gmtime(row.finished_at)),
        "content": row.cell["content"],
        "provenance": about,
    }
    path = _path(script, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def published(script: Script, root: Path) -> dict[str, Any] | None:
    """The published result of a whole claim, None where there is none; `is_current`: its script is as it was then."""
    path = _path(script, root)
    if not path.is_file():
        return None
    data = json.loads(path.read_text("utf-8"))
    return {**data, "is_current": data["content"] == content_of(script)}


def _path(script: Script, root: Path) -> Path:
    return root / FOLDER / script.path.parent.name / f"{script.path.stem}.json"
