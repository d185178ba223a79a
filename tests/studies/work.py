"""What executors compute in tests: functions of a module, so that other processes find them."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from qcgrad.errors import StateTooLarge
from qcgrad.studies.scaling._network_cells import NetworkCell


def cells(count: int) -> list[NetworkCell]:
    return [NetworkCell(method="backprop", model="m", n=n) for n in range(count)]


def where(cell, notify):
    """Who computed it, and how many threads it may have."""
    time.sleep(0.05)
    return {"M": cell.n, "process": os.getpid(), "threads": os.environ.get("QCGRAD_NUM_THREADS")}


def failing(cell, notify):
    if cell.n == 1:
        raise RuntimeError("broken")
    if cell.n == 2:
        raise StateTooLarge("it would take 5 bytes and 4 are allowed")
    return {"M": cell.n}


class DyingOnce:
    """Kills its process at cell 1 the first time, or every time."""

    def __init__(self, marks: Path, *, always: bool = False):
        self.marks, self.always = marks, always

    def __call__(self, cell, notify):
        mark = self.marks / f"{cell.n}-{os.getpid()}-{time.time_ns()}"
        mark.touch()
        if cell.n == 1 and (self.always or len(list(self.marks.glob("1-*"))) == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
        return {"M": cell.n}


def bulky(cell, notify):
    """Large enough to fill a small disk."""
    return {"M": cell.n, "list": list(range(2000))}


def drawn(cell, notify):
    """A record that is a function of the cell."""
    return {"M": cell.n, "list": np.random.default_rng(cell.n).random(8).tolist()}


class Stuck:
    """Computes cell 2, which is begun first as the largest one, and is at all others for an hour."""

    def __init__(self, marks: Path):
        self.marks = marks

    def __call__(self, cell, notify):
        if cell.n != 2:
            (self.marks / f"stuck-{os.getpid()}").touch()
            time.sleep(3600)
        return drawn(cell, notify)


class Meeting:
    """`where`, with the first two cells begun before either ends: the work of two processes."""

    def __init__(self, marks: Path):
        self.marks = marks

    def __call__(self, cell, notify):
        (self.marks / f"met-{cell.n}").touch()
        deadline = time.monotonic() + 60
        while cell.n < 2 and not (self.marks / f"met-{1 - cell.n}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return where(cell, notify)


def wait_for_the_end_of(pid: int):
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} outlived its study")
