"""Tasks by name, and their data as networks take it."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ... import entries
from .. import complex_tasks
from ..choices import Maker, parsed
from ._digits import IMAGES, digits

# Of an option that counts something: what a sample takes grows with it.
_MOST = 1024
# What generators hold beside what they return, and real and imaginary parts of it.
_COPIES = 8


class Data(NamedTuple):
    """Examples to learn from, and others to test with.

    Attributes:
        x, y: inputs (N, *shape) and targets (N, O), one vector a sample also where the task has numbers.
        test_x, test_y: inputs and what predictions are scored on.
        metric: a number for predictions and truth, both (N, O).
        metric_name: in words.
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    metric: Callable[..., float]
    metric_name: str


def known() -> dict[str, Maker]:
    """All tasks by name: generators of `complex_tasks`, and the digits; their options are all but seed and count."""
    return {name: _maker(name, generate) for name, generate in _generators().items()}


def most_samples(name: str) -> int | None:
    """How many samples a task has; None where they are drawn."""
    return IMAGES if _generators()[name] is digits else None


def bytes_of_samples(name: str, options: str, count: int) -> int:
    """What so many samples take, inputs and targets, in the forms that are made of them."""
    task = _generators()[name](0, 2, **parsed(options))
    return _COPIES * count * (np.asarray(task.x)[:1].nbytes + np.asarray(task.y)[:1].nbytes)


def load(name: str, options: str, examples: int, tests: int, seed: int) -> Data:
    """The data of a task.

    Args:
        name, options: as `choices.instances` writes them.
        examples, tests: samples of each.
        seed: of the task and its samples.
    """
    task = _generators()[name](seed, examples + tests, **parsed(options))
    x, truth, y = (np.asarray(part) for part in (task.x, task.truth, task.y))
    if any(option.name == "window" for option in known()[name].options):
        x = x[..., None]  # a sequence with one channel
    truth, y = (part.reshape(len(part), -1) for part in (truth, y))
    name_of_metric = task.metric.__name__.replace("_", " ")
    return Data(x[:examples], y[:examples], x[examples:], truth[examples:], task.metric, name_of_metric)


def _generators() -> dict[str, Callable[..., complex_tasks.Task]]:
    exported = [function for _, function in inspect.getmembers(complex_tasks, inspect.isfunction)]
    found = [digits, *(f for f in exported if inspect.signature(f).return_annotation is complex_tasks.Task)]
    return {generate.__name__.replace("_", "-"): generate for generate in found}


def _maker(name: str, generate: Callable[..., complex_tasks.Task]) -> Maker:
    def make(**options: Any) -> None:
        for option, value in options.items():
            if isinstance(value, int) and value > _MOST:
                raise ValueError(f"{option}={value!r}: give at most {_MOST:,}")
        # What is refused is refused before data that have to be installed are looked for.
        with contextlib.suppress(ImportError):
            generate(0, 2, **options)

    options = entries.options_of(generate)
    return Maker(name, tuple(option for option in options if option.name not in ("seed", "count")), make)
