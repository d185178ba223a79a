"""Checks of the arguments that many estimators share."""

import math
from typing import Any, TypeVar

import numpy as np

MOST = 10**18
"""Counts are drawn as 64-bit integers, and a method may add up a few of them."""

_Choice = TypeVar("_Choice", bound=str)


def checked_count(name: str, value: Any) -> int:
    """A positive integer, or one clear error."""
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={value}: a boolean is no count; give a positive integer")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r}: give a positive integer") from None
    if not math.isfinite(number) or number != int(number) or number < 1:
        raise ValueError(f"{name}={value!r}: give a positive integer")
    if int(value) > MOST:
        raise ValueError(f"{name}={value!r}: give at most {MOST:,}")
    return int(value)


def checked_flag(name: str, value: Any) -> bool:
    """True or False, or one clear error."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={value!r}: give True or False")
    return bool(value)


def checked_fraction(name: str, value: Any) -> float:
    """A number strictly between 0 and 1, or one clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)) or not 0 < value < 1:
        raise ValueError(f"{name}={value!r}: give a number between 0 and 1")
    return float(value)


def checked_positive(name: str, value: Any) -> float:
    """A finite number above zero, or one clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)) or not 0 < value < math.inf:
        raise ValueError(f"{name}={value!r}: give a positive number")
    return float(value)


def checked_choice(name: str, value: _Choice, choices: tuple[str, ...]) -> _Choice:
    """One of the choices, or one clear error."""
    if value not in choices:
        raise ValueError(f"{name}={value!r}: give {' or '.join(repr(choice) for choice in choices)}")
    return value
