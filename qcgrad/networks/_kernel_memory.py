"""How much memory the kernels of an infinitely wide network will take, from shapes alone."""

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np

from ._recursion import Recursion
from .compiled import bytes_of
from .kernel_state import KernelState

#: Blocks are no larger than this where nobody says how large: small ones stay near the caches.
BLOCK_BYTES = 2**28
#: Peak over the state in front of and behind a layer: compiled as a whole (temporaries of fused loops, of products
#: and of paddings), and operation by operation. The tests hold it against measured peaks.
COMPILED, EAGER = 2.0, 3.0
#: Where activations sum series on the host: bytes for each pair of positions, and for the coefficients of each
#: position. Short series take less.
HOST, COEFFICIENTS = 200, 12 * 1024


class Forecast(NamedTuple):
    """What a block of kernels takes.

    Attributes:
        pair_bytes, input_bytes: of a block, for each pair of inputs and for each input.
        results: shapes of the distinct kernels of one pair of inputs.
        is_complex: whether outputs are.
        has_pseudo: whether pseudo-kernels are among the results.
        is_hermitian: kernels of (x2, x1) are the conjugates of those of (x1, x2).
        can_compile: whether blocks can be compiled as a whole.
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


def forecast(recursion: Recursion, shape: tuple[int, ...], dtype: np.dtype) -> Forecast:
    """What kernels between inputs of a shape and type will take.

    Raises:
        NotApplicable: a layer has no infinite-width kernel, and why.
    """
    try:
        return _cached(recursion, shape, dtype)
    except TypeError:  # layers with arrays of their own cannot be looked up
        return _forecast(recursion, shape, dtype)


def _forecast(recursion, shape, dtype) -> Forecast:
    one, two = (_states(recursion, shape, dtype, size) for size in (1, 2))
    last = one[-1]
    tracks_complex = any(state.is_complex for state in one)
    traces = _traces(recursion, shape, dtype)
    # Networks on vectors look at their numbers for the sake of digits near correlation one.
    can_compile = traces and len(shape) > 1
    factor = COMPILED if can_compile else EAGER
    host, table = (0, 0) if traces else (HOST, COEFFICIENTS)
    if not tracks_complex:
        one, two = ([_without_twins(state) for state in states] for states in (one, two))
    live = [max(bytes_of(a) + bytes_of(b) for a, b in pairwise(states)) for states in (one, two)]
    # live(b) = pair b^2 + 2 input b.
    pair = live[1] / 2 - live[0]
    return Forecast(
        pair_bytes=factor * pair + host * max(state.nngp.size for state in one),
        input_bytes=factor * (live[0] - pair) / 2 + table * max(_positions(state) for state in one),
        results=distinct(last),
        is_complex=last.is_complex,
        has_pseudo=last.is_complex and last.pseudo is not None,
        is_hermitian=not (recursion.pseudo and tracks_complex),
        can_compile=can_compile,
    )


def distinct(state: KernelState) -> tuple:
    """The kernels of outputs that are neither zero nor equal to another one: K, Theta, that of the branch, pseudos."""
    found = (state.nngp, state.ntk, state.ntk_rule)
    return found if not state.is_complex or state.pseudo is None else (*found, state.pseudo, state.ntk_pseudo)


_cached = lru_cache(maxsize=256)(_forecast)


def _states(recursion, shape, dtype, size) -> list[KernelState]:
    x = jax.ShapeDtypeStruct((size, *shape), dtype)
    return eqx.filter_eval_shape(lambda a, b: list(recursion.states(a, b, shapes_only=True)), x, x)


def _traces(recursion, shape, dtype) -> bool:
    """Whether JAX can trace every layer: those that look at numbers run on the host instead."""
    x = jax.ShapeDtypeStruct((1, *shape), dtype)
    try:
        eqx.filter_eval_shape(recursion.run, x, x)
    except TypeError:
        return False
    return True


def _without_twins(state: KernelState) -> KernelState:
    """Of real numbers every pseudo-kernel is its kernel."""
    return state._replace(pseudo=None, ntk_pseudo=None, ntk_rule_pseudo=None, pseudo1=None, pseudo2=None)


def _positions(state: KernelState) -> int:
    """How many variances an input has."""
    if state.positions != "all":
        return state.variance1.size
    starts, *space = state.variance1.shape[1:]
    return starts * math.prod(space[: len(space) // 2])
