"""An objective of whatever describes a circuit, by what it is."""

from typing import Any

from ..ir import Circuit, Expectation
from ..objective import AbstractObjective
from .qasm import Imported


def takes_observable(given: object) -> bool:
    """Whether something is a circuit alone, so that an observable has to be given with it.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.interop.objectives import takes_observable
        >>> circuit = qg.Circuit(1).ry(0, param=0)
        >>> takes_observable(circuit), takes_observable(qg.Expectation(circuit, "Z"))
        (True, False)
    """
    return isinstance(given, (Circuit, Imported)) or _class_in(given, "qiskit", "QuantumCircuit")


def as_objective(given: Any, observable: Any = None, arguments: tuple[Any, ...] = ()) -> AbstractObjective:
    """The objective of a circuit, of this package or another one, or of what measures its observables itself.

    Args:
        given: an objective, which is returned; a qcgrad `Circuit`, an imported program or a Qiskit `QuantumCircuit`; a
            PennyLane QNode or tape.
        observable: of a circuit, see `takes_observable`.
        arguments: examples of those of a QNode.

    Returns:
        An objective.

    Raises:
        TypeError: it is none of these, or a circuit without an observable, or has an observable of its own.
        ImportRefused: it has no equivalent here.

    Cost: that of the importer, see `from_qnode` and `from_circuit`.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.interop.objectives import as_objective
        >>> as_objective(qg.Circuit(2).ry(0, param=0).cnot(0, 1), "ZZ").num_parameters
        1
    """
    if takes_observable(given):
        if observable is None:
            raise TypeError(f"a {type(given).__name__} measures nothing by itself: give an observable")
        return _of_circuit(given, observable)
    if observable is not None:
        raise TypeError(f"a {type(given).__name__} has an observable of its own: leave out {observable!r}")
    if isinstance(given, AbstractObjective):
        return given
    if _class_in(given, "pennylane", "QNode"):
        from .pennylane import from_qnode

        return from_qnode(given, *arguments)
    if _class_in(given, "pennylane", "QuantumScript"):
        from .pennylane import from_tape

        return from_tape(given)
    raise TypeError(
        f"{given!r} is no circuit: give a qcgrad circuit or objective, a PennyLane QNode or tape, or a Qiskit circuit"
    )


def _of_circuit(given: Any, observable: Any) -> AbstractObjective:
    if isinstance(given, Circuit):
        return Expectation(given, observable)
    if isinstance(given, Imported):
        return given.expectation(observable)
    from .qiskit import from_circuit

    return from_circuit(given, observable)


def _class_in(given: object, package: str, name: str) -> bool:
    """Whether something is of a class of a package, or of one that derives from it; nothing is imported for that."""
    return any(base.__name__ == name and base.__module__.split(".")[0] == package for base in type(given).__mro__)
