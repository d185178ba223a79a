"""Jacobians in the nesting of PennyLane's gradient transforms."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ...array_types import Array
from ...arrays import namespace


def nested(
    rows: Float[Array, "copies batch L N"],
    results: Sequence[tuple[int, ...]],
    params: Sequence[tuple[int, ...] | None],
    *,
    is_batch: bool,
    is_copied: bool,
    finish: Callable[[Any], Any],
) -> Any:
    """Copies of a shot vector, then measurements, then parameters; each axis is left out where it has one entry.

    Args:
        rows: derivatives of all L numbers that are measured by all N numbers of the parameters.
        results: shape of what each measurement returns.
        params: shape of each trainable parameter; None for those that are not differentiated, whose derivatives are 0.
        is_batch: whether results have an axis for the batch.
        is_copied: whether the shots are a vector.
        finish: makes what is returned of each array, which has the parameter's axes, then the result's.
    """

    xp = namespace(rows)

    def by_params(block, shape):
        found, end = [], 0
        for size in params:
            start, end = end, end + (0 if size is None else int(np.prod(size)))
            part = block[..., start:end] if size is not None else xp.zeros((*block.shape[:-1], 1))
            part = xp.moveaxis(part, -1, 0).reshape(*(size or ()), len(block), *shape)
            axis = len(size or ())
            found.append(finish(part if is_batch else xp.squeeze(part, axis)))
        return found[0] if len(found) == 1 else tuple(found)

    def by_results(copy):
        ends = np.cumsum([int(np.prod(shape)) for shape in results])
        blocks = xp.split(copy, ends[:-1], axis=1)
        found = [by_params(block, shape) for block, shape in zip(blocks, results, strict=True)]
        return found[0] if len(found) == 1 else tuple(found)

    found = tuple(by_results(copy) for copy in rows)
    return found if is_copied else found[0]
