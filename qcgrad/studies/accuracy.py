"""How many shots or copies an accuracy takes, by the bounds of each method."""

import math

import numpy as np


def gradient_shots(components: int, epsilon: float, delta: float) -> int:
    r"""Shots per evaluation of the two-term rule: \(\ln(2M/\delta)/\epsilon^2\) (Hoeffding, union bound).

    Half of a component's \(2\ln(2M/\delta)/\epsilon^2\) goes to each of its two evaluations.

    Example:
        >>> from qcgrad.studies.accuracy import gradient_shots
        >>> gradient_shots(15, 0.3, 0.01)
        89
    """
    return math.ceil(math.log(2 * components / delta) / epsilon**2)


def sweep_copies(program, epsilon: float, delta: float) -> int:
    r"""Copies of one pointer sweep: \(2 V \ln(2M/\delta)/\epsilon^2\) times what the observable's sum costs.

    V = 3 is the variance of one copy at \(s^2 = 1\) where the rows of interactions add up to at most 1. Strings are
    swept one by one, so their coefficients add up linearly, but epsilon is in units of the norm over the measured
    bases (see `StudySpec.epsilon`).

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.studies.accuracy import sweep_copies
        >>> sweep_copies(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z").program, 0.3, 0.01)
        354
    """
    ranges = [np.abs(basis.coefficients).sum() for basis in program.bases]
    excess = (sum(ranges) / np.linalg.norm(ranges)) ** 2
    strings = int(np.sum(np.any(program.terms[2] != 0, axis=0)))
    return max(strings, math.ceil(6 * math.log(2 * program.num_angles / delta) / epsilon**2 * excess))


def value_shots(epsilon: float, delta: float) -> int:
    r"""Shots that the value alone takes to the same accuracy: \(2\ln(2/\delta)/\epsilon^2\).

    Example:
        >>> from qcgrad.studies.accuracy import value_shots
        >>> value_shots(0.3, 0.01)
        118
    """
    return math.ceil(2 * math.log(2 / delta) / epsilon**2)
