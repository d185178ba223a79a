"""From the strings of all forms to values and derivatives."""

from typing import Any

import numpy as np

from ...array_types import Values
from ...objective import Point, Reading
from .online_run import FormRun


def reading(point: Point, runs: tuple[FormRun, ...], constants: Values) -> Reading:
    """What the runs know; NaN where a string is missing.

    Args:
        constants: (K,) parts of the values that no form holds.
    """
    outputs, angles = len(point.cotangents), len(point.coordinates)
    correlated = point.objective.mixes_coordinates
    value = point.cotangents @ constants
    sums = {
        "value": value,
        "gradient": np.zeros((outputs, angles)),
        "variance": np.zeros((outputs, angles)),
        "value_variance": np.zeros(outputs),
        "bias_bound": np.zeros((outputs, angles)),
        "value_bias_bound": np.zeros(outputs),
        "covariance": np.zeros((outputs, angles, angles)) if correlated else None,
    }
    for run in runs:
        mixing = point.cotangents @ run.form.mixing
        sums = {name: None if part is None else part + more for (name, part), more in
                zip(sums.items(), _parts(run, mixing, angles, correlated), strict=True)}  # fmt: skip
    dtype = point.coordinates.dtype
    stats = {
        "forms": len(runs),
        "triggers": sum(run.triggers for run in runs),
        "max_triggers": sum(run.plan.max_triggers for run in runs),
        "exceeded": sum(run.has_exceeded_bound for run in runs),
    }
    parts = {name: None if part is None else part.astype(dtype) for name, part in sums.items()}
    return Reading(**parts, stats=stats)


def _parts(run: FormRun, mixing, angles, correlated):
    """What one form adds to each field of a reading, in their order."""
    import scipy.sparse as sparse

    form, shape = run.form, (len(mixing), angles)
    # Sparse products leave out what a number does not depend on, so an unknown string spoils no other number.
    mix = sparse.csr_array(mixing)
    value = sparse.csr_array(mix @ form.value)
    gradient = sparse.csr_array(sparse.kron(mix, sparse.eye_array(angles)) @ form.gradient)
    value.eliminate_zeros()
    gradient.eliminate_zeros()
    covariance = None
    if correlated:
        blocks = [gradient[c * angles : (c + 1) * angles] for c in range(len(mixing))]
        covariance = np.stack([(g @ sparse.diags_array(run.variances) @ g.T).toarray() for g in blocks])
    return (
        value @ run.estimates + mixing @ form.constants,
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
