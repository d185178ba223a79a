"""Processes that share a study: no cell twice, none forgotten, whatever becomes of the others."""

import subprocess
import sys
import time

import pytest

from qcgrad.errors import StateTooLarge
from qcgrad.studies import _claims as claims
from qcgrad.studies.executors import Failure, InProcess
from qcgrad.studies.run import StudyInterrupted, run_cells
from qcgrad.studies.scaling._network_cells import NetworkCell
from qcgrad.studies.store import Store

CELLS = [NetworkCell(method="backprop", model="m", n=n) for n in range(8)]

# Computes cells that take a while, and says how many.
WORKER = """
import sys, time
from qcgrad.studies.executors import InProcess
from qcgrad.studies.run import run_cells
from qcgrad.studies.scaling._network_cells import NetworkCell
from qcgrad.studies.store import Store
cells = [NetworkCell(method="backprop", model="m", n=n) for n in range(8)]
def compute(cell, notify):
    print("began", flush=True)
    time.sleep(float(sys.argv[2]))
    return {"M": cell.n}
with Store(sys.argv[1]) as store:
    outcome = run_cells(cells, store, InProcess(compute=compute))
print(outcome.computed, len(outcome.records), flush=True)
"""


def worker(path, seconds):
    return subprocess.Popen([sys.executable, "-c", WORKER, str(path), str(seconds)], stdout=subprocess.PIPE, text=True)


def fake(cell, notify):
    return {"M": cell.n}


def test_two_processes_share_the_work_and_both_have_all_of_it(tmp_path):
    path = tmp_path / "study.sqlite"
    both = [worker(path, 0.4), worker(path, 0.4)]
    ends = [process.communicate(timeout=120)[0].splitlines()[-1].split() for process in both]
    computed, finished = zip(*ends, strict=True)
    assert finished == ("8", "8")
    assert sum(map(int, computed)) == 8


def test_cells_of_a_killed_process_are_taken_over(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "STALE", 1.0)
    path = tmp_path / "study.sqlite"
    victim = worker(path, 60)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "began\n"
    victim.kill()
    victim.communicate()
    with Store(path) as store:
        outcome = run_cells(CELLS, store, InProcess(compute=fake))
        assert [record["M"] for _, record in outcome.records] == list(range(8))
        assert outcome.computed == 8


def test_a_claim_holds_as_long_as_its_owner_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "STALE", 0.5)
    monkeypatch.setattr(claims, "BEAT", 0.05)
    path = tmp_path / "study.sqlite"
    with Store(path) as first, Store(path) as second:
        assert first.claim(CELLS[0].data)
        assert first.claim(CELLS[0].data)  # it is its own
        time.sleep(1.5)
        assert not second.claim(CELLS[0].data)
        first.put(CELLS[0].data, {"M": 0}, 0.1)
        assert not second.claim(CELLS[0].data)  # finished
        assert first.claim(CELLS[1].data)
    with Store(path) as third:  # closing gave up what was not finished
        assert third.claim(CELLS[1].data)


# JAX reports an interrupt inside a callback as an error of its own.
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), RuntimeError("callback failed:\nKeyboardInterrupt: ")])
def test_an_interrupt_gives_up_the_claim(tmp_path, interrupt):
    def interrupted(cell, notify):
        raise interrupt

    path = tmp_path / "study.sqlite"
    with Store(path) as first, Store(path) as second:
        with pytest.raises(StudyInterrupted):
            run_cells(CELLS, first, InProcess(compute=interrupted))
        assert second.claim(CELLS[0].data)


def test_failures_of_another_process_are_told_and_older_ones_tried_again(tmp_path):
    path = tmp_path / "study.sqlite"
    with Store(path) as first, Store(path) as second:
        began = time.time()
        assert first.claim(CELLS[0].data)
        first.release(CELLS[0].data, Failure("refused", "too large"))
        assert second.failure(CELLS[0].data, began) == ("refused", "too large", "")
        assert second.failure(CELLS[0].data, time.time() + 1) is None
        assert run_cells(CELLS[:1], second, InProcess(compute=fake)).computed == 1


def test_refused_cells_do_not_cost_the_others(tmp_path):
    def refusing(cell, notify):
        if cell.n == 1:
            raise StateTooLarge("it would take 5 bytes and 4 are allowed")
        if cell.n == 2:
            return {"M": float("nan")}
        return fake(cell, notify)

    with Store(tmp_path / "study.sqlite") as store:
        outcome = run_cells(CELLS[:4], store, InProcess(compute=refusing))
    assert outcome.refused == [(CELLS[1], "it would take 5 bytes and 4 are allowed")]
    assert [cell for cell, _ in outcome.failures] == [CELLS[2]]  # no number that JSON cannot hold is kept
    assert [record["M"] for _, record in outcome.records] == [0, 3]
