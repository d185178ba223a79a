"""Studies of many cells: nothing holds them all, and nothing is done for those whose turn has not come."""

import tracemalloc
from contextlib import contextmanager

import pytest

from qcgrad.studies import cells as cells_module
from qcgrad.studies import circuits
from qcgrad.studies.executors import InProcess
from qcgrad.studies.export import FlatRows, write
from qcgrad.studies.gradients._cell import GradientCell
from qcgrad.studies.report import records_in
from qcgrad.studies.run import run_cells
from qcgrad.studies.spec import SpecError, make_spec
from qcgrad.studies.status import status_of
from qcgrad.studies.store import Store

COUNT = 4_000
# What all cells of that many would take: a tuple and a number for each are more than this.
MOST_BYTES = 60 * COUNT


@contextmanager
def at_most(bytes_held: int):
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < bytes_held


@pytest.fixture
def study(tmp_path):
    """Two circuits of a user's with thousands of settings each."""
    names = [str(tmp_path / f"{k}.qasm") for k in range(2)]
    for name in names:
        with open(name, "w") as file:
            file.write('OPENQASM 3.0; include "stdgates.inc"; input float a; qubit q; rx(a) q;')
    shots = list(range(1, COUNT // 2 + 1))
    return make_spec(
        {"gradients": {"circuits": names, "methods": [{"name": "parameter-shift", "shots": shots}], "trials": 2}}
    )


class Begun(Exception):
    pass


def test_the_first_cell_begins_before_the_others_are_looked_at(study, tmp_path, monkeypatch):
    made, read = [], []
    init, content = GradientCell.__init__, circuits.content_of

    def counted(self, **fields):
        made.append(None)
        init(self, **fields)

    def looked_at(cell, notify):
        raise Begun

    monkeypatch.setattr(GradientCell, "__init__", counted)
    monkeypatch.setattr("qcgrad.studies._circuit_fields.content_of", lambda name: read.append(name) or content(name))
    with Store(tmp_path / "study.sqlite") as store:
        questions = []
        store._database.set_trace_callback(questions.append)
        with pytest.raises(Begun):
            run_cells(study.cells(), store, InProcess(compute=looked_at, raise_errors=True))
        store._database.set_trace_callback(None)
    assert len(made) == COUNT + 1  # counted once, for the progress bar
    assert len(questions) < 12
    assert len(read) == 3  # not once for each cell


def test_cells_take_no_room(study):
    cells = study.cells()
    with at_most(MOST_BYTES // 8):
        assert len(cells) == COUNT
        assert sum(1 for _ in cells[1::2]) == COUNT // 2


def test_a_run_keeps_a_byte_for_each_cell(study, tmp_path, monkeypatch):
    monkeypatch.setattr(Store, "has", lambda self, cell: True)
    # Nothing is read back, so that what is left is the run's own.
    monkeypatch.setattr("qcgrad.studies.run._Run.outcome", lambda run: run.count(2))
    with Store(tmp_path / "study.sqlite") as store, at_most(MOST_BYTES // 4):
        assert run_cells(study.cells(), store) == COUNT


def test_what_is_read_of_a_store_is_read_row_by_row(study, tmp_path):
    few = list(study.cells()[:100])
    record = {"M": 1, "qubits": 1, "gradient": {"copies": 3}, "text": "x" * 10_000}
    with Store(tmp_path / "study.sqlite") as store:
        for cell in few:
            store.put(cell.data, record, 0.1)
        with at_most(500_000):
            for name in ("a.csv", "a.json"):
                assert write(store, tmp_path / name) == 100
            assert status_of(study, store).data["finished"] == 100
        assert len(FlatRows(store)) == 100
        assert [cell for cell, _ in records_in(study, store)] == few


def test_a_grid_without_an_end_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(cells_module, "MOST_CELLS", 1000)
    endless = make_spec({"ntk": {"networks": 10**15}})
    with at_most(10_000_000):
        with pytest.raises(SpecError, match="more than 1,000 cells: leave out values"):
            len(endless.cells())
        with pytest.raises(SpecError, match="more than 1,000 cells"):
            list(endless.cells()[5 :: 10**6])


@pytest.mark.parametrize(
    "fields",
    [
        {"methods": [{"name": "parameter-shift", "shots": list(range(1, 1002)), "split": list(map(str, range(1000)))}]},
        {"methods": ["adjoint"], "seeds": 1000, "observable": [f"{k}*ZZI" for k in range(1, 1002)]},
    ],
)
def test_products_of_lists_are_counted_before_they_are_built(fields):
    with at_most(20_000_000), pytest.raises(SpecError, match=r"1,00[01],000 .*1,000,000 are allowed"):
        make_spec({"gradients": {"circuits": ["tfim_hva_n3_p1"], **fields}})
