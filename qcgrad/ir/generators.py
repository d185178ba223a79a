"""What gates and rows of an op table generate, as Pauli sums."""

from collections.abc import Iterable

import numpy as np

from ..array_types import Coefficients, Masks
from . import pauli
from .gates import Gate, PauliPrimitive
from .op_table import OpTable

_Terms = list[tuple[int, int, float]]


def generator(table: OpTable, row: int) -> tuple[Masks, Masks, Coefficients]:
    """Masks and coefficients of scale * C (P - kappa)/2, with C the projector on all controls being 1."""
    x, z, scale = int(table.x[row]), int(table.z[row]), float(table.scale[row])
    return _arrays(_rotation_terms(x, z, int(table.controls[row]), int(table.kappa[row]), scale), table.num_qubits)


def gate_generator(gate: Gate, num_qubits: int) -> tuple[Masks, Masks, Coefficients]:
    r"""Masks and coefficients of Q with \(\partial U = -iQU = -iUQ\) by the gate's angle, identity left out.

    The Hamiltonian itself of an evolution, whether its terms commute or not.
    """
    if gate.name == "evolution":
        words, coefficients = gate.detail.words, gate.detail.coefficients.tolist()
        terms = [(*pauli.masks(w, gate.wires, num_qubits), c) for w, c in zip(words, coefficients, strict=True)]
        return _arrays(terms, num_qubits)
    driven = [p for p in gate.primitives() if isinstance(p, PauliPrimitive) and p.scale]
    return primitives_generator(driven, num_qubits)


def primitives_generator(primitives: Iterable[PauliPrimitive], num_qubits: int) -> tuple[Masks, Masks, Coefficients]:
    """The same of rotations that commute, each in units of its scale."""
    return _arrays([term for p in primitives for term in _primitive_terms(p, num_qubits, p.scale)], num_qubits)


def gate_strings(gate: Gate, num_qubits: int) -> list[tuple[int, int]] | None:
    """Strings whose commutants a gate leaves alone, whatever its angle: (x, z); None where they are not known."""
    if gate.name == "evolution":
        return [pauli.masks(word, gate.wires, num_qubits) for word in gate.detail.words]
    found = []
    for p in gate.primitives():
        if not isinstance(p, PauliPrimitive):
            return None
        found += [(x, z) for x, z, _ in _primitive_terms(p, num_qubits, 1.0)]
    return found


def _primitive_terms(primitive: PauliPrimitive, num_qubits: int, scale: float) -> _Terms:
    x, z = pauli.masks(primitive.letters, primitive.wires, num_qubits)
    controls = sum(pauli.bit(w, num_qubits) for w in primitive.controls)
    return _rotation_terms(x, z, controls, primitive.kappa, scale)


def _rotation_terms(x: int, z: int, controls: int, kappa: int, scale: float) -> _Terms:
    terms = [(x, z, scale / 2)] + ([(0, 0, -scale / 2)] if kappa else [])
    while controls:
        lowest = controls & -controls
        controls ^= lowest
        # (1 - Z)/2 on each control qubit
        terms = [(tx, tz ^ flip, c * sign / 2) for tx, tz, c in terms for flip, sign in ((0, 1), (lowest, -1))]
    return terms


def _arrays(terms: _Terms, num_qubits: int) -> tuple[Masks, Masks, Coefficients]:
    kept = [term for term in terms if term[0] | term[1]]
    xs, zs, cs = zip(*kept, strict=True) if kept else ((), (), ())
    return pauli.mask_array(xs, num_qubits), pauli.mask_array(zs, num_qubits), np.array(cs, float)
