"""All finished cells of a store as flat rows, for programs."""

import json
from pathlib import Path
from typing import Any

from .files import columns_of, replacing, write_csv
from .store import Store


def flat_rows(store: Store) -> list[dict[str, Any]]:
    """One row for each finished cell: its fields, what came out, how long it took and where.

    Tables inside a record become columns of their own, as in gradient_copies; lists are JSON.
    """
    rows = []
    for kept in store.rows():
        record = {key: value for key, value in kept.record.items() if key not in kept.cell}
        about = {"seconds": kept.seconds, "finished_at": kept.finished_at, "worker": kept.worker, "run": kept.run}
        about |= {"attempts": kept.attempts}
        rows.append(_flat(kept.cell) | _flat(record) | about | {"code_version": kept.code_version})
    return rows


def write(store: Store, path: "str | Path") -> int:
    """Write the rows to a file whose ending says the format: .csv, .json or .parquet.

    Returns:
        How many rows.

    Raises:
        ValueError: another ending, or Parquet without the package that writes it.
    """
    rows, path = flat_rows(store), Path(path)
    writers = {".csv": write_csv, ".json": _write_json, ".parquet": _write_parquet}
    if path.suffix.lower() not in writers:
        raise ValueError(f"{path}: give a name that ends in {', '.join(writers)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    writers[path.suffix.lower()](path, rows)
    return len(rows)


def _write_json(path: Path, rows: list[dict[str, Any]]):
    with replacing(path) as part:
        part.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_parquet(path: Path, rows: list[dict[str, Any]]):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError("Parquet files take pyarrow: pip install 'qcgrad[studies]', or export .csv") from error
    # By column, since rows of different kinds have different ones.
    table = pyarrow.table({name: pyarrow.array(_column(rows, name)) for name in columns_of(rows)})
    with replacing(path) as part:
        pyarrow.parquet.write_table(table, part)


def _column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    """The values of a column; where they are of different kinds, as texts."""
    values = [row.get(name) for row in rows]
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
