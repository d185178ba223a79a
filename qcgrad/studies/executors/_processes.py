"""Processes on this machine, each with an interpreter of its own."""

import contextlib
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterable
from functools import partial
from multiprocessing.connection import Connection, wait

from ...memory import allowed_bytes
from ..cells import Cell
from ..records import Record
from ._attempt import Failure, Finished, attempt, use_double_precision
from ._in_process import AbstractExecutor, Notify, _silent
from ._threads import environment, share_of_threads

ATTEMPTS = 3
"""Times that a cell is begun before the deaths of its workers count against it."""


class Processes(AbstractExecutor):
    """Cells side by side in processes of this machine.

    A process that dies, killed or out of memory, loses the cell it was at and nothing else: another takes its place,
    and the cell is tried again, three times in all.

    Each has its share of the processors, where QCGRAD_NUM_THREADS does not say how many. They start when there is a
    cell for them, and end with `map`.

    Args:
        workers: how many.
        max_bytes: memory that all of them may take together; by default 80 % of what is free.
        compute: what computes a cell, a function that can be pickled.

    Raises:
        ValueError: fewer than one worker.
    """

    def __init__(
        self,
        workers: int,
        max_bytes: int | None = None,
        *,
        compute: Callable[[Cell, Callable[[str], None]], Record] | None = None,
    ):
        if workers < 1:
            raise ValueError(f"{workers} workers: give at least one")
        self._workers, self._max_bytes, self._compute = workers, max_bytes, compute

    @property
    def workers(self) -> int:
        """How many."""
        return self._workers

    def map(self, cells: Iterable[Cell], notify: Notify = _silent) -> Generator[Finished, None, None]:
        share = allowed_bytes(self._max_bytes) // self.workers
        compute = self._compute or partial(Cell.compute, max_bytes=share)
        threads = share_of_threads(self.workers)
        source = iter(cells)
        with contextlib.ExitStack() as stack:
            idle: list[_Worker] = []
            busy: list[_Worker] = []
            while True:
                while len(busy) < self.workers and (cell := next(source, None)) is not None:
                    notify(cell, "")
                    if not idle:
                        idle.append(_Worker(compute, threads))
                        stack.callback(idle[-1].stop)
                    idle[-1].begin(cell)
                    busy.append(idle.pop())
                if not busy:
                    return
                ready = wait([worker.link for worker in busy])
                for worker in [worker for worker in busy if worker.link in ready]:
                    finished = worker.collect()
                    if finished is not None:
                        busy.remove(worker)
                        idle.append(worker)
                        yield finished


class _Worker:
    """A process and the cell it is at."""

    def __init__(self, compute: Callable[[Cell, Callable[[str], None]], Record], threads: dict[str, str]):
        self._compute, self._threads = compute, threads
        self._cell: Cell | None = None
        self._attempts = 0
        self._start()

    def _start(self):
        # A copy of this process would share the locks of JAX's threads, so it starts afresh.
        context = multiprocessing.get_context("spawn")
        self.link, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._compute), daemon=True)
        with environment(self._threads):
            self._process.start()
        theirs.close()  # so that the end of the process ends the pipe

    def begin(self, cell: Cell) -> None:
        self._cell, self._attempts = cell, 1
        self._send(cell)

    def collect(self) -> Finished | None:
        """What has become of the cell; None where the process died and another one tries again."""
        assert self._cell is not None
        try:
            end, seconds, host = self.link.recv()
            return Finished(self._cell, end, seconds, host, self._attempts)
        except (EOFError, OSError):
            pass
        self.stop()
        code = self._process.exitcode
        self._start()
        if self._attempts < ATTEMPTS:
            self._attempts += 1
            self._send(self._cell)
            return None
        message = f"its process died {ATTEMPTS} times, the last time {_ending(code)}"
        return Finished(self._cell, Failure("failed", message), 0.0, socket.gethostname(), self._attempts)

    def _send(self, cell: Cell):
        # A process that is dead already is noticed where its answer is collected.
        with contextlib.suppress(OSError):
            self.link.send(cell)

    def stop(self) -> None:
        self.link.close()
        self._process.kill()
        self._process.join()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"by {name}" + (", perhaps for lack of memory (--max-memory)" if name == "SIGKILL" else "")
    return f"with exit code {code}"


def _end_with_parent():
    """The end of the pipe is only noticed between cells, and nobody wants the rest of a long one."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _serve(link: Connection, compute):
    """A worker's life: cells in, ends out, until the pipe ends."""
    # Ctrl-C goes to the whole group; the process that owns the study decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_double_precision()
    with contextlib.suppress(EOFError, OSError):
        while True:
            finished = attempt(link.recv(), compute)
            link.send((finished.end, finished.seconds, finished.worker))
