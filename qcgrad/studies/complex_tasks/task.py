"""What a task is, how predictions are scored, and what all generators share."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Inexact, Int
from numpy.typing import ArrayLike

from ...array_types import Array


class Task(NamedTuple):
    """Data to learn from.

    Attributes:
        x: inputs (N, d).
        y: targets (N,) or (N, O), with noise where the task has noise.
        truth: targets without noise, shaped as y: what predictions should be scored on.
        metric: `metric(predicted, truth)`, a number.
    """

    x: np.ndarray
    y: np.ndarray
    truth: np.ndarray
    metric: Callable[..., float]


def squared_error(predicted: ArrayLike, y: ArrayLike) -> float:
    r"""Normalised mean squared error \(\sum|\hat y - y|^2 / \sum|y|^2\): 1 for predictions that are zero.

    Args:
        predicted, y: arrays of one shape.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> from qcgrad.studies.complex_tasks import decibels, squared_error
        >>> squared_error([1.0, 1.1j], [1.0, 1j]), round(decibels(squared_error([1.0, 1.1j], [1.0, 1j])), 1)
        (0.005..., -23.0)
    """
    predicted, y = _pair(predicted, y)
    return float(np.sum(np.abs(predicted - y) ** 2) / np.sum(np.abs(y) ** 2))


def phase_invariant_error(predicted: ArrayLike, y: ArrayLike) -> float:
    r"""Normalised squared error after the best global phase of each sample.

    .. math:: \frac{\sum_n \min_\theta\|e^{i\theta}\hat y_n - y_n\|^2}{\sum_n\|y_n\|^2}, \qquad
        \min_\theta\|e^{i\theta}\hat y - y\|^2 = \|\hat y\|^2 + \|y\|^2 - 2\,|\langle\hat y, y\rangle| .

    Args:
        predicted, y: (N, O).

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> from qcgrad.studies.complex_tasks import phase_invariant_error
        >>> phase_invariant_error([[1j, -1.0]], [[1.0, 1j]])
        0.0
    """
    predicted, y = _pair(predicted, y)
    overlap = np.abs(np.sum(predicted.conj() * y, axis=-1))
    # Rounding of three sums must not make the error of a perfect prediction negative.
    error = np.maximum(np.sum(np.abs(predicted) ** 2 + np.abs(y) ** 2, axis=-1) - 2 * overlap, 0)
    return float(np.sum(error) / np.sum(np.abs(y) ** 2))


def accuracy(predicted: ArrayLike, y: ArrayLike) -> float:
    """Fraction of samples whose largest score (its real part) is that of their class.

    Args:
        predicted: scores (N, C), real or complex.
        y: (N, C), largest at the class, as the targets of the tasks are.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> from qcgrad.studies.complex_tasks import accuracy
        >>> accuracy([[0.2 + 5j, 0.1], [0.9, 0.3]], [[1, 0], [0, 1]])
        0.5
    """
    predicted, y = _pair(predicted, y)
    return float(np.mean(np.argmax(np.real(predicted), axis=-1) == np.argmax(np.real(y), axis=-1)))


def decibels(ratio: float) -> float:
    """10 log10 of a ratio of powers."""
    return 10 * math.log10(ratio)


def circular(rng: np.random.Generator, *shape: int) -> Complex[np.ndarray, "*shape"]:
    """Circular complex Gaussians of unit variance."""
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def noise_scale(signal: Inexact[Array, "..."], snr_db: float) -> float:
    """Root of the noise power that leaves this signal at a signal-to-noise ratio in dB; infinity means no noise."""
    if math.isnan(snr_db) or snr_db == -math.inf:
        raise ValueError(f"snr_db={snr_db!r}: give a number of decibels, or math.inf for no noise")
    return math.sqrt(float(np.mean(np.abs(signal) ** 2)) * 10 ** (-snr_db / 10))


def class_targets(labels: Int[np.ndarray, "N"], classes: int) -> Float[np.ndarray, "N C"]:
    """One-hot minus 1/C, (N, C): zero on average over the classes, so a regression without bias can meet them."""
    return np.eye(classes)[labels] - 1 / classes


def require_counts(**counts: int) -> None:
    """Refuse counts below 1 by their name."""
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name}={count!r}: give an integer >= 1")


def _pair(predicted, y):
    predicted, y = np.asarray(predicted), np.asarray(y)
    if predicted.shape != y.shape:
        raise ValueError(f"predicted has shape {predicted.shape}, but y has {y.shape}: give arrays of one shape")
    return predicted, y
