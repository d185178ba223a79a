r"""Claim: online tomography finds every derivative to within epsilon, with far fewer stops than 64 n/epsilon^2.

On circuits of the library, with idealized back-action, all M derivatives lie within epsilon in at least 1 - delta of
100 seeded trials. The stops ("triggers") stay below 2 N ln2/(0.4 e)^2 < 8.7 N/e^2 for each form (e the error that a
form is allowed, N its qubits) and so below the literature's 64 N/e^2.

The constants lose: at these sizes the method takes thousands of times the copies of the parameter-shift rule. At
n = 4 and epsilon = 0.3 its bound falls below the shift rule's copies from M of about 10^5 on. The derivation is in
qcgrad/estimators/multi_copy/online_tomography.md.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

import qcgrad as qg
from qcgrad.estimators.multi_copy.online_plan import accuracies, sweep_plan
from qcgrad.ir.sweep_form import one_state_forms
from qcgrad.queries import MeasureComponent
from theory.claim import Headline, canvas, run
from theory.statistics import FALSE_ALARM, counts, shifted

CIRCUITS = ("efficient_su2_n4_r8", "efficient_su2_n6_r3_full", "efficient_su2_n5_r5")
EPSILON, DELTA = 0.9, 0.05
TRIALS = 100
# Where the bounds cross: one string as observable.
CROSSING_QUBITS, CROSSING_EPSILON = 4, 0.3
PARAMETERS = np.logspace(1, 8, 57)


class Case(NamedTuple):
    """One circuit.

    Attributes:
        delta: probability that a trial misses epsilon.
        name, parameters, strings, forms: M, D of each form, F.
        errors: (trials,) largest error of a derivative.
        triggers, copies: (trials,).
        bound, literature: on the triggers of all forms together.
        predicted: copies, before running.
        shift_copies: what the shift rule takes for the same epsilon and delta.
        gaussian_error, gaussian_triggers: of one run with Gaussian back-action.
    """

    delta: float
    name: str
    parameters: int
    strings: int
    forms: int
    errors: np.ndarray
    triggers: np.ndarray
    copies: np.ndarray
    bound: int
    literature: float
    predicted: int
    shift_copies: int
    gaussian_error: float
    gaussian_triggers: int


class Result(NamedTuple):
    """All circuits, and copies against `PARAMETERS` by both bounds."""

    cases: list[Case]
    tomography: np.ndarray
    shift: np.ndarray


class Counting(qg.Statevector):
    """The simulator, counting the measurements that follow triggers."""

    triggers = 0

    def answer(self, query, key):
        self.triggers += isinstance(query, MeasureComponent)
        return super().answer(query, key)


def compute(small: bool = False) -> Result:
    """All trials; small: a few of them on one small circuit."""
    few = ("efficient_su2_n4_r1", 5, FALSE_ALARM / 100)  # so improbable that not one of the trials may miss
    cases = [_case(*few)] if small else [_case(name, TRIALS, DELTA) for name in CIRCUITS]
    tomography = np.array([_bound(m) for m in PARAMETERS])
    # Two runs a parameter, and Hoeffding's inequality: 2 M ln(2 M / delta) / epsilon^2.
    shift = 2 * PARAMETERS * np.log(2 * PARAMETERS / DELTA) / CROSSING_EPSILON**2
    return Result(cases, tomography, shift)


def _case(name, trials, delta) -> Case:
    entry = qg.load_circuit(name)
    objective, params = entry.objective, entry.params
    method = qg.OnlineTomography(EPSILON, delta)
    runs = [_run(entry, method, seed) for seed in range(trials)]
    forms = one_state_forms(objective.program, objective.coordinates(params), "terms")
    shares = accuracies(forms, EPSILON)
    plans = [sweep_plan(form, e, delta / len(forms)) for form, e in zip(forms, shares, strict=True)]
    gaussian = _run(entry, qg.OnlineTomography(EPSILON, delta, backaction="gaussian"), 0)
    return Case(
        delta,
        name,
        entry.num_parameters,
        forms[0].num_components,
        len(forms),
        *(np.array(column) for column in zip(*runs, strict=True)),
        bound=sum(plan.max_triggers for plan in plans),
        literature=sum(64 * form.num_qubits / e**2 for form, e in zip(forms, shares, strict=True)),
        predicted=qg.predict_cost(objective, method).copies,
        shift_copies=_shift_copies(entry),
        gaussian_error=gaussian[0],
        gaussian_triggers=gaussian[1],
    )


def _run(entry, method, seed):
    backend = Counting()
    e = qg.estimate(entry.objective, entry.params, method, backend, key=shifted(seed))
    return float(np.max(np.abs(e.gradient - entry.gradient))), backend.triggers, e.cost.copies


def _shift_copies(entry) -> int:
    """From the variances at 1000 shots: M normal errors, all below epsilon except with probability delta."""
    pilot = 1000
    e = qg.estimate(entry.objective, entry.params, qg.ParameterShift(shots=pilot), key=0)
    deviations = norm.isf(DELTA / (2 * entry.num_parameters))
    shots = int(np.ceil(pilot * np.max(e.variance) * (deviations / EPSILON) ** 2))
    return qg.predict_cost(entry.objective, qg.ParameterShift(shots=max(shots, 1))).copies


def _bound(parameters) -> float:
    """Copies by the bound, for one string as observable and one string a parameter."""
    form = SimpleNamespace(num_components=1 + int(parameters), num_qubits=1 + CROSSING_QUBITS)
    plan = sweep_plan(form, CROSSING_EPSILON, DELTA)
    stops = min(plan.max_triggers, form.num_components)
    return (stops + 1) * plan.copies + stops * plan.shots


def check(result: Result):
    """Raise AssertionError where the claim fails."""
    for case in result.cases:
        missed = np.sum(case.errors > EPSILON)
        allowed = counts(len(case.errors), case.delta)[1]
        assert missed <= allowed, f"{case.name}: {missed} trials missed epsilon, more than {allowed:.0f} of chance"
        most = case.triggers.max()
        assert most <= case.bound < case.literature, f"{case.name}: {most} triggers, the bound is {case.bound}"
        assert case.copies.max() <= case.predicted, f"{case.name}: more copies than predicted"
        assert case.copies.min() > 100 * case.shift_copies, f"{case.name}: the constants should lose by far"
        assert case.gaussian_error <= EPSILON, (
            f"{case.name}: off by {case.gaussian_error:.3f} with Gaussian back-action"
        )
    crossing = _crossing(result)
    assert 3e4 < crossing < 1e6, f"the bounds cross at M = {crossing:.3g}"


def _crossing(result) -> float:
    """The smallest M of `PARAMETERS` where tomography's bound is below the shift rule's."""
    return float(PARAMETERS[np.flatnonzero(result.tomography < result.shift)[0]])


def headline(result: Result) -> Headline:
    """How often epsilon is missed, and stops over their bound."""
    missed = max(np.mean(case.errors > EPSILON) for case in result.cases)
    stops = max(case.triggers.max() / case.bound for case in result.cases)
    expected = f"at most {DELTA:.0%} but for chance; at most 1"
    return Headline("trials that miss ε; stops over their bound", expected, f"{missed:.0%}; {stops:.1g}")


def report(result: Result) -> list[str]:
    """One paragraph a circuit."""
    lines = []
    for case in result.cases:
        lines += [
            f"{case.name}: M = {case.parameters}, {case.forms} forms of {case.strings} strings, epsilon = {EPSILON}",
            f"  within epsilon: {np.mean(case.errors <= EPSILON):.0%} of {len(case.errors)} trials, "
            f"largest error {case.errors.max():.3f}; Gaussian back-action: {case.gaussian_error:.3f}",
            f"  triggers: {case.triggers.mean():.1f} on average, {case.triggers.max()} at most (Gaussian: "
            f"{case.gaussian_triggers}); bound {case.bound:,}, 64 N/e^2 {case.literature:,.0f}",
            f"  copies: {case.copies.mean():.3g} (predicted at most {case.predicted:.3g}), shift rule "
            f"{case.shift_copies:.3g}: {case.copies.mean() / case.shift_copies:,.0f} times as many",
        ]
    where = f"n = {CROSSING_QUBITS}, epsilon = {CROSSING_EPSILON}"
    return [*lines, f"{where}: the bound falls below the shift rule's copies at M = {_crossing(result):.2g}"]


def figure(result: Result, path: Path):
    """Errors, triggers beside their bounds, and where the constants lose."""
    drawing, ((errors, triggers, copies),) = canvas(1, 3)
    names = [case.name.replace("_", " ") for case in result.cases]
    for i, case in enumerate(result.cases):
        errors.hist(
            case.errors / EPSILON, bins=np.linspace(0, 1.05, 22), histtype="step", color=f"C{i}", label=names[i]
        )
    errors.axvline(1, color="0.3", linestyle="--")
    errors.set(xlabel="largest error / epsilon", ylabel="trials", xlim=(0, 1.05))
    errors.legend(fontsize=8)
    place = np.arange(len(names))
    bars = [
        ("triggers, most", [case.triggers.max() for case in result.cases]),
        ("strings", [case.strings * case.forms for case in result.cases]),
        ("bound 8.7 N/e²", [case.bound for case in result.cases]),
        ("literature 64 N/e²", [case.literature for case in result.cases]),
    ]
    for i, (label, heights) in enumerate(bars):
        triggers.bar(place + 0.2 * (i - 1.5), heights, 0.18, label=label)
    triggers.set(yscale="log", ylabel="in all forms together")
    triggers.set_xticks(place, [name.replace(" ", "\n", 2) for name in names], fontsize=8)
    triggers.set_ylim(top=20 * max(case.literature for case in result.cases))
    triggers.legend(fontsize=8)
    copies.loglog(PARAMETERS, result.shift, label="shift rule")
    copies.loglog(PARAMETERS, result.tomography, label="online tomography, bound")
    copies.axvline(_crossing(result), color="0.6", linestyle=":")
    copies.set(xlabel="parameters M", ylabel="copies")
    copies.set_title(f"one string, n = {CROSSING_QUBITS}, epsilon = {CROSSING_EPSILON}", fontsize=9)
    copies.legend(fontsize=8)
    drawing.savefig(path, dpi=130)


if __name__ == "__main__":
    run(__name__)
