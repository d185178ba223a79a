"""How much memory the kernels of an infinitely wide network will take, from shapes alone."""

from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax

from .kernel_state import KernelState
from .recursion import Recursion

#: Blocks are no larger than this where nobody says how large: small ones stay near the caches.
BLOCK_BYTES = 2**28
#: Below this, compiling takes longer than it saves.
SMALL = 2**22
#: Peak over the state in front of and behind a layer: compiled as a whole (temporaries of fused loops, of products of
#: matrices and of paddings), and operation by operation. Held against measured peaks in the tests.
COMPILED, EAGER = 2.0, 3.0
#: Bytes for each pair of positions where an activation sums its series on the host.
HOST = 320


class Forecast(NamedTuple):
    """What a block of kernels takes.

    Attributes:
        pair_bytes, input_bytes: of a block, for each pair of inputs and for each input.
        results: shapes of the distinct kernels of one pair of inputs.
        is_complex: whether outputs are.
        has_pseudo: whether pseudo-kernels are among the results.
        is_hermitian: kernels of (x2, x1) are the conjugates of those of (x1, x2).
        can_compile: whether blocks are worth compiling, and every layer can be.
    """

    pair_bytes: float
    input_bytes: float
    results: tuple[jax.ShapeDtypeStruct, ...]
    is_complex: bool
    has_pseudo: bool
    is_hermitian: bool
    can_compile: bool

    def block(self, rows: int, columns: int) -> int:
        """Bytes that a block takes at its peak, its inputs not counted."""
        return int(self.pair_bytes * rows * columns + self.input_bytes * (rows + columns))

    def result(self, rows: int, columns: int) -> int:
        """Bytes of all kernels; those that vanish are one array of zeros."""
        zeros = self.is_complex and not self.has_pseudo
        each = sum(array.dtype.itemsize for array in self.results) + zeros * self.results[0].dtype.itemsize
        return rows * columns * each

    def compiles(self, rows: int, columns: int) -> bool:
        return self.can_compile and self.block(rows, columns) > SMALL


def forecast(recursion: Recursion, x1, x2) -> Forecast:
    """What kernels between x1 and x2 will take.

    Raises:
        NotApplicable: a layer has no infinite-width kernel, and why.
    """
    one, two = (_states(recursion, x1, x2, size) for size in (1, 2))
    last = one[-1]
    tracks_complex = any(state.is_complex for state in one)
    can_compile = x1.ndim > 2 and _traces(recursion, x1, x2)
    factor = COMPILED if can_compile else EAGER
    host = 0 if can_compile else HOST * max(state.nngp.size for state in one)
    live = [max(_bytes(a) + _bytes(b) for a, b in pairwise(states)) for states in (one, two)]
    # live(b) = pair b^2 + 2 input b.
    pair = live[1] / 2 - live[0]
    return Forecast(
        pair_bytes=factor * pair + host,
        input_bytes=factor * (live[0] - pair) / 2,
        results=distinct(last),
        is_complex=last.is_complex,
        has_pseudo=last.is_complex and last.pseudo is not None,
        is_hermitian=not (recursion.pseudo and tracks_complex),
        can_compile=can_compile,
    )


def distinct(state: KernelState) -> tuple:
    """The kernels of outputs that are neither zero nor equal to another one: K, Theta, that of the branch, pseudos."""
    found = (state.nngp, state.ntk, state.ntk_holomorphic)
    return found if not state.is_complex or state.pseudo is None else (*found, state.pseudo, state.ntk_pseudo)


def _states(recursion, x1, x2, size) -> list[KernelState]:
    inputs = [jax.ShapeDtypeStruct((size, *x.shape[1:]), x.dtype) for x in (x1, x2)]
    return eqx.filter_eval_shape(lambda a, b: list(recursion.states(a, b, shapes_only=True)), *inputs)


def _traces(recursion, x1, x2) -> bool:
    """Whether JAX can trace every layer: those that look at numbers run on the host instead."""
    inputs = [jax.ShapeDtypeStruct((1, *x.shape[1:]), x.dtype) for x in (x1, x2)]
    try:
        eqx.filter_eval_shape(recursion.run, *inputs)
    except TypeError:
        return False
    return True


def _bytes(state: KernelState) -> int:
    arrays = [leaf for leaf in jax.tree.leaves(state) if hasattr(leaf, "dtype")]
    return sum(array.size * array.dtype.itemsize for array in arrays)
