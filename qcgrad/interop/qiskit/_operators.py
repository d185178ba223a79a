"""Qiskit's gates that are functions of operators: evolutions and fractional powers."""

from typing import Any

import numpy as np

from ...errors import ImportRefused
from ...ir.gates import MAX_DENSE_WIRES, Unitary
from ...ir.observable import PauliSum
from ..instructions._angle import as_angle
from ..instructions._instruction import ZERO, Instruction, power
from ..instructions._matrix import matrix
from ._angles import Angles

# The widest dense matrix of a fractional power.
_MAX_POWER_WIRES = 3


def evolution(operation: Any, wires: tuple[int, ...], angles: Angles) -> list[Instruction] | None:
    """exp(-i t H), exact as Qiskit simulates it; None leaves parameterised operators to Qiskit's synthesis."""
    from qiskit.quantum_info import SparseObservable, SparsePauliOp

    parts = operation.operator if isinstance(operation.operator, list) else [operation.operator]
    parts = [SparsePauliOp.from_sparse_observable(p) if isinstance(p, SparseObservable) else p for p in parts]
    if any(p.coeffs.dtype == object for p in parts):
        return None
    operator = SparsePauliOp.sum(parts)
    coefficients: Any = np.asarray(operator.coeffs)
    if np.any(np.imag(coefficients)):
        raise ImportRefused("PauliEvolutionGate of an operator that is not Hermitian")
    return _exponential(operator, angles(operation.time), wires)


def hamiltonian(operation: Any, wires: tuple[int, ...], angles: Angles) -> list[Instruction]:
    """exp(-i t H) for a dense Hermitian matrix H."""
    from qiskit.quantum_info import Operator, SparsePauliOp

    if len(wires) > MAX_DENSE_WIRES:
        raise ImportRefused(
            f"HamiltonianGate on {len(wires)} qubits: at most {MAX_DENSE_WIRES} are diagonalised exactly; split it"
        )
    return _exponential(SparsePauliOp.from_operator(Operator(operation.params[0])), angles(operation.params[1]), wires)


def _exponential(operator, time, wires) -> list[Instruction]:
    words = [label[::-1] for label in operator.paulis.to_labels()]
    terms = list(zip(words, np.real(operator.coeffs).tolist(), strict=True))
    if PauliSum(terms).is_commuting:
        return [Instruction("pauli_rot", wires, time * (2.0 * c), word) for word, c in terms]
    return [Instruction("evolution", wires, time, PauliSum(terms))]


def fractional_power(instructions: list[Instruction], exponent: float) -> list[Instruction]:
    """A power as Qiskit takes it: rotations and phases by their angle, other fixed gates by the principal root."""
    from qiskit.quantum_info import Operator

    try:
        return power(instructions, exponent)
    except ImportRefused:
        wires = list(dict.fromkeys(w for i in instructions for w in i.wires))
        is_fixed = all(as_angle(i.angle).is_constant for i in instructions)
        if not is_fixed or not 1 <= len(wires) <= _MAX_POWER_WIRES:
            raise
    local = [i._replace(wires=tuple(wires.index(w) for w in i.wires)) for i in instructions]
    root = Operator(matrix(local, len(wires))).power(exponent).data
    return [Instruction("unitary", tuple(wires), ZERO, Unitary(root))]
