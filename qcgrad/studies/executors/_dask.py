"""Workers of a Dask cluster: other processes, other machines, a batch system."""

import contextlib
import logging
import os
import queue
import signal
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from functools import cache, partial
from typing import Any, Self

from ...errors import QcgradError
from ...simulators.statevector.native_library import set_num_threads
from ..cells import Cell
from ..identity import code_version, version_of
from ..records import Record
from ._attempt import Failure, Finished, attempt, use_double_precision
from ._in_process import AbstractExecutor, Notify, _silent
from ._threads import share_of_threads

# Seconds between two looks whether scheduler and workers are still there, and new ones have come.
_LOOK = 1.0


class ClusterRefused(QcgradError, RuntimeError):
    """A cluster that cannot compute a study; the message says what to do."""


class Dask(AbstractExecutor):
    """Cells on the workers of a Dask scheduler.

    A worker that dies loses the cells it was at and nothing else: the scheduler gives them to another one, as often as
    its `distributed.scheduler.allowed-failures` says, by default three times. Workers may come and go; while there are
    none, it waits. One cell runs on a worker at a time, whatever its number of threads.

    Args:
        scheduler: address, for example "tcp://10.0.0.1:8786"; the path of a scheduler file, which ends in .json; or a
            `dask.distributed.Client`, such as that of an `SLURMCluster` of dask-jobqueue or a `KubeCluster` of
            dask-kubernetes.
        max_bytes: memory that a cell may take on its worker; by default 80 % of what is free there.
        compute: what computes a cell, a function that can be pickled.

    Raises:
        ClusterRefused: Dask is not installed, nobody answers at the address, there are no workers, or they run another
            version of qcgrad, whose results would be kept as this one's.

    Example:
        On Slurm with dask-jobqueue; `KubeCluster(name="qcgrad", image=...)` of dask-kubernetes takes the place of
        `SLURMCluster`, with an image in which qcgrad is installed:

        >>> from dask_jobqueue import SLURMCluster  # doctest: +SKIP
        >>> from distributed import Client  # doctest: +SKIP
        >>> cluster = SLURMCluster(cores=4, processes=4, memory="16GB", walltime="02:00:00")  # doctest: +SKIP
        >>> cluster.scale(jobs=10)  # doctest: +SKIP
        >>> client = Client(cluster)  # doctest: +SKIP
        >>> client.wait_for_workers(1)  # doctest: +SKIP
        >>> with Dask(client) as executor, Store("study.sqlite") as store:  # doctest: +SKIP
        ...     outcome = run_cells(load_spec("benchmarks/scaling.toml").cells(), store, executor)

        For the command line `cluster.scheduler_address` is what `--scheduler` takes; without Python,
        `dask scheduler --scheduler-file s.json` and, as a job, `srun dask worker --scheduler-file s.json --nthreads 1`,
        then `qcgrad study run SPEC --scheduler s.json`. A worker uses as many threads as Dask was told that it has.
    """

    def __init__(
        self,
        scheduler: Any,
        max_bytes: int | None = None,
        *,
        compute: Callable[[Cell, Callable[[str], None]], Record] | None = None,
    ):
        self._own = contextlib.ExitStack()
        self._deaths: Counter[str] = Counter()
        self._compute = compute or partial(Cell.compute, max_bytes=max_bytes)
        self._client = self._own.enter_context(_client_at(scheduler)) if isinstance(scheduler, str) else scheduler
        with self._own:
            self._machines = self._looked_at()
            self._client.subscribe_topic("all", self._count_deaths)
            self._own = self._own.pop_all()

    @classmethod
    def local(cls, workers: int, max_bytes: int | None = None) -> Self:
        """A cluster of its own on this machine, which ends when this is closed.

        Args:
            workers: processes, each with its share of the processors.
            max_bytes: memory that all of them may take together; by default 80 % of what is free.
        """
        from ...memory import allowed_bytes

        with contextlib.ExitStack() as own:
            try:
                from distributed import Client, LocalCluster
            except ImportError as error:
                raise ClusterRefused(_NOT_INSTALLED) from error
            # No limit to their memory: cells are refused before they take too much. What the parts of a cluster say to
            # each other when it ends helps nobody; what becomes of cells is told here.
            settings: Any = {"dashboard_address": None, "memory_limit": 0, "env": share_of_threads(workers)}
            settings["silence_logs"] = logging.CRITICAL
            cluster = own.enter_context(LocalCluster(n_workers=workers, threads_per_worker=1, **settings))
            client = own.enter_context(Client(cluster, set_as_default=False))
            client.run(_ignore_interrupts)
            found = cls(client, allowed_bytes(max_bytes) // workers)
            found._own.push(own.pop_all())
        return found

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    @property
    def machines(self) -> dict[str, Any]:
        """Provenance by host, of the workers that were there in the beginning."""
        return self._machines

    def map(self, cells: Iterable[Cell], notify: Notify = _silent) -> Generator[Finished, None, None]:
        source, done, running = iter(cells), queue.SimpleQueue(), {}
        try:
            while True:
                while len(running) < max(1, self._workers_left()) and (cell := next(source, None)) is not None:
                    notify(cell, "")
                    # Another try of a cell is another task, even if the scheduler remembers the first one.
                    future = self._client.submit(_attempt_there, cell, self._compute, version_of(cell.data), pure=False)
                    running[future] = cell
                    future.add_done_callback(done.put)
                if not running:
                    return
                try:
                    future = done.get(timeout=_LOOK)
                except queue.Empty:
                    if self._workers_left() == 0:
                        notify(next(iter(running.values())), "all workers are gone, waiting for others")
                    continue
                yield self._ended(future, running.pop(future))
        finally:
            if self._client.status == "running":
                self._client.cancel(list(running), force=True)

    def close(self) -> None:
        """Leave the scheduler; end it too, if it is `local`."""
        if self._client.status == "running":
            self._client.unsubscribe_topic("all")
        self._own.close()

    def _ended(self, future: Any, cell: Cell) -> Finished:
        from distributed import CancelledError, KilledWorker

        attempts = 1 + self._deaths.pop(future.key, 0)
        try:
            return future.result()._replace(cell=cell, attempts=attempts)
        except KilledWorker as error:
            reason = "its workers died, perhaps for lack of memory (--max-memory)"
            return Finished(cell, Failure("failed", reason, str(error)), 0.0, "", attempts)
        except CancelledError as error:
            raise ClusterRefused(_GONE) from error

    def _workers_left(self) -> int:
        if self._client.status == "running":
            with contextlib.suppress(OSError):
                return self.workers
        raise ClusterRefused(_GONE)

    def _count_deaths(self, event: tuple[float, Any]) -> None:
        """What the scheduler tells of a worker that is gone; it gives the cells to others by itself."""
        _, what = event
        if isinstance(what, dict) and what.get("action") == "remove-worker":
            self._deaths.update(list(what.get("processing-tasks", ())))

    def _looked_at(self) -> dict[str, Any]:
        """Check the workers, and say what they are."""
        try:
            there: dict[str, Any] = self._client.run(_settle_down)
        except ImportError as error:
            raise ClusterRefused(f"a worker cannot load qcgrad ({error}): install the same there") from error
        if not there:
            raise ClusterRefused("the scheduler has no workers: start some, for example with `dask worker ADDRESS`")
        for worker, found in there.items():
            _check_version(worker, found["qcgrad"], code_version())
        return {found["host"]: found for found in there.values()}


_NOT_INSTALLED = "Dask is not installed: pip install 'qcgrad[cluster]'"
_GONE = "the scheduler is gone: finished cells are kept, so start it again and run the same command"


def _client_at(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterRefused(_NOT_INSTALLED) from error
    try:
        if scheduler.endswith(".json"):
            with open(scheduler):  # where there is none, Dask would wait for it
                return Client(scheduler_file=scheduler, timeout=10, set_as_default=False)
        return Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterRefused(f"no scheduler answers at {scheduler}: {error or type(error).__name__}") from error


def _attempt_there(cell: Cell, compute: Callable[[Cell, Callable[[str], None]], Record], version: str) -> Finished:
    """`attempt` on a worker, which may have come after the others were looked at, and lack a package of others."""
    from distributed import get_worker

    worker = get_worker()
    _settle_down(worker)
    _check_version(worker.address, version_of(cell.data), version)
    return attempt(cell, compute)


def _settle_down(dask_worker: Any) -> dict[str, Any]:
    """What has to be set once in a worker's process; its provenance."""
    use_double_precision()
    # It was told how many threads to use, by whoever started it.
    threads = dask_worker.state.nthreads
    os.environ.setdefault("NPROC", str(threads))  # XLA's, if it has not begun
    if "QCGRAD_NUM_THREADS" not in os.environ:
        set_num_threads(threads)
    return _provenance()


def _ignore_interrupts():
    """Ctrl-C goes to the whole group; the process that owns the study decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _provenance() -> dict[str, Any]:
    from ..provenance import provenance

    return provenance()


def _check_version(worker: str, found: str, wanted: str):
    if found != wanted:
        raise ClusterRefused(f"worker {worker} runs qcgrad {found}, and not {wanted}: install the same packages there")
