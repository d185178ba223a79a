"""A cluster of separate processes, of which some are killed."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from qcgrad.studies.executors import Dask, InProcess
from qcgrad.studies.executors._dask import ClusterRefused
from qcgrad.studies.run import run_cells
from qcgrad.studies.spec import load_spec
from qcgrad.studies.store import Store

from .work import Meeting, cells, drawn, wait_for_the_end_of, where

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

SPEC = """
[scaling]
methods = ["backprop", "adjoint"]
hard_instance = false
[scaling.network]
levels = [1, 2, 3, 4, 5, 6]
[[scaling.circuits]]
label = "tfim_hva"
circuits = ["tfim_hva_n3_p1", "tfim_hva_n4_p2", "tfim_hva_n6_p3"]
"""

# Loaded by a worker when it starts: it never ends the first cell that it is given.
HOLDING = """
import time
from pathlib import Path
from qcgrad.studies.executors import _dask
def hold(cell, compute):
    Path("held").touch()
    time.sleep(3600)
_dask.attempt = hold
"""


class Cluster:
    """A scheduler and two workers, each a process."""

    def __init__(self, folder, processes: ExitStack):
        self._folder, self._processes = folder, processes
        self.file = folder / "scheduler.json"
        self.scheduler = self.start("dask_scheduler", "--port", "0", "--no-dashboard")
        wait_until(self.file.exists)
        for _ in range(2):
            self.start_worker()

    def start_worker(self, *options: str) -> subprocess.Popen:
        return self.start("dask_worker", "--no-dashboard", "--no-nanny", "--nthreads", "1", *options)

    def start(self, module: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(self.file), *options]
        # What cells compute here is written in the tests, which are no part of what was installed.
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, cwd=self._folder, env=environment, **quiet)
        self._processes.callback(process.wait)
        self._processes.callback(process.kill)
        return process

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text())["address"]

    def executor(self, compute, workers: int = 2) -> Dask:
        """An executor that sees so many workers; they may not have come yet."""
        deadline = time.monotonic() + 120
        while True:
            try:
                found = Dask(str(self.file), compute=compute)
            except ClusterRefused:
                assert time.monotonic() < deadline
            else:
                if found.workers >= workers:
                    return found
                found.close()
            time.sleep(0.2)


@pytest.fixture
def cluster(tmp_path):
    with ExitStack() as processes:
        yield Cluster(tmp_path, processes)


def wait_until(done):
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def qcgrad(*arguments, **options) -> subprocess.Popen:
    program = "from qcgrad.cli import main; main()"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_study_on_a_cluster_loses_nothing_with_a_killed_worker_and_ends_in_a_report(cluster, tmp_path):
    spec, out = tmp_path / "mine.toml", tmp_path / "out"
    spec.write_text(SPEC)
    (tmp_path / "holding.py").write_text(HOLDING)
    doomed = cluster.start_worker("--preload", "holding.py")
    cluster.executor(drawn, workers=3).close()  # all are there
    study = qcgrad("study", "run", spec, "--out", out, "--scheduler", cluster.address)
    wait_until(lambda: (tmp_path / "held").exists() or study.poll() is not None)
    doomed.kill()
    stdout, stderr = study.communicate(timeout=300)
    assert study.returncode == 0, stderr
    with Store(out / "study.sqlite") as store:
        rows = list(store.rows())
    wanted = load_spec(spec).cells()
    assert len(rows) == len(wanted) == 9
    assert f"{len(wanted)} cells computed." in stdout
    assert all(row.worker for row in rows)
    assert {row.attempts for row in rows} == {1, 2}  # two of what was with the killed one
    report = qcgrad("study", "report", out)
    assert report.communicate()[0].strip() == str(out / "report.html")
    page = (out / "report.html").read_text("utf-8")
    assert "9 of 9 cells are finished" in page
    assert f"<dt>worker {os.uname().nodename}</dt>" in page


def test_a_scheduler_that_is_killed_is_said_and_the_study_goes_on_elsewhere(cluster, tmp_path):
    with cluster.executor(where) as executor, Store(tmp_path / "study.sqlite") as store:

        def kill(cell, message):
            if len(store) == 5:
                cluster.scheduler.kill()

        def run():
            for finished in executor.map(cells(40), kill):
                store.put(finished.cell.data, finished.end, finished.seconds)

        with pytest.raises(ClusterRefused, match="the scheduler is gone: finished cells are kept"):
            run()
        assert 5 <= len(store) < 40
        outcome = run_cells(cells(40), store, InProcess(compute=where))
    assert (len(outcome.records), outcome.failures) == (40, [])


def test_a_local_cluster_has_its_workers_and_ends_with_its_executor(tmp_path):
    with Dask.local(2) as executor:
        executor._compute = Meeting(tmp_path)
        assert executor.workers == 2
        assert list(executor.machines) == [os.uname().nodename]
        pids = {finished.end["process"] for finished in executor.map(cells(12))}
        assert len(pids) == 2
    for pid in pids:
        wait_for_the_end_of(pid)


def test_workers_of_another_version_are_refused_even_if_they_come_later(cluster, monkeypatch):
    with cluster.executor(drawn, workers=1) as executor:
        monkeypatch.setattr("qcgrad.studies.executors._dask.version_of", lambda cell: "another")
        with pytest.raises(ClusterRefused, match=r"worker tcp://.* runs qcgrad .*, and not another: install the same"):
            list(executor.map(cells(1)))
