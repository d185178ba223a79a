"""What copies of a state are drawn from, on the qubits that have to be simulated."""

from collections.abc import Callable

import numpy as np

from ...ir import light_cone
from ...ir.mixture import Mixture
from ...ir.program import Program
from ...queries import Ensemble


def whole(program, angles, state: Callable) -> Ensemble:
    """What one copy of a query's state is drawn from.

    Args:
        program: a program or a mixture.
        angles: (A,) radians.
        state: function from a program and its angles to amplitudes (2^n,).
    """
    every = tuple(range(program.num_qubits))
    return _ensemble(program, [range(p.num_gates) for p in _members(program)], every, angles, state)


def busy(program, angles, state: Callable) -> tuple[Ensemble, tuple[int, ...]]:
    """As `whole`, without qubits that no member's gates act on, and the qubits that are left."""
    gates = [p.circuit.gates for p in _members(program)]
    acting = [[i for i, gate in enumerate(part) if light_cone.acted_on(gate)] for part in gates]
    kept = tuple(sorted(set().union(*map(light_cone.busy_qubits, gates)))) or (0,)
    return _ensemble(program, acting, kept, angles, state), kept


def seen(program, x: np.ndarray, z: np.ndarray, angles, state: Callable) -> tuple[Ensemble, tuple[int, ...]]:
    """As `whole`, as far as expectations of the strings with masks x, z depend on it, and the qubits that are left."""
    members = _members(program)
    measured = members[0].qubits_of(x | z)
    positions = [light_cone.seen_gates(p.circuit.gates, measured) for p in members]
    acted = [
        light_cone.busy_qubits(p.circuit.gates[i] for i in part) for p, part in zip(members, positions, strict=True)
    ]
    kept = tuple(sorted(members[0].qubits_of(x).union(*acted))) or (0,)
    return _ensemble(program, positions, kept, angles, state), kept


def _members(program) -> tuple[Program, ...]:
    return program.programs if isinstance(program, Mixture) else (program,)


def _ensemble(program, positions, qubits, angles, state) -> Ensemble:
    weights = program.probabilities if isinstance(program, Mixture) else np.ones(1)
    parts = [p.on(part, qubits) for p, part in zip(_members(program), positions, strict=True)]
    return Ensemble(weights, np.stack([np.asarray(state(part.program, part.select(angles))) for part in parts]))
