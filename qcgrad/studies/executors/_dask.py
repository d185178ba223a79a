"""Workers of a Dask cluster: other processes, other machines, a batch system."""

from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

from ...errors import QcgradError
from ..cells import Cell
from ._attempt import Failure, Finished, attempt, use_double_precision
from ._in_process import AbstractExecutor, Notify, _silent


class ClusterRefused(QcgradError, RuntimeError):
    """A cluster that cannot compute a study; the message says what to do."""


class Dask(AbstractExecutor):
    """Cells on the workers of a Dask scheduler.

    A worker that dies loses the cells it was at and nothing else: the scheduler gives them to another one, three times
    in all. One cell runs on a worker at a time, whatever its number of threads.

    Args:
        scheduler: address, for example "tcp://10.0.0.1:8786"; or a `dask.distributed.Client`, such as that of an
            `SLURMCluster` of dask-jobqueue or a `KubeCluster` of dask-kubernetes.
        max_bytes: memory that a cell may take on its worker; by default 80 % of what is free there.
        compute: what computes a cell, a function that can be pickled.

    Raises:
        ClusterRefused: Dask is not installed, nobody answers at the address, there are no workers, or they run another
            version of qcgrad, whose results would be kept as this one's.
    """

    def __init__(self, scheduler: Any, max_bytes: int | None = None, *, compute: Any = None):
        try:
            from distributed import Client
        except ImportError as error:
            raise ClusterRefused("Dask is not installed: pip install 'qcgrad[cluster]'") from error
        self._is_own = isinstance(scheduler, str)
        try:
            self._client = Client(scheduler, timeout=10, set_as_default=False) if self._is_own else scheduler
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterRefused(f"no scheduler answers at {scheduler}: {error or type(error).__name__}") from error
        self._compute = compute or partial(Cell.compute, max_bytes=max_bytes)
        self._check_workers()

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def map(self, cells: Iterable[Cell], notify: Notify = _silent) -> Generator[Finished, None, None]:
        from distributed import CancelledError, KilledWorker, as_completed

        source, done, running = iter(cells), as_completed(), {}
        try:
            while True:
                while len(running) < max(1, self.workers) and (cell := next(source, None)) is not None:
                    notify(cell, "")
                    # Another try of a cell is another task, even if the scheduler remembers the first one.
                    future = self._client.submit(attempt, cell, self._compute, pure=False)
                    running[future] = cell
                    done.add(future)
                if not running:
                    return
                future = next(done)
                cell = running.pop(future)
                try:
                    yield future.result()
                except (KilledWorker, CancelledError) as error:
                    reason = "its workers died, perhaps for lack of memory (--max-memory)"
                    yield Finished(cell, Failure("failed", reason, str(error)), 0.0, "")
        finally:
            self._client.cancel(list(running), force=True)

    def close(self) -> None:
        """Leave the scheduler, if it was named by its address."""
        if self._is_own:
            self._client.close()

    def _check_workers(self):
        from ..identity import code_version

        here = code_version()
        self._client.run(use_double_precision)
        there: Any = self._client.run(code_version)
        if not there:
            raise ClusterRefused("the scheduler has no workers: start some, for example with `dask worker ADDRESS`")
        wrong = {worker: version for worker, version in there.items() if version != here}
        if wrong:
            worker, version = next(iter(wrong.items()))
            raise ClusterRefused(f"worker {worker} runs qcgrad {version}, and not {here}: install the same there")
