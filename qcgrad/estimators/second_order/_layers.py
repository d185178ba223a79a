"""Layers of parameterised gates whose generators commute, and the circuits in front of them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...errors import NotApplicable
from ...ir import Circuit, pauli
from ...ir.gates import Gate, MatrixPrimitive
from ...ir.generators import generator


class Layer(NamedTuple):
    """Gates of one layer, whose generators commute with each other and all act on one state.

    Attributes:
        angles: which of the circuit's angles belong to them.
        generators: of each, as Pauli strings: masks x, z and coefficients.
        before: the circuit that prepares the layer's input state; parameters stay those of the whole circuit.
        before_angles: which of the circuit's angles drive it.
    """

    angles: tuple[int, ...]
    generators: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    before: Circuit
    before_angles: np.ndarray


@lru_cache(maxsize=16)
def layers(circuit: Circuit) -> tuple[Layer, ...]:
    """Every parameterised gate in the first layer that all gates which it does not commute with leave open.

    Two gates count as commuting where all strings in their exponents do, or where they share no qubit.
    """
    gates = circuit.gates
    strings = [_strings(gate, circuit.num_qubits) for gate in gates]
    level = _levels(gates, strings, circuit.num_qubits)
    angle_of = np.cumsum([gate.param is not None for gate in gates]) - 1
    found = []
    for depth in sorted({level[i] for i, gate in enumerate(gates) if gate.param is not None}):
        members = [i for i, gate in enumerate(gates) if gate.param is not None and level[i] == depth]
        # In front of a layer stand its fixed gates, then its parameterised ones: any order of commuting gates will do.
        front = [i for i, gate in enumerate(gates) if level[i] < depth or (level[i] == depth and gate.param is None)]
        front.sort(key=lambda i: (level[i], gates[i].param is not None, i))
        found.append(
            Layer(
                tuple(int(angle_of[i]) for i in members),
                tuple(_generator(gates[i], circuit.num_qubits) for i in members),
                Circuit(circuit.num_qubits, [gates[i] for i in front], circuit.name),
                np.array([angle_of[i] for i in front if gates[i].param is not None], np.int64),
            )
        )
    return tuple(found)


def _levels(gates: Sequence[Gate], strings, num_qubits) -> list[int]:
    levels: list[int] = []
    masks = [sum(pauli.bit(q, num_qubits) for q in gate.wires) for gate in gates]
    for i in range(len(gates)):
        least = 0
        for j in range(i):
            reached = levels[j] + (gates[j].param is not None)
            if reached > least and masks[i] & masks[j] and not _commute(strings[i], strings[j]):
                least = reached
        levels.append(least)
    return levels


def _strings(gate: Gate, num_qubits: int):
    """All strings in the exponents of a gate, projectors on controls among them; None for a matrix."""
    found = []
    for part in gate.primitives():
        if isinstance(part, MatrixPrimitive):
            return None
        found.append(pauli.masks(part.letters, part.wires, num_qubits))
        found += [pauli.masks("Z", (control,), num_qubits) for control in part.controls]
    return found


def _commute(first, second) -> bool:
    if first is None or second is None:
        return False
    return all(_strings_commute(a, b) for a in first for b in second)


def _strings_commute(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Of masks that are Python's integers, which hold any number of qubits."""
    return ((first[0] & second[1]).bit_count() + (first[1] & second[0]).bit_count()) % 2 == 0


def _generator(gate: Gate, num_qubits: int):
    """K in exp(-i angle K), without its identity part."""
    if gate.name == "evolution":
        local = [
            (*pauli.masks(w, gate.wires, num_qubits), c)
            for w, c in zip(gate.detail.words, gate.detail.coefficients, strict=True)
        ]
        x, z, c = zip(*local, strict=True)
        return _kept(x, z, c, num_qubits)
    table = Circuit(num_qubits, [gate]).op_table
    (row,) = np.flatnonzero(table.slot >= 0)
    return generator(table, int(row))


def _kept(x, z, c, num_qubits):
    chosen = [k for k in range(len(x)) if x[k] | z[k]]
    x, z = (pauli.mask_array([part[k] for k in chosen], num_qubits) for part in (x, z))
    return x, z, np.array([c[k] for k in chosen], float)


class JointBasis(NamedTuple):
    """Independent commuting strings that tell the outcomes of all generators of a layer.

    Attributes:
        x, z: (r,) masks.
        weights: (A_l, D) coefficients of the layer's distinct strings in each generator.
        members, signs: (D,) each string is a sign times the product of the independent ones whose bits are set.
    """

    x: np.ndarray
    z: np.ndarray
    weights: np.ndarray
    members: np.ndarray
    signs: np.ndarray

    def values(self, outcomes: Int[np.ndarray, "S"]) -> Float[np.ndarray, "S A"]:
        """What each generator gives for outcomes whose bit i says that string i gave -1."""
        parity = pauli.popcount(outcomes[:, None] & self.members) % 2
        return ((1 - 2 * parity) * self.signs) @ self.weights.T


def joint_basis(layer: Layer, who: str) -> JointBasis:
    """The basis that measures all generators of a layer at once.

    Raises:
        NotApplicable: a generator is a sum of strings that do not commute.
    """
    n = layer.before.num_qubits
    place: dict[tuple[int, int], int] = {}
    for x, z, _ in layer.generators:
        for string in zip(x.tolist(), z.tolist(), strict=True):
            place.setdefault(string, len(place))
    distinct = list(place)
    if not all(_strings_commute(a, b) for k, a in enumerate(distinct) for b in distinct[:k]):
        raise NotApplicable(
            f"{who} measures the generators of a layer together, but one of them (of the gates with angles "
            f"{list(layer.angles)}) is a sum of strings that do not commute: split that evolution, or give shots=None"
        )
    weights = np.zeros((len(layer.generators), len(distinct)))
    for row, (x, z, c) in zip(weights, layer.generators, strict=True):
        np.add.at(row, [place[string] for string in zip(x.tolist(), z.tolist(), strict=True)], c)
    chosen, members, signs = _independent(distinct, n)
    all_x, all_z = (pauli.mask_array([distinct[k][part] for k in chosen], n) for part in (0, 1))
    return JointBasis(all_x, all_z, weights, np.array(members, np.int64), np.array(signs))


def _independent(strings: list[tuple[int, int]], num_qubits: int):
    """Positions of independent strings, and every string as a sign and the product of those whose bits are set."""
    chosen: list[int] = []
    reduced: list[tuple[int, int, int]] = []  # (leading bit, symplectic vector, bits)
    members, signs = [], []
    for k, (x, z) in enumerate(strings):
        vector, bits = x << num_qubits | z, 0
        for lead, other, part in reduced:
            if vector >> lead & 1:
                vector, bits = vector ^ other, bits ^ part
        if vector:
            bits ^= 1 << len(chosen)
            reduced.append((vector.bit_length() - 1, vector, bits))
            members.append(1 << len(chosen))
            chosen.append(k)
        else:
            members.append(bits)
        signs.append(_sign([strings[chosen[i]] for i in range(len(chosen)) if members[-1] >> i & 1], num_qubits))
    return chosen, members, signs


def _sign(factors, num_qubits: int) -> float:
    """The sign in front of the string that is the product of commuting ones."""
    x, z, power = 0, 0, 0
    for fx, fz in factors:
        one, two = (pauli.mask_array([part], num_qubits) for part in (x, z))
        three, four = (pauli.mask_array([part], num_qubits) for part in (fx, fz))
        nx, nz, step = pauli.product(one, two, three, four)
        x, z, power = int(nx[0]), int(nz[0]), (power + int(step[0])) % 4
    # The product is this times the string, so the string is that sign times the product.
    return 1.0 if power == 0 else -1.0
