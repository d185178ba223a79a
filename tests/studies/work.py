"""What executors compute in tests: functions of a module, so that other processes find them."""

import os
import signal
import time
from pathlib import Path

from qcgrad.errors import StateTooLarge
from qcgrad.studies.scaling._network_cells import NetworkCell


def cells(count: int) -> list[NetworkCell]:
    return [NetworkCell(method="backprop", model="m", n=n) for n in range(count)]


def where(cell, notify):
    """Who computed it."""
    time.sleep(0.05)
    return {"M": cell.n, "process": os.getpid()}


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
