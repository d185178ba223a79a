"""Traced arrays whose entries are cheap to pick one by one.

A circuit reads its parameters one by one, and JAX takes 0.1 ms to trace `x[i, j]` as a slice: more than
everything else about a gate. Here the entries of an array are taken apart in one operation, beforehand.
"""

import contextlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...array_types import Params

# Larger arrays are data rather than gate parameters, and few of their entries are looked at.
_MAX_SIZE = 50_000


def indexable(tree: Params) -> Params:
    """The same tracers; those that are arrays have their entries at hand."""
    return jax.tree.map(_indexable, tree)


def _indexable(tracer):
    if not np.ndim(tracer) or np.size(tracer) > _MAX_SIZE:
        return tracer
    entries = np.empty(np.size(tracer), object)
    for k, entry in enumerate(jnp.unstack(jnp.ravel(tracer))):
        entries[k] = entry
    return _with_entries(tracer, entries.reshape(np.shape(tracer)))


def _with_entries(tracer, entries):
    kind = type(tracer)

    class Indexable(kind):
        __slots__ = ()
        __module__ = kind.__module__  # by which PennyLane knows whose array it is

        def __getitem__(self, index):
            parts = index if isinstance(index, tuple) else (index,)
            if not all(part is ... or _is_integer(part) for part in parts):
                return kind.__getitem__(self, index)
            try:
                found: Any = entries[index]
            except IndexError:  # JAX has its own rule for indices out of bounds
                return kind.__getitem__(self, index)
            if not isinstance(found, np.ndarray):
                return found
            if not found.ndim:
                return found.item()
            row = kind.__getitem__(self, index)
            return _with_entries(row, found) if type(row) is kind else row

    with contextlib.suppress(TypeError):  # a tracer that does not allow this is slower, and as right
        tracer.__class__ = Indexable
    return tracer


def _is_integer(part):
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)
