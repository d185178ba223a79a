r"""How many copies make backward sweeps with Gaussian pointers accurate.

A sweep over k copies reads string d behind d others. Its outcome is a mean of k outcomes +-1, a Gaussian of variance
s^2/k, and a mean that depends on the turns that the d earlier pointers gave the copies: by random angles
\(\xi_i \sim N(0, 1/(4s^2))\), each of which moves it by at most \(2|\xi_i|/\sqrt k\). So it is a Lipschitz function of
Gaussians (Tsirelson, Ibragimov, Sudakov), and the three parts are sub-Gaussian with

.. math:: v_d = \frac1k\Big(1 + s^2 + \frac d{s^2}\Big),

the bound on the variance, around a mean that is biased by at most \(d/(2s^2k)\)
(`_pointer_statistics.bias_of_strings`). Copies that are left out count as 0, an outcome within the same bounds.

References:
    S. Boucheron, G. Lugosi, P. Massart, "Concentration Inequalities", Oxford (2013), theorem 5.6.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ...array_types import Array
from ...ir.program import Program
from ...ir.sweep_form import Encoding, SweepForm, one_state_forms
from ...objective import Point
from ._pointer_statistics import weights_of


def copies_for(forms: list[SweepForm], widths: list[float], log: float, epsilon: float) -> float:
    r"""Copies, all in one batch, after which no derivative is off by more than epsilon.

    With bias B/N and spread Q/N for N copies, \(B/N + \sqrt{2\ell Q/N} \le \epsilon\) is solved for N.

    Args:
        forms: what is swept; the copies are divided in proportion to their weights.
        widths: \(s^2\) of each.
        log, epsilon: as for `accuracy.hoeffding`.
    """
    if not forms:
        return 1.0
    weights = weights_of(forms)
    shares = weights / weights.sum()
    bias = spread = np.zeros(1)
    for form, width, share in zip(forms, widths, shares.tolist(), strict=True):
        earlier = np.arange(form.num_components)
        bias = bias + _added(form, lambda rows, e=earlier, s=width: rows @ (e / (2 * s))) / share
        # Strings of one sweep depend on each other, so that roots add up; sweeps do not.
        spread = spread + _added(form, lambda rows, e=earlier, s=width: rows @ np.sqrt(1 + s + e / s)) ** 2 / share
    root = np.sqrt(2 * log * spread)
    # One copy more for each sweep, which is how whole numbers are divided.
    return float(np.max((root + np.sqrt(root**2 + 4 * epsilon * bias)) / (2 * epsilon)) ** 2) + len(forms)


def fewest_copies(
    point: Point, program: Program, log: float, epsilon: float, to_widths: Callable[[list[SweepForm]], list[float]]
) -> tuple[float, Encoding, list[float]]:
    """Copies as of `copies_for`, with which encoding and at which widths: the encoding that takes fewer.

    Strings that are swept one by one serve several outputs at once. For one output the block encoding takes no more,
    since one sweep over all copies is biased less than many over few.
    """
    found = []
    encodings: tuple[Encoding, ...] = ("block", "terms") if program.num_observables > 1 else ("block",)
    for encoding in encodings:
        forms = one_state_forms(program, np.asarray(point.coordinates, float), encoding, discards=True)
        widths = to_widths(forms)
        found.append((copies_for(forms, widths, log, epsilon), encoding, widths))
    return min(found, key=lambda choice: choice[0])


def best_width(forms: list[SweepForm], log: float, epsilon: float) -> float:
    r"""The \(s^2\) for which `copies_for` all forms is smallest."""
    from scipy.optimize import minimize_scalar

    largest = max((form.num_components for form in forms), default=1)

    def copies(exponent: float) -> float:
        return copies_for(forms, [np.exp(exponent)] * len(forms), log, epsilon)

    # Between the best for no earlier string at all and more than the best for the bias alone.
    found = minimize_scalar(copies, bounds=(-1, np.log(10 * largest)), method="bounded")
    return float(np.exp(found.x))  # pyright: ignore[reportAttributeAccessIssue]


def expected_copies(point: Point, program: Program, variance: float, log: float, epsilon: float) -> float:
    r"""\(2 V W^2 \ell/\epsilon^2\), at least one for each output: what the noise takes where the bias matters little.

    Args:
        point, program: copies are divided in proportion to the weights \(\Lambda_k\) of the encoded outputs, so that
            \(W^2 = \max_k\Lambda_k \sum_k\Lambda_k\).
        variance: V of one copy.
        log, epsilon: as for `accuracy.hoeffding`.
    """
    forms = one_state_forms(program, np.asarray(point.coordinates, float), "block", discards=True)
    sizes = np.array([form.value.max() * np.abs(form.mixing).max() for form in forms])
    return max(len(sizes), 2 * variance * log * float(sizes.max(initial=0.0) * sizes.sum()) / epsilon**2)


def _added(form: SweepForm, to_rows: Callable) -> Float[Array, " KA"]:
    """What the strings of a form add to each derivative of each output."""
    rows = to_rows(abs(form.gradient)).reshape(len(form.constants), -1)
    return (np.abs(form.mixing) @ rows).ravel()
