"""Phase recovery: a signal from the moduli of its measurements."""

import math

import numpy as np

from .task import Task, circular, noise_scale, phase_invariant_error, require_counts


def phase_recovery(seed: int, count: int, dimension: int = 2, measurements: int = 8, snr_db: float = math.inf) -> Task:
    r"""Find a signal, up to its global phase, from moduli of random measurements.

    .. math:: x = |As + n|, \qquad y = s\,\bar s_1/|s_1|, \qquad s \in \mathbb C^k, \quad A \in \mathbb C^{m\times k}

    with circular Gaussian s (unit variance) and A (variance 1/k). Moduli do not change with the phase of s, so a
    regression could only predict the mean over it, zero; the targets take the phase that makes the first entry real and
    positive, and the metric forgets it. The inputs are real.

    Args:
        seed: of matrix, signals and noise.
        count: number N of signals.
        dimension: k.
        measurements: m; generic signals are determined from 4k - 4 on.
        snr_db: mean |As|^2 over E|n|^2 in dB; `math.inf` for no noise.

    Returns:
        x (N, m) real and y (N, k) complex; the metric is `phase_invariant_error`.

    Raises:
        ValueError: a count below 1, or snr_db is not a number.

    Cost: O(N m k).

    Example:
        >>> from qcgrad.studies.complex_tasks import phase_recovery
        >>> task = phase_recovery(seed=0, count=5)
        >>> task.x.shape, task.y.shape, task.metric(1j * task.y, task.truth) < 1e-12
        ((5, 8), (5, 2), True)

    References:
        R. Balan, P. Casazza and D. Edidin, "On signal reconstruction without phase", Appl. Comput. Harmon. Anal. 20
        (2006); A. Conca et al., "An algebraic characterization of injectivity in phase retrieval", ibid. 38 (2015).
    """
    require_counts(count=count, dimension=dimension, measurements=measurements)
    rng = np.random.default_rng(seed)
    matrix = circular(rng, measurements, dimension) / np.sqrt(dimension)
    signals = circular(rng, count, dimension)
    measured = signals @ matrix.T
    x = np.abs(measured + noise_scale(measured, snr_db) * circular(rng, count, measurements))
    y = signals * np.exp(-1j * np.angle(signals[:, :1]))
    return Task(x, y, y, phase_invariant_error)
