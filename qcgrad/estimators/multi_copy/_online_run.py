"""Online tomography of one form: what is asked next, and what is known so far."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from ...cost import Cost
from ...ir.sweep_form import SweepForm
from ...queries import MeasureComponent, ThresholdSweep
from .hypothesis import AbstractHypothesis
from .online_plan import SweepPlan, update_rate

Backaction = Literal["exact", "gaussian", "idealized"]


@dataclass(frozen=True, eq=False)
class FormRun:
    """One form on its way. Immutable; arrays over strings hold NaN where nothing is known yet.

    Attributes:
        form, plan, backaction: as given.
        hypothesis: sigma.
        order: strings still to visit; the first one is being measured if the sweep has stopped.
        predictions: of these.
        queries: asked next; empty when done.
        estimates, variances, bounds: (D,); bounds on |E[estimate] - truth|.
        triggers: stops so far.
    """

    form: SweepForm
    plan: SweepPlan
    backaction: Backaction
    hypothesis: AbstractHypothesis
    order: np.ndarray
    predictions: np.ndarray
    queries: tuple
    estimates: np.ndarray
    variances: np.ndarray
    bounds: np.ndarray
    triggers: int = 0

    @property
    def has_exceeded_bound(self) -> bool:
        """Whether there were more stops than the bound allows, so that the rest was measured directly."""
        return self.triggers > self.plan.max_triggers

    def told(self, answers: tuple) -> "FormRun":
        """The run after the answers to its queries."""
        if isinstance(self.queries[0], ThresholdSweep):
            return self._swept(answers[0])
        found = [(answer.mean, answer.variance, answer.bias or 0.0) for answer in answers]
        measured = self._with(self.order[: len(answers)], *np.array(found, float).T)
        measured = replace(measured, order=self.order[len(answers) :], queries=())
        if not len(measured.order):
            return measured
        if measured.has_exceeded_bound:
            shots = self.plan.direct_shots
            return replace(measured, queries=tuple(MeasureComponent(self.form, int(d), shots) for d in measured.order))
        rate = update_rate(self.predictions[0], float(answers[0].mean), self.plan.tolerance)
        return replace(measured, hypothesis=self.hypothesis.updated(int(self.order[0]), rate)).swept_next()

    def swept_next(self) -> "FormRun":
        """The run that asks for a sweep over the strings of `order`."""
        if not len(self.order):
            return self
        predictions = self.hypothesis.predictions(self.order)
        query = sweep_query(self.form, self.plan, self.backaction, self.order, predictions)
        query = replace(query, hypothesis=self.hypothesis.cost(self.order))
        return replace(self, predictions=predictions, queries=(query,))

    def _swept(self, stop) -> "FormRun":
        passed = len(self.order) if stop.position is None else stop.position
        known = self.predictions[:passed]
        farthest = 1 + np.abs(known)
        # A sweep's guarantee holds whatever happened before it, so only its own disturbance counts.
        guaranteed = self.plan.accuracy + stop.disturbance * farthest if self.plan.is_proven else np.inf
        run = self._with(self.order[:passed], known, 0.0, np.minimum(guaranteed, farthest))
        run = replace(run, order=self.order[passed:], predictions=self.predictions[passed:])
        if stop.position is None:
            return replace(run, queries=())
        query = MeasureComponent(self.form, int(run.order[0]), self.plan.shots)
        return replace(run, queries=(query,), triggers=self.triggers + 1)

    def _with(self, strings, estimates, variances, bounds) -> "FormRun":
        known = {name: getattr(self, name).copy() for name in ("estimates", "variances", "bounds")}
        known["estimates"][strings] = estimates
        known["variances"][strings] = variances
        known["bounds"][strings] = bounds
        return replace(self, **known)


def start(
    form: SweepForm,
    plan: SweepPlan,
    backaction: Backaction,
    hypothesis: AbstractHypothesis,
    order: Int[np.ndarray, "V"],
) -> FormRun:
    """The run before its first sweep."""
    unknown = np.full(form.num_components, np.nan)
    run = FormRun(form, plan, backaction, hypothesis, order, np.zeros(0), (), unknown, unknown, unknown)
    return run.swept_next()


def sweep_query(
    form: SweepForm,
    plan: SweepPlan,
    backaction: Backaction,
    order: Int[np.ndarray, "V"],
    predictions: Float[np.ndarray, "V"],
) -> ThresholdSweep:
    """The sweep that a plan asks for."""
    return ThresholdSweep(form, order, predictions, plan.copies, plan.margin, plan.noise, backaction)


def largest_cost(form: SweepForm, plan: SweepPlan, backaction: Backaction, hypothesis: Cost) -> Cost:
    """Upper bound on what a run costs: every stop the bound allows, all later strings in every sweep."""
    count = form.num_components
    if not count:
        return Cost()
    order = np.arange(count)
    sweep = sweep_query(form, plan, backaction, order, np.zeros(count)).cost() + hypothesis
    heaviest = int(np.argmax([form.gates_until(d) + int(form.weights[d]) for d in range(count)]))
    # One more stop than the bound allows ends the sweeps; the strings left are measured directly.
    sweeps = min(plan.max_triggers + 1, count)
    after_stops = MeasureComponent(form, heaviest, plan.shots).cost() * sweeps
    return sweep * sweeps + after_stops + MeasureComponent(form, heaviest, plan.direct_shots).cost() * (count - sweeps)
