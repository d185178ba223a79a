"""Handwritten digits, as images or as their Fourier transforms."""

import numpy as np
from jaxtyping import Complex, Float

from ..complex_tasks import Task, accuracy
from ..complex_tasks.task import class_targets, require_counts

DOMAINS = "pixels", "spectrum", "half-spectrum"
"""What of an image a network sees."""

IMAGES = 1797
"""How many there are."""


def digits(seed: int, count: int, domain: str = "pixels") -> Task:
    r"""Handwritten digits of scikit-learn, 8 x 8 pixels, each image brought to mean square one.

    Args:
        seed: of the order of the images.
        count: number N of images, at most 1797.
        domain: "pixels", real; "spectrum", their unitary Fourier transform; "half-spectrum", one frequency of each
            conjugate pair k, -k, times \(\sqrt2\), which holds as much and is complex-valued information.

    Returns:
        x (N, 8, 8, 1), or (N, 34) for half of the spectrum, and y (N, 10) real, one-hot minus 1/10; the metric is
        `accuracy`.

    Raises:
        ValueError: another domain, or more images than there are.
        ImportError: scikit-learn is not installed.

    Cost: O(N).

    References:
        E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository 1998.
    """
    if domain not in DOMAINS:
        raise ValueError(f"domain={domain!r}: give {', '.join(map(repr, DOMAINS))}")
    require_counts(count=count)
    if count > IMAGES:
        raise ValueError(f"count={count}: there are {IMAGES} images, examples and tests together")
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("the digits come with scikit-learn: pip install scikit-learn") from error
    data, labels = load_digits(return_X_y=True)
    chosen = np.random.default_rng(seed).permutation(IMAGES)[:count]
    images = np.reshape(data, (-1, 8, 8))[chosen]
    x = _seen(images / np.sqrt(np.mean(images**2, axis=(1, 2), keepdims=True)), domain)
    y = class_targets(np.asarray(labels)[chosen], 10)
    return Task(x, y, y, accuracy)


def _seen(images: Float[np.ndarray, "N 8 8"], domain: str) -> np.ndarray:
    if domain == "pixels":
        return images[..., None]
    spectra: Complex[np.ndarray, "N 8 8"] = np.fft.fft2(images, norm="ortho")
    if domain == "spectrum":
        return spectra[..., None]
    index = np.arange(images[0].size).reshape(images[0].shape)
    mirrored = np.roll(index[::-1, ::-1], (1, 1), axis=(0, 1))  # where -k stands
    half = (np.where(index == mirrored, 1.0, 2**0.5) * spectra)[:, index <= mirrored]
    return half / np.sqrt(np.mean(np.abs(half) ** 2, axis=1, keepdims=True))
