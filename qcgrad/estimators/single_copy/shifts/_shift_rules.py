r"""Parameter-shift rules as data: shifts and coefficients for a set of frequencies.

An expectation value with frequencies \(\Omega_1..\Omega_R\) in one angle obeys
\(f'(\theta) = \sum_\mu c_\mu f(\theta + s_\mu)\) with 2R terms, antisymmetric in the shifts.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

# A rule that amplifies noise by more than this is no rule; the sum of |c| is R or less when well posed.
_MAX_AMPLIFICATION = 1e3

# Rounding is amplified by the condition number.
_MAX_CONDITION = 1e8

# Telling apart closer frequencies takes shifts of so many turns that rounding spoils them.
_MIN_GAP = 1e-6


class ShiftRule(NamedTuple):
    """f' = sum coefficients[m] f(angle + shifts[m]); shifts in radians, both (2R,)."""

    shifts: np.ndarray
    coefficients: np.ndarray


@lru_cache(maxsize=4096)
def shift_rule(frequencies: tuple[float, ...]) -> ShiftRule:
    r"""The rule for positive frequencies in ascending order.

    Equidistant \(\Omega_l = l\,\Omega\): shifts \((2\mu-1)\pi/(2R\Omega)\) and coefficients
    \((-1)^{\mu-1}\,\Omega/(4R \sin^2(\Omega s_\mu/2))\), which for R = 1 is the two-term rule and for
    frequencies 1/2, 1 the four-term rule. Otherwise R positive shifts are chosen so that the linear
    system \(\sum_\mu 2c_\mu \sin(\Omega_l s_\mu) = \Omega_l\) is well conditioned, and solved.

    Raises:
        ValueError: no well-conditioned shifts were found for these frequencies; says the condition number.

    References:
        D. Wierichs, J. Izaac, C. Wang, C. Y.-Y. Lin, "General parameter-shift rules for quantum
        gradients", Quantum 6, 677 (2022), arXiv:2107.12390.
    """
    count = len(frequencies)
    if count == 0:
        return ShiftRule(np.zeros(0), np.zeros(0))
    omega = np.asarray(frequencies)
    base = omega[0]
    if np.allclose(omega, base * np.arange(1, count + 1), rtol=1e-9):
        order = np.arange(1, count + 1)
        shifts = (2 * order - 1) * np.pi / (2 * count * base)
        # The 2R shifts of the literature are these R and their mirror images around pi/Omega, which by
        # periodicity are the negative ones.
        coefficients = (-1.0) ** (order - 1) * base / (4 * count * np.sin(base * shifts / 2) ** 2)
        return _antisymmetric(shifts, coefficients)
    return _general(omega)


def _general(omega):
    best, best_size, least = None, np.inf, np.inf
    frequencies = f"frequencies {omega.tolist()}"
    # Quasi-equidistant shifts over the period of the smallest gap, scanned for the smallest sum of |c|:
    # the variance at a fixed number of shots grows with it.
    gap = np.min(np.diff(np.concatenate([[0.0], omega])))
    if gap < _MIN_GAP * omega[-1]:
        raise ValueError(
            f"{frequencies}, of which two differ by {gap:.2g}: the condition number of any shift rule for them is "
            f"about {omega[-1] / gap:.1e}, at most {1 / _MIN_GAP:.0e} is accepted"
        )
    positions = (np.arange(len(omega)) + 0.5) / len(omega)
    for reach in np.linspace(np.pi / omega[-1], 2 * np.pi / gap, 400):
        shifts = positions * reach
        system = 2 * np.sin(np.outer(omega, shifts))
        condition = np.linalg.cond(system)
        least = min(least, condition)
        if condition > _MAX_CONDITION:
            continue
        coefficients = np.linalg.solve(system, omega)
        if (size := np.abs(coefficients).sum()) < best_size:
            best, best_size = _antisymmetric(shifts, coefficients), size
    if best is None or best_size > _MAX_AMPLIFICATION * omega[-1]:
        raise ValueError(
            f"{frequencies}, for which no shift rule is well conditioned: the best condition number is {least:.1e}, "
            f"the least sum of coefficients {best_size:.1e}"
        )
    return best


def curvature_rule(frequencies: tuple[float, ...]) -> Float[np.ndarray, "1+2R"]:
    r"""Coefficients of the second derivative: of the evaluation itself, then of those of `shift_rule`.

    The even part of an expectation value along one angle has R + 1 coefficients, and the evaluation at the point and
    the mirror images of the rule know as many sums,

    .. math:: f''(\theta) = d_0 f(\theta) + \sum_\mu d_\mu [f(\theta + s_\mu) + f(\theta - s_\mu)], \qquad
        \sum_\mu 2 d_\mu (1 - \cos \Omega_l s_\mu) = \Omega_l^2, \quad d_0 = -2 \sum_\mu d_\mu,

    so the diagonal of a Hessian costs nothing beside the gradient.

    Raises:
        ValueError: the linear system is ill conditioned; says the condition number.

    References:
        A. Mari, T. R. Bromley, N. Killoran, Phys. Rev. A 103, 012405 (2021), arXiv:2008.06517.
    """
    shifts = shift_rule(frequencies).shifts[: len(frequencies)]
    omega = np.asarray(frequencies)
    system = 2 * (1 - np.cos(np.outer(omega, shifts)))
    if len(omega) and (condition := np.linalg.cond(system)) > _MAX_CONDITION:
        raise ValueError(
            f"frequencies {omega.tolist()}, for which the condition number of the second derivative's shift rule is "
            f"{condition:.1e}, at most {_MAX_CONDITION:.0e} is accepted"
        )
    half = np.linalg.solve(system, omega**2)
    return np.concatenate([[-2 * half.sum()], half, half])


def _antisymmetric(shifts, coefficients):
    return ShiftRule(np.concatenate([shifts, -shifts]), np.concatenate([coefficients, -coefficients]))
