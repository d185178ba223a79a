"""Which strings anticommute with which generators, as matrices that are made when they are multiplied with."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...ir.iqp_form import CHUNK, IQPForm

# Below this share of pairs that anticommute, a sparse product is faster than one that multiplies by zeros.
_SPARSE = 0.05


class Chunk(NamedTuple):
    """Some generators that an output depends on, all those of each angle together.

    Attributes:
        slots: the angles.
        generators: those that they drive, ascending.
        starts: where those of each angle begin.
        scale: of each generator.
        is_scaled: whether any of the scales is not 1.
        pairs: makes the matrix (generators, strings of the output), 1 where the two anticommute.
    """

    slots: np.ndarray
    generators: np.ndarray
    starts: np.ndarray
    scale: np.ndarray
    is_scaled: bool
    pairs: Callable[[], Any]


class Pairs:
    """The matrix of all generators and strings of a form, 1 where the two anticommute: sparse where it pays."""

    def __init__(self, form: IQPForm):
        self.form, self._sparse = form, None
        if form.num_pairs < _SPARSE * form.num_generators * form.num_strings:
            import scipy.sparse as sparse

            starts = range(0, form.num_generators, CHUNK)
            parts = [sparse.csr_array(form.noticed(slice(start, start + CHUNK)), dtype=float) for start in starts]
            self._sparse: Any = sparse.vstack(parts, format="csr")

    def turned(self, part: slice, turns: Float[np.ndarray, "part"]) -> Any:
        """(part, T) with a factor for each generator."""
        if self._sparse is not None:
            return self._sparse[part].multiply(turns[:, None]).tocsr()
        return self.form.noticed(part) * turns[:, None]

    def of(self, strings: Int[np.ndarray, "D"]) -> tuple[Int[np.ndarray, "part"], Callable[[np.ndarray], Any]]:
        """Generators that some strings anticommute with and an angle drives, and what makes the matrix of some."""
        first = int(np.searchsorted(self.form.slot, 0))
        if self._sparse is not None:
            columns = self._sparse[:, strings]
            seen = np.flatnonzero(np.diff(columns.indptr))
            return seen[seen >= first], lambda which: columns[which]
        if len(strings) == self.form.num_strings:
            # No generator is in the form that no string anticommutes with.
            return np.arange(first, self.form.num_generators), lambda which: self.form.noticed(which).astype(float)
        chunks = range(first, self.form.num_generators, CHUNK)
        parts = [self.form.noticed(slice(start, start + CHUNK))[:, strings].any(axis=1) for start in chunks]
        seen = first + np.flatnonzero(np.concatenate([np.zeros(0, bool), *parts]))
        return seen, lambda which: self.form.noticed(which)[:, strings].astype(float)


class Output:
    """What a weighted sum of the strings depends on.

    Attributes:
        strings: those with a weight.
        weights: of these.
        chunks: the generators, a few at a time.
    """

    def __init__(self, pairs: Pairs, weights: Float[np.ndarray, "T"]):
        self.strings = np.flatnonzero(weights)
        self.weights = weights[self.strings]
        self.chunks = tuple(_chunks(pairs, self.strings))


def _chunks(pairs: Pairs, strings) -> Iterator[Chunk]:
    generators, matrix = pairs.of(strings)
    slots, begin = np.unique(pairs.form.slot[generators], return_index=True)
    ends = np.append(begin, len(generators))
    at = 0
    while at < len(slots):
        stop = max(at + 1, int(np.searchsorted(ends, ends[at] + CHUNK, side="right")) - 1)
        chosen = generators[ends[at] : ends[stop]]
        scale = pairs.form.scale[chosen]
        starts = ends[at:stop] - ends[at]
        yield Chunk(slots[at:stop], chosen, starts, scale, bool(np.any(scale != 1)), partial(matrix, chosen))
        at = stop
