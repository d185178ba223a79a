"""Regression under noise whose real and imaginary part differ."""

import math

import numpy as np

from .task import Task, circular, noise_scale, require_counts, squared_error


def improper_noise(
    seed: int, count: int, dimension: int = 4, snr_db: float = 0.0, circularity: float = 0.9, angle: float = 0.0
) -> Task:
    r"""A complex linear function, observed with improper noise.

    .. math:: y = w^T x + n, \qquad \mathbb E|n|^2 = \sigma^2, \quad \mathbb E[n^2] = \kappa\, e^{i\varphi}\sigma^2

    with circular Gaussian x of unit variance in each entry and a random w of norm one. Where \(\kappa > 0\) one
    quadrature of y is quieter than the other, which estimates that are linear in y and conj y (widely linear) can use,
    and those that are linear in y alone cannot.

    Args:
        seed: of w, inputs and noise.
        count: number N of samples.
        dimension: d of the inputs.
        snr_db: mean |y - n|^2 over sigma^2 in dB; `math.inf` for no noise.
        circularity: kappa, from 0 (circular) to 1 (all noise in one quadrature).
        angle: phi in radians; the loud quadrature lies at phi/2.

    Returns:
        x (N, d) and y (N,), complex; the metric is `squared_error`.

    Raises:
        ValueError: a count below 1, circularity outside [0, 1], an angle that is not finite, or snr_db is not a number.

    Cost: O(N d).

    Example:
        >>> import numpy as np
        >>> from qcgrad.studies.complex_tasks import improper_noise
        >>> task = improper_noise(seed=0, count=10_000, circularity=1.0, angle=np.pi)
        >>> bool(np.allclose((task.y - task.truth).real, 0))  # all noise is imaginary
        True

    References:
        B. Picinbono and P. Chevalier, "Widely linear estimation with complex data", IEEE Trans. Signal Process. 43
        (1995).
    """
    require_counts(count=count, dimension=dimension)
    if not 0 <= circularity <= 1:
        raise ValueError(f"circularity={circularity!r}: give a number from 0 (circular) to 1 (one quadrature)")
    if not math.isfinite(angle):
        raise ValueError(f"angle={angle!r}: give a finite number of radians")
    rng = np.random.default_rng(seed)
    weights = circular(rng, dimension)
    x = circular(rng, count, dimension)
    truth = x @ (weights / np.linalg.norm(weights))
    loud, quiet = np.sqrt((1 + circularity) / 2), np.sqrt((1 - circularity) / 2)
    noise = np.exp(0.5j * angle) * (loud * rng.normal(size=count) + 1j * quiet * rng.normal(size=count))
    return Task(x, truth + noise_scale(truth, snr_db) * noise, truth, squared_error)
