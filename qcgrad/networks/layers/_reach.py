"""Which inputs a convolution meets, where positions are held at a spacing (see `spacing`)."""

import itertools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Num

from ...array_types import Array


class Meeting(NamedTuple):
    """Inputs that one weight of the filter meets, for all outputs of one start.

    Attributes:
        start: f of the inputs, along each axis together.
        slices: where they lie in the padded axes.
    """

    start: int
    slices: tuple[slice, ...]


class Reach(NamedTuple):
    r"""Inputs of all outputs: output m' u + f' meets input s (m' u + f') + delta - before, for each weight delta.

    Attributes:
        padding: (before, behind) of each axis.
        meetings: for each start f' of the outputs, one meeting for each weight.
    """

    padding: tuple[tuple[int, int], ...]
    meetings: list[list[Meeting]]

    def padded(self, array: Num[Array, "..."], axes: tuple[int, ...], mode: str) -> Num[jax.Array, "..."]:
        """An array with room along `axes` for every weight; mode as of `jax.numpy.pad`."""
        widths = [(0, 0)] * array.ndim
        for axis, width in zip(axes, self.padding, strict=True):
            widths[axis] = width
        return jnp.pad(array, widths, mode=mode)


def spacing_behind(spacing: tuple[int, ...], steps: tuple[int, ...]) -> tuple[int, ...]:
    """Spacing of the outputs whose inputs lie at a spacing."""
    return tuple(gap // math.gcd(gap, step) for gap, step in zip(spacing, steps, strict=True))


def reach(
    lengths: tuple[int, ...], spacing: tuple[int, ...], steps: tuple[int, ...], filter_shape: tuple[int, ...]
) -> Reach:
    """The inputs that outputs meet.

    Args:
        lengths: inputs along each axis, from each start.
        spacing: of the inputs.
        steps: strides.
        filter_shape: sizes of the filter.
    """
    behind = spacing_behind(spacing, steps)
    axes = [_along(*numbers) for numbers in zip(lengths, spacing, behind, steps, filter_shape, strict=True)]
    meetings = []
    for starts in itertools.product(*map(range, behind)):
        lines = [axis.lines[start] for axis, start in zip(axes, starts, strict=True)]
        meetings.append([_joined(at, spacing) for at in itertools.product(*lines)])
    return Reach(tuple(axis.padding for axis in axes), meetings)


class _Axis(NamedTuple):
    """Along one axis: padding, and for each start of the outputs and each weight the start and slice of its inputs."""

    padding: tuple[int, int]
    lines: list[list[tuple[int, slice]]]


def _along(length, gap, gap_behind, step, size) -> _Axis:
    stride = step * gap_behind // gap
    outputs = math.ceil(length * gap / step) // gap_behind
    before = (size - 1) // 2
    found = [[divmod(step * f + offset - before, gap) for offset in range(size)] for f in range(gap_behind)]
    first = [q for line in found for q, _ in line]
    last = stride * (outputs - 1)
    low, high = max(0, -min(first)), max(0, last + max(first) - length + 1)
    lines = [[(start, slice(low + q, low + q + last + 1, stride)) for q, start in line] for line in found]
    return _Axis((low, high), lines)


def _joined(lines, spacing) -> Meeting:
    start = 0
    for (f, _), gap in zip(lines, spacing, strict=True):
        start = start * gap + f
    return Meeting(start, tuple(at for _, at in lines))
