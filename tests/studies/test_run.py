"""A study end to end, small; what survives an interrupt; what a failing cell does."""

import csv

import numpy as np
import pytest
from rich.console import Console

from qcgrad.studies._progress import Progress
from qcgrad.studies.executors import InProcess
from qcgrad.studies.export import FlatRows, write
from qcgrad.studies.render.console import print_summary
from qcgrad.studies.render.pictures import draw
from qcgrad.studies.report import summaries
from qcgrad.studies.run import StudyInterrupted, run_cells
from qcgrad.studies.scaling._hard_cells import HardInstanceCell
from qcgrad.studies.scaling._network_cells import NetworkCell
from qcgrad.studies.scaling.laws import laws_of
from qcgrad.studies.spec import make_spec
from qcgrad.studies.store import Store

SMALL = {
    "seeds": 1,
    "epsilon": 0.35,
    "delta": 0.1,
    "circuits": [{"label": "small", "circuits": ["efficient_su2_n2_r1", "tfim_hva_n3_p1"], "max_sampled_qubits": 2}],
    "hard_instance": {
        "qubits": [2, 3],
        "trials": {"parameter-shift": 50, "read-once": 50, "bell-shadow": 20},
        "ladder": 1.5,
    },
    "network": {"levels": [1, 2], "batch": 4},
}


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "study.sqlite") as store:
        yield store


def fake(cell, notify):
    notify("working")
    return {"M": cell.n}


def test_small_study_end_to_end(tmp_path, store):
    spec = make_spec({"scaling": SMALL})
    cells = spec.cells()
    outcome = run_cells(cells, store, InProcess(raise_errors=True))
    assert outcome.computed == len(cells) == 13
    by_method = {law.method: law for law in laws_of(outcome.records) if law.kind != "circuit"}
    assert by_method["backprop"].sizes == (3, 15)
    assert by_method["parameter-shift"].sizes == by_method["bell-shadow"].sizes == (15, 63)
    growth = {
        name: np.log(law.copies[1] / law.copies[0]) / np.log(63 / 15)
        for name, law in by_method.items()
        if name != "backprop"
    }
    assert growth["parameter-shift"] > growth["read-once"] > growth["bell-shadow"]
    assert growth["parameter-shift"] > 0.8 > 0.5 > growth["bell-shadow"]
    for cell, record in outcome.records:
        if cell.method == "adjoint":
            assert record["gradient"]["gates"] == 3 * record["value"]["gates"]
            assert record["max_error"] < 1e-9
        if cell.kind == "circuit" and cell.method != "adjoint":
            assert record["error_over_allowed"] < 1
    check_outputs(tmp_path, outcome, spec, store)
    again = run_cells(cells, store, InProcess(raise_errors=True))
    assert (again.computed, again.reused) == (0, len(cells))
    assert again.records == outcome.records


def test_cells_may_come_from_an_iterator(store):
    """A bug: they were gone through several times, and the run waited for ever for those of the first one."""
    cells = tuple(make_spec({"scaling": {"methods": ["backprop"]}}).cells())
    assert run_cells(iter(cells), store, InProcess(compute=fake)).computed == len(cells) > 0


def check_outputs(tmp_path, outcome, spec, store):
    (summary,) = summaries(spec, outcome.records)
    console = Console(record=True, width=130, file=(tmp_path / "report.txt").open("w"))
    print_summary(summary, console)
    text = console.export_text()
    console.file.close()
    for expected in ("Gradient cost against M", "parameter-shift", "not enough range", "power law", "M^", "log-log"):
        assert expected in text
    png, svg = draw(summary.figures[0], tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    for expected in ("copies of the state", "cost(gradient) / cost(value)", "bell-shadow, all-Pauli"):
        assert expected in svg.read_text()
    assert write(store, tmp_path / "cells.csv") == len(FlatRows(store))
    with (tmp_path / "cells.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(outcome.records)
    assert {row["method"] for row in rows} == set(spec.scaling.methods)


def test_interrupt_keeps_finished_cells(store):
    cells = [NetworkCell(method="backprop", model="m", n=n) for n in range(4)]

    def interrupted(cell, notify):
        if cell.n == 2:
            raise KeyboardInterrupt
        return fake(cell, notify)

    with pytest.raises(StudyInterrupted) as interruption:
        run_cells(cells, store, InProcess(compute=interrupted))
    assert (interruption.value.finished, interruption.value.total) == (2, 4)
    outcome = run_cells(cells, store, InProcess(compute=fake))
    assert (outcome.computed, outcome.reused) == (2, 2)
    assert [record["M"] for _, record in outcome.records] == [0, 1, 2, 3]


def test_failing_cell_does_not_cost_the_others(store):
    cells = [NetworkCell(method="backprop", model="m", n=n) for n in range(3)]

    def failing(cell, notify):
        if cell.n == 1:
            raise MemoryError("too large")
        return fake(cell, notify)

    outcome = run_cells(cells, store, InProcess(compute=failing))
    assert [record["M"] for _, record in outcome.records] == [0, 2]
    assert [message for _, message in outcome.failures] == ["MemoryError: too large"]
    with pytest.raises(MemoryError):
        run_cells(cells, store, InProcess(compute=failing, raise_errors=True))


def test_progress_is_for_terminals_only(store, capsys):
    cells = [NetworkCell(method="backprop", model="m", n=0)]
    run_cells(cells, store, InProcess(compute=fake), console=Console(stderr=True))
    assert capsys.readouterr().err == ""
    run_cells(cells, store, InProcess(compute=fake), console=Console(stderr=True, force_terminal=True))
    assert "1" in capsys.readouterr().err


def test_long_cells_begin_first_where_several_workers_share_them_and_last_where_one_is_alone(tmp_path):
    class Many(InProcess):
        workers = 2

    cells = [HardInstanceCell(method="bell-shadow", n=n, trials=100) for n in (2, 3, 4)]
    cells.insert(1, NetworkCell(method="backprop", model="m", n=1))
    for executor, order in ((InProcess, [2, 1, 3, 4]), (Many, [4, 3, 2, 1])):
        begun = []

        def compute(cell, notify, begun=begun):
            begun.append(cell.n)
            return {"M": cell.n}

        with Store(tmp_path / f"{executor.__name__}.sqlite") as store:
            outcome = run_cells(cells, store, executor(compute=compute))
        assert begun == order
        assert [cell for cell, _ in outcome.records] == cells


def test_time_left_counts_the_effort_that_is_left_and_only_what_was_computed_here(tmp_path):
    cells = [HardInstanceCell(method="bell-shadow", n=n, trials=100) for n in (2, 3, 4, 5)]
    effort = [cell.effort for cell in cells]
    with (tmp_path / "bar").open("w") as file, Progress(Console(file=file, force_terminal=True), cells) as progress:
        progress.settle(cells[0], is_new=False)
        progress.show(cells[1], "")
        progress.show(cells[2], "searching")
        (task,) = progress._bar.tasks
        assert task.description == f"{cells[2].label}: searching (and 1 more)"
        progress.settle(cells[2], is_new=True)
        (task,) = progress._bar.tasks
        assert task.description == cells[1].label
        assert task.fields["count"] == "2/4"
        assert task.completed == pytest.approx(effort[2])
        assert task.total == pytest.approx(sum(effort[1:]))
        progress.settle(cells[1], is_new=True)
        progress.settle(cells[3], is_new=True)
        (task,) = progress._bar.tasks
        assert task.completed == pytest.approx(task.total)
        assert task.description == ""


def test_networks_have_the_components_of_the_hard_instance():
    for n in (1, 2, 3):
        record = NetworkCell(method="backprop", n=n, batch=4).compute()
        assert record["M"] == 4**n - 1
        assert record["gradient"]["flops"] > record["value"]["flops"] > 0
        assert record["gradient"]["copies"] == 0
