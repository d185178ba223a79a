"""Cells on the all-Pauli hard instance: the setting that reaches an accuracy, found by trials."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import ClassVar

import numpy as np

from ...cost import Cost
from ...estimate import estimate, predict_cost
from ...estimator import AbstractEstimator
from ...estimators import Adjoint
from ...objective import point_at
from ...simulators.multicopy.votes import disturbance_bound
from .._memory import check_hard_instance
from ..hard_instance import TILT, hard_instance
from ..records import Record, costs, sampled_value_cost
from ..repeat import Recalling, trial_gradients
from ..search import Accuracy, Found, smallest_setting
from ._method_cell import MethodCell

# The search finds its way up from here: what is expected may be wrong by its constant.
_START_FRACTION = 2
_LEAST = 3


@dataclass(frozen=True, kw_only=True)
class HardInstanceCell(MethodCell):
    """A method on the hard instance of one size.

    Attributes:
        n: qubits of its state; M = 4^n - 1.
        trials: at each step of the ladder.
        ladder: ratio of neighbouring steps.
        tilt: RY angle of the tilted qubits, radians.
    """

    kind: ClassVar[str] = "hard-instance"
    model: str = "all-Pauli"
    epsilon: float = 0.3
    delta: float = 0.02
    n: int
    trials: int = 100
    ladder: float = 1.1
    tilt: float = TILT

    @property
    def where(self) -> str:
        return f"{self.model}, n = {self.n}"

    @property
    def effort(self) -> float:
        seconds_of_a_trial = 0.002 if self.described.make.is_traceable else 0.03
        return self.trials * seconds_of_a_trial * (1 + 4**self.n / 10_000)

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        check_hard_instance(self.described, self.n, max_bytes)
        objective, params = hard_instance(self.n, self.seed, self.tilt), np.zeros(4**self.n - 1)
        truth = np.asarray(estimate(objective, params, Adjoint()).gradient)
        found = self._search(objective, params, truth, notify)
        cost, idealization = self._cost(objective, params, self._at(objective, params, found.setting), truth)
        return {
            "M": len(params),
            "qubits": self.n + 1,
            **costs(cost, sampled_value_cost(objective, self.epsilon, self.delta)),
            "setting": found.setting,
            "steps": [[step.setting, step.trials, step.failures] for step in found.steps],
            "error_of_zeros": float(np.max(np.abs(truth))),
            "idealization_bound": idealization,
            "components_above_epsilon": int(np.sum(np.abs(truth) > self.epsilon)),
        }

    def _search(self, objective, params, truth, notify) -> Found:
        backend = Recalling()

        def errors_at(setting: int) -> Iterator[float]:
            # Every step of the ladder draws its own trials.
            seed = int(np.random.default_rng((self.seed, self.n, setting)).integers(2**31))
            try:
                trials = trial_gradients(objective, params, self._at(objective, params, setting), backend, seed)
                first = next(trials)
            except ValueError:
                if setting >= start:
                    raise
                # Fewer than the method takes are not enough.
                yield from repeat(math.inf)
                return
            for gradient in chain([first], trials):
                yield float(np.max(np.abs(gradient - truth)))

        expected = getattr(self._expected(objective, params), self.described.make.accuracy_option)
        start = max(_LEAST, (int(np.max(expected)) - 1) // _START_FRACTION)
        return smallest_setting(errors_at, Accuracy(self.epsilon, self.delta, self.trials), start, self.ladder, notify)

    def _expected(self, objective, params) -> AbstractEstimator:
        return self.described.make.expected_for_accuracy(point_at(objective, params)[0], self.epsilon, self.delta)

    def _at(self, objective, params, setting: int) -> AbstractEstimator:
        """The instance with another setting."""
        option = self.described.make.accuracy_option
        return self.described.changed(self._expected(objective, params), **{option: setting})

    def _cost(self, objective, params, estimator: AbstractEstimator, truth) -> tuple[Cost, float]:
        """What it costs, and what the simulation may have left out."""
        if estimator.is_traceable:
            return predict_cost(objective, estimator), 0.0  # equals the counted cost
        found = estimate(objective, params, estimator, key=self.seed)
        if found.fidelity != "idealized":
            return found.cost, 0.0
        votes = found.cost.qubits // (self.n + 1)  # copies held together
        return found.cost, disturbance_bound(truth[np.abs(truth) > self.epsilon], votes)
