"""A state that is un-computed step by step, with Pauli strings that are read on the way."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Complex, Int

from . import pauli, rows
from .encoded_groups import AppliedSum
from .rows import Row, States

if TYPE_CHECKING:  # scipy.sparse is slow to import, so it waits until it is used
    import scipy.sparse as sparse


@dataclass(frozen=True, eq=False)
class SweepForm:
    """A state of N qubits, gates that un-compute it step by step, and D Pauli strings on the way.

    With `applied`, some copies are left out behind the preparation, and count as 0 for every string.

    Attributes:
        num_qubits: N.
        preparation: rows that prepare the state from |0...0>.
        undo: rows that un-compute it, in order.
        preparation_gates: gates of the preparation.
        gates_undone: (len(undo) + 1,) gates un-computed before each row.
        x, z: (D,) masks of the strings.
        step: (D,) rows un-computed before string d is measured, ascending.
        gradient: sparse (K' * A, D); row k * A + a holds what the strings add to the derivative by angle a.
        value: sparse (K', D).
        constants: (K',) identity part of the values.
        mixing: (K, K'), what each of the form's values adds to each of the program's K outputs.
        applied: what a block encoding does behind `preparation`, on copies whose index register then reads 0.
    """

    num_qubits: int
    preparation: tuple[Row, ...]
    undo: tuple[Row, ...]
    preparation_gates: int
    gates_undone: np.ndarray
    x: np.ndarray
    z: np.ndarray
    step: np.ndarray
    gradient: "sparse.csr_array"
    value: "sparse.csr_array"
    constants: np.ndarray
    mixing: np.ndarray
    applied: AppliedSum | None = None

    @property
    def num_components(self) -> int:
        """D."""
        return len(self.x)

    @property
    def has_free_order(self) -> bool:
        """Whether the strings may be visited in any order: nothing is un-computed between them."""
        return not self.undo

    @property
    def state_bytes(self) -> int:
        """What the amplitudes of one copy take."""
        return 16 * 2**self.num_qubits

    @property
    def state(self) -> Complex[np.ndarray, "2**N"]:
        """(2^N,) amplitudes of a copy that counts, worked out anew: there may be a form for every string."""
        return self.on_counting_copies(self._prepared())

    def on_counting_copies(self, prepared: States) -> States:
        """What of the state that the preparation leaves is on copies that count, normalised."""
        if self.applied is None:
            return prepared
        found = self.applied.to(prepared)
        return found / np.linalg.norm(found)

    @cached_property
    def acceptance(self) -> float:
        """p, the probability that a copy counts."""
        return 1.0 if self.applied is None else float(np.linalg.norm(self.applied.to(self._prepared())) ** 2)

    def with_reference(self, share: float) -> "SweepForm":
        r"""A form with `applied` whose ancilla starts with another \(\alpha^2\), strictly between 0 and 1.

        Args:
            share: \(\alpha^2\), a half to begin with.
        """
        ancilla = self.preparation[0].x
        preparation = (turned(ancilla, share), *self.preparation[1:])
        factor = 1 / (2 * np.sqrt(share * (1 - share)))
        return replace(self, preparation=preparation, gradient=factor * self.gradient, value=factor * self.value)

    def _prepared(self):
        return rows.run(self.preparation, rows.zero_state(self.num_qubits))

    @cached_property
    def busy(self) -> "SweepForm":
        """The same form without qubits that stay in |0> and are measured in Z at most; its outcomes are the same."""
        moved = int(np.bitwise_or.reduce(self.x, initial=0))
        for x, _, controls, _, _, _, wires in (*self.preparation, *self.undo):
            moved |= x | controls  # Z leaves |0> as it is
            for wire in wires:
                moved |= 1 << wire
        applied = self.applied
        if applied is not None:
            moved |= applied.control | int(np.bitwise_or.reduce(applied.x))
        kept = [q for q in range(self.num_qubits) if moved & pauli.bit(q, self.num_qubits)] or [0]
        if len(kept) == self.num_qubits:
            return self
        narrowed = [tuple(row.on(kept, self.num_qubits) for row in part) for part in (self.preparation, self.undo)]
        x, z = (pauli.squeezed(masks, kept, self.num_qubits) for masks in (self.x, self.z))
        found = replace(self, num_qubits=len(kept), preparation=narrowed[0], undo=narrowed[1], x=x, z=z)
        return found if applied is None else replace(found, applied=applied.on(kept, self.num_qubits))

    @property
    def weights(self) -> Int[np.ndarray, "D"]:
        """(D,) letters of each string that are not the identity."""
        return pauli.popcount(self.x | self.z)

    def gates_until(self, component: int) -> int:
        """Gates that un-compute one copy until string `component` is next."""
        return int(self.gates_undone[self.step[component]])


def turned(ancilla: int, share: float) -> Row:
    """RY that leaves the ancilla in |0> with probability `share`; for a half what H makes of |0>."""
    return Row(ancilla, ancilla, 0, np.sqrt(share), -1j * np.sqrt(1 - share))
