"""How far a study is."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .identity import cell_key, version_of
from .plain import plain
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
            yield plain(f"{failure['verdict']}: {failure['cell']}: {failure['message']}")
        for run in self.data["runs"]:
            began = time.strftime("%Y-%m-%d %H:%M", time.localtime(run["began"]))
            about = run["provenance"]
            commit = f", commit {about['commit']}" if about.get("commit") else ""
            yield plain(f"run of {began} on {about.get('host')}: qcgrad {about.get('qcgrad')}{commit}")


def status_of(study: StudySpec, store: Store) -> Status:
    """What a store has of a study."""
    kept, failed = store.kept(), store.failures()
    finished, totals, failures, outdated, retried = Counter(), Counter(), [], 0, 0
    for cell in study.cells():
        totals[cell.kind] += 1
        if found := kept.of(cell.data):
            finished[cell.kind] += 1
            outdated += found.code_version != version_of(cell.data)
            retried += found.attempts > 1
        elif failed and (failure := failed.get(cell_key(cell.data))):
            failures.append({"cell": cell.label, **failure._asdict()})
    runs = [{"began": run.began, "provenance": run.provenance} for run in store.runs()]
    return Status(
        {
            "title": study.title,
            "total": sum(totals.values()),
            "finished": sum(finished.values()),
            "outdated": outdated,
            "retried": retried,
            "by_kind": {kind: [finished[kind], total] for kind, total in totals.items()},
            "failures": failures,
            "runs": runs,
        }
    )
