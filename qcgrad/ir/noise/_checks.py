"""Arguments of noise, checked by name."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def real(name: str, value: Any) -> float:
    """A finite number, or an error that names the argument."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ValueError(f"{name}={value!r}: give a finite number")
    return float(value)


def probability(name: str, value: Any) -> float:
    """A number from 0 to 1."""
    number = real(name, value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name}={value!r}: give a number from 0 to 1")
    return number


def count(name: str, value: Any, most: int) -> int:
    """An integer from 1 to `most`."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{name}={value!r}: give an integer from 1 to {most}")
    return int(value)


def qubits(name: str, value: Any) -> tuple[int, ...] | None:
    """Distinct qubits, one or a sequence; None stays."""
    if value is None:
        return None
    given = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    for qubit in given:
        if not isinstance(qubit, (int, np.integer)) or isinstance(qubit, bool) or qubit < 0:
            raise ValueError(f"{name}={value!r}: give qubits, integers of 0 or more")
    if not given or len(set(given)) < len(given):
        raise ValueError(f"{name}={value!r}: give at least one qubit, and each once")
    return tuple(int(qubit) for qubit in given)
