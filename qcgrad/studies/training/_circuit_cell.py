"""Cells of a training study on circuits."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import jax
import numpy as np

from ...array_types import Params
from ...cost import Budget, Cost
from ...differentiable import as_jax
from ...errors import NotApplicable
from ...estimator import AbstractEstimator
from ...estimators import Adjoint
from ...ir import Expectation
from ...optimizers import Minimized, minimize
from .._circuit_fields import OnCircuit
from .._memory import check, check_circuit
from .._over_seeds import key_of
from ..choices import labelled
from ..gradients import estimator_of
from ..learning._optimizers import asks_for_shots, optimizer_of, shot_optimizer
from ..records import Record

# A step of the history keeps parameters, gradient, variance and bias, and about so much beside them.
_ARRAYS_OF_STEP, _BYTES_OF_STEP = 6, 10_000

# Points at which curvature is looked at, and how far they are from the start, radians.
_LOOKS, _REACH = 5, 0.3


@dataclass(frozen=True, kw_only=True)
class CircuitTrainingCell(OnCircuit):
    """An expectation value minimised by an estimator and an optimiser; options are JSON.

    Attributes:
        method, method_options: of the catalogue.
        optimizer, optimizer_options: of optax or `qcgrad.optimizers`.
        start: "given", at the circuit's own angles, or "random", uniform in (-pi, pi).
        copies: most of the state, None for no limit.
        steps: most of them.
        points: how many steps are kept.
        repetition: which of several with other draws.
    """

    kind: ClassVar[str] = "circuit-training"
    method: str
    method_options: str
    optimizer: str
    optimizer_options: str
    start: str
    copies: int | None = None
    steps: int
    points: int
    repetition: int

    @property
    def label(self) -> str:
        by = labelled(self.optimizer, self.optimizer_options)
        on = ", ".join(filter(None, (self.circuit, self.observable)))
        return f"{labelled(self.method, self.method_options)}, {by}, {on}, seed {self.repetition}"

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        notify("reading")
        circuit = self.load()
        objective, start = circuit.objective, self._start(circuit.params)
        estimator = estimator_of(self.method, self.method_options)
        check_circuit(estimator, circuit, max_bytes)
        self._check_history(start, max_bytes)
        try:
            found = self._minimized(objective, start, estimator, notify)
        except NotApplicable as error:  # which optimiser goes with which method is a result as well
            return {"refused": str(error)}
        return {
            "M": circuit.num_angles,
            "qubits": objective.circuit.num_qubits,
            "total": asdict(found.total),
            "made": len(found.history),
            "ended": str(found.result).replace("_", " "),
            "why_it_ended": found.result.message,
            "along": self._along(objective, start, found),
            "observable": circuit.observable,
            "angles": circuit.angles,
        }

    def _start(self, given: np.ndarray) -> np.ndarray:
        if self.start == "given":
            return given
        return np.random.default_rng((self.seed, self.repetition)).uniform(-np.pi, np.pi, np.shape(given))

    def _minimized(
        self, objective: Expectation, start: np.ndarray, estimator: AbstractEstimator, notify: Callable[[str], None]
    ) -> Minimized:
        if asks_for_shots(self.optimizer):
            optimizer = shot_optimizer(
                self.optimizer, self.optimizer_options, lambda: largest_curvature(objective, start)
            )
        else:
            optimizer = optimizer_of(self.optimizer, self.optimizer_options)
        made = iter(range(1, self.steps + 1))
        return minimize(
            objective,
            start,
            optimizer,
            estimator,
            key=key_of(self.seed, self.repetition),
            steps=self.steps,
            budget=None if self.copies is None else Budget(copies=self.copies),
            callback=lambda step: notify(f"step {next(made):,}, {step.total.copies:,} copies"),
        )

    def _check_history(self, start: np.ndarray, max_bytes: int | None) -> None:
        history = self.steps * (_ARRAYS_OF_STEP * start.nbytes + _BYTES_OF_STEP)
        check(history, lambda allowed: f"about {self.steps * allowed // history:,} steps would fit", max_bytes)

    def _along(self, objective: Expectation, start: Params, found: Minimized) -> dict[str, list[Any]]:
        """Exact values after some of the steps, and what was spent until then."""
        # The parameters after the last estimate are its result.
        points = [start, *(step.params for step in found.history[1:]), found.params]
        totals = [Cost(), *(step.total for step in found.history)]
        last = len(totals) - 1
        kept = sorted({round(last * (k / (self.points - 1)) ** 2) for k in range(self.points)})
        value = jax.jit(as_jax(objective, Adjoint()))
        return {
            "step": kept,
            "copies": [totals[k].copies for k in kept],
            "flops": [totals[k].flops for k in kept],
            "loss": [float(value(points[k])) for k in kept],
        }


def largest_curvature(objective: Expectation, at: np.ndarray) -> float:
    """Of exact Hessians at a few points around one: what `lipschitz` would be if it were known.

    Bounds that hold everywhere, `qcgrad.optimizers.lipschitz_constant`, are ten times larger on typical circuits.
    """
    slope = jax.grad(as_jax(objective, Adjoint()))
    # Column by column: as much memory as one gradient takes.
    column = jax.jit(lambda x, direction: jax.jvp(slope, (x,), (direction,))[1])
    points = at + _REACH * np.random.default_rng(0).normal(size=(_LOOKS, at.size))
    hessians = (np.stack([column(point, unit) for unit in np.eye(at.size)]) for point in points)
    return max(float(np.abs(np.linalg.eigvalsh((h + h.T) / 2)).max()) for h in hessians)
