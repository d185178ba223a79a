"""Settings that differ from one point in one angle each, without repeating the point."""

from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..array_types import Array
from ..arrays import is_concrete

BYTES_OF_EVALUATION = 400
"""Measured: what one of `ShiftedSettings` is described by and answered with; the settings are made to be run."""


class ShiftedSettings(eqx.Module):
    """A point, then B settings in which one of its angles has another value: what an array (1 + B, A) would hold.

    To whoever knows nothing of it, it is that array: `len`, `shape`, `dtype`, rows, slices, loops, `numpy.asarray` and
    `jax.numpy.asarray`. A simulator that looks at its fields shares what the settings have in common.

    Attributes:
        point: (A,) radians.
        owner: (B,) which angle is moved; -1: none.
        shifts: (B,) by how many radians.
        moved: (B,) what the angle is then: their sum, less whole periods, in the precision of the point.

    Example:
        >>> import numpy as np
        >>> from qcgrad.queries import ShiftedSettings
        >>> settings = ShiftedSettings(np.array([0.1, 0.2]), np.array([1]), np.array([0.5]), np.array([0.7]))
        >>> print(settings.shape, settings[1], np.asarray(settings[:1]))
        (2, 2) [0.1 0.7] [[0.1 0.2]]
    """

    point: Float[Array, "A"]
    owner: Int[np.ndarray, "B"]
    shifts: Float[np.ndarray, "B"]
    moved: Float[Array, "B"]

    @property
    def shape(self) -> tuple[int, int]:
        """(1 + B, A)."""
        return 1 + len(self.owner), len(self.point)

    @property
    def ndim(self) -> int:
        return 2

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.point.dtype)

    def __len__(self) -> int:
        return 1 + len(self.owner)

    def __iter__(self) -> Iterator[Float[Array, "A"]]:
        return (self.rows(np.array([place]))[0] for place in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        """The first settings as what this is; any other part as an array."""
        if (
            isinstance(index, slice)
            and index.indices(len(self))[::2] == (0, 1)
            and (stop := index.indices(len(self))[1])
        ):
            kept = slice(0, stop - 1)
            return ShiftedSettings(self.point, self.owner[kept], self.shifts[kept], self.moved[kept])
        first, *others = index if isinstance(index, tuple) else (index,)
        if first is Ellipsis:
            return self.rows(np.arange(len(self)))[index]
        places = np.arange(len(self))[first]
        rows = self.rows(np.atleast_1d(places)) if np.ndim(places) < 2 else self.rows(places.ravel())
        rows = rows.reshape(*np.shape(places), -1)
        return rows[(*(slice(None),) * np.ndim(places), *others)] if others else rows

    def rows(self, places: Int[np.ndarray, "S"]) -> Float[Array, "S A"]:
        """Some of the settings as an array."""
        shift = places - 1
        moves = (shift >= 0) & (self.owner[shift] >= 0) if len(self.owner) else np.zeros(len(places), bool)
        at, shift = np.flatnonzero(moves), shift[moves]
        shape = (len(places), len(self.point))
        if is_concrete((self.point, self.moved)):
            rows = np.broadcast_to(np.asarray(self.point), shape).copy()
            rows[at, self.owner[shift]] = np.asarray(self.moved)[shift]
            return rows
        return jnp.broadcast_to(self.point, shape).at[at, self.owner[shift]].set(self.moved[shift])

    def on(self, angles: Int[np.ndarray, "part"] | None) -> "ShiftedSettings":
        """The same of some of the angles, or of all (None); a shift of any other one moves nothing."""
        if angles is None:
            return self
        place = np.full(len(self.point) + 1, -1)
        place[angles] = np.arange(len(angles))
        return ShiftedSettings(self.point[angles], place[self.owner], self.shifts, self.moved)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.rows(np.arange(len(self))), dtype)

    def __jax_array__(self) -> Float[Array, "settings A"]:
        return jnp.asarray(self.rows(np.arange(len(self))))
