"""Checks of numbers that optimisers and rules share."""

import math
from typing import Any

import numpy as np


def positive(name: str, value: Any) -> float:
    """A finite number above zero, or one clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < math.inf:
        raise ValueError(f"{name}={value!r}: give a positive number")
    return float(value)


def fraction(name: str, value: Any) -> float:
    """A number strictly between 0 and 1, or one clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < 1:
        raise ValueError(f"{name}={value!r}: give a number between 0 and 1")
    return float(value)


def count(name: str, value: Any, least: int = 1, most: float = math.inf) -> int:
    """An integer within limits, or one clear error."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or not least <= value <= most:
        limit = "" if most == math.inf else f" and at most {most:,.0f}"
        raise ValueError(f"{name}={value!r}: give an integer of at least {least}{limit}")
    return int(value)
