"""The slope of a width study, and whether its interval covers the law that the errors follow."""

import numpy as np
import pytest

from qcgrad.studies.ntk_convergence import Convergence
from theory.statistics import counts, rng

WIDTHS = (64, 256, 1024)


def study(errors):
    return Convergence(WIDTHS, errors, errors)


def test_one_network_of_each_width_knows_no_interval():
    found = study(np.array([[0.4], [0.2], [0.1]]))
    assert found.slope.exponent == pytest.approx(-0.5)
    assert np.isnan(found.slope_interval()).all()


@pytest.mark.statistical
@pytest.mark.parametrize("networks", [4, 32])
def test_the_interval_of_the_slope_covers_the_law(networks):
    """Errors as skewed as those of networks, spread over 40 %, mean n^(-1/2): 8000 studies cover 95 %, within 2 %.

    The allowance is for what Student's t assumes; a normal interval of four networks covers 89 % and is found.
    """
    noise, trials = rng(0), 8000
    means = np.array(WIDTHS)[:, None] ** -0.5
    hits = 0
    for _ in range(trials):
        low, high = study(means * noise.gamma(6.25, 1 / 6.25, (len(WIDTHS), networks))).slope_interval()
        hits += low <= -0.5 <= high
    assert counts(trials, 0.93)[0] <= hits <= counts(trials, 0.97)[1]
