"""Elementwise work on the host, block by block, on several threads: NumPy lets go of the interpreter in its loops."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def for_blocks(work: Callable[[slice], None], length: int, size: int) -> None:
    """work(slice) for consecutive blocks of `size` out of `length`; results do not depend on the number of threads."""
    blocks = [slice(start, start + size) for start in range(0, length, size)]
    threads = min(len(blocks), _processors())
    if threads <= 1:
        for block in blocks:
            work(block)
        return
    with ThreadPoolExecutor(threads) as pool:
        # A list, so that an error in a block is raised here.
        list(pool.map(work, blocks))


def _processors():
    """How many this process may use, where the system says it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
