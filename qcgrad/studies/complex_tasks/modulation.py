"""Modulation recognition: which constellation do these symbols come from?"""

import re

import numpy as np
from jaxtyping import Complex

from .task import Task, accuracy, circular, class_targets, noise_scale, require_counts


def modulation(
    seed: int,
    count: int,
    constellations: tuple[str, ...] = ("psk4", "psk8", "qam16"),
    window: int = 16,
    snr_db: float = 20.0,
) -> Task:
    r"""Windows of symbols with an unknown carrier phase and noise; the class is their constellation.

    .. math:: x_j = e^{i\varphi} s_j + n_j, \qquad s_j \in \text{constellation},\quad
        \varphi \sim U(0, 2\pi) \text{ for each window.}

    The class is *invariant* under a global phase: it does not turn with the input, as outputs of channels do.

    Args:
        seed: of classes, symbols, phases and noise.
        count: number N of windows.
        constellations: names for `constellation`, the classes, at least two.
        window: d, symbols in a window.
        snr_db: mean |s|^2 over E|n|^2 in dB; `math.inf` for no noise.

    Returns:
        x (N, window) complex and y (N, C) real, one-hot minus 1/C; the metric is `accuracy`, 1/C by guessing.

    Raises:
        ValueError: a count below 1, fewer than two constellations or one with an unknown name, or snr_db is not a
            number.

    Cost: O(N window).

    Example:
        >>> import numpy as np
        >>> from qcgrad.studies.complex_tasks import modulation
        >>> task = modulation(seed=0, count=200, constellations=("psk4", "qam16"))
        >>> spread = np.var(np.abs(task.x) ** 2, axis=1)  # of the power: none for PSK, 0.32 for QAM-16
        >>> task.metric(np.stack([-spread, spread - 0.24], axis=1), task.truth) > 0.9
        True

    References:
        O. A. Dobre et al., "Survey of automatic modulation classification techniques", IET Commun. 1 (2007).
    """
    require_counts(count=count, window=window)
    if len(constellations) < 2:
        raise ValueError(f"constellations={constellations!r}: give at least two names, the classes")
    points = [constellation(name) for name in constellations]
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(points), size=count)
    symbols = np.stack([rng.choice(points[label], window) for label in labels])
    carrier = np.exp(2j * np.pi * rng.random((count, 1)))
    x = carrier * symbols + noise_scale(symbols, snr_db) * circular(rng, count, window)
    y = class_targets(labels, len(points))
    return Task(x, y, y, accuracy)


def constellation(name: str) -> Complex[np.ndarray, "points"]:
    r"""Points of a constellation, of mean power 1.

    Args:
        name: "psk" and a number M of points, \(e^{2\pi ij/M}\); or "qam" and a square number M of points, the grid of
            odd numbers.

    Returns:
        (M,) complex.

    Raises:
        ValueError: another name, fewer than two points, or a QAM whose number of points is no square.

    Example:
        >>> from qcgrad.studies.complex_tasks import constellation
        >>> [len(constellation(name)) for name in ("psk4", "psk8", "qam16")]
        [4, 8, 16]
    """
    found = re.fullmatch(r"(psk|qam)(\d+)", name)
    size = int(found[2]) if found else 0
    side = round(size**0.5)
    if found is None or size < 2 or (found[1] == "qam" and side**2 != size):
        raise ValueError(f'constellation {name!r}: give "psk2", "psk4", ..., or "qam4", "qam16", "qam64", ...')
    if found[1] == "psk":
        return np.exp(2j * np.pi * np.arange(size) / size)
    levels = 2 * np.arange(side) - side + 1
    points = (levels[:, None] + 1j * levels).ravel()
    return points / np.sqrt(np.mean(np.abs(points) ** 2))
