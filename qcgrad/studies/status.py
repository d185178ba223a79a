"""How far a study is."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .identity import canonical, code_version
from .spec import StudySpec
from .store import Store


@dataclass(frozen=True)
class Status:
    """What of a study is finished.

    Attributes:
        data: plain data: `title`, `total`, `finished`, `outdated` (by other code than this one's), `retried` (begun
            more than once, since their workers died), `by_kind`, `failures` (`cell`, `verdict`, `message`,
            `traceback`), `runs`.
    """

    data: dict[str, Any]

    def lines(self) -> Iterator[str]:
        """For people."""
        outdated = self.data["outdated"]
        others = f", {outdated} of them by another version, which a run computes again" if outdated else ""
        yield f"{self.data['finished']} of {self.data['total']} cells are finished{others}"
        for kind, (finished, total) in self.data["by_kind"].items():
            yield f"  {kind}: {finished} of {total}"
        if retried := self.data["retried"]:
            yield f"{retried} of them were begun more than once, since their workers died"
        for failure in self.data["failures"]:
            yield f"{failure['verdict']}: {failure['cell']}: {failure['message']}"
        for run in self.data["runs"]:
            began = time.strftime("%Y-%m-%d %H:%M", time.localtime(run["began"]))
            about = run["provenance"]
            commit = f", commit {about['commit']}" if about.get("commit") else ""
            yield f"run of {began} on {about.get('host')}: qcgrad {about.get('qcgrad')}{commit}"


def status_of(study: StudySpec, store: Store) -> Status:
    """What a store has of a study."""
    newest = {canonical(row.cell): (row.code_version, row.attempts or 1) for row in store.rows()}
    cells = study.cells()
    done = {name: newest[name] for cell in cells if (name := canonical(cell.data)) in newest}
    finished = Counter(cell.kind for cell in cells if canonical(cell.data) in done)
    totals = Counter(cell.kind for cell in cells)
    failures = []
    for cell in cells:
        if canonical(cell.data) not in done and (failure := store.failure(cell.data)):
            failures.append({"cell": cell.label, **failure._asdict()})
    runs = [{"began": run.began, "provenance": run.provenance} for run in store.runs()]
    return Status(
        {
            "title": study.title,
            "total": len(cells),
            "finished": sum(finished.values()),
            "outdated": sum(version != code_version() for version, _ in done.values()),
            "retried": sum(attempts > 1 for _, attempts in done.values()),
            "by_kind": {kind: [finished[kind], total] for kind, total in totals.items()},
            "failures": failures,
            "runs": runs,
        }
    )
