"""The store keeps what is finished, and knows which code finished it."""

import csv
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from qcgrad.studies import identity
from qcgrad.studies.files import replacing, write_csv
from qcgrad.studies.identity import cell_key, code_version
from qcgrad.studies.store import Store, StoreError


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
    monkeypatch.setattr(identity, "code_version", lambda: "another")
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


def test_stores_of_other_programs_and_versions_are_refused(tmp_path):
    newer, foreign = tmp_path / "newer.sqlite", tmp_path / "foreign.sqlite"
    with Store(newer):
        pass
    for path, command in ((newer, "PRAGMA user_version = 99"), (foreign, "CREATE TABLE cells (song TEXT)")):
        with closing(sqlite3.connect(path)) as database:
            database.execute(command)
            database.commit()
    with pytest.raises(StoreError, match="a newer qcgrad made it, in format 99"):
        Store(newer)
    with pytest.raises(StoreError, match="not of a study: table 'cells' has columns song"):
        Store(foreign)


def test_stores_from_before_claims_are_read(tmp_path):
    path = tmp_path / "old.sqlite"
    with Store(path) as store:
        store.put({"n": 1}, {"M": 3}, 0.1)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE claims")
        database.execute("PRAGMA user_version = 0")
        database.commit()
    with Store(path) as store:
        assert store.get({"n": 1}) == {"M": 3}
        assert store.claim({"n": 2})


def test_stores_from_before_attempts_were_counted_are_read_and_merged(tmp_path):
    path = tmp_path / "old.sqlite"
    with Store(path) as store:
        store.put({"n": 1}, {"M": 3}, 0.1)
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE cells DROP COLUMN attempts")
        database.execute("PRAGMA user_version = 2")
        database.commit()
    with Store(tmp_path / "new.sqlite") as new:
        assert new.merge(path) == 1
        new.put({"n": 2}, {"M": 3}, 0.1, "host", 2)
        assert [row.attempts for row in new.rows()] == [None, 2]


def test_shards_put_together_are_the_whole(tmp_path):
    cells = [{"n": n} for n in range(7)]
    with Store(tmp_path / "whole.sqlite") as whole:
        for cell in cells:
            whole.put(cell, {"M": cell["n"]}, 0.1)
        for shard in range(3):
            with Store(tmp_path / f"{shard}.sqlite") as store:
                store.begin("{}", {"shard": shard})
                for cell in cells[shard::3]:
                    store.put(cell, {"M": cell["n"]}, 0.1, f"host {shard}", 1 + shard)
        with Store(tmp_path / "all.sqlite") as together:
            # In any order, and some of them twice.
            assert [together.merge(tmp_path / f"{shard}.sqlite") for shard in (2, 0, 0, 1, 2)] == [2, 3, 0, 2, 0]
            assert len(together) == len(whole)
            assert all(together.get(cell) == whole.get(cell) for cell in cells)
            assert {row.cell["n"]: (row.worker, row.attempts) for row in together.rows()} == {
                n: (f"host {n % 3}", 1 + n % 3) for n in range(7)
            }
            assert len(together.runs()) == 3


@pytest.mark.parametrize("record", ['{"M": 3', "3"])
def test_damaged_records_are_reported(tmp_path, record):
    path = tmp_path / "study.sqlite"
    with Store(path) as store:
        store.put({"n": 1}, {"M": 3}, 0.1)
        store._database.execute("UPDATE cells SET record = ?", (record,))
        with pytest.raises(StoreError, match="damaged, name another folder"):
            store.get({"n": 1})


def test_damaged_pages_are_reported(tmp_path):
    path = tmp_path / "study.sqlite"
    with Store(path) as store:
        for n in range(200):
            store.put({"n": n}, {"M": 3, "list": list(range(100))}, 0.1)
    data = bytearray(path.read_bytes())
    data[4096:-4096] = bytes(len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(path)


def test_a_full_disk_leaves_a_usable_store(tmp_path):
    path = tmp_path / "study.sqlite"
    with Store(path) as store:
        store.put({"n": 1}, {"M": 3}, 0.1)
        store._database.execute("PRAGMA max_page_count = 1")  # no more than there are
        with pytest.raises(
            StoreError, match=r"cannot be written \(database or disk is full\): finished cells are kept"
        ):
            store.put({"n": 2}, {"M": 3, "list": list(range(10_000))}, 0.1)
    with Store(path) as store:
        assert store.get({"n": 1}) == {"M": 3}
        assert store.get({"n": 2}) is None


def test_numbers_that_json_does_not_have_are_not_kept(tmp_path):
    with Store(tmp_path / "study.sqlite") as store, pytest.raises(ValueError, match="not JSON compliant"):
        store.put({"n": 1}, {"M": float("inf")}, 0.1)


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "rows.csv"
    write_csv(path, [{"a": 1}])

    def interrupted():
        with replacing(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text().split() == ["a", "1"]
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]
