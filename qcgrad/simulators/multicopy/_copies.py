"""What copies of a state are drawn from, on the qubits that have to be simulated."""

from collections.abc import Callable

import numpy as np

from ...array_types import Amplitudes, Angles, Masks
from ...errors import StateTooLarge
from ...ir import light_cone, strings
from ...ir.mixture import Mixture
from ...ir.program import Program
from ...memory import allowed_bytes, require
from ...queries import Ensemble, state_bytes

StateOf = Callable[[Program, Angles], Amplitudes]
"""From a program and its angles to the state that it prepares."""


def whole(program: Program | Mixture, angles: Angles, state: StateOf, max_bytes: int | None = None) -> Ensemble:
    """What one copy of a query's state is drawn from.

    Args:
        program: a program or a mixture.
        angles: (A,) radians.
        state: function from a program and its angles to amplitudes (2^n,).
        max_bytes: refuse what needs more; by default 80 % of the memory that is free.

    Raises:
        StateTooLarge: before anything is allocated, with the number of bytes.
    """
    every = tuple(range(program.num_qubits))
    return _ensemble(program, [range(p.num_gates) for p in _members(program)], every, angles, state, max_bytes)


def busy(
    program: Program | Mixture, angles: Angles, state: StateOf, max_bytes: int | None = None
) -> tuple[Ensemble, tuple[int, ...]]:
    """As `whole`, without qubits that no member's gates act on, and the qubits that are left."""
    gates = [p.circuit.gates for p in _members(program)]
    acting = [[i for i, gate in enumerate(part) if light_cone.acted_on(gate)] for part in gates]
    kept = tuple(sorted(set().union(*map(light_cone.busy_qubits, gates)))) or (0,)
    return _ensemble(program, acting, kept, angles, state, max_bytes), kept


def seen(
    program: Program | Mixture,
    x: Masks,
    z: Masks,
    angles: Angles,
    state: StateOf,
    max_bytes: int | None = None,
) -> tuple[Ensemble, tuple[int, ...]]:
    """As `whole`, as far as expectations of the strings with masks x, z depend on it, and the qubits that are left."""
    members = _members(program)
    measured = members[0].qubits_of(x | z)
    positions = [light_cone.seen_gates(p.circuit.gates, measured) for p in members]
    acted = [
        light_cone.busy_qubits(p.circuit.gates[i] for i in part) for p, part in zip(members, positions, strict=True)
    ]
    kept = tuple(sorted(members[0].qubits_of(x).union(*acted))) or (0,)
    return _ensemble(program, positions, kept, angles, state, max_bytes), kept


def _members(program) -> tuple[Program, ...]:
    return program.programs if isinstance(program, Mixture) else (program,)


def _ensemble(program, positions, qubits, angles, state, max_bytes) -> Ensemble:
    weights = program.probabilities if isinstance(program, Mixture) else np.ones(1)
    parts = [p.on(part, qubits) for p, part in zip(_members(program), positions, strict=True)]
    _check_states(parts, angles.dtype, max_bytes)
    return Ensemble(weights, np.stack([np.asarray(state(part.program, part.select(angles))) for part in parts]))


def _check_states(parts, dtype, max_bytes):
    program, count = parts[0].program, len(parts)
    dimension = 2**program.num_qubits
    # Each as it was simulated and beside the others, and what is transformed of them.
    needed = 2 * count * state_bytes(program.num_qubits, dtype) + strings.transform_bytes(dimension, dimension)
    states = f"{count:,} states" if count > 1 else "a state"
    require(
        f"{program.remaining} have to be simulated: {states} of {program.num_qubits} qubits and what their copies are "
        "drawn from take",
        needed,
        allowed_bytes(max_bytes),
        "use fewer qubits"
        + (" or a mixture of fewer circuits" if count > 1 else "")
        + ", or another method (Statevector(max_bytes=...) moves the limit)",
        StateTooLarge,
    )
