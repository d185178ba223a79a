"""Which gates and qubits can change what is measured."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..array_types import Array
from .gates import Gate

if TYPE_CHECKING:  # a program's parts are programs
    from .program import Program


def acted_on(gate: Gate) -> tuple[int, ...]:
    """The wires that a gate does something to: an I in a Pauli word does nothing."""
    if gate.name == "pauli_rot":
        return tuple(w for w, letter in zip(gate.wires, gate.detail, strict=True) if letter != "I")
    if gate.name == "evolution":
        return tuple(gate.wires[q] for q in gate.detail.support)
    return () if gate.name == "id" else gate.wires


def seen_gates(gates: Sequence[Gate], measured: Iterable[int]) -> list[int]:
    """Positions of the gates in the past light cone of some qubits, ascending.

    Backwards from the end, a gate that acts on none of the qubits that matter so far commutes with all that is
    measured and cancels its own inverse; any other makes all of its qubits matter.
    """
    cone, seen = set(measured), []
    for position in range(len(gates) - 1, -1, -1):
        wires = acted_on(gates[position])
        if not cone.isdisjoint(wires):
            cone.update(wires)
            seen.append(position)
    return seen[::-1]


def busy_qubits(gates: Iterable[Gate]) -> set[int]:
    """Qubits that some gate acts on; the others are in |0>."""
    return {wire for gate in gates for wire in acted_on(gate)}


def moved(gate: Gate, place: dict[int, int]) -> Gate:
    """The gate on the qubits' new places, without wires that it does nothing to."""
    wires = acted_on(gate)
    detail = gate.detail
    if len(wires) < len(gate.wires):
        if gate.name == "pauli_rot":
            detail = gate.detail.replace("I", "")
        elif gate.name == "evolution":
            detail = gate.detail.compressed()
    return replace(gate, wires=tuple(place[w] for w in wires), detail=detail)


class Part(NamedTuple):
    """A program with some of another's gates, on some of its qubits.

    Attributes:
        program: the program; the other one itself where nothing is left out.
        qubits: the other one's qubits that are kept, ascending.
        angles: which of the other one's angles are kept, None for all.
    """

    program: "Program"
    qubits: tuple[int, ...]
    angles: np.ndarray | None

    def select(self, angles: Float[Array, "... A"]) -> Float[Array, "... part"]:
        """Angles (..., A) of the part."""
        return angles if self.angles is None else angles[..., self.angles]

    def expand(self, gradient: Float[Array, "... part"], num_angles: int) -> Float[Array, "... A"]:
        """A gradient (..., A) of the whole, 0 by angles that are left out, from the part's."""
        if self.angles is None:
            return gradient
        shape = (*gradient.shape[:-1], num_angles)
        if isinstance(gradient, np.ndarray):
            out = np.zeros(shape, gradient.dtype)
            out[..., self.angles] = gradient
            return out
        return jnp.zeros(shape, gradient.dtype).at[..., self.angles].set(gradient)
