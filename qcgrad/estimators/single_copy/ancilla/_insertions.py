r"""A Pauli string of a gate's generator, inserted behind the gate.

With \(Q = \sum_j q_j P_j\) the generator of gate a, \(|\psi_a\rangle\) the state behind it and \(\tilde O\) the
observable pulled back to there,

.. math:: \partial_a F = i\langle[Q, \tilde O]\rangle
    = \sum_j 2 q_j\,\mathrm{Im}\langle\psi_a|\tilde O P_j|\psi_a\rangle .
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from ....ir import Circuit, PauliSum, Program, light_cone, pauli
from ....ir.generators import gate_generator
from ._experiment import NO_PAIRS, Experiment
from ._steps import Step, assembled, controlled_string, quarter_turns, steps_of


@lru_cache(maxsize=16)
def driven_gates(program: Program) -> dict[int, int]:
    """Positions of the gates on whose angle some observable depends, and which coordinate each angle is."""
    x, z, _ = program.terms
    gates, n = program.circuit.gates, program.num_qubits
    seen = light_cone.seen_gates(gates, program.qubits_of(x) | program.qubits_of(z))
    coordinate = np.cumsum([gate.param is not None for gate in gates]) - 1
    driven = [i for i in seen if gates[i].param is not None and len(gate_generator(gates[i], n)[0])]
    return {i: int(coordinate[i]) for i in driven}


def num_strings(program: Program, positions: Sequence[int]) -> int:
    """Strings of the generators of some gates."""
    return sum(len(gate_generator(program.circuit.gates[i], program.num_qubits)[0]) for i in positions)


def ancilla_tests(program: Program, position: int) -> Iterator[Experiment]:
    r"""An ancilla, the last qubit, controls a string: \(\mathrm{Im}\langle\tilde O P\rangle = \langle O Y\rangle\)."""
    n = program.num_qubits
    observables = [beside_ancilla(observable) for observable in program.observables]
    for x, z, q in strings_of(program, position):
        inserted = controlled_string(n, x, z, n)
        yield inserted_test(program, position, inserted, observables, n + 1, [2 * q])


def direct_tests(program: Program, position: int) -> Iterator[Experiment]:
    r"""Rotations instead: \(2\,\mathrm{Im}\langle\tilde O P\rangle = F_+ - F_-\) behind \(e^{\mp i\pi P/4}\)."""
    n = program.num_qubits
    observables = [varying(observable) for observable in program.observables]
    for x, z, q in strings_of(program, position):
        yield inserted_test(program, position, [quarter_turns(x, z, n)], observables, n, [q, -q])


def beside_ancilla(observable: PauliSum, others: int = 0) -> PauliSum:
    """Its strings, without the identity, times Y on an ancilla behind its qubits, before others."""
    kept = varying(observable)
    n = observable.num_qubits + 1 + others
    # The Y of a sum that is nothing is no string of its own.
    one = 1 if np.any(kept.x | kept.z) else 0
    x, z = (pauli.mask_array([(int(m) << 1 | one) << others for m in masks], n) for masks in (kept.x, kept.z))
    return PauliSum.from_masks(n, x, z, kept.coefficients)


def varying(observable: PauliSum) -> PauliSum:
    """The sum without the identity, which has no derivative."""
    kept = (observable.x | observable.z) != 0
    if not kept.any():
        return PauliSum.from_masks(observable.num_qubits, [0], [0], [0.0])
    return PauliSum.from_masks(
        observable.num_qubits, observable.x[kept], observable.z[kept], observable.coefficients[kept]
    )


def strings_of(program: Program, position: int) -> Iterator[tuple[int, int, float]]:
    """(x, z, q) of the strings of a gate's generator."""
    columns = gate_generator(program.circuit.gates[position], program.num_qubits)
    return zip(*(column.tolist() for column in columns), strict=True)


def inserted_test(
    program: Program,
    position: int,
    inserted: Sequence[Step],
    observables: Sequence[PauliSum],
    num_qubits: int,
    factors: Sequence[float],
) -> Experiment:
    """The circuit with steps behind the gate at a position, at as many settings as there are factors."""
    steps = steps_of(program)
    gates, angles = assembled([*steps[: position + 1], *inserted, *steps[position + 1 :]], len(factors))
    coordinate = np.array([driven_gates(program)[position]])
    derived = Program(Circuit(num_qubits, gates), observables)
    return Experiment(derived, angles, np.array(factors, float), coordinate, NO_PAIRS)
