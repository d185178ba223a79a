r"""Claim: the Fourier transform of an image brings no complex-valued information; one half of the frequencies does.

Handwritten digits of scikit-learn (1797 images, 8 x 8) brought to one norm; infinitely wide dense networks, two hidden
layers, no biases, a real readout, trained to convergence on +-1 targets (derivation in digits.md):

1. Pixels have a real Gram matrix: tangent kernels of complex networks are real, those of real networks with sigma_eq.
2. A unitary FFT of the whole image keeps every Gram matrix: all dense networks, complex or real on (Re, Im), have the
   kernels that they have on pixels.
3. One frequency of each conjugate pair keeps the real part of the Gram matrix and adds an imaginary one. Split ReLU
   remains the real ReLU network, which is that on pixels; modReLU and cardioid move away from theirs.
4. With 100 training images this changes test accuracy, by less than a percent: modReLU gains, cardioid loses.
"""

from typing import NamedTuple

import jax
import numpy as np

from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.studies.ntk_convergence import Convergence, converge
from theory.claim import Headline, canvas, run
from theory.complex_ntk.real_limit import activations, distance, equivalent_network, network, normalised, stacked
from theory.statistics import normal, rng, student

# Added to kernels whose diagonals are about 2, and whose smallest eigenvalues are above 0.02.
JITTER = 1e-4
# Training images with which accuracy leaves enough room for a difference.
FEW_IMAGES = 100


class Kernels(NamedTuple):
    """Relative distances of an activation's tangent kernels off the diagonal, and a largest imaginary part.

    Attributes:
        imaginary: largest |Im Theta| on pixels.
        to_real: on pixels, from the real network with sigma_eq.
        spectrum: on the whole spectrum, from those on pixels.
        half: on half of it, with a real readout, from those on pixels.
    """

    imaginary: float
    to_real: float
    spectrum: float
    half: float


class Accuracy(NamedTuple):
    """Test accuracy on pixels and on half of the spectrum, the gain, and its standard error."""

    pixels: float
    half: float
    gain: float
    standard_error: float


class Result(NamedTuple):
    """What the claims are about.

    Attributes:
        gram_imaginary: ||Im K||/||K|| of the Gram matrix of half spectra.
        gram_real: largest change of Re K from pixels to half spectra.
        relu: distance of split ReLU on half spectra from the real ReLU network on (Re, Im), and of this one on (Re, Im)
            of half and of whole spectra from that on pixels: the largest.
        kernels: by activation.
        accuracy: by number of training images and activation.
        finite: of modReLU networks on 64 half spectra; None if small.
    """

    gram_imaginary: float
    gram_real: float
    relu: float
    kernels: dict[str, Kernels]
    accuracy: dict[int, dict[str, Accuracy]]
    finite: Convergence | None


def compute(small: bool = False) -> Result:
    """About 10 seconds on 120 images with two activations if small, else three minutes on all."""
    images, target = digits()
    order = rng(0).permutation(len(images))[: 120 if small else None]
    images, target = images[order], target[order]
    pixels = normalised(images.reshape(len(images), -1))
    spectra = normalised(np.fft.fft2(images, norm="ortho").reshape(len(images), -1))
    half = normalised(half_plane(images))
    grams = [x @ x.conj().T / x.shape[1] for x in (pixels, half)]
    few = slice(120)  # enough for identities
    relu = [np.asarray(network(nn.ReLU()).kernel(stacked(x[few])).ntk) for x in (pixels, spectra, half)]
    sizes = (40,) if small else (FEW_IMAGES, len(images) // 3)
    kernels, accuracy = {}, {size: {} for size in sizes}
    for name, activation in activations().items():
        if small and name == "modReLU":  # its dual maps take longest
            continue
        net = nn.serial(network(activation), nn.Readout("real"))
        on_pixels, on_half = (jax.tree.map(np.asarray, net.kernel(x)) for x in (pixels + 0j, half))
        kernels[name] = _kernels(activation, pixels[few], spectra[few], distance(on_half.ntk, on_pixels.ntk))
        for size in sizes:
            accuracy[size][name] = _accuracy(on_pixels, on_half, target, size)
        if name == "split ReLU":
            relu.append(on_half.ntk[few, few])
    return Result(
        float(np.linalg.norm(grams[1].imag) / np.linalg.norm(grams[1])),
        float(np.max(np.abs(grams[1].real - grams[0]))),
        max(distance(other, relu[0]) for other in relu[1:]),
        kernels,
        accuracy,
        None if small else converge(lambda width: network(nn.ModReLU(-0.5), width), half[:64], (128, 512), 8),
    )


def digits():
    """Images (1797, 8, 8) of handwritten digits, and the digits (1797,)."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("the digits come with scikit-learn: pip install 'qcgrad[test]'") from error
    data, target = load_digits(return_X_y=True)
    return np.reshape(data, (-1, 8, 8)), np.asarray(target)


def half_plane(images):
    """Fourier coefficients of one of each pair of frequencies k, -k, times sqrt(2), and of those with k = -k.

    A real image has conjugate values at k and -k, so nothing is lost; with sqrt(2) no length changes either.

    Args:
        images: (N, H, W), real.

    Returns:
        (N, M) complex; of 8 x 8 pixels 30 pairs and 4 frequencies with k = -k.
    """
    spectra = np.fft.fft2(images, norm="ortho")
    index = np.arange(images[0].size).reshape(images[0].shape)
    mirrored = np.roll(index[::-1, ::-1], (1, 1), axis=(0, 1))  # where -k stands
    return (np.where(index == mirrored, 1.0, 2**0.5) * spectra)[:, index <= mirrored]


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    assert result.gram_real < 1e-12, f"Re of the Gram matrix changes by {result.gram_real:.1e}"
    assert result.gram_imaginary > 0.1, f"Im of the Gram matrix is only {result.gram_imaginary:.1e} of it"
    assert result.relu < 1e-9, f"split ReLU is {result.relu:.1e} away from a real ReLU network"
    for name, found in result.kernels.items():
        assert found.imaginary == 0, f"{name}: on pixels Im Theta is {found.imaginary:.1e}"
        # The series of sigma_eq is cut, which matters most for the digits that are nearly the same.
        assert found.to_real < 2e-3, f"{name}: on pixels {found.to_real:.1e} away from the real network"
        assert found.spectrum < 1e-9, f"{name}: the FFT moves the kernel by {found.spectrum:.1e}"
        if name == "split ReLU":
            assert found.half < 1e-9, f"{name}: half of the spectrum moves the kernel by {found.half:.1e}"
        else:
            assert found.half > 10 * found.to_real, f"{name}: half of the spectrum moves the kernel by {found.half:.1e}"
    for size, found in result.accuracy.items():
        assert found["split ReLU"].gain == 0, f"split ReLU: accuracy changes by {found['split ReLU'].gain:.1e}"
        # Of few images, or where nearly all are right, no sign is claimed: there it must not be the opposite. All
        # predictions may be the same, with no gain and no error.
        least = 3 if size == FEW_IMAGES else -normal(2)
        for name in result.kernels.keys() - {"split ReLU"}:
            gain, error = found[name].gain * (1 if name == "modReLU" else -1), found[name].standard_error
            assert gain >= least * error, f"{name}, {size} images: gain {found[name].gain:.4f} +- {error:.4f}"
    if (finite := result.finite) is not None:
        # With few networks the mean errors themselves are uncertain.
        allowed, slope = 0.1 + student(2 * finite.ntk.shape[1] - 2) * finite.slope_error, finite.slope.exponent
        assert abs(slope + 0.5) < allowed, f"finite width: slope {slope:.2f}, not -0.5 +- {allowed:.2f}"


def headline(result: Result) -> Headline:
    """How far half of the frequencies move kernels."""
    measured = ", ".join(f"{found.half:.1g}" for found in result.kernels.values())
    return Headline(f"move of kernels on half spectra: {', '.join(result.kernels)}", "0 for split ReLU alone", measured)


def report(result: Result):
    """Lines for the reader."""
    yield f"half of the spectrum: ||Im K||/||K|| = {result.gram_imaginary:.3f}, Re K kept to {result.gram_real:.0e}"
    yield f"split ReLU and the real ReLU networks: within {result.relu:.0e}"
    yield "kernel distances: pixels to real network, whole spectrum to pixels, half spectrum to pixels"
    for name, found in result.kernels.items():
        yield f"  {name:10s} {found.to_real:8.1e} {found.spectrum:8.1e} {found.half:8.1e}"
    yield "training images: test accuracy on pixels, on half spectra, gain +- standard error"
    for size, by_name in result.accuracy.items():
        for name, (pixels, half, gain, error) in by_name.items():
            yield f"  {size:4d}  {name:10s} {pixels:.4f}  {half:.4f}  {gain:+.4f} +- {error:.4f}"
    if result.finite is not None:
        rows = zip(result.finite.widths, result.finite.ntk.mean(axis=1), strict=True)
        cells = ", ".join(f"{error:.3f} at width {width}" for width, error in rows)
        yield f"finite modReLU networks on 64 half spectra: error {cells}"


def figure(result: Result, path):
    """Distances of kernels, and the change of accuracy."""
    drawing, ((left, right),) = canvas(1, 2)
    names, colours = list(result.kernels), ("#0072B2", "#009E73", "#D55E00")
    place = np.arange(len(names))
    labels = ("pixels: from real network", "whole spectrum: from pixels", "half spectrum: from pixels")
    for i, (field, label) in enumerate(zip(("to_real", "spectrum", "half"), labels, strict=True)):
        # Zero has no place on a logarithmic axis: nothing below rounding is drawn.
        values = [max(getattr(result.kernels[name], field), 1e-17) for name in names]
        left.bar(place + 0.25 * (i - 1), values, 0.25, label=label, color=colours[i])
    left.set(yscale="log", ylim=(1e-17, 1e2), ylabel="distance of the tangent kernels")
    left.set_title("The whole spectrum keeps kernels, half of it does not")
    for i, (size, found) in enumerate(result.accuracy.items()):
        gains, errors = (100 * np.array([getattr(found[n], f) for n in names]) for f in ("gain", "standard_error"))
        style = {"fmt": "os"[i], "color": colours[2 * i], "capsize": 3, "label": f"{size} training images"}
        right.errorbar(place + 0.2 * i - 0.1, gains, 3 * errors, **style)
    right.axhline(0, color="0.4", linewidth=0.8)
    right.set(ylabel="gain of test accuracy (percentage points)")
    right.set_title("Half spectrum against pixels, 3 standard errors")
    for axis in (left, right):
        axis.set_xticks(place, names)
        axis.legend(frameon=False, fontsize=8, loc="upper left")
    drawing.savefig(path, dpi=150)


def _kernels(activation, pixels, spectra, half) -> Kernels:
    theta, of_spectra = (np.asarray(network(activation).kernel(x).ntk) for x in (pixels + 0j, spectra))
    real = equivalent_network(activation).kernel(stacked(pixels)).ntk
    imaginary = float(np.max(np.abs(np.imag(theta))))
    return Kernels(imaginary, distance(np.real(theta), real), distance(of_spectra, theta), half)


def _accuracy(on_pixels, on_half, target, size) -> Accuracy:
    """Disjoint training sets of one size, each tested on all other images."""
    count = len(target)
    sets = [np.arange(start, start + size) for start in range(0, count - size + 1, size)]
    right = np.full((2, len(sets), count), np.nan)
    for s, train in enumerate(sets):
        test = np.setdiff1d(np.arange(count), train)
        for r, kernel in enumerate((on_pixels, on_half)):
            right[r, s, test] = _predicted(kernel, train, test, target) == target[test]
    gain = right[1] - right[0]
    # Both the training sets and the images tested are samples; adding both variances counts what is left twice.
    error = np.hypot(*(_standard_error(np.nanmean(gain, axis=axis)) for axis in (0, 1)))
    pixels, half, mean_gain = (float(np.nanmean(each)) for each in (*right, gain))
    return Accuracy(pixels, half, mean_gain, float(error))


def _predicted(kernel, train, test, target):
    pairs = ((train, train), (test, train), (test, test))
    own, cross, rest = (kernel._make(a[np.ix_(*pair)] for a in kernel) for pair in pairs)
    signs = 2.0 * (target[train, None] == np.arange(10)) - 1
    return np.argmax(ntk.regression(own, cross, rest, signs, kind="ntk", jitter=JITTER).mean, axis=1)


def _standard_error(values):
    return np.std(values, ddof=1) / np.sqrt(len(values))


if __name__ == "__main__":
    run(__name__)
