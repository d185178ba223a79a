"""What a minimisation found out."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..array_types import Params
from ..cost import Cost
from ..errors import BackendFailed, QcgradError
from ..result import Estimate, Result


class Step(NamedTuple):
    """One estimate on the way.

    Attributes:
        params: where it was made.
        estimate: value, gradient, variances and cost.
        total: cost of everything so far, this estimate included.
    """

    params: Params
    estimate: Estimate
    total: Cost


@dataclass(frozen=True)
class Minimized:
    """Where a minimisation got to, and all that it computed on the way.

    Attributes:
        params: after the last update; where a rule stopped it, those that the rule looked at.
        history: every estimate, as `Step`.
        total: what was spent.
        result: how it ended: "ok" (a stopping rule), "steps_exhausted", "budget_exhausted", "not_finite",
            "interrupted" or "failed", with a message.
        state: of the optimiser, to go on from.
        failure: the error of the step that a backend failed in, else None; `minimize(start=...)` goes on inside it, so
            that what was answered is not asked again. Its copies are part of `total` once the step is complete.
    """

    params: Params
    history: tuple[Step, ...]
    total: Cost
    result: Result
    state: Any
    failure: BackendFailed | None = None

    @property
    def values(self) -> Float[np.ndarray, "steps"]:
        """The estimated value of each step."""
        return np.array([float(step.estimate.value) for step in self.history])

    @property
    def copies(self) -> Int[np.ndarray, "steps"]:
        """Copies spent up to each step: `values` against this is loss against copies."""
        return np.array([step.total.copies for step in self.history], np.int64)

    def __repr__(self) -> str:
        value = f"value={self.values[-1]:.6g}, " if self.history else ""
        return f"Minimized({value}steps={len(self.history)}, copies={self.total.copies:,}, result={str(self.result)!r})"


class MinimizationFailed(QcgradError, RuntimeError):
    """A backend or an estimator failed on the way; `minimized` holds everything computed until then."""

    def __init__(self, message: str, minimized: Minimized):
        super().__init__(message)
        self.minimized = minimized
