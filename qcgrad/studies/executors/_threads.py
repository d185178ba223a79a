"""How many processors a worker may use: together no more than there are, or they would be in each other's way."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Of the native engine, of XLA, and of the libraries that NumPy may call.
_VARIABLES = ("QCGRAD_NUM_THREADS", "NPROC", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def share_of_threads(workers: int) -> dict[str, str]:
    """Environment of each of several workers on this machine, in which what is set already stays as it is."""
    share = max(1, _processors() // workers)
    return {name: os.environ.get(name, str(share)) for name in _VARIABLES}


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for processes that start meanwhile: some libraries read them before the first line of ours runs."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))  # those that this process may use, where the system tells
    except AttributeError:
        return os.cpu_count() or 1
