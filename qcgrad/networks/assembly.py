"""Kernels between many inputs, block by block, in memory that is known beforehand."""

import math
from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import PyTree, Shaped


def checked_size(batch_size: int | None) -> int | None:
    """A number of inputs, or None.

    Raises:
        ValueError: anything else.
    """
    is_number = isinstance(batch_size, Integral) and not isinstance(batch_size, bool)
    if batch_size is None or (is_number and batch_size >= 1):
        return None if batch_size is None else int(batch_size)
    raise ValueError(f"batch_size is {batch_size!r}: give a positive number of inputs, or None")


def largest(fits: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` that fits, 0 if not even 1 does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def fewer(n1: int, n2: int, needed: int, allowed: int) -> str:
    """How many inputs would fit, for a message: both numbers shrunk alike."""
    share = math.sqrt(allowed / needed)
    return f"{max(1, int(n1 * share))} x {max(1, int(n2 * share))}"


class Window(NamedTuple):
    """Inputs start ... stop of a block."""

    start: int
    stop: int

    def of(self, array: Shaped[jax.Array, "N *rest"]) -> Shaped[jax.Array, "n *rest"]:
        """These inputs of an array."""
        return array[self.start : self.stop]


def windows(total: int, size: int) -> list[Window]:
    """Windows of one size, so that one program serves all: the last begins early and repeats what is done."""
    size = min(size, total)
    return [Window(min(start, total - size), min(start, total - size) + size) for start in range(0, total, size)]


def assemble(
    rows: list[Window],
    columns: list[Window],
    left: Callable[[Window], PyTree],
    block: Callable[[PyTree, Window, Window], PyTree],
    mirror: Callable[[PyTree], PyTree] | None,
    progress: str | None,
) -> PyTree:
    """A pytree of arrays (N1, N2, ...) from its blocks (b1, b2, ...), written into the result one after the other.

    Args:
        rows, columns: windows of the inputs on both sides.
        left: what is kept of a window of rows while its blocks are computed.
        block: left, row, column -> pytree of arrays.
        mirror: where both sides hold the same inputs, the block (j, i) from block (i, j): halves are then computed
            once. None computes all.
        progress: the words of a progress bar, or None for none.
    """
    only = len(rows) == len(columns) == 1
    result: Any = None
    tracker = _Progress(progress, len(rows) * (len(rows) + 1) // 2 if mirror else len(rows) * len(columns))
    try:
        for i, row in enumerate(rows):
            ours = left(row)
            for column in columns[i if mirror else 0 :]:
                found = block(ours, row, column)
                if only:
                    result = found
                else:
                    result = _room(found, rows[-1].stop, columns[-1].stop) if result is None else result
                    result = _write(result, found, row.start, column.start)
                    if mirror and column != row:
                        result = _write(result, mirror(found), column.start, row.start)
                if not only or progress:
                    # Programs that wait in line hold memory, each its own.
                    jax.block_until_ready(result)
                tracker.advance()
    finally:
        tracker.close()
    return result


def _room(block, n1, n2):
    return jax.tree.map(lambda a: jnp.zeros((n1, n2, *a.shape[2:]), a.dtype), block)


@partial(jax.jit, donate_argnums=0)
def _write(result, block, row, column):
    def one(whole, part):
        return jax.lax.dynamic_update_slice(whole, part, (row, column, *[0] * (part.ndim - 2)))

    return jax.tree.map(one, result, block)


class _Progress:
    """A progress bar on the terminal, if one was asked for."""

    def __init__(self, words: str | None, total: int):
        self.bar = None
        if words:
            from rich.progress import Progress

            self.bar = Progress()
            self.task = self.bar.add_task(words, total=total)
            self.bar.start()

    def advance(self) -> None:
        if self.bar is not None:
            self.bar.advance(self.task)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
