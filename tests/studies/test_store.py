"""The store keeps what is finished, and knows which code finished it."""

import csv
import subprocess
import sys

import pytest

from qcgrad.studies import store as store_module
from qcgrad.studies.store import Store, StoreError, cell_key, code_version, write_csv


def test_records_survive_closing(tmp_path):
    path = tmp_path / "new" / "study.sqlite"
    with Store(path) as store:
        store.put({"n": 1}, {"M": 3, "list": [1, 2]}, seconds=0.5)
    with Store(path) as store:
        assert store.get({"n": 1}) == {"M": 3, "list": [1, 2]}
        assert store.get({"n": 2}) is None
        assert len(store) == 1


def test_key_changes_with_cell_and_code(monkeypatch):
    before = cell_key({"n": 1, "method": "adjoint"})
    assert before == cell_key({"method": "adjoint", "n": 1})
    assert before != cell_key({"n": 2, "method": "adjoint"})
    monkeypatch.setattr(store_module, "code_version", lambda: "another")
    assert before != cell_key({"n": 1, "method": "adjoint"})


def test_code_version_is_stable():
    first = code_version()
    code_version.cache_clear()
    assert code_version() == first


def test_kill_loses_only_the_running_cell(tmp_path):
    path = tmp_path / "study.sqlite"
    program = (
        "import os, sys; from qcgrad.studies.store import Store\n"
        "store = Store(sys.argv[1]); store.put({'n': 1}, {'M': 3}, 0.1); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert killed.returncode == -9
    with Store(path) as store:
        assert store.get({"n": 1}) == {"M": 3}


def test_foreign_file_is_refused(tmp_path):
    path = tmp_path / "study.sqlite"
    path.write_text("this is no database, and long enough to be noticed" * 10)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(path)


def test_csv_has_all_columns(tmp_path):
    write_csv(tmp_path / "rows.csv", [{"a": 1}, {"a": 2, "b": "x,y"}])
    with (tmp_path / "rows.csv").open() as file:
        assert list(csv.DictReader(file)) == [{"a": "1", "b": ""}, {"a": "2", "b": "x,y"}]
