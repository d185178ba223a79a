"""Qiskit circuits as objectives, and back."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ImportRefused
from ..ir.expectation import Expectation
from ..ir.observable import PauliSum
from .assemble import assemble
from .qiskit_angles import Angles
from .qiskit_export import to_circuit as to_circuit
from .qiskit_gates import walk

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def from_circuit(circuit: "QuantumCircuit", observable: Any) -> Expectation:
    """The expectation value of an observable in a Qiskit circuit, as an objective.

    Qubit q of Qiskit is qubit q here. Qiskit's labels put qubit 0 last, qcgrad's words put it first:
    a `SparsePauliOp` or `Pauli` is reversed, a string, mapping or `PauliSum` is read as qcgrad's.

    Args:
        circuit: unitary; parameters may enter through any expressions, which are differentiated exactly.
        observable: `SparsePauliOp`, `SparseObservable`, `Pauli`, or what `PauliSum` accepts; a list of
            these gives a vector-valued objective.

    Returns:
        An `Expectation`; its parameters are `circuit.parameters`, in that order.

    Raises:
        ImportRefused: a measurement, reset, control flow, or anything without an equivalent here, a
            parameter that changes a global phase only, an observable that is not Hermitian.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qiskit.quantum_info import SparsePauliOp
        >>> import qcgrad as qg
        >>> from qcgrad.interop import from_circuit
        >>> circuit = QuantumCircuit(2)
        >>> circuit.ry(2 * Parameter("a"), 1)  # doctest: +ELLIPSIS
        <...>
        >>> objective = from_circuit(circuit, SparsePauliOp("ZI"))
        >>> round(float(qg.estimate(objective, [0.25], qg.Adjoint()).value), 6)  # cos(0.5)
        0.877583
    """
    from qiskit import QuantumCircuit

    if not isinstance(circuit, QuantumCircuit):
        raise TypeError(f"circuit is {type(circuit).__name__}: give a qiskit.QuantumCircuit")
    if not circuit.num_qubits:
        raise ImportRefused("the circuit has no qubits")
    angles = Angles(circuit.parameters)
    instructions = walk(circuit, tuple(range(circuit.num_qubits)), angles)
    num_parameters = len(circuit.parameters)
    built, parameter_map, phase_only = assemble(circuit.num_qubits, instructions, num_parameters)
    if phase_only:
        name = circuit.parameters[min(phase_only)].name
        raise ImportRefused(
            f"parameter {name!r} occurs in a global phase only, so its gradient is always zero: bind it"
        )
    observables = _observables(observable, circuit.num_qubits)
    if parameter_map is None:
        return Expectation(built, observables)
    return Expectation(built, observables, parameter_map, example=np.zeros(num_parameters))


def _observables(given, num_qubits):
    is_terms = isinstance(given, (list, tuple)) and all(
        isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], str) for item in given
    )
    if isinstance(given, (list, tuple)) and not is_terms:
        return [_observable(o, num_qubits) for o in given]
    return _observable(given, num_qubits)


def _observable(given, num_qubits) -> PauliSum:
    from qiskit.quantum_info import Pauli, SparseObservable, SparsePauliOp

    if isinstance(given, SparseObservable):
        given = SparsePauliOp.from_sparse_observable(given)
    if isinstance(given, Pauli):
        given = SparsePauliOp(given)
    if not isinstance(given, SparsePauliOp):
        found = given if isinstance(given, PauliSum) else PauliSum(given)
    else:
        found = _from_sparse(given)
    if found.num_qubits != num_qubits:
        raise ImportRefused(f"the observable acts on {found.num_qubits} qubits, the circuit on {num_qubits}")
    return found


def _from_sparse(operator) -> PauliSum:
    coefficients: Any = np.asarray(operator.coeffs)
    if coefficients.dtype == object:
        raise ImportRefused("the observable has unbound parameters: bind them, only the circuit is differentiated")
    # Rounding in products of Paulis leaves imaginary parts of this size.
    if np.abs(coefficients.imag).max() > 1e-12 * max(1.0, np.abs(coefficients).max()):
        raise ImportRefused(
            f"the observable is not Hermitian: it has the coefficient {coefficients[np.argmax(abs(coefficients.imag))]}"
        )
    labels = operator.paulis.to_labels()
    terms = [(label[::-1], float(c)) for label, c in zip(labels, coefficients.real, strict=True)]
    return PauliSum([(w.lstrip("-"), -c if w.startswith("-") else c) for w, c in terms])
