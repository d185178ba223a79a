"""`qcgrad study`: run, go on, look, export, merge; what is refused."""

import csv
import json

import pytest
from typer.testing import CliRunner

from qcgrad.cli._app import application
from qcgrad.studies.cells import Cell
from qcgrad.studies.executors import Dask, InProcess

SPEC = '[scaling]\nmethods = ["backprop"]\n[scaling.network]\nlevels = [1, 2, 3]\n'
COUNTERS = dict.fromkeys(("copies", "shots", "circuit_runs", "gates", "qubits", "flops", "peak_bytes"), 10)


def run(*arguments):
    return CliRunner().invoke(application, list(map(str, arguments)))


def refusal(*arguments) -> str:
    result = run(*arguments)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


@pytest.fixture
def spec(tmp_path, monkeypatch):
    def compute(cell, notify=None, *, max_bytes=None):
        return {"M": 4**cell.n - 1, "qubits": 3, "gradient": COUNTERS, "value": COUNTERS}

    monkeypatch.setattr(Cell, "compute", compute)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(SPEC)
    return path


def test_a_study_runs_and_everything_can_be_had_from_the_spec_or_the_results(spec, tmp_path):
    first = run("study", "run", spec)
    assert first.exit_code == 0, first.stderr
    assert "3 cells computed." in first.stdout
    (folder,) = (tmp_path / "qcgrad-results").iterdir()
    assert folder.name.startswith("mine-")
    for what in (spec, folder, folder / "study.sqlite"):
        assert "3 of 3 cells are finished" in run("study", "status", what).stdout
        assert "Gradient cost against M" in run("study", "show", what).stdout
    assert r"\begin{tabular}" in run("study", "show", folder, "--latex").stdout
    assert "0 cells computed, 3 taken from an earlier run" in run("study", "resume", folder).stdout
    status = json.loads(run("study", "status", folder, "--json").stdout)
    assert (status["finished"], len(status["runs"])) == (3, 2)
    assert status["runs"][0]["provenance"]["packages"]["jax"]
    pictures = run("study", "plot", folder, "--out", tmp_path / "pictures").stdout.split()
    assert [name.rpartition("/")[2] for name in pictures] == ["scaling.png", "scaling.svg"]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_rows_can_be_exported(spec, tmp_path, ending):
    run("study", "run", spec, "--out", tmp_path / "out")
    result = run("study", "export", tmp_path / "out", tmp_path / f"rows.{ending}")
    assert "3 rows written" in result.stdout, result.stderr
    path = tmp_path / f"rows.{ending}"
    if ending == "csv":
        rows = list(csv.DictReader(path.read_text().splitlines()))
    elif ending == "json":
        rows = json.loads(path.read_text())
    else:
        rows = pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
    assert [int(row["M"]) for row in rows] == [3, 15, 63]
    assert {int(row["gradient_copies"]) for row in rows} == {10}
    assert "give a name that ends in .csv, .json, .parquet" in refusal("study", "export", tmp_path / "out", "rows.xls")


def test_shards_are_put_together(spec, tmp_path):
    for shard in (1, 2):
        result = run("study", "run", spec, "--shard", f"{shard}/2", "--out", tmp_path / str(shard))
        assert result.exit_code == 0
    merged = run("study", "merge", tmp_path / "all", tmp_path / "1", tmp_path / "2", tmp_path / "2")
    assert merged.stdout.split("\n")[:3] == [
        f"2 cells from {tmp_path / '1'}",
        f"1 cells from {tmp_path / '2'}",
        f"0 cells from {tmp_path / '2'}",
    ]
    assert "3 of 3 cells are finished" in run("study", "status", tmp_path / "all").stdout
    for wrong in ("3/2", "0/2", "a", "1/0"):
        assert "write it as I/N" in refusal("study", "run", spec, "--shard", wrong)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_shard_without_cells_is_done_and_can_be_merged(spec, tmp_path, jobs):
    result = run("study", "run", spec, "--shard", "5/8", "--out", tmp_path / "5", "--jobs", jobs)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "note: --shard 5/8 is empty, the study has 3 cells\n"
    shown = run("study", "run", spec, "--shard", "5/8", "--out", tmp_path / "5", "--jobs", jobs, "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["computed"]) == (0, 0)
    assert "0 cells from" in run("study", "merge", tmp_path / "all", tmp_path / "5").stdout
    spec.write_text('[gradients]\nmethods = ["adjoint"]\ncircuits = ["tfim_hva_n3_p1"]\n')
    assert "larger --max-qubits" in refusal("study", "run", spec, "--max-qubits", 1)


def test_a_spec_that_was_run_otherwise_names_the_folders_of_its_results(spec, tmp_path):
    told = refusal("study", "report", spec)
    assert f"qcgrad study run {spec} computes them, or give the folder that --out named" in told
    spec.write_text(SPEC.replace("[1, 2, 3]", "[1, 2, 3, 4, 5, 6]"))
    run("study", "run", spec, "--quick")
    (tmp_path / "qcgrad-results" / "mine-too-0123456789").mkdir()
    (tmp_path / "qcgrad-results" / "mine-too-0123456789" / "study.sqlite").touch()
    for command in ("report", "show", "status", "resume", "plot"):
        told = refusal("study", command, spec)
        (folder,) = (tmp_path / "qcgrad-results").glob("mine-*[!9]")
        assert told.endswith(f": {folder.relative_to(tmp_path)}\n")
        assert "as --quick, --max-qubits or another text made it" in told
    assert run("study", "show", folder).exit_code == 0


def test_stores_that_are_merged_are_there_and_of_one_study(spec, tmp_path):
    refusal("study", "merge", tmp_path / "all", tmp_path / "missing")
    assert not (tmp_path / "all").exists()
    run("study", "run", spec, "--out", tmp_path / "one")
    assert run("study", "merge", tmp_path / "all", tmp_path / "one").stderr == ""
    spec.write_text(f"seed = 7\n{SPEC}")
    run("study", "run", spec, "--out", tmp_path / "two")
    told = run("study", "merge", tmp_path / "all", tmp_path / "two", "--json")
    assert "has results of 2 specs" in told.stderr
    assert json.loads(told.stdout) == [{"from": str(tmp_path / "two"), "cells": 3}]


def test_an_interrupt_says_how_to_go_on(spec, tmp_path, monkeypatch):
    whole = Cell.compute

    def interrupted(cell, notify=None, *, max_bytes=None):
        if cell.n == 2:
            raise KeyboardInterrupt
        return whole(cell)

    monkeypatch.setattr(Cell, "compute", interrupted)
    result = run("study", "run", spec, "--out", tmp_path / "kept")
    assert result.exit_code == 130
    assert f"qcgrad study resume {tmp_path / 'kept'}" in " ".join(result.stderr.split())
    monkeypatch.setattr(Cell, "compute", whole)
    assert "2 cells computed, 1 taken" in run("study", "resume", tmp_path / "kept").stdout


def test_failures_are_kept_with_their_traceback(spec, tmp_path, monkeypatch):
    def failing(cell, notify=None, *, max_bytes=None):
        raise RuntimeError("broken")

    monkeypatch.setattr(Cell, "compute", failing)
    assert run("study", "run", spec, "--out", tmp_path / "out").exit_code == 1
    status = json.loads(run("study", "status", tmp_path / "out", "--json").stdout)
    assert {failure["message"] for failure in status["failures"]} == {"RuntimeError: broken"}
    assert all("in failing" in failure["traceback"] for failure in status["failures"])


def test_a_local_cluster_has_as_many_workers_as_jobs_and_ends_with_the_study(spec, tmp_path, monkeypatch):
    seen = []

    class Local(InProcess):
        def close(self):
            seen.append("closed")

    def local(workers, max_bytes):
        seen.append((workers, max_bytes))
        return Local(max_bytes)

    monkeypatch.setattr(Dask, "local", local)
    options = ("--scheduler", "local", "--jobs", 3, "--max-memory", 2)
    result = run("study", "run", spec, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.stderr
    assert "3 cells computed." in result.stdout
    assert seen == [(3, 2**31), "closed"]


def test_a_report_is_one_file(spec, tmp_path):
    pytest.importorskip("plotly")
    run("study", "run", spec, "--out", tmp_path / "out")
    assert run("study", "report", tmp_path / "out").stdout.strip() == str(tmp_path / "out" / "report.html")
    assert "3 of 3 cells are finished" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_what_is_not_there_is_refused_in_one_line(spec, tmp_path):
    assert "nowhere/study.sqlite is not there" in refusal("study", "status", "nowhere")
    assert "missing.toml cannot be read" in refusal("study", "run", "missing.toml")
    assert "mine.toml has no results in qcgrad-results" in refusal("study", "report", spec)  # not run yet
    assert "give one of them" in refusal("study", "run", spec, "--jobs", 2, "--scheduler", "tcp://127.0.0.1:9")
    assert not (tmp_path / "nowhere").exists()
