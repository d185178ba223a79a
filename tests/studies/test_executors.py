"""Cells computed elsewhere: all of them, once each, whatever becomes of the workers."""

import os
import subprocess
import sys
import time
from contextlib import closing

import pytest

from qcgrad.studies import _claims as claims
from qcgrad.studies.executors import Dask, Failure, InProcess, Processes, _processes
from qcgrad.studies.executors._dask import ClusterRefused
from qcgrad.studies.executors._threads import environment, share_of_threads
from qcgrad.studies.run import run_cells
from qcgrad.studies.store import Store

from .work import DyingOnce, cells, failing, wait_for_the_end_of, where


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("kind", ["in process", "processes", "dask"])
def test_every_cell_is_computed_once_and_errors_are_told(kind, request):
    make = {
        "in process": lambda compute: InProcess(compute=compute),
        "processes": lambda compute: Processes(2, compute=compute),
        "dask": lambda compute: Dask(request.getfixturevalue("cluster"), compute=compute),
    }[kind]
    finished = list(make(failing).map(cells(5)))
    assert sorted(f.cell.n for f in finished) == list(range(5))
    ends = {f.cell.n: f.end for f in finished}
    assert ends[0] == {"M": 0}
    assert ends[1][:2] == ("failed", "RuntimeError: broken")
    assert "in failing" in ends[1].traceback
    assert ends[2][:2] == ("refused", "it would take 5 bytes and 4 are allowed")
    assert all(f.worker for f in finished)


def test_processes_share_the_cells_and_take_them_when_they_have_room(monkeypatch):
    monkeypatch.delenv("QCGRAD_NUM_THREADS", raising=False)
    taken = []

    def source():
        for cell in cells(6):
            taken.append(cell.n)
            yield cell

    with closing(Processes(2, compute=where).map(source())) as results:
        first = next(results)
        assert len(taken) <= 3
        everything = [first, *results]
    pids = {f.end["process"] for f in everything}
    assert len(pids) == 2
    assert os.getpid() not in pids
    # Together they have no more threads than there are processors.
    (threads,) = {f.end["threads"] for f in everything}
    assert int(threads) == max(1, len(os.sched_getaffinity(0)) // 2)
    assert "QCGRAD_NUM_THREADS" not in os.environ


def test_without_cells_no_process_starts(monkeypatch):
    monkeypatch.setattr(_processes, "_Worker", None)
    with Processes(2, compute=where) as executor:
        assert list(executor.map([])) == []


def test_a_share_of_the_processors_leaves_what_the_user_has_set(monkeypatch):
    monkeypatch.setenv("QCGRAD_NUM_THREADS", "7")
    monkeypatch.delenv("NPROC", raising=False)
    share = share_of_threads(1000)
    assert (share["QCGRAD_NUM_THREADS"], share["NPROC"]) == ("7", "1")
    with environment(share):
        assert os.environ["NPROC"] == "1"
    assert "NPROC" not in os.environ
    assert os.environ["QCGRAD_NUM_THREADS"] == "7"


def test_a_process_that_dies_loses_only_its_cell_which_is_tried_again(tmp_path):
    finished = list(Processes(2, compute=DyingOnce(tmp_path)).map(cells(4)))
    assert {f.end["M"]: f.attempts for f in finished} == {0: 1, 1: 2, 2: 1, 3: 1}
    tries = [path.name.split("-")[0] for path in tmp_path.iterdir()]
    assert sorted(tries) == ["0", "1", "1", "2", "3"]


def test_a_cell_that_kills_its_process_each_time_fails_and_the_others_are_done(tmp_path):
    finished = list(Processes(2, compute=DyingOnce(tmp_path, always=True)).map(cells(3)))
    ends = {f.cell.n: f.end for f in finished}
    assert isinstance(ends[1], Failure)
    assert "died 3 times, the last time by SIGKILL" in ends[1].message
    assert (ends[0], ends[2]) == ({"M": 0}, {"M": 2})


def test_processes_end_with_the_iterator():
    results = Processes(2, compute=where).map(cells(100))
    pid = next(results).end["process"]
    results.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_no_workers_is_refused():
    with pytest.raises(ValueError, match="0 workers: give at least one"):
        Processes(0)


@pytest.mark.slow
def test_a_worker_of_a_cluster_that_dies_loses_only_its_cells(tmp_path, cluster):
    with Store(tmp_path / "study.sqlite") as store:
        marks = tmp_path / "marks"
        marks.mkdir()
        outcome = run_cells(cells(8), store, Dask(cluster, compute=DyingOnce(marks)))
        assert {row.cell["n"]: row.attempts for row in store.rows()} == {n: 1 + (n == 1) for n in range(8)}
    assert [record["M"] for _, record in outcome.records] == list(range(8))
    tries = [path.name.split("-")[0] for path in marks.iterdir()]
    assert tries.count("1") == 2


@pytest.mark.slow
def test_nobody_at_the_address_is_said_soon():
    pytest.importorskip("distributed")
    began = time.monotonic()
    with pytest.raises(ClusterRefused, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        Dask("tcp://127.0.0.1:9")
    assert time.monotonic() - began < 60


KILLED = """
import sys
from qcgrad.studies.executors import Processes
from qcgrad.studies.run import run_cells
from qcgrad.studies.store import Store
from tests.studies.work import cells, where
if __name__ == "__main__":
    with Store(sys.argv[1]) as store:
        run_cells(cells(40), store, Processes(2, compute=where))
"""


def test_a_killed_study_keeps_what_was_finished_and_its_workers_end(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "STALE", 1.0)
    path = tmp_path / "study.sqlite"
    victim = subprocess.Popen([sys.executable, "-c", KILLED, str(path)])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if path.exists():
            with Store(path) as store:
                if len(store) >= 4:
                    break
        time.sleep(0.05)
    victim.kill()
    victim.wait()
    with Store(path) as store:
        kept = {row.cell["n"]: row.record for row in store.rows()}
        assert 4 <= len(kept) < 40
        outcome = run_cells(cells(40), store, InProcess(compute=where))
        assert [record["M"] for _, record in outcome.records] == list(range(40))
        for cell, record in outcome.records:
            assert kept.get(cell.n, record) == record
    for pid in {record["process"] for record in kept.values()}:
        wait_for_the_end_of(pid)
