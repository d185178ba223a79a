"""Cells of an accuracy study: trials of one estimate."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from ...catalogue import methods
from ...estimate import estimate
from ...estimator import AbstractEstimator
from ...objective import point_at
from .._circuit_fields import OnCircuit
from .._memory import check_circuit
from ..circuits import StudyCircuit
from ..records import Record
from ..repeat import trial_gradients
from ._conditions import Condition, backend_of
from ._methods import estimator_of


@dataclass(frozen=True, kw_only=True)
class GradientCell(OnCircuit):
    """A method on one circuit, several times: with its options, or the cheapest instance for an accuracy.

    Attributes:
        method, options: of the catalogue; options as JSON.
        epsilon, delta: the accuracy; None for what the options say.
        noise: what goes wrong, in words; None for nothing.
        backend: that simulates it, by name; None for the default one.
        trials: independent estimates; exact methods take one.
    """

    kind: ClassVar[str] = "gradient"
    method: str
    options: str
    epsilon: float | None = None
    delta: float | None = None
    noise: tuple[str, ...] | None = None
    backend: str | None = None
    trials: int

    @property
    def label(self) -> str:
        facts = [f"{self.method} {self.options if self.options != '{}' else ''}".strip(), self.circuit]
        facts += [self.observable] if self.observable else []
        facts += [f"ε = {self.epsilon:g}, δ = {self.delta:g}"] if self.epsilon is not None else []
        facts += [*(self.noise or ()), *([self.backend] if self.backend else [])]
        return ", ".join(facts) + (f", seed {self.seed}" if self.seed else "")

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        notify("reading")
        circuit = self.load()
        estimator = self._estimator(circuit)
        check_circuit(estimator, circuit, max_bytes)
        notify("reference by the adjoint method")
        reference = np.asarray(circuit.reference().gradient)
        notify("estimating")
        backend = backend_of(Condition(self.noise, self.backend))
        found = estimate(circuit.objective, circuit.params, estimator, backend, key=self.seed)
        gradients: Iterator[Any] = iter([found.gradient])
        if found.cost.copies:
            trials = trial_gradients(circuit.objective, circuit.params, estimator, backend, self.seed)
            gradients = islice(trials, self.trials)
        # One trial at a time: all of them together may be more than memory holds.
        errors = [_Error.of(np.asarray(gradient) - reference, self._allowed(circuit)) for gradient in gradients]
        squares = np.array([error.square for error in errors])
        return {
            "M": circuit.num_angles,
            "qubits": circuit.objective.circuit.num_qubits,
            "gradient": asdict(found.cost),
            "trials": len(errors),
            "rms_error": float(np.sqrt(squares.mean())),
            "rms_standard_error": _spread(np.sqrt(squares)),
            "max_error": max(error.largest for error in errors),
            **self._promise(circuit, estimator, errors),
            "reported_standard_error": _root_mean(found.variance),
            "bias_bound": _finite(np.max(np.abs(np.asarray(found.bias_bound)), initial=0.0)),
            "fidelity": found.fidelity,
            "observable": circuit.observable,
            "angles": circuit.angles,
            "notes": list(circuit.notes),
        }

    def _estimator(self, circuit: StudyCircuit) -> AbstractEstimator:
        if self.epsilon is None or self.delta is None:
            return estimator_of(self.method, self.options)
        point, _ = point_at(circuit.objective, circuit.params)
        norm = float(np.linalg.norm(circuit.ranges))
        return methods()[self.method].make.for_accuracy(point, self.epsilon * norm, self.delta)

    def _allowed(self, circuit: StudyCircuit) -> np.ndarray | float:
        """Errors that the accuracy allows; any where none is asked for."""
        return math.inf if self.epsilon is None else self.epsilon * np.linalg.norm(circuit.ranges) * circuit.units

    def _promise(self, circuit: StudyCircuit, estimator: AbstractEstimator, errors: list["_Error"]) -> Record:
        """How often the accuracy is missed, and what was taken to reach it."""
        if self.epsilon is None:
            return {}
        option = methods()[self.method].make.accuracy_option
        setting = {"setting": getattr(estimator, option)} if option else {}
        return {"missed": sum(error.is_too_large for error in errors), **setting}


@dataclass(frozen=True)
class _Error:
    """The error of one gradient.

    Attributes:
        square: mean over components.
        largest: component.
        is_too_large: whether any component is further off than allowed.
    """

    square: float
    largest: float
    is_too_large: bool

    @classmethod
    def of(cls, error: np.ndarray, allowed: np.ndarray | float) -> "_Error":
        size = np.abs(error)
        return cls(float(np.mean(size**2)), float(np.max(size)), bool(np.any(size > allowed)))


def _spread(values: np.ndarray) -> float | None:
    """Standard error of the mean of trials; None for a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None


def _root_mean(variance: Any) -> float | None:
    """Over the components; None where a variance is not known."""
    return _finite(np.sqrt(np.mean(np.asarray(variance))))


def _finite(number: Any) -> float | None:
    """A number, None where it is not known, as the bias on a device with noise."""
    return float(number) if np.isfinite(number) else None
