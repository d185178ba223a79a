"""What the gradients for Qiskit's packages have in common: one circuit, one observable, one estimator of ours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Inexact

from ...array_types import Key
from ...backend import AbstractBackend
from ...draws import generator
from ...errors import NotApplicable
from ...estimate import estimate
from ...estimator import AbstractEstimator
from ...geometry import tangents, tensor_of
from ...ir.observable import PauliSum
from ...keys import as_key
from ...queries import Access
from ._importer import read
from ._known import known_circuit, known_sum
from ._running import Answering, Draws, backend_or_default

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


_PARTS = {"real": np.real, "imag": np.imag, "complex": np.asarray}


class Asked(NamedTuple):
    """One entry of a run.

    Attributes:
        circuit, observable: of Qiskit.
        values: of all of the circuit's parameters, in its order.
        parameters: those to differentiate by.
    """

    circuit: "QuantumCircuit"
    observable: Any
    values: Sequence[float]
    parameters: Sequence[Any]

    @property
    def places(self) -> list[int]:
        """Where the parameters stand among the circuit's."""
        index = {parameter: place for place, parameter in enumerate(self.circuit.parameters)}
        return [index[parameter] for parameter in self.parameters]


def asked(base: Any, circuits: Any, observables: Any, values: Any, parameters: Any) -> list[Asked]:
    """The entries of a run as Qiskit's base classes take them, one circuit or observable without a list too.

    Args:
        base: the base class, whose own checks these are.
        circuits, observables, values, parameters: as given to `run`.

    Raises:
        ValueError: numbers of entries, values, qubits or parameters that do not fit.
    """
    from qiskit import QuantumCircuit
    from qiskit.quantum_info.operators.base_operator import BaseOperator

    circuits = (circuits,) if isinstance(circuits, QuantumCircuit) else tuple(circuits)
    observables = (observables,) if isinstance(observables, BaseOperator) else tuple(observables)
    chosen = chosen_parameters(circuits, parameters)
    base._validate_arguments(circuits, observables, values, chosen)
    return [Asked(*entry) for entry in zip(circuits, observables, values, chosen, strict=True)]


def chosen_parameters(circuits: Sequence["QuantumCircuit"], given: Any) -> list[list[Any]]:
    """The parameters to differentiate by, for each circuit; all where none are named.

    Raises:
        ValueError: a parameter that a circuit does not have, by name.
    """
    given = [None] * len(circuits) if given is None else list(given)
    if len(given) != len(circuits):
        raise ValueError(
            f"parameters has {len(given)} entries for {len(circuits)} circuits: give one for each, or None"
        )
    found = []
    for position, (circuit, parameters) in enumerate(zip(circuits, given, strict=True)):
        known = circuit.parameters
        missing = [p for p in parameters or () if p not in known]
        if missing:
            names = ", ".join(str(getattr(p, "name", p)) for p in missing)
            raise ValueError(
                f"parameters[{position}] names {names}, which the circuit does not have: it has "
                f"{', '.join(p.name for p in known) or 'none'} (compilers remove parameters on which nothing depends)"
            )
        found.append(list(known if parameters is None else parameters))
    return found


class Differentiator:
    """Derivatives by one estimator on one backend.

    Args:
        estimator: a method of qcgrad.
        backend: who answers; by default `qcgrad.Statevector()`.
        key: JAX random key or integer seed, from which every gradient gets a key of its own; None for draws that nobody
            can repeat.

    Raises:
        TypeError: another estimator or backend.
    """

    def __init__(self, estimator: AbstractEstimator, backend: Answering | None, key: Key | int | None):
        if isinstance(estimator, type) or not isinstance(estimator, AbstractEstimator):
            raise TypeError(f"estimator is {estimator!r}: {_advice(estimator)}")
        self.estimator = estimator
        self.backend = backend_or_default(backend)
        used = as_key(key)
        self._draws = Draws(None if used is None else generator(used))

    def next(self) -> Draws:
        """What one run draws from."""
        return self._draws.next()

    def refuse_precision(self, precision: Any) -> None:
        """Refuse a precision that the estimator would not heed; one that is exact in any case meets it."""
        if precision is not None and self.estimator.access is not Access.white_box:
            raise ValueError(
                f"precision is {precision}: the errors of {type(self.estimator).__name__} follow from its own options, "
                "choose these and give no precision"
            )

    def gradients(self, run: Sequence[Asked], kind: str, draws: Draws) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
        """Derivatives of all entries, and what they took.

        Args:
            run: the entries.
            kind: "real", "imag" or "complex".
            draws: as `next` gives it.
        """
        with jax.enable_x64(True):
            one = self._estimated if kind == "real" else self._overlaps
            found = [one(entry, draws) for entry in run]
        pairs = zip(run, found, strict=True)
        metadata = [{"parameters": entry.parameters, **extra} for entry, (_, extra) in pairs]
        if kind == "real":
            return [gradient for gradient, _ in found], metadata
        return [_PARTS[kind](2 * overlaps) for overlaps, _ in found], metadata

    def _estimated(self, entry: Asked, draws: Draws) -> tuple[Inexact[np.ndarray, "D"], dict[str, Any]]:
        if not entry.parameters:
            return np.zeros(0), {}
        objective, values, places = self._objective(entry)
        key = draws.key()
        found = estimate(objective, np.asarray(values, float), self.estimator, self.backend, key=key)
        extra = {
            "value": float(found.value[0]),
            "variance": np.asarray(found.variance)[0, places],
            "bias_bound": np.asarray(found.bias_bound)[0, places],
            "fidelity": found.fidelity,
            "result": found.result,
            "message": found.result.message,
            "cost": found.cost,
        }
        return np.asarray(found.gradient)[0, places], extra

    def _objective(self, entry):
        """What to differentiate, at which values, and which of the derivatives are asked for."""
        circuit, places = entry.circuit, entry.places
        observable = known_sum(entry.observable, circuit)
        used = sorted(set(places))
        # A sweep gives all derivatives at once; others would pay for those that nobody asks for.
        if self.estimator.access is Access.white_box or len(used) == circuit.num_parameters:
            return known_circuit(circuit).objective((observable,)), entry.values, places
        fixed = {p: entry.values[k] for k, p in enumerate(circuit.parameters) if k not in used}
        objective = read(circuit.assign_parameters(fixed)).objective((observable,))
        return objective, [entry.values[k] for k in used], [used.index(place) for place in places]

    def _overlaps(self, entry: Asked, draws: Draws) -> tuple[Inexact[np.ndarray, "D"], dict[str, Any]]:
        """The overlaps <psi|O|d psi>, of which only amplitudes tell the imaginary part."""
        if self.estimator.access is not Access.white_box or self.estimator.is_random:
            raise NotApplicable(
                f"{type(self.estimator).__name__} estimates real derivatives: for derivative_type IMAG or COMPLEX "
                "give an exact method that sees amplitudes, for example qcgrad.Adjoint()"
            )
        known = known_circuit(entry.circuit)
        if known.found.has_driven_phase:
            raise NotApplicable(driven_phase("derivative_type IMAG or COMPLEX depends on it"))
        objective = known.objective((known_sum(entry.observable, entry.circuit),))
        found = tangents(objective, np.asarray(entry.values, float), self.backend, chosen=entry.places)
        return found.observed[0], {}


def metrics(
    circuits: Sequence["QuantumCircuit"],
    values: Any,
    parameters: Any,
    phase_fix: bool,
    kind: str,
    backend: AbstractBackend,
) -> tuple[list[Inexact[np.ndarray, "D D"]], list[dict[str, Any]]]:
    """Quantum geometric tensors by the chosen parameters of each circuit, and their metadata.

    Args:
        circuits, values, parameters: entries of a run.
        phase_fix: whether to subtract the second term.
        kind: "real", "imag" or "complex".
        backend: who answers.

    Raises:
        NotApplicable: without `phase_fix`, a parameter that drives the global phase.
    """
    tensors = []
    with jax.enable_x64(True):
        for circuit, numbers, chosen in zip(circuits, values, parameters, strict=True):
            entry, known = Asked(circuit, None, numbers, chosen), known_circuit(circuit)
            if known.found.has_driven_phase and not phase_fix:
                raise NotApplicable(driven_phase("phase_fix=False depends on it"))
            objective = known.objective((PauliSum("I" * circuit.num_qubits),))
            found = tangents(objective, np.asarray(numbers, float), backend, chosen=entry.places)
            tensors.append(_PARTS[kind](tensor_of(found, phase_fix)))
    return tensors, [{"parameters": list(chosen)} for chosen in parameters]


def driven_phase(why: str) -> str:
    """The refusal of a global phase that the import leaves out."""
    return (
        f"a parameter drives the circuit's global phase, which is left out here, and {why}: write rz for p, "
        "ry and rz for u, and give the circuit no parameterised global_phase"
    )


def _advice(given) -> str:
    from qiskit.primitives import BaseEstimatorV2

    if isinstance(given, BaseEstimatorV2):
        return (
            "that is a primitive, which answers; say how to differentiate, for example qcgrad.ParameterShift(), and "
            "name the primitive as backend=..."
        )
    return "give a qcgrad estimator object, for example qcgrad.Adjoint()"
