"""What every circuit estimator starts with."""

import math

import numpy as np

from ..errors import NotApplicable
from ..estimator import AbstractEstimator
from ..ir import Expectation, Program
from ..memory import allowed_bytes, require
from ..objective import Point

# Between these, squares of coefficients keep their digits when they are added up and divided by shots.
_SQUARES = {np.dtype(np.float32): (1e-15, 1e18), np.dtype(np.float64): (1e-140, 1e150)}

# The covariances of one form or all strings, what they are made of, and their sum.
_COVARIANCES_HELD = 3


def name_of(who: AbstractEstimator | type[AbstractEstimator]) -> str:
    """What messages call an estimator, or a class of estimators."""
    return (who if isinstance(who, type) else type(who)).__name__


def program_at(point: Point, estimator: AbstractEstimator | type[AbstractEstimator], samples: bool = False) -> Program:
    """The program whose gate angles are the point's coordinates, or a refusal by name.

    Args:
        point: where.
        estimator: who asks.
        samples: whether it reports variances, which go as squares of the observable's coefficients.

    Raises:
        NotApplicable: the objective is no expectation value of a circuit.
        ValueError: coefficients that the precision of the coordinates cannot hold, or not their squares.
    """
    if not isinstance(point.objective, Expectation):
        raise NotApplicable(
            f"{name_of(estimator)} differentiates expectation values of circuits, but the objective is a "
            f"{type(point.objective).__name__}: give qcgrad.Expectation(circuit, observable)"
        )
    check_scale(point.objective.program, point.coordinates.dtype, samples)
    return point.objective.program


def check_covariances(point: Point, estimator: AbstractEstimator) -> None:
    """Refuse, before anything is asked, derivatives whose covariances would not fit.

    They are kept, a full matrix for each output, where one parameter drives several angles, so that errors add up.

    Raises:
        TooLarge: with the number of angles that would fit.
    """
    if not point.objective.mixes_coordinates:
        return
    outputs, angles = len(point.cotangents), len(point.coordinates)
    needed, allowed = _COVARIANCES_HELD * 8 * (outputs * (1 + angles)) ** 2, allowed_bytes()
    require(
        f"{type(estimator).__name__} with parameters that drive several of {angles:,} gate angles holds covariances of "
        f"{outputs * (1 + angles):,} values and derivatives, which take",
        needed,
        allowed,
        f"about {math.isqrt(angles**2 * allowed // needed):,} angles would fit; use qcgrad.Adjoint, or a parameter for "
        "each gate",
    )


def check_scale(program: Program, dtype: np.dtype, samples: bool) -> None:
    """Refuse observables whose values, or with `samples` their variances, would overflow or vanish in `dtype`."""
    x, z, coefficients = program.terms
    sizes, limits = np.abs(coefficients), np.finfo(dtype)
    if samples:
        # Variances know nothing of the identity.
        _check_sizes(sizes[:, (x | z) != 0], "variances", *_SQUARES[np.dtype(dtype)], np.dtype(dtype))
    _check_sizes(sizes, "values", float(limits.tiny), float(limits.max) / 4, np.dtype(dtype))


def _check_sizes(sizes: np.ndarray, what: str, least: float, most: float, dtype: np.dtype):
    for k, size in enumerate(sizes.sum(axis=1).tolist()):
        if size and not least <= size <= most:
            raise ValueError(
                f"observable {k} has coefficients of size {size:.3g}, whose {what} {'over' if size > most else 'under'}"
                f"flow in {dtype}: rescale it to between {least:.1g} and {most:.1g}"
                + (", or give float64 parameters" if dtype != np.float64 else "")
            )
