"""The .toml file beside a program: observable, point, and exact values there, checked before anyone trusts them."""

import math
import tomllib
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np

from ..errors import ImportRefused


def read_sidecar(path: Traversable) -> dict[str, Any]:
    """The fields of a `LibraryCircuit` that its .toml file holds.

    Args:
        path: the file (a `Path`, or a resource of a package).

    Returns:
        Keyword arguments; the family only where the file names one.

    Raises:
        ImportRefused: a file that cannot be read, a key that is missing or holds something else than it should.
    """
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ImportRefused(
            f"{path} cannot be read: {error.strerror or error}; it must lie beside the .qasm file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImportRefused(f"{path} is not a TOML file: {error}") from error
    try:
        return _fields(data)
    except (KeyError, TypeError, ValueError) as error:
        missing = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ImportRefused(f"{path} does not describe a circuit: {missing}; see the library's README") from error


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    point = data["point"]
    fields = {
        "name": data["name"],
        "description": data.get("description", ""),
        "num_qubits": _integer("qubits", data["qubits"]),
        "parameter_names": _names("parameters", data["parameters"]),
        "terms": tuple((word, _number(f"observable {word!r}", c)) for word, c in data["observable"]),
        "params": _vector("point.params", point["params"]),
        "value": _number("point.value", point["value"]),
        "gradient": _vector("point.gradient", point["gradient"]),
        "framework": point.get("framework", ""),
        "source": data.get("source", {}),
        "counts": data.get("counts", {}),
    }
    expected = len(fields["parameter_names"])
    for name in ("params", "gradient"):
        if len(fields[name]) != expected:
            raise ValueError(f"point.{name} has {len(fields[name])} numbers, but there are {expected} parameters")
    return fields | ({"family": data["family"]} if "family" in data else {})


def _number(key: str, value) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{key} is {value!r}, and has to be a finite number")
    return float(value)


def _integer(key: str, value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{key} is {value!r}, and has to be an integer")
    return value


def _names(key: str, values) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(name, str) for name in values):
        raise ValueError(f"{key} is {values!r}, and has to be a list of names")
    return tuple(values)


def _vector(key: str, values) -> np.ndarray:
    if not isinstance(values, list):
        raise ValueError(f"{key} is {values!r}, and has to be a list of numbers")
    array = np.array([_number(f"{key}[{i}]", value) for i, value in enumerate(values)], dtype=np.float64)
    array.setflags(write=False)
    return array
