"""What surrounds the methods of an accuracy study: noise, and the backend that simulates it."""

from typing import NamedTuple

from ... import simulators
from ...backend import AbstractBackend
from ...catalogue import Entry, backends, nearest_method
from ...ir.noise import noise_in_words
from ...simulators import DensityMatrix

Noise = tuple[str, ...]


class Condition(NamedTuple):
    """Under which circuits run.

    Attributes:
        noise: in words; None for nothing.
        backend: by name; None for the default one.
    """

    noise: Noise | None = None
    backend: str | None = None


def of_circuits() -> dict[str, Entry]:
    """Backends that simulate circuits and need nothing but noise."""
    return {
        name: entry
        for name, entry in backends().items()
        if entry.make.__module__.startswith(f"{simulators.__name__}.")
        and not any(option.is_required and option.name != "noise" for option in entry.options)
    }


def takes_noise(name: str) -> bool:
    """Whether a backend simulates noise, and nothing without."""
    return of_circuits()[name].option("noise") is not None


def known(names: tuple[str, ...]) -> tuple[str, ...]:
    """The backends of these names, once each.

    Raises:
        ValueError: an unknown name, with the nearest one.
    """
    return tuple(dict.fromkeys(nearest_method(name, of_circuits(), "backend") for name in names))


def conditions(noises: tuple[Noise, ...], names: tuple[str, ...]) -> list[Condition]:
    """Noise on every backend that simulates it, no noise on all others.

    Raises:
        ValueError: a backend or noise that nothing belongs to.
    """
    levels = noises or ((),)
    fitting: list[str | None] = list(names) or [None]
    found = [
        Condition(words or None, name)
        for words in levels
        for name in fitting
        if name is None or takes_noise(name) == bool(words)
    ]
    for name in names:
        if name not in {condition.backend for condition in found}:
            is_noisy = takes_noise(name)
            what = 'noise only: give some, as noise = "depolarizing=0.01"' if is_noisy else "no noise: add [] to noise"
            raise ValueError(f"backend {name} simulates {what}")
    for words in levels:
        if (words or None) not in {condition.noise for condition in found}:
            fit = ", ".join(name for name in of_circuits() if takes_noise(name) == bool(words))
            raise ValueError(f"none of the backends simulates noise = {list(words)}: add {fit}")
    return found


def backend_of(condition: Condition) -> AbstractBackend | None:
    """The backend; None for the default one."""
    noise = None if condition.noise is None else noise_in_words(condition.noise)
    if condition.backend is None:
        return None if noise is None else DensityMatrix(noise)
    make = of_circuits()[condition.backend].make
    return make() if noise is None else make(noise)
