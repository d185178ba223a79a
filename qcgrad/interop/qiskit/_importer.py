"""Qiskit circuits as objectives, and back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import ImportRefused
from ...ir.circuit import Circuit
from ...ir.expectation import Expectation
from ...ir.observable import PauliSum
from ...ir.parameter_map import PureMap
from ..instructions._angle import as_angle
from ..instructions._assemble import assemble
from ._angles import Angles
from ._ending import without_ends
from ._gates import walk

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def from_circuit(circuit: "QuantumCircuit", observable: Any) -> Expectation:
    """The expectation value of an observable in a Qiskit circuit, as an objective.

    Qubit q of Qiskit is qubit q here. Qiskit's labels put qubit 0 last, qcgrad's words put it first:
    a `SparsePauliOp` or `Pauli` is reversed, a string, mapping or `PauliSum` is read as qcgrad's.

    Classical registers, final measurements (the observable replaces them) and resets of qubits that are still |0>
    (`initialize` at the start) are left out, and `notes` of the result says so. Of a transpiled circuit the observable
    is read on the circuit's own qubits, as Qiskit's primitives do: give `observable.apply_layout(circuit.layout)`.

    Args:
        circuit: unitary apart from that; parameters may enter through any expressions, which are differentiated
            exactly. A parameter on which no gate depends has gradient 0.
        observable: `SparsePauliOp`, `SparseObservable`, `Pauli`, or what `PauliSum` accepts; a list of
            these gives a vector-valued objective.

    Returns:
        An `Expectation`; its parameters are `circuit.parameters`, in that order.

    Raises:
        ImportRefused: a measurement or reset inside of the circuit, control flow, or anything without an equivalent
            here, an observable that is not Hermitian or acts on another number of qubits.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qiskit.quantum_info import SparsePauliOp
        >>> import qcgrad as qg
        >>> from qcgrad.interop import from_circuit
        >>> circuit = QuantumCircuit(2)
        >>> circuit.ry(2 * Parameter("a"), 1)  # doctest: +ELLIPSIS
        <...>
        >>> circuit.measure_all()
        >>> objective = from_circuit(circuit, SparsePauliOp("ZI"))
        >>> round(float(qg.estimate(objective, [0.25], qg.Adjoint()).value), 6)  # cos(0.5)
        0.877583
    """
    found = read(circuit)
    return found.objective(_observables(observable, circuit), _layout_notes(circuit))


class Found(NamedTuple):
    """What was found in a Qiskit circuit.

    Attributes:
        circuit: its gates.
        parameter_map: from `circuit.parameters` to the gates' parameters; None where they are the same.
        num_parameters: P of the Qiskit circuit.
        notes: what was left out, in words.
        has_driven_phase: whether a parameter drives a global phase, which no expectation value feels.
    """

    circuit: Circuit
    parameter_map: PureMap | None
    num_parameters: int
    notes: tuple[str, ...]
    has_driven_phase: bool

    def objective(self, observables: PauliSum | Sequence[PauliSum], notes: tuple[str, ...] = ()) -> Expectation:
        """Expectation values in the circuit."""
        example = None if self.parameter_map is None else np.zeros(self.num_parameters)
        return Expectation(self.circuit, observables, self.parameter_map, example=example, notes=(*self.notes, *notes))


def read(circuit: "QuantumCircuit") -> Found:
    """A Qiskit circuit in our gates; errors as `from_circuit`."""
    from qiskit import QuantumCircuit

    if not isinstance(circuit, QuantumCircuit):
        raise TypeError(f"circuit is {type(circuit).__name__}: give a qiskit.QuantumCircuit")
    if not circuit.num_qubits:
        raise ImportRefused("the circuit has no qubits")
    angles = Angles(circuit.parameters)
    try:
        found = walk(circuit, tuple(range(circuit.num_qubits)), angles)
    except RecursionError as error:
        raise ImportRefused("the circuit's definitions are nested too deeply: decompose it first") from error
    instructions, notes = without_ends(found, lambda wire: qubit_name(circuit, wire))
    num_parameters = len(circuit.parameters)
    built, parameter_map = assemble(circuit.num_qubits, instructions, num_parameters, circuit.name)
    driven = any(i.name == "gphase" and not as_angle(i.angle).is_constant for i in instructions)
    return Found(built, parameter_map, num_parameters, notes, driven)


def qubit_name(circuit: "QuantumCircuit", wire: int) -> str:
    """A qubit as its circuit's registers call it, for messages."""
    found = circuit.find_bit(circuit.qubits[wire])
    registers = [f" ({register.name}[{index}])" for register, index in found.registers[:1]]
    return f"qubit {wire}" + "".join(registers)


def _layout_notes(circuit) -> tuple[str, ...]:
    layout = circuit.layout
    if layout is None:
        return ()
    places = layout.final_index_layout(filter_ancillas=True)
    if places == list(range(circuit.num_qubits)):
        return ()
    return (
        f"the transpiled circuit holds the original qubits at {places}: the observable is read on the circuit's own "
        "qubits, give observable.apply_layout(circuit.layout)",
    )


def _observables(given, circuit):
    is_terms = isinstance(given, (list, tuple)) and all(
        isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], str) for item in given
    )
    if isinstance(given, (list, tuple)) and not is_terms:
        return [observable_on(o, circuit) for o in given]
    return observable_on(given, circuit)


def observable_on(given: Any, circuit: "QuantumCircuit") -> PauliSum:
    """An observable of a circuit as a Pauli sum; errors as `from_circuit`."""
    from qiskit.quantum_info import Pauli, SparseObservable, SparsePauliOp

    if isinstance(given, SparseObservable):
        given = SparsePauliOp.from_sparse_observable(given)
    if isinstance(given, Pauli):
        given = SparsePauliOp(given)
    if not isinstance(given, SparsePauliOp):
        found = given if isinstance(given, PauliSum) else PauliSum(given)
    else:
        found = _from_sparse(given)
    if found.num_qubits != circuit.num_qubits:
        hint = "" if circuit.layout is None else ": it was transpiled, give observable.apply_layout(circuit.layout)"
        raise ImportRefused(
            f"the observable acts on {found.num_qubits} qubits, the circuit on {circuit.num_qubits}{hint}"
        )
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
