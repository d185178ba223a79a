"""Cells of an accuracy study: trials of one estimate."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from ...estimate import estimate
from .._circuit_fields import OnCircuit
from .._memory import check_circuit
from ..records import Record
from ..repeat import trial_gradients
from ._methods import estimator_of


@dataclass(frozen=True, kw_only=True)
class GradientCell(OnCircuit):
    """A method with its options on one circuit, several times.

    Attributes:
        method, options: of the catalogue; options as JSON.
        trials: independent estimates; exact methods take one.
    """

    kind: ClassVar[str] = "gradient"
    method: str
    options: str
    trials: int

    @property
    def label(self) -> str:
        return f"{self.method} {self.options if self.options != '{}' else ''}".strip() + f", {self.circuit}"

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        notify("reading")
        circuit = self.load()
        estimator = estimator_of(self.method, self.options)
        check_circuit(estimator, circuit, max_bytes)
        notify("reference by the adjoint method")
        reference = np.asarray(circuit.reference().gradient)
        notify("estimating")
        found = estimate(circuit.objective, circuit.params, estimator, key=self.seed)
        errors = [np.asarray(found.gradient) - reference]
        if found.cost.copies:
            trials = trial_gradients(circuit.objective, circuit.params, estimator, None, self.seed)
            errors = [np.asarray(gradient) - reference for gradient in islice(trials, self.trials)]
        squares = np.square(np.stack(errors))
        return {
            "M": circuit.num_angles,
            "qubits": circuit.objective.circuit.num_qubits,
            "gradient": asdict(found.cost),
            "trials": len(errors),
            "rms_error": float(np.sqrt(squares.mean())),
            "rms_standard_error": _spread(np.sqrt(squares.mean(axis=1))),
            "max_error": float(np.sqrt(squares.max())),
            "reported_standard_error": _root_mean(found.variance),
            "bias_bound": float(np.max(np.abs(np.asarray(found.bias_bound)), initial=0.0)),
            "fidelity": found.fidelity,
            "observable": circuit.observable,
            "angles": circuit.angles,
            "notes": list(circuit.notes),
        }


def _spread(values: np.ndarray) -> float | None:
    """Standard error of the mean of trials; None for a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None


def _root_mean(variance: Any) -> float | None:
    """Over the components; None where a variance is not known."""
    found = float(np.sqrt(np.mean(np.asarray(variance))))
    return found if np.isfinite(found) else None
