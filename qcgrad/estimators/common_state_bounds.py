"""What a common state costs at most, whatever the angles: for predictions before anything runs."""

import numpy as np

from ..ir.program import Program


def fixed_gates(program: Program) -> int:
    """Gates before the first parameterised one: those that prepare the common state."""
    gates = program.circuit.gates
    return next((i for i, gate in enumerate(gates) if gate.param is not None), len(gates))


def most_strings(program: Program) -> int:
    """An upper bound on the strings that the pull-back gives."""
    terms = sum(observable.num_terms for observable in program.observables)
    table = program.circuit.op_table
    per_row = 2.0 ** (1 + np.bitwise_count(table.controls[table.slot >= 0]))
    return int(min(terms * (1 + per_row.sum()), 4**program.num_qubits - 1))
