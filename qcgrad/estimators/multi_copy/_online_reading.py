"""From the strings of all forms to values and derivatives."""

from typing import Any, NamedTuple

import jax
import numpy as np

from ...array_types import Values
from ...objective import Point, Reading
from ._online_run import FormRun


def reading(point: Point, runs: tuple[FormRun, ...], constants: Values) -> Reading:
    """What the runs know; NaN where a string is missing.

    Args:
        constants: (K,) parts of the values that no form holds.
    """
    total = _Sums.of_constants(point, constants)
    for run in runs:
        total = jax.tree.map(np.add, total, _Sums.of_form(run, point))
    dtype = point.coordinates.dtype
    stats = {
        "forms": len(runs),
        "triggers": sum(run.triggers for run in runs),
        "max_triggers": sum(run.plan.max_triggers for run in runs),
        "exceeded": sum(run.has_exceeded_bound for run in runs),
    }
    return Reading(*jax.tree.map(lambda part: part.astype(dtype), total), stats=stats)


class _Sums(NamedTuple):
    """What forms add to the first fields of a reading, in its order; their errors are independent."""

    value: np.ndarray
    gradient: np.ndarray
    variance: np.ndarray
    value_variance: np.ndarray
    bias_bound: np.ndarray
    value_bias_bound: np.ndarray
    covariance: np.ndarray | None

    @classmethod
    def of_constants(cls, point: Point, constants: Values) -> "_Sums":
        rows, angles = shape = len(point.cotangents), len(point.coordinates)
        derivatives, values = np.zeros(shape), np.zeros(len(constants))
        covariance = np.zeros((rows, angles, angles)) if point.objective.mixes_coordinates else None
        return cls(np.asarray(constants), derivatives, derivatives, values, derivatives, values, covariance)

    @classmethod
    def of_form(cls, run: FormRun, point: Point) -> "_Sums":
        import scipy.sparse as sparse

        form, angles = run.form, len(point.coordinates)
        mixing = np.asarray(point.cotangents) @ form.mixing
        # Sparse products leave out what a number does not depend on, so an unknown string spoils no other number.
        value = sparse.csr_array(sparse.csr_array(form.mixing) @ form.value)
        gradient = sparse.csr_array(sparse.kron(sparse.csr_array(mixing), sparse.eye_array(angles)) @ form.gradient)
        value.eliminate_zeros()
        gradient.eliminate_zeros()
        shape, covariance = (len(mixing), angles), None
        if point.objective.mixes_coordinates:
            blocks = [gradient[c * angles : (c + 1) * angles] for c in range(len(mixing))]
            covariance = np.stack([(g @ sparse.diags_array(run.variances) @ g.T).toarray() for g in blocks])
        return cls(
            value @ run.estimates + form.mixing @ form.constants,
            (gradient @ run.estimates).reshape(shape),
            (gradient.power(2) @ run.variances).reshape(shape),
            value.power(2) @ run.variances,
            (abs(gradient) @ run.bounds).reshape(shape),
            abs(value) @ run.bounds,
            covariance,
        )


def in_words(stats: dict[str, Any]) -> str:
    """The stats of a reading."""
    if not stats["forms"]:
        return "nothing to measure"
    forms = f"{stats['forms']} form{'s' if stats['forms'] > 1 else ''}"
    note = f"{stats['triggers']:,} triggers of at most {stats['max_triggers']:,} in {forms}"
    if stats["exceeded"]:
        note += (
            f"; {stats['exceeded']} of them had more triggers than the bound for exact updates, and what was left was "
            "measured string by string: a larger max_bond or hypothesis='dense' may do with fewer"
        )
    return note
