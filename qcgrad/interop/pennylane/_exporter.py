"""Circuits and objectives of qcgrad as quantum functions of PennyLane."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ImportRefused
from ...ir.circuit import Circuit
from ...ir.expectation import Expectation
from ...ir.gates import GATES, Gate, MatrixPrimitive
from ...ir.observable import PauliSum
from ...ir.parameter_map import AffineMap
from ._gates import NAMES
from ._objective import QNodeExpectation

if TYPE_CHECKING:
    from pennylane.operation import Operator

# Of two names of PennyLane for one gate the first; identities are imported as nothing.
_NAMES = {ours: theirs for theirs, ours in reversed(NAMES.items())} | {"id": "Identity"}
_ADJOINTS = {"sdg": "S", "tdg": "T", "sxdg": "SX"}


def to_pennylane(what: Circuit | Expectation, wires: Sequence[Any] | None = None) -> Callable[..., Any]:
    """The same circuit, or objective, as a quantum function of PennyLane: what `qml.QNode` takes.

    An evolution under terms that do not commute is written through the eigenvectors of its Hamiltonian, exactly, so
    that every `diff_method` applies.

    Args:
        what: a circuit, whose function queues its gates; or an `Expectation`, whose function returns `qml.expval` of
            its observable too, and a tuple of these for several observables.
        wires: wire labels in the order of the qubits; by default 0 to n - 1.

    Returns:
        A function of the parameters, in any of PennyLane's interfaces: the flat vector (P,), or what the objective's
        own parameter map takes, which is called as it is. Without parameters it is called with nothing.

    Raises:
        ImportRefused: an objective that was imported from a QNode with processed results (`qml.var`, for one).
        ValueError: a wrong number of wires, or one that is named twice; when called, a wrong number of parameters.

    Example:
        >>> import pennylane as qml, qcgrad as qg
        >>> from qcgrad.interop import to_pennylane
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0, scale=2.0).cx(0, 1), "IZ")
        >>> qnode = qml.QNode(to_pennylane(objective, wires=["a", "b"]), qml.device("default.qubit"))
        >>> round(float(qnode([0.3])), 6)  # cos(0.6)
        0.825336
        >>> print(qml.draw(qnode)([0.3]))
        a: ──RY(0.60)─╭●─┤
        b: ───────────╰X─┤  <Z>
    """
    if not isinstance(what, (Circuit, Expectation)):
        raise TypeError(f"what is {type(what).__name__}: give a qcgrad.Circuit or an Expectation")
    circuit = what if isinstance(what, Circuit) else what.circuit
    labels = _labels(wires, circuit.num_qubits)
    if isinstance(what, Circuit):
        return lambda params=(): _queue(circuit, params, labels)
    if isinstance(what, QNodeExpectation) and what.results is not None:
        raise ImportRefused(
            "the objective processes its expectation values as the QNode did that it was imported from: use that "
            "QNode, or export objective.circuit and process the results yourself"
        )

    def function(params=()):
        import pennylane as qml

        _queue(circuit, _circuit_parameters(what, params), labels)
        found = tuple(qml.expval(operator(terms_of(observable), labels)) for observable in what.program.observables)
        return found if what.is_vector else found[0]

    return function


def operations(circuit: Circuit, wires: Sequence[Any]) -> "list[Operator]":
    """The gates of a circuit without parameters as operations, also inside of a QNode, which does not queue them.

    Args:
        circuit: whose gates have numbers for angles.
        wires: a label for each qubit.
    """
    from pennylane.queuing import AnnotatedQueue

    with AnnotatedQueue() as queue:
        _queue(circuit, (), list(wires))
    return list(queue.queue)


def terms_of(observable: PauliSum) -> list[tuple[str, float]]:
    """(Pauli word, coefficient) of each term."""
    return list(zip(observable.words, observable.coefficients.tolist(), strict=True))


def operator(terms: Sequence[tuple[str, float]], wires: Sequence[Any]) -> "Operator":
    """A sum of Pauli words on these wire labels, which a QNode does not queue."""
    import pennylane as qml

    places = {label: k for k, label in enumerate(wires)}
    with qml.QueuingManager.stop_recording():
        words: list[Any] = [qml.pauli.string_to_pauli_word(word, wire_map=places) for word, _ in terms]
        coefficients = [coefficient for _, coefficient in terms]
        return words[0] if coefficients == [1.0] else qml.Hamiltonian(coefficients, words)


def _labels(wires, num_qubits: int) -> list[Any]:
    labels = list(range(num_qubits) if wires is None else wires)
    if len(labels) != num_qubits or len(set(labels)) != num_qubits:
        raise ValueError(f"wires are {labels}: give {num_qubits} different labels, one for each qubit")
    return labels


def _circuit_parameters(objective: Expectation, params) -> Any:
    known = objective.parameter_map
    if known is None:
        return params
    if not isinstance(known, AffineMap):
        return known(params)
    import pennylane as qml

    flat: Any = qml.math.flatten(params)  # pyright: ignore[reportAttributeAccessIssue]
    found: list[Any] = known.offset.tolist()
    for row, column, weight in zip(known.row.tolist(), known.column.tolist(), known.weight.tolist(), strict=True):
        found[row] = found[row] + weight * flat[column]
    return found


def _queue(circuit: Circuit, params, labels):
    if len(params) != circuit.num_parameters:
        raise ValueError(f"params has {len(params)} entries: the circuit takes {circuit.num_parameters} parameters")
    for gate in circuit.gates:
        angle = gate.offset
        if gate.param is not None:
            angle = gate.scale * params[gate.param] + gate.offset
        _operation(gate, angle, [labels[w] for w in gate.wires], labels)


def _operation(gate: Gate, angle, wires: list[Any], labels: list[Any]):
    import pennylane as qml

    name = gate.name
    if name in _NAMES:
        getattr(qml, _NAMES[name])(*([angle] if GATES[name].has_angle else []), wires=wires)
    elif name in _ADJOINTS:
        qml.adjoint(getattr(qml, _ADJOINTS[name]))(wires=wires)
    elif name == "csx":
        qml.ctrl(qml.SX, control=wires[0])(wires=wires[1])
    elif name == "gphase":
        qml.GlobalPhase(-angle)
    else:
        for primitive in gate.primitives():
            places = [labels[w] for w in primitive.wires]
            if isinstance(primitive, MatrixPrimitive):
                qml.QubitUnitary(np.array(primitive.matrix), wires=places)
            else:
                _rotation(primitive.letters, primitive.scale * angle, places)


def _rotation(letters: str, angle, places: list[Any]):
    import pennylane as qml

    acting = [(letter, place) for letter, place in zip(letters, places, strict=True) if letter != "I"]
    if acting:
        qml.PauliRot(angle, "".join(letter for letter, _ in acting), wires=[place for _, place in acting])
    else:
        qml.GlobalPhase(angle / 2)
