r"""The roles of generator and observable exchanged: strings of the observable are inserted, generators are measured.

With a string \(P_t\) of the observable behind all gates and V what comes after a layer,
\(\partial_a F = -\sum_t 2 c_t\,\mathrm{Im}\langle\psi|\,V Q_a V^\dagger P_t|\psi\rangle\) for each generator \(Q_a\)
of the layer: un-computing V brings all of them to where they are measured, on the same shots where they commute.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ....ir import Program, light_cone, pauli
from ....ir.generators import gate_generator, gate_strings
from ._experiment import Experiment, Labels, commuting_groups, jointly_measured, pairs_among
from ._insertions import driven_gates
from ._steps import assembled, controlled_string, quarter_turns, steps_of


class Layer(NamedTuple):
    """Gates whose generators are strings of one state: behind some gates of the circuit, before all others.

    Attributes:
        positions: of the gates.
        undone: (G,) the others, True for each gate of the circuit that comes behind.
    """

    positions: tuple[int, ...]
    undone: np.ndarray


@lru_cache(maxsize=16)
def layers_of(program: Program) -> tuple[Layer, ...]:
    """All driven gates in layers of generators that commute, greedily: each layer takes what can still come before it.

    A gate comes before a layer if it acts on no qubit of a gate that does not, and leaves alone the generators that
    the layer has already.
    """
    gates, n, driven = program.circuit.gates, program.num_qubits, driven_gates(program)
    touched = [sum(pauli.bit(w, n) for w in light_cone.acted_on(gate)) for gate in gates]
    strings = [gate_strings(gate, n) for gate in gates]
    waiting, missing = list(range(len(gates))), len(driven)
    found = []
    while missing:
        chosen: list[int] = []
        generators: list[tuple[int, int]] = []
        held, blocked = [], 0
        for i in waiting:
            if touched[i] & blocked or not _leave_alone(strings[i], touched[i], generators):
                blocked |= touched[i]
                held.append(i)
            elif i in driven:
                chosen.append(i)
                x, z, _ = gate_generator(gates[i], n)
                generators += zip(x.tolist(), z.tolist(), strict=True)
        undone = np.zeros(len(gates), bool)
        undone[held] = True
        found.append(Layer(tuple(chosen), undone))
        waiting, missing = held, missing - len(chosen)
    return tuple(found)


def reversed_tests(program: Program, layer: Layer, labels: Labels, with_ancilla: bool) -> Iterator[Experiment]:
    """Experiments for a layer: one for each string of the observable and each set of generators that commute."""
    n = program.num_qubits
    tx, tz, coefficients = program.terms
    coordinate, steps = driven_gates(program), steps_of(program)
    gates = np.array([coordinate[i] for i in layer.positions])
    x, z, weights = _measured(program, layer, with_ancilla)
    size = n + 1 if with_ancilla else n
    factors = [-2.0] if with_ancilla else [-1.0, 1.0]
    back = [step.undone for step, is_undone in zip(reversed(steps), layer.undone[::-1], strict=True) if is_undone]
    for group in commuting_groups(x, z):
        kept = np.flatnonzero(np.any(weights[:, group] != 0, axis=1))
        pairs = pairs_among(gates[kept].tolist(), labels)
        for t in np.flatnonzero(tx | tz):
            string = (int(tx[t]), int(tz[t]), n)
            inserted = controlled_string(n, *string) if with_ancilla else [quarter_turns(*string)]
            derived, angles = assembled([*steps, *inserted, *back], len(factors))
            rows = coefficients[:, t, None, None] * weights[kept][:, group]
            joint = jointly_measured(size, derived, x[group], z[group], rows, pairs)
            yield Experiment(joint, angles, np.array(factors), gates[kept], pairs)


def num_circuits(program: Program, layer: Layer) -> int:
    """How many experiments that are."""
    x, z, _ = _measured(program, layer, with_ancilla=False)
    tx, tz, _ = program.terms
    return len(commuting_groups(x, z)) * int(np.count_nonzero(tx | tz))


def _measured(program: Program, layer: Layer, with_ancilla: bool):
    """Distinct strings of the layer's generators, times Y on the ancilla, and their weights (L, D)."""
    n = program.num_qubits
    place: dict[tuple[int, int], int] = {}
    entries = []
    for row, position in enumerate(layer.positions):
        columns = gate_generator(program.circuit.gates[position], n)
        for x, z, c in zip(*(column.tolist() for column in columns), strict=True):
            key = (x << 1 | 1, z << 1 | 1) if with_ancilla else (x, z)
            entries.append((row, place.setdefault(key, len(place)), c))
    weights = np.zeros((len(layer.positions), len(place)))
    for row, column, c in entries:
        weights[row, column] += c
    x, z = (pauli.mask_array([key[i] for key in place], n + with_ancilla) for i in (0, 1))
    return x, z, weights


def _leave_alone(strings, touched: int, generators: list[tuple[int, int]]) -> bool:
    """Whether a gate with these strings, on these qubits, commutes with all generators."""
    if strings is None:
        return not any((x | z) & touched for x, z in generators)
    return all(((a & z).bit_count() + (b & x).bit_count()) % 2 == 0 for a, b in strings for x, z in generators)
