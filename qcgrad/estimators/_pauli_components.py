"""Gradients as Pauli expectations of one common state: what estimators of them start with, and the most they cost."""

from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Angles
from ..errors import NotApplicable
from ..estimator import AbstractEstimator
from ..ir.pauli import popcount
from ..ir.program import Program
from ..ir.pull_back import NotClifford, PauliComponents, pull_back
from ..objective import Point
from ._programs import name_of

if TYPE_CHECKING:  # scipy.sparse is slow to import, so it waits until it is used
    import scipy.sparse as sparse


def pauli_components(
    program: Program,
    angles: Angles,
    estimator: AbstractEstimator | type[AbstractEstimator],
    to_start: bool = False,
) -> PauliComponents:
    """The strings at the gate angles (A,), radians, or a refusal by name.

    Args:
        program, angles: where.
        estimator: who asks, or its class.
        to_start: pull back through the whole circuit, not only to its first parameterised gate.
    """
    try:
        return pull_back(program, np.asarray(angles, float), to_start=to_start)
    except NotClifford as error:
        raise NotApplicable(
            f"{name_of(estimator)} needs gradient observables that are Pauli strings of one common state, but "
            f"{error}. Use an OperatorPool, Clifford angles, or ParameterShift"
        ) from error


def gradient_rows(components: PauliComponents, point: Point) -> "sparse.csr_array":
    """(C A, D): what each string adds to the derivatives of the outputs weighted by each cotangent.

    The same outcomes tell all outputs, so that variances of these rows are those of the weighted sums.
    """
    import scipy.sparse as sparse

    angles = sparse.eye_array(len(point.coordinates))
    found = sparse.csr_array(sparse.kron(sparse.csr_array(np.asarray(point.cotangents)), angles) @ components.gradient)
    # A stored zero would make an unknown of what a string that nobody measured does not add to.
    found.eliminate_zeros()
    return found


def fixed_gates(program: Program) -> int:
    """Gates before the first parameterised one: those that prepare the common state."""
    gates = program.circuit.gates
    return next((i for i, gate in enumerate(gates) if gate.param is not None), len(gates))


def most_strings(program: Program) -> int:
    """An upper bound on the strings that the pull-back gives."""
    terms = sum(observable.num_terms for observable in program.observables)
    table = program.circuit.op_table
    per_row = 2.0 ** (1 + popcount(table.controls[table.slot >= 0]))
    return int(min(terms * (1 + per_row.sum()), 4**program.num_qubits - 1))
