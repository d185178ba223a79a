# %% [markdown]
# # A new estimator in 40 lines
#
# You have read, or invented, a way to measure gradients, and want to know how good
# it is. Write what it asks and what it makes of the answers. Checks, costs,
# variances through the chain rule, every simulator and device, the command line,
# the planner and studies then come from qcgrad.
#
# The example is real, from [Mari, Bromley and Killoran
# (2021)](https://arxiv.org/abs/2008.06517). A rotation about a Pauli string makes
# the expectation value a sine of its angle, f(θ) = a + b cos θ + c sin θ. So shifts
# of *any* size s give the exact derivative, not only the usual quarter turn, and
# the same three numbers give the second derivative for nothing:
#
# $$f' = \frac{f(θ+s) - f(θ-s)}{2\sin s}, \qquad f'' = \frac{f(θ+s) + f(θ-s) - 2f(θ)}{2(1 - \cos s)}.$$

# %%
import math
import sys
import tempfile
import textwrap
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console

import qcgrad as qg
from qcgrad.estimator import OneRoundEstimator
from qcgrad.estimators.accuracy import (
    checked_accuracy,
    counted,
    hoeffding,
    log_of,
    num_components,
)
from qcgrad.ir.gates import frequencies
from qcgrad.objective import Reading
from qcgrad.queries import Access, Evaluate
from qcgrad.studies.provenance import provenance
from qcgrad.studies.render.console import print_summary
from qcgrad.studies.report import summaries
from qcgrad.studies.run import run_cells
from qcgrad.studies.spec import load_spec
from qcgrad.studies.store import Store
from qcgrad.testing import check_estimator

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## The method
#
# An estimator never touches a state. It says which *queries* it has (`plan`: here
# one `Evaluate` at 1 + 2M settings of the M gate angles) and turns the answers into
# a `Reading` (`combine`). It may not be silently wrong either: where its rule does
# not hold, it refuses by name.


# %%
def program_of(point):
    if not hasattr(point.objective, "program"):
        raise qg.NotApplicable("SineShift is for circuits: give a qcgrad.Expectation")
    for gate in point.objective.program.circuit.angle_gates:
        if frequencies(gate) != (1.0,):
            raise qg.NotApplicable(
                f"SineShift is for rotations about Pauli strings, not for {gate.name}"
            )
    return point.objective.program


class SineShift(OneRoundEstimator):
    """Gradients by shifts of any size, exact for rotations about Pauli strings.

    Args:
        shots: of each circuit, in each measurement basis.
        step: how far to either side, in radians, between 0 and pi.
    """

    shots: int = eqx.field(static=True)
    step: float = eqx.field(static=True, default=math.pi / 2)
    access = Access.single_copy
    accuracy_option = "shots"

    def __check_init__(self):
        if not 0 < self.step < math.pi:
            raise ValueError(f"step={self.step}: give an angle between 0 and pi")

    def plan(self, point, key):
        angles = jnp.asarray(point.coordinates)
        shifts = self.step * jnp.eye(len(angles), dtype=angles.dtype)
        settings = jnp.concatenate([angles[None], angles + shifts, angles - shifts])
        return (Evaluate(program_of(point), settings, self.shots),)

    def combine(self, point, queries, answers):
        mean, variance, bias, _ = answers[0]
        parts = (mean, variance, 0 * mean if bias is None else bias)
        ends, size = [1, 1 + len(point.coordinates)], 2 * math.sin(self.step)
        (value, plus, minus), (noise, *noises), (off, *offs) = (
            jnp.split(part.T, ends, axis=1) for part in parts
        )
        curvature = (plus + minus - 2 * value) / (2 - 2 * math.cos(self.step))
        rows = jnp.asarray(point.cotangents, mean.dtype)  # which outputs to differentiate
        return Reading(
            value=value[:, 0],
            gradient=rows @ (plus - minus) / size,
            variance=rows**2 @ sum(noises) / size**2,
            value_variance=noise[:, 0],
            bias_bound=abs(rows) @ sum(offs) / size,
            value_bias_bound=off[:, 0],
            stats={"curvature": rows @ curvature},
        )

    def value_query(self, point):
        return Evaluate(program_of(point), point.coordinates[None], self.shots)


# %% [markdown]
# These are some 40 lines, without imports and docstring. Three things to note.
# `variance` is never left out: both evaluations are independent, so their variances
# add, with the square of the factor in front. `bias` of an answer, which noisy
# devices may know, is handed on. And nothing is said about cost: that follows from
# the queries.
#
# ## Does it keep what every method promises?
#
# `check_estimator` lets it differentiate circuits that show the usual mistakes:
# qubit order, scales and offsets, shared parameters, several observables, single
# precision, tracing by JAX, predicted against counted costs.

# %%
for passed in check_estimator(SineShift(shots=10_000, step=1.0)):
    print("passed:", passed.split(":")[0])

# %% [markdown]
# A check is worth something only if mistakes fail it. Here is the rule with the
# sine forgotten, as for a finite difference. It gets shots enough for a mistake to
# stand out, since 12 standard errors are forgiven:


# %%
class ForgotTheSine(SineShift):
    """As above, but wrong.

    Args:
        shots: as above.
        step: as above.
    """

    def combine(self, point, queries, answers):
        found = super().combine(point, queries, answers)
        return found._replace(gradient=found.gradient * math.sin(self.step) / self.step)


try:
    check_estimator(ForgotTheSine(shots=100_000, step=1.0))
except AssertionError as complaint:
    print(textwrap.fill(str(complaint), 84))
else:
    raise AssertionError("the mistake went through")

# %% [markdown]
# ## Use it
#
# It is a method like all others: with budgets, on devices, under `jax.jit`, as
# PennyLane's `diff_method`. The curvature comes in `stats`.

# %%
objective = qg.load_circuit("efficient_su2_n4_r1").objective
params = np.random.default_rng(0).uniform(-np.pi, np.pi, objective.num_parameters)
exact = qg.estimate(objective, params, qg.Adjoint())
e = qg.estimate(objective, params, SineShift(shots=2000), key=0)
worst = float(np.max(np.abs(e.gradient - exact.gradient) / e.standard_error))
diagonal = np.diag(qg.hessian(objective, params, qg.SecondOrderShift()).matrix)
print("cost:", e.cost)
print(f"largest of {objective.num_parameters} errors: {worst:.1f} standard errors")
print("curvatures:", np.asarray(e.stats["curvature"][0, :4]).round(2))
print("exact ones:", diagonal[:4].round(2))
assert worst < 6

# %% [markdown]
# Why does everybody shift by a quarter turn? The variance has 1/sin² s in front.
# Measured against that law:

# %%
steps = np.array([0.1, 0.2, 0.4, 0.8, math.pi / 2, 2.2, 2.7])
variances = []
for step in steps:
    found = [
        qg.estimate(objective, params, SineShift(200, float(step)), key=seed).gradient
        for seed in range(40)
    ]
    variances.append(float(np.mean((np.array(found) - exact.gradient) ** 2)))
at_quarter = variances[4]
for step, variance in zip(steps, variances, strict=True):
    ratio, law = variance / at_quarter, 1 / np.sin(step) ** 2
    print(f"step {step:.2f}: {ratio:7.2f} times the variance, 1/sin^2 = {law:7.2f}")
    assert 0.5 < ratio / law < 2

# %% Variance against the step, on the curve one over sine squared: least at a quarter turn
figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
grid = np.linspace(0.08, 2.8, 200)
axis.semilogy(grid, at_quarter / np.sin(grid) ** 2, label="1/sin² s")
axis.semilogy(steps, variances, "o", label="measured, 40 seeds")
axis.axvline(math.pi / 2, color="0.5", linestyle=":", label="a quarter turn")
axis.set(
    xlabel="step s in radians",
    ylabel="variance of a derivative",
    title="200 shots in each circuit",
)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# A quarter turn is best, and near it nothing much changes; small steps pay a lot.
# (The law is not exact, since outcomes scatter differently at another angle.)
#
# ## How many shots does a precision take?
#
# One method more, and planners can size it: `for_accuracy` returns the cheapest
# instance that is *proved* to be within `epsilon`. Outcomes in a basis lie between
# -r and r, so Hoeffding's inequality does it:


# %%
class SizedSineShift(SineShift):
    """Gradients by shifts of any size, which knows how many shots a precision takes.

    Args:
        shots: of each circuit, in each measurement basis.
        step: how far to either side, in radians, between 0 and pi.
    """

    called = "sine-shift"

    @classmethod
    def for_accuracy(cls, point, epsilon, delta):
        epsilon, delta = checked_accuracy(epsilon, delta)
        ranges = [
            np.abs(point.cotangents @ basis.coefficients).sum(axis=1)
            for basis in program_of(point).bases
        ]
        spread = np.square(ranges).sum(axis=0) / 2  # at a quarter turn, where sin s = 1
        needed = hoeffding(spread, log_of(num_components(point), delta), epsilon)
        return cls(max(2, counted(cls, needed, epsilon)))


passed = check_estimator(SizedSineShift(shots=10_000))
print(len(passed), "kinds of objective passed, the promise of for_accuracy included")

# %% [markdown]
# ## Let everybody find it
#
# Methods of other packages are found by an *entry point*. In the `pyproject.toml`
# of yours it takes two lines:
#
# ```toml
# [project.entry-points."qcgrad.estimators"]
# sine-shift = "my_package:SizedSineShift"
# ```
#
# `pip install` writes that into a small folder beside the package. So as not to
# change your environment, we write the folder here, for the module `__main__`,
# which is this script:

# %%
site = Path(tempfile.mkdtemp())
info = site / "my_package-1.0.dist-info"
info.mkdir()
(info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
(info / "entry_points.txt").write_text(
    "[qcgrad.estimators]\nsine-shift = __main__:SizedSineShift\n"
)
sys.path.insert(0, str(site))

# %% [markdown]
# Now it is among the offers of `advise`, with everybody else:

# %%
advice = qg.advise(
    objective, epsilon=0.1, params=params, access="single_copy", with_growth=False
)
for plan in advice.plans[:12]:
    if plan.cost is not None:
        mark = "  <- ours" if plan.method.name == "sine-shift" else ""
        print(f"{plan.method.name:>27}: {plan.cost.copies:>14,} copies{mark}")
assert advice["sine-shift"].cost == advice["parameter-shift"].cost

# %% [markdown]
# It costs what parameter shifts cost, to the copy: at a quarter turn it *is* that
# rule, and the curvature is a bonus. And studies take it by its name. This one
# compares it with its neighbours at three numbers of shots:

# %%
(site / "mine.toml").write_text("""
title = "A new method"

[gradients]
circuits = ["efficient_su2_n4_r1"]
trials = 20
methods = [
    {name = "sine-shift", shots = [10, 100, 1000]},
    {name = "parameter-shift", shots = [10, 100, 1000]},
    {name = "sine-shift", shots = 100, step = 0.4},
]
""")
study = load_spec(site / "mine.toml")
with Store(site / "study.sqlite") as store:
    store.begin(study.model_dump_json(), provenance())
    outcome = run_cells(study.cells(), store)
for summary in summaries(study, outcome.records):
    print_summary(summary, Console(width=92, file=sys.stdout, force_terminal=False))
assert not outcome.failures
assert len(outcome.records) == 7

# %% [markdown]
# In a terminal this is `qcgrad study run mine.toml`, and `qcgrad methods
# sine-shift` shows its page.
#
# ## Where to go from here
#
# - A method whose later questions depend on earlier answers derives from
#   `AbstractEstimator`: `init`, `ask`, `tell`, `read`.
# - One that draws at random what it asks sets `is_random` and takes the key.
# - [Counters](../guide/counters.md) says what each number of a cost means.
