"""Cells on circuits: cost and error of one method at one accuracy."""

import numpy as np

from ..errors import ImportRefused
from ..estimate import estimate
from ..estimators import Adjoint, GentleSweep, ParameterShift
from .accuracy import gradient_shots, sweep_copies, value_shots
from .circuits import StudyCircuit, content_of, load_study_circuit
from .memory import check_circuit
from .plan import Cell
from .records import Record, costs, value_cost


def circuit_record(cell: Cell, notify, max_bytes: int | None = None) -> Record:
    """The record of a cell of kind "circuit".

    Raises:
        ImportRefused: the circuit cannot be used, or what is recorded of it is wrong.
        StateTooLarge: it would not fit.
    """
    notify("reading")
    circuit = _circuit_of(cell)
    check_circuit(cell, circuit, max_bytes)
    notify("reference by the adjoint method")
    reference = circuit.reference()
    exact = np.asarray(reference.gradient)
    if cell["method"] == "adjoint":
        found, value_estimator = reference, Adjoint()
        accuracy = {} if circuit.recorded is None else {"max_error": _largest(exact - circuit.recorded.gradient)}
    else:
        notify("estimating")
        estimator = _sampling_estimator(cell, circuit)
        value_estimator = ParameterShift(shots=value_shots(cell["epsilon"], cell["delta"]))
        found = estimate(circuit.objective, circuit.params, estimator, key=cell["seed"])
        errors = np.abs(np.asarray(found.gradient) - exact)
        allowed = cell["epsilon"] * np.linalg.norm(circuit.ranges) * circuit.units
        # A parameter that moves no angle has a derivative of zero and no unit.
        relative = np.divide(errors, allowed, out=np.where(errors > 0, np.inf, 0.0), where=allowed > 0)
        accuracy = {
            "shots_per_evaluation": getattr(estimator, "shots", ""),
            "max_error": _largest(errors),
            "error_over_allowed": _largest(relative),
        }
    return {
        "M": circuit.num_angles,
        "qubits": circuit.objective.circuit.num_qubits,
        **costs(found.cost, value_cost(circuit.objective, value_estimator)),
        **accuracy,
        "observable": circuit.observable,
        "angles": circuit.angles,
        "notes": list(circuit.notes),
    }


def _circuit_of(cell: Cell) -> StudyCircuit:
    name = cell.get("path", cell["circuit"])
    if "content" in cell and content_of(name) != cell["content"]:
        raise ImportRefused(f"{name} has changed since the study began: run the study again")
    return load_study_circuit(name, cell.get("observable"), cell.get("seed", 0))


def _sampling_estimator(cell: Cell, circuit: StudyCircuit) -> ParameterShift | GentleSweep:
    epsilon, delta = cell["epsilon"], cell["delta"]
    if cell["method"] == "parameter-shift":
        return ParameterShift(shots=gradient_shots(circuit.num_angles, epsilon, delta))
    return GentleSweep(sweep_copies(circuit.objective.program, epsilon, delta), pointer_variance=1.0, batches=1)


def _largest(errors) -> float:
    return float(np.max(np.abs(errors)))
