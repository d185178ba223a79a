"""Disks that really fill up, or are read-only: what is wrong is said, what was finished stays, there is a way on."""

import os
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from qcgrad.cli._app import application
from qcgrad.studies.executors import InProcess
from qcgrad.studies.files import write_csv
from qcgrad.studies.run import run_cells
from qcgrad.studies.spec import load_spec
from qcgrad.studies.store import Store, StoreError

from .work import bulky, cells

SPEC = '[scaling]\nmethods = ["backprop"]\n[scaling.network]\nlevels = [1, 2, 3]\n'
COUNTERS = dict.fromkeys(("copies", "shots", "circuit_runs", "gates", "qubits", "flops", "peak_bytes"), 10)


@pytest.fixture
def disk(tmp_path):
    """A file system of 512 KiB."""
    mount, folder = shutil.which("mount"), tmp_path / "disk"
    folder.mkdir()
    if mount is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=False, text=True,
                          capture_output=True)  # fmt: skip
    if made.returncode:
        pytest.skip(f"no small file system can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder):
    """Leave no room on the disk."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            return


def refusal(*arguments) -> str:
    result = CliRunner().invoke(application, list(map(str, arguments)))
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


def test_a_run_on_a_disk_that_fills_up_keeps_what_it_finished_and_goes_on_when_there_is_space(disk):
    computed = []

    def compute(cell, notify):
        computed.append(cell.n)
        return bulky(cell, notify)

    path = disk / "study.sqlite"
    with Store(path) as store:
        store.begin("{}", {})
        with pytest.raises(
            StoreError, match=r"database or disk is full\): finished cells are kept.*make space and run"
        ):
            run_cells(cells(100), store, InProcess(compute=compute))
    with Store(path) as store:
        kept = [row.cell["n"] for row in store.rows()]
    # The last one may have found room to be claimed, but none to be kept.
    assert kept in (computed, computed[:-1])
    assert len(kept) >= 3
    subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
    with Store(path) as store:
        outcome = run_cells(cells(100), store, InProcess(compute=bulky))
        assert (outcome.reused, outcome.computed) == (len(kept), 100 - len(kept))
        assert outcome.records == [(cell, bulky(cell, None)) for cell in cells(100)]


def test_a_store_on_a_full_disk_says_so_and_can_be_used_when_there_is_space(disk):
    path = disk / "study.sqlite"
    with Store(path) as store:
        store.put({"n": 1}, {"M": 3}, 0.1)
    fill(disk)
    for other in (path, disk / "new" / "study.sqlite"):
        with pytest.raises(StoreError, match=r"full.*: finished cells are kept in it, so make space"):
            Store(other)
    (disk / "ballast").unlink()
    with Store(path) as store:
        assert store.get({"n": 1}) == {"M": 3}


def test_what_is_written_onto_a_full_disk_is_named_and_leaves_no_half_of_it(disk, tmp_path, monkeypatch):
    spec = tmp_path / "mine.toml"
    spec.write_text(SPEC)
    with Store(tmp_path / "kept" / "study.sqlite") as store:
        study = load_spec(spec)
        store.begin(study.model_dump_json(), {})
        for cell in study.cells():
            store.put(cell.data, {"M": 4**cell.n - 1, "qubits": 3, "gradient": COUNTERS, "value": COUNTERS}, 0.1)
    write_csv(disk / "rows.csv", [{"a": 1}])
    fill(disk)
    before = sorted(disk.iterdir())
    kept = tmp_path / "kept"
    for command in (
        ["export", kept, disk / "rows.csv"],
        ["export", kept, disk / "rows.json"],
        ["report", kept, "--out", disk / "report.html"],
        ["plot", kept, "--out", disk],
    ):
        text = refusal("study", *command)
        assert str(disk) in text
        assert "No space left on device" in text
        assert sorted(disk.iterdir()) == before
    assert (disk / "rows.csv").read_text().split() == ["a", "1"]
    assert "full): finished cells are kept" in refusal("study", "run", spec, "--out", disk / "new")


def test_an_archive_can_be_read_and_is_refused_where_it_would_be_written_to(disk, tmp_path):
    path, killed = disk / "study.sqlite", disk / "killed" / "study.sqlite"
    killed.parent.mkdir()
    with Store(path) as store:
        store.begin("{}", {"host": "here"})
        store.put({"n": 1}, {"M": 3}, 0.1)
        store.begin("{}", {"host": "here"})
        for name in ("study.sqlite", "study.sqlite-wal"):
            shutil.copy(path.with_name(name), killed.with_name(name))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with Store(path, must_exist=True) as store:
        assert store.get({"n": 1}) == {"M": 3}
        assert len(store.runs()) == 2
        assert [row.cell for row in store.rows()] == [{"n": 1}]
        with pytest.raises(StoreError, match="cannot be written"):
            store.begin("{}", {})
    with Store(tmp_path / "taken" / "study.sqlite") as store:
        assert store.merge(path) == 1
    with pytest.raises(StoreError, match="cannot be used"):
        Store(path)
    with pytest.raises(StoreError, match="it has a log, which takes a folder that can be written to: copy all"):
        Store(killed, must_exist=True)
