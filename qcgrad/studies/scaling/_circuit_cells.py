"""Cells on circuits: cost and error of one method at one accuracy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...errors import StateTooLarge
from ...estimate import Estimate, estimate
from ...estimator import AbstractEstimator
from ...ir.noise import NoiseModel, noise_in_words
from ...objective import point_at
from ...planner import Probe
from ...simulators import DensityMatrix
from .._circuit_fields import OnCircuit
from .._memory import check_circuit
from .._methods import EXACT, samples
from ..circuits import StudyCircuit
from ..records import Record, cost_of_value, costs, sampled_value_cost
from ._method_cell import MethodCell


@dataclass(frozen=True, kw_only=True)
class CircuitCell(OnCircuit, MethodCell):
    """A method on one circuit, at what it is expected to take for the accuracy.

    Attributes:
        noise: what goes wrong, in words; None for nothing.
        most_qubits: of circuits whose size is known only when they are made; None for any.
    """

    kind: ClassVar[str] = "circuit"
    noise: tuple[str, ...] | None = None
    most_qubits: int | None = None

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        notify("reading")
        circuit = self.load()
        self._check_size(circuit)
        estimator = self._estimator(circuit)
        check_circuit(estimator, circuit, max_bytes)
        notify("reference by the adjoint method")
        reference = circuit.reference()
        notify("estimating")
        if samples(self.described):
            noise = None if self.noise is None else noise_in_words(self.noise)
            backend = None if noise is None else DensityMatrix(noise)
            found = estimate(circuit.objective, circuit.params, estimator, backend, key=self.seed)
            value = sampled_value_cost(circuit.objective, *self.accuracy)
            accuracy = self._errors(circuit, found, reference) | self._setting(estimator)
            if noise is not None:
                accuracy |= self._bias(circuit, estimator, noise)
        else:
            found = estimate(circuit.objective, circuit.params, estimator)
            value, accuracy = cost_of_value(circuit.objective, estimator), _departure(found, reference)
        return {
            "M": circuit.num_angles,
            "qubits": circuit.objective.circuit.num_qubits,
            **costs(found.cost, value),
            **accuracy,
            "observable": circuit.observable,
            "angles": circuit.angles,
            "notes": list(circuit.notes),
        }

    def _check_size(self, circuit: StudyCircuit):
        qubits = circuit.objective.circuit.num_qubits
        if self.most_qubits is not None and qubits > self.most_qubits:
            raise StateTooLarge(
                f"{circuit.name} has {qubits} qubits, and methods that sample simulate {self.most_qubits}: raise "
                "max_sampled_qubits of its series, or leave out arguments"
            )

    def _estimator(self, circuit: StudyCircuit) -> AbstractEstimator:
        """What the method is expected to take for the accuracy; exact methods themselves."""
        make = self.described.make
        point, _ = point_at(circuit.objective, circuit.params)
        if not samples(self.described):
            return make.for_accuracy(point, *EXACT)
        epsilon, delta = self.accuracy
        return make.expected_for_accuracy(point, epsilon * float(np.linalg.norm(circuit.ranges)), delta)

    @property
    def accuracy(self) -> tuple[float, float]:
        """Epsilon and delta of a method that samples."""
        assert self.epsilon is not None
        assert self.delta is not None
        return self.epsilon, self.delta

    def _setting(self, estimator: AbstractEstimator) -> Record:
        option = self.described.make.accuracy_option
        return {"setting": getattr(estimator, option)} if option else {}

    def _bias(self, circuit: StudyCircuit, estimator: AbstractEstimator, noise: NoiseModel) -> Record:
        """How far noise moves the gradient; nothing where that is too much to simulate."""
        point, _ = point_at(circuit.objective, circuit.params)
        bias = Probe(noise, point).bias(self.described, estimator)
        return {"noise_bias": bias.size, "noise_bias_error": bias.standard_error} if bias.is_known else {}

    def _errors(self, circuit: StudyCircuit, found: Estimate, reference: Estimate) -> Record:
        epsilon, _ = self.accuracy
        errors = np.abs(np.asarray(found.gradient) - np.asarray(reference.gradient))
        allowed = epsilon * np.linalg.norm(circuit.ranges) * circuit.units
        # A parameter that moves no angle has a derivative of zero and no unit.
        relative = np.divide(errors, allowed, out=np.where(errors > 0, np.inf, 0.0), where=allowed > 0)
        return {"max_error": float(np.max(errors)), "error_over_allowed": float(np.max(relative))}


def _departure(found: Estimate, reference: Estimate) -> Record:
    """How far an exact gradient is from that of the adjoint method."""
    return {"max_error": float(np.max(np.abs(np.asarray(found.gradient) - np.asarray(reference.gradient))))}
