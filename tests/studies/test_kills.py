"""Killed at any moment, a study loses no finished cell, and ends with the results of an uninterrupted one."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from qcgrad.studies import _claims as claims
from qcgrad.studies.executors import InProcess
from qcgrad.studies.run import run_cells
from qcgrad.studies.store import Store

from .work import cells, drawn, wait_for_the_end_of

KILLS = 20
# No killed run finishes more, however fast the machine is, so that all of them together leave something to do.
MOST_OF_A_RUN = 30
COUNT = (KILLS + 1) * MOST_OF_A_RUN

# Imports once; each process of the study is a fork of this one, which has no threads yet.
IN_ONE_PROCESS = """
import json, os, signal, sys, time
from qcgrad.studies import _claims as claims
from qcgrad.studies.executors import InProcess
from qcgrad.studies.identity import code_version
from qcgrad.studies.run import run_cells
from qcgrad.studies.store import Store
from tests.studies.work import cells, drawn

path, told = sys.argv[1:3]
count, most, moments = map(json.loads, sys.argv[3:])
claims.STALE, claims.BEAT = 0.2, 0.05
code_version()

def lines():
    return [int(line) for line in open(told)] if os.path.exists(told) else []

def study():
    put, begun = Store.put, []
    def slowly(cell, notify):
        begun.append(cell)
        time.sleep(0.002 if len(begun) <= most else 3600)
        return drawn(cell, notify)
    def put_and_tell(self, cell, *rest):
        put(self, cell, *rest)
        with open(told, "a") as file:
            file.write(f"{cell['n']}\\n")
    Store.put = put_and_tell
    with Store(path) as store:
        store.begin("{}", {})
        run_cells(cells(count), store, InProcess(compute=slowly))

for finished_first, seconds in moments:
    before, child = len(lines()), os.fork()
    if child == 0:
        study()
        os._exit(0)
    deadline = time.monotonic() + 30
    while len(lines()) < before + finished_first and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kept = {}
    if os.path.exists(path):
        with Store(path) as store:
            kept = {row.cell["n"]: row.record for row in store.rows()}
    lost, wrong = set(lines()) - set(kept), [n for n in kept if kept[n] != drawn(cells(n + 1)[n], None)]
    print(json.dumps({"lost": sorted(lost), "wrong": wrong, "kept": len(kept)}), flush=True)
"""


@pytest.mark.slow
def test_a_study_killed_at_twenty_random_moments_loses_nothing_and_ends_as_an_uninterrupted_one(tmp_path):
    path, told = tmp_path / "study.sqlite", tmp_path / "told"
    # Cells to wait for, and seconds after that: the first ones while the file is made, the others among transactions.
    rng = np.random.default_rng(0)
    moments = [(0, rng.uniform(0.0, 0.03)) for _ in range(4)]
    moments += [(int(rng.integers(0, 20)), rng.uniform(0.0, 0.01)) for _ in range(KILLS - 4)]
    arguments = [str(path), str(told), str(COUNT), str(MOST_OF_A_RUN), json.dumps(moments)]
    told_of_kills = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS, *arguments], check=True, capture_output=True, text=True, timeout=300
    ).stdout
    kills = [json.loads(line) for line in told_of_kills.splitlines()]
    assert len(kills) == KILLS
    assert not any(kill["lost"] or kill["wrong"] for kill in kills)
    counts = [kill["kept"] for kill in kills]
    assert counts == sorted(counts)
    # Meaningful only if kills hit runs that had begun and were not over.
    assert len(set(counts)) > 5
    assert counts[-1] < COUNT
    uninterrupted = tmp_path / "uninterrupted.sqlite"
    with Store(path) as store, Store(uninterrupted) as other:
        time.sleep(0.3)
        resumed = run_cells(cells(COUNT), store, InProcess(compute=drawn))
        whole = run_cells(cells(COUNT), other, InProcess(compute=drawn))
        assert len(store) == len(other) == COUNT
    assert resumed.records == whole.records
    assert resumed.reused == counts[-1]


IN_WORKERS = """
import sys
from pathlib import Path
from qcgrad.studies.executors import Processes
from qcgrad.studies.run import run_cells
from qcgrad.studies.store import Store
from tests.studies.work import Stuck, cells
if __name__ == "__main__":
    with Store(sys.argv[1]) as store:
        run_cells(cells(3), store, Processes(2, compute=Stuck(Path(sys.argv[2]))))
"""


@pytest.mark.slow
def test_workers_end_with_a_killed_study_even_in_the_middle_of_a_long_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "STALE", 1.0)
    path, marks = tmp_path / "study.sqlite", tmp_path / "marks"
    marks.mkdir()
    victim = subprocess.Popen([sys.executable, "-c", IN_WORKERS, str(path), str(marks)])
    deadline = time.monotonic() + 120
    while len(list(marks.glob("stuck-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    victim.kill()
    victim.wait()
    workers = [int(mark.name.split("-")[1]) for mark in marks.glob("stuck-*")]
    assert len(workers) == 2
    for pid in workers:
        assert pid != os.getpid()
        wait_for_the_end_of(pid)
    with Store(path) as store:
        assert {row.cell["n"] for row in store.rows()} == {2}
        time.sleep(1.1)
        outcome = run_cells(cells(3), store, InProcess(compute=drawn))
        assert (outcome.reused, outcome.computed) == (1, 2)
