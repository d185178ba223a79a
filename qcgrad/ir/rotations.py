r"""Circuits as products of Pauli rotations, seen through the Clifford gates between them.

A rotation \(e^{-iwtP}\) in front of Clifford gates C is the rotation by \(CPC^\dagger\) behind them. So fixed Clifford
gates say where a generator ends up, and nothing else; conjugations are done by stim's tableaus.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..array_types import Coefficients, Masks
from . import _clifford as clifford
from . import pauli
from .gates import Gate, PauliPrimitive
from .generators import gate_generator, gate_strings, primitives_generator
from .op_table import lower
from .program import Program
from .pull_back import NotClifford


class Rotations(NamedTuple):
    r"""S rotations \(e^{-iwtP}\) in order; those of one gate commute.

    Attributes:
        position: (S,) of the gate in the circuit.
        coordinate: (S,) which angle t is; -1 where t = 1.
        weight: (S,) w.
        x, z: (S,) masks of P, as the gate has it.
        end_x, end_z, sign: (S,) the same behind all gates, up to the rotations themselves.
    """

    position: np.ndarray
    coordinate: np.ndarray
    weight: np.ndarray
    x: np.ndarray
    z: np.ndarray
    end_x: np.ndarray
    end_z: np.ndarray
    sign: np.ndarray


def rotations(program: Program, positions: Iterable[int], driven: Mapping[int, int]) -> Rotations:
    """The rotations of a circuit from its first driven gate on; all other gates have to be Clifford.

    Args:
        program: whose circuit.
        positions: the gates that count, ascending.
        driven: positions of driven gates, and which coordinate each one's angle is.

    Raises:
        NotClifford: names the first gate that is neither.
    """
    import stim

    gates, n = program.circuit.gates, program.num_qubits
    first = min(driven, default=len(gates))
    inverse = stim.Tableau(n)  # maps P to W^dagger P W, with W the Clifford gates so far
    found: list[tuple[int, int, float, int, int]] = []
    pulled: list[tuple[Masks, Masks, Coefficients]] = []
    for i in positions:
        if i < first:
            continue
        gate = gates[i]
        if i not in driven and (more := _advanced(inverse, gate, n)) is not None:
            inverse = more
            continue
        x, z, weight = _strings(gate, n, i in driven)
        found += [(i, driven.get(i, -1), *term) for term in zip(weight.tolist(), x.tolist(), z.tolist(), strict=True)]
        pulled.append(clifford.conjugate(inverse, x, z))
    position, coordinate, weight, x, z = zip(*found, strict=True) if found else ((), (), (), (), ())
    back = [pauli.mask_array([m for part in pulled for m in part[i].tolist()], n) for i in (0, 1)]
    signs = np.concatenate([np.zeros(0), *(sign for _, _, sign in pulled)])
    end_x, end_z, more_signs = clifford.conjugate(inverse.inverse(), *back)
    return Rotations(
        np.array(position, np.int64),
        np.array(coordinate, np.int64),
        np.array(weight, float),
        pauli.mask_array(x, n),
        pauli.mask_array(z, n),
        end_x,
        end_z,
        signs * more_signs,
    )


def _advanced(inverse, gate: Gate, n: int):
    """The map extended by a fixed gate; None where that is not Clifford."""
    table, extended = lower(n, [gate]), inverse.copy()
    for row in range(table.num_ops):
        turns = table.offset[row] / (2 * np.pi)
        if not table.controls[row] and abs(turns - round(turns)) * 4 <= clifford.TOLERANCE and table.matrix[row] < 0:
            continue
        try:
            clifford.advance(extended, table, row, table.offset[row])
        except ValueError:
            return None
    return extended


def _strings(gate: Gate, n: int, is_driven: bool) -> tuple[Masks, Masks, Coefficients]:
    """Strings of a gate, and their weights in units of its angle, or of 1 if fixed."""
    strings = gate_strings(gate, n)
    if strings is not None and all(_commute(a, b) for i, a in enumerate(strings) for b in strings[:i]):
        if is_driven:
            return gate_generator(gate, n)
        turns = [p for p in gate.primitives() if isinstance(p, PauliPrimitive)]
        return primitives_generator([p._replace(scale=p.scale * gate.offset + p.offset) for p in turns], n)
    raise NotClifford(f"gate {gate.name} on qubits {gate.wires} is neither Clifford nor made of rotations that commute")


def _commute(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return not ((one[0] & other[1]).bit_count() + (one[1] & other[0]).bit_count()) % 2
