"""Whatever has happened to a file of results: it is said, the file stays as it is, and nothing is taken for empty."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from qcgrad.studies.store import Store, StoreError


@pytest.fixture
def path(tmp_path):
    """A store with sixty cells, closed."""
    path = tmp_path / "study.sqlite"
    with Store(path) as store:
        store.begin('{"scaling": {}}', {"host": "here"})
        for n in range(60):
            store.put({"n": n}, {"M": 3, "list": list(range(400))}, 0.1)
    return path


def read(path, must_exist: bool):
    with Store(path, must_exist=must_exist) as store:
        store.runs()
        list(store.rows())


def refused(path) -> str:
    """What is said of a file, for reading it and for writing to it; it is not touched."""
    before = path.read_bytes()
    for must_exist in (True, False):
        with pytest.raises(StoreError) as refusal:
            read(path, must_exist)
        assert str(path) in str(refusal.value)
        assert path.read_bytes() == before
    return str(refusal.value)


@pytest.mark.parametrize("left", [1, 50, 100, 4000, 4096, 5000, 0.5, 0.99, -1])
def test_truncated_files(path, left):
    size = path.stat().st_size
    kept = left if isinstance(left, int) else int(left * size)
    path.write_bytes(path.read_bytes()[:kept])
    assert "cannot be" in refused(path)


@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"a"])
@pytest.mark.parametrize("page", [0, 1, 2, 5, -3, -1])
def test_pages_of_something_else(path, page, filling):
    data = bytearray(path.read_bytes())
    pages = len(data) // 4096
    begin = 4096 * (page % pages)
    data[begin : begin + 4096] = filling * 4096
    path.write_bytes(data)
    assert "cannot be" in refused(path)


def test_files_that_are_something_else(path, tmp_path):
    for content in (b"\x89PNG" + bytes(9000), bytes(4096), b"notes", b"text of a page, or so" * 512):
        path.write_bytes(content)
        assert "file is not a database" in refused(path)
    folder = tmp_path / "folder" / "study.sqlite"
    folder.mkdir(parents=True)
    for must_exist in (True, False):
        with pytest.raises(StoreError, match=r"is not there|unable to open"):
            Store(folder, must_exist=must_exist)
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    with pytest.raises(StoreError, match=r"empty\.sqlite is empty: run the study again"):
        Store(empty, must_exist=True)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE cells; CREATE TABLE cells (key TEXT)",
        "ALTER TABLE cells RENAME COLUMN record TO song",
        "ALTER TABLE runs ADD COLUMN more TEXT",
        "CREATE TABLE songs (name TEXT)",
        "UPDATE cells SET record = '{\"M\": 3' WHERE rowid = 7",
        "UPDATE cells SET record = '[1]' WHERE rowid = 7",
        "UPDATE cells SET record = 3 WHERE rowid = 7",
        "UPDATE cells SET record = x'ff00ff' WHERE rowid = 7",
        "UPDATE cells SET cell = '3' WHERE rowid = 7",
        "UPDATE cells SET cell = printf('%.*c', 100000, '[') WHERE rowid = 7",
        "UPDATE cells SET seconds = 'long' WHERE rowid = 7",
        "UPDATE cells SET finished_at = -1 WHERE rowid = 7",
        "UPDATE cells SET attempts = 'two' WHERE rowid = 7",
        "UPDATE cells SET worker = x'ff' WHERE rowid = 7",
        "UPDATE runs SET provenance = 'null'",
        "UPDATE runs SET spec = '{'",
        "UPDATE runs SET spec = '[]'",
    ],
)
def test_files_that_were_changed(path, change):
    with closing(sqlite3.connect(path)) as database:
        database.executescript(change)
        database.commit()
    with pytest.raises(StoreError, match="cannot be"):
        read(path, must_exist=True)
    with Store(path.with_name("healthy.sqlite")) as healthy:
        healthy.put({"n": -1}, {"M": 3}, 0.1)
        with pytest.raises(StoreError, match=r"study\.sqlite cannot be"):
            healthy.merge(path)
        assert (len(healthy), healthy.runs()) == (1, [])


@pytest.fixture
def killed(tmp_path):
    """A store as a killed process leaves it, with a log."""
    path = tmp_path / "alive" / "study.sqlite"
    with Store(path) as store:
        for n in range(5):
            store.put({"n": n}, {"M": 3}, 0.1)
        copy = tmp_path / "killed"
        copy.mkdir()
        for name in ("study.sqlite", "study.sqlite-wal"):
            shutil.copy(path.with_name(name), copy)
    return copy / "study.sqlite"


def test_a_log_that_is_none_is_not_taken_for_an_empty_one(killed):
    log = killed.with_name("study.sqlite-wal")
    whole = log.read_bytes()
    for damaged in (bytes(len(whole)), b"garbage" * 1000):
        log.write_bytes(damaged)
        for must_exist in (True, False):
            with pytest.raises(StoreError, match=r"damaged: its log study\.sqlite-wal is none"):
                Store(killed, must_exist=must_exist)
        assert log.read_bytes() == damaged
    log.write_bytes(whole)
    with Store(killed) as store:
        assert len(store) == 5


def test_a_file_without_its_log_and_tables_is_not_taken_for_a_new_one(tmp_path):
    path = tmp_path / "study.sqlite"
    with closing(sqlite3.connect(path)) as database:  # as stores began once
        database.execute("PRAGMA journal_mode=WAL")
    with pytest.raises(StoreError, match="its tables are missing: if it was copied, copy the file that ends in -wal"):
        Store(path)


def test_a_new_file_has_its_tables_before_it_has_a_log(killed):
    killed.with_name("study.sqlite-wal").unlink()
    with Store(killed) as store:
        assert len(store) < 5  # what was in the log is gone, the file is whole
