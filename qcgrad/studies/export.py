"""All finished cells of a store as flat rows, for programs."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from .files import Rows, columns_of, replacing, write_csv
from .store import Store


class FlatRows(Collection[dict[str, Any]]):
    """One row for each finished cell: its fields, what came out, how long it took and where.

    Where a field and a result share a name, it is the result. Tables inside a record become columns of their own, as in
    gradient_copies; lists are JSON. Rows are read whenever they are gone through, and not held.
    """

    def __init__(self, store: Store):
        self._store = store

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for kept in self._store.rows():
            about = {"seconds": kept.seconds, "finished_at": kept.finished_at, "worker": kept.worker, "run": kept.run}
            about |= {"attempts": kept.attempts}
            # What was done stands for what was asked for, as one trial of an exact method.
            yield _flat(kept.cell) | _flat(kept.record) | about | {"code_version": kept.code_version}

    def __len__(self) -> int:
        return len(self._store)

    def __contains__(self, row: object) -> bool:
        return any(found == row for found in self)


def write(store: Store, path: "str | Path") -> int:
    """Write the rows to a file whose ending says the format: .csv, .json or .parquet.

    Returns:
        How many rows.

    Raises:
        ValueError: another ending, or Parquet without the package that writes it.
    """
    path = Path(path)
    writers = {".csv": write_csv, ".json": _write_json, ".parquet": _write_parquet}
    if path.suffix.lower() not in writers:
        raise ValueError(f"{path}: give a name that ends in {', '.join(writers)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with store.snapshot():
        writers[path.suffix.lower()](path, FlatRows(store))
        return len(store)


def _write_json(path: Path, rows: Rows):
    with replacing(path) as part, part.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows):
            file.write(f"{',' if number else '['}\n {json.dumps(row, allow_nan=False)}")
        file.write("\n]\n" if len(rows) else "[]\n")


def _write_parquet(path: Path, rows: Rows):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError("Parquet files take pyarrow: pip install 'qcgrad[studies]', or export .csv") from error
    # By column, since rows of different kinds have different ones.
    columns: dict[str, list[Any]] = {name: [] for name in columns_of(rows)}
    for row in rows:
        for name, values in columns.items():
            values.append(row.get(name))
    table = pyarrow.table({name: pyarrow.array(_column(values)) for name, values in columns.items()})
    with replacing(path) as part:
        pyarrow.parquet.write_table(table, part)


def _column(values: list[Any]) -> list[Any]:
    """The values of a column; where they are of different kinds, as texts."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 and not kinds <= {int, float}:
        return [None if value is None else str(value) for value in values]
    return [float(v) if isinstance(v, int) and float in kinds else v for v in values]


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}_")
        else:
            flat[f"{prefix}{key}"] = json.dumps(value) if isinstance(value, list) else value
    return flat
