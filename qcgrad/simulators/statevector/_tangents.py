"""A state and its derivatives along some directions, carried through a circuit together.

Small registers and many directions at once: NumPy, which compiles nothing, in double precision.
"""

import numpy as np
from jaxtyping import Float

from ...array_types import Angles
from ...ir import rows
from ...ir.program import Program
from ...queries import Tangents


def states_held(directions: int) -> int:
    """States of memory: those that are carried, and what applying a gate makes of them before they are replaced."""
    return 4 * (1 + directions)


def swept(program: Program, angles: Angles, directions: Float[np.ndarray, "D A"]) -> Tangents:
    """Overlaps at gate angles (A,), the derivatives along `directions`."""
    table = program.circuit.op_table
    directions = np.asarray(directions, np.float64)
    states = np.zeros((1 + len(directions), 2**program.num_qubits), np.complex128)
    states[0] = rows.zero_state(program.num_qubits)
    for i, row in enumerate(rows.bind(table, angles)):
        states = rows.apply(row, states)
        if table.slot[i] >= 0:
            moved = _generator(row, int(table.kappa[i]), states[0])
            states[1:] += np.outer(table.scale[i] * directions[:, table.slot[i]], moved)
    state, tangents = states[0], states[1:]
    bras = [_image(observable, state).conj() for observable in program.observables]
    return Tangents(tangents.conj() @ tangents.T, tangents @ state.conj(), np.stack(bras) @ tangents.T)


def _generator(row: rows.Row, kappa: int, state):
    """The derivative of exp(-i t (P - kappa)/2) by t on the subspace where all controls are 1, of what it has given."""
    moved = -0.5j * (rows.apply_pauli(row.x, row.z, state) - kappa * state)
    if not row.controls:
        return moved
    return np.where((np.arange(len(state)) & row.controls) == row.controls, moved, 0)


def _image(observable, state):
    """O|psi>."""
    terms = zip(observable.x.tolist(), observable.z.tolist(), observable.coefficients.tolist(), strict=True)
    return np.sum([c * rows.apply_pauli(x, z, state) for x, z, c in terms], axis=0)
