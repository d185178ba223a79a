"""Cells of a study of backward rules: one training, and how far the rule's gradient is from the true one on the way."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import jax
import numpy as np

from ... import ntk
from ...errors import NotApplicable, TooLarge
from ...estimate import estimate, predict_cost
from ...estimators import Backprop
from ...networks.rules import NetworkRule
from ..learning._cell import LearningCell, Setting, progress, table_of
from ..learning._train import Moment
from ..records import Record

# Draws of comparisons are others than those of the steps.
_BESIDE_STEPS = 2**31


@dataclass(frozen=True, kw_only=True)
class RuleCell(LearningCell):
    """A rule on one network and task.

    Attributes:
        draws: passes of a rule that draws, whenever it is compared with the true gradient.
        inputs: of the tangent kernel whose smallest eigenvalue tells whether the rule descends; 0 leaves it out.
    """

    kind: ClassVar[str] = "rule"
    draws: int
    inputs: int

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        try:
            return self._computed(notify, max_bytes)
        except NotApplicable as error:  # what a rule is not for is a result as well
            return {"refused": str(error)}

    def _computed(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        notify("making data and the network")
        setting = self.setting(max_bytes)
        problem, start = setting.problem, setting.start
        compared: list[dict[str, Any]] = []
        descent: list[dict[str, Any]] = []

        def look(moment: Moment) -> None:
            compared.append(self._compared(setting, moment))
            if self.inputs and moment.step in (0, self.steps):
                descent.append(_descent(setting, moment, self.inputs, max_bytes))

        trained = self.train(setting, look, notify)
        exact = predict_cost(problem.loss(slice(self.batch), start.weights), Backprop())
        rule = start.rule
        return {
            "M": sum(np.size(leaf) for leaf in jax.tree.leaves(start.weights)),
            "gradient": asdict(setting.cost),
            "backprop": asdict(exact),
            "seconds_per_step": trained.seconds,
            "metric": problem.data.metric_name,
            "is_exact": rule is None or rule.is_exact,
            "is_random": rule is not None and rule.is_random,
            "finite_steps": trained.steps,
            "along": table_of(compared, trained, self.steps),
            "descent": [found["descent"] for found in descent],
            "descent_unknown": next((found["reason"] for found in descent if found["reason"]), ""),
        }

    def _compared(self, setting: Setting, moment: Moment) -> dict[str, Any]:
        """Loss and score, and the rule's gradient beside the true one on the first examples."""
        problem, weights, rule = setting.problem, moment.weights, moment.rule
        loss, score = progress(problem, weights)
        shown = problem.loss(slice(self.batch))
        true = estimate(shown, weights, Backprop())
        is_averaged = rule is not None and rule.is_random and not rule.stateful
        draws = self.draws if is_averaged else 1
        key = jax.random.fold_in(setting.key, _BESIDE_STEPS + moment.step)
        found = estimate(shown, weights, Backprop(rule, draws=draws), key=key)
        size, bias = _norm(true.gradient), _norm(found.bias_bound)
        # Of one pass; of the mean of several, so much less.
        variance = draws * sum(float(np.sum(leaf)) for leaf in jax.tree.leaves(found.variance))
        return {
            "step": moment.step,
            "loss": loss,
            "score": score,
            "cosine": _cosine(true.gradient, found.gradient, variance * (1 - 1 / draws)),
            "bias": _ratio(bias, size),
            "variance": _ratio(variance, size**2),
        }


def _descent(setting: Setting, moment: Moment, inputs: int, max_bytes: int | None) -> dict[str, Any]:
    """Smallest eigenvalue of the rule's kernel in units of its root mean square, or why there is none."""
    rule, x = moment.rule, setting.problem.data.x[:inputs]
    if not isinstance(rule, NetworkRule):
        return {"descent": None, "reason": f"{type(rule).__name__} has no Jacobian of its own"}
    if rule.is_random:
        rule = rule.drawn(jax.random.key_data(setting.key))
    try:
        found = ntk.cross(setting.problem.network.apply, moment.weights, x, rule, max_bytes=max_bytes)
    except (NotApplicable, TooLarge) as error:  # a diagnostic that costs no training
        return {"descent": None, "reason": str(error)}
    matrix = np.asarray(ntk.as_matrix(found.kernel))
    # A complex kernel counts real and imaginary parts together.
    scale = np.linalg.norm(matrix) / len(matrix) ** 0.5 / (2 if np.iscomplexobj(matrix) else 1)
    return {"descent": _ratio(float(found.real_descent), float(scale)), "reason": ""}


def _norm(tree: Any) -> float:
    return float(np.sqrt(sum(np.sum(np.abs(leaf) ** 2) for leaf in jax.tree.leaves(tree))))


def _cosine(true: Any, found: Any, spread: float) -> float | None:
    """Re<g, m>/(|g| r) with the mean m over draws and the root mean square r of the length of one draw."""
    pairs = zip(jax.tree.leaves(true), jax.tree.leaves(found), strict=True)
    overlap = float(sum(np.real(np.vdot(a, b)) for a, b in pairs))
    length = (_norm(found) ** 2 + (spread if np.isfinite(spread) else 0.0)) ** 0.5
    cosine = _ratio(overlap, _norm(true) * length)
    # Equal gradients have a cosine of one, and no axis of a figure shows its last digits.
    return None if cosine is None else round(cosine, 12)


def _ratio(part: float, whole: float) -> float | None:
    """None where it is not known, or no number."""
    ratio = part / whole if whole else np.nan
    return float(ratio) if np.isfinite(ratio) else None
