r"""Claim: complex kernels help where targets turn with the input, most if the kernel turns too; elsewhere they do not.

Infinitely wide networks (two hidden layers, no biases) trained to convergence with a ridge of 1 %, on tasks of
`qcgrad.studies.complex_tasks` (derivation in synthetic_tasks.md). With 16, 64 and 160 samples, beyond three standard
errors of differences paired by data:

1. Channels. Split ReLU with two real outputs is the real ReLU network; with a complex output it is better (FIR: all
   sizes; Saleh: 16), and averaged over turns of the input better still (FIR: all sizes; Saleh: from 64 on): with
   64 samples than the real network with 160.
2. Turning with the input is not all: modReLU (b = -1/2) beats split ReLU on the FIR channel with 16 samples and loses
   from 64 on. On the Saleh channel it wins with 160.
3. Phase recovery has real inputs: complex and real outputs agree, and averaging over turns does harm from 64 on.
4. PSK-2 or PSK-4 under a random carrier phase: labels do not turn. Kernels that turn guess, split ReLU does not.
5. PolSAR classes: no difference between real, complex and averaged ReLU kernels was found.
6. Under improper noise the widely linear posterior beats the strictly linear one; they agree if noise is circular.
"""

from typing import NamedTuple

import numpy as np

from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.networks.kernel_state import Kernel
from qcgrad.studies import complex_tasks as tasks
from theory.claim import Headline, canvas, run
from theory.complex_ntk.real_limit import network
from theory.complex_ntk.synthetic_kernels import (
    AVERAGED,
    MODRELU,
    MODRELU_PAIR,
    REAL,
    SPLIT,
    each,
    modrelu_kernels,
    real_outputs,
    relu_kernels,
)
from theory.statistics import normal, shifted, student

RIDGE = 0.01  # jitter over the mean diagonal of Theta: the noise of the channels is 20 dB below their signal
CIRCULARITIES, ANGLE = (0.0, 0.5, 0.9), 1.0  # of the improper noise; radians
SIZES = (16, 64, 160)

FIR, SALEH, PHASE, PSK, POLSAR = "FIR channel", "Saleh channel", "phase recovery", "PSK-2 or PSK-4", "PolSAR"
TASKS = {
    FIR: tasks.fir_channel,
    SALEH: lambda seed, count: tasks.saleh_channel(seed, count, window=4, taps=2),
    PHASE: tasks.phase_recovery,
    PSK: lambda seed, count: tasks.modulation(seed, count, ("psk2", "psk4"), window=4),
    POLSAR: lambda seed, count: tasks.polsar(seed, count, looks=2, classes=5),
}

#: (task, better, worse, sizes)
BETTER = (
    (FIR, SPLIT, REAL, SIZES),
    (FIR, AVERAGED, SPLIT, SIZES),
    (FIR, MODRELU, MODRELU_PAIR, (16,)),
    (FIR, MODRELU, SPLIT, (16,)),
    (FIR, SPLIT, MODRELU, (64, 160)),
    (SALEH, SPLIT, REAL, (16,)),
    (SALEH, AVERAGED, REAL, SIZES),
    (SALEH, AVERAGED, SPLIT, (64, 160)),
    (SALEH, MODRELU, MODRELU_PAIR, (64, 160)),
    (SALEH, MODRELU, SPLIT, (160,)),
    (PHASE, SPLIT, AVERAGED, (64, 160)),
    (PSK, SPLIT, AVERAGED, (64, 160)),
    (PSK, SPLIT, MODRELU, (64, 160)),
)
SAME = ((PHASE, MODRELU, MODRELU_PAIR), (PHASE, SPLIT, REAL))
UNDECIDED = ((POLSAR, SPLIT, REAL), (POLSAR, SPLIT, AVERAGED))


class Result(NamedTuple):
    """Errors (squared, or fractions of wrong classes) by task and kernel, (seeds, sizes), and what else was measured.

    `real_distance`: of Re Theta/2 of split ReLU from Theta of the real network, relative to its largest entry;
    `improper`: by circularity, errors of the strictly and of the widely linear posterior, (seeds, 2).
    """

    sizes: tuple[int, ...]
    tested: int
    errors: dict[str, dict[str, np.ndarray]]
    real_distance: float
    improper: dict[float, np.ndarray]


def compute(small: bool = False) -> Result:
    """A few seconds if small, else some two minutes.

    Small leaves out modReLU: it loses to split ReLU on the FIR channel for 19 of 20 data sets, which few cannot show.
    """
    sizes, tested = ((64,), 60) if small else (SIZES, 80)
    errors, distance = {}, 0.0
    for name in (FIR,) if small else TASKS:
        found: dict[str, list] = {}
        for seed in range(8 if small else 12):
            task = TASKS[name](shifted(seed), sizes[-1] + tested)
            kernels = relu_kernels(task.x) | ({} if small else modrelu_kernels(task.x))
            for key, kernel in kernels.items():
                found.setdefault(key, []).append([_error(kernel, task, size, tested) for size in sizes])
            real, half = kernels[REAL].ntk, real_outputs(kernels[SPLIT]).ntk
            distance = max(distance, float(np.max(np.abs(half - real)) / np.max(np.abs(real))))
        errors[name] = {key: np.array(values) for key, values in found.items()}
    # A few draws do not show what half circularity gains.
    draws = np.stack([_improper(seed) for seed in range(12 if small else 48)])
    improper = {kappa: draws[:, i] for i, kappa in enumerate(CIRCULARITIES) if kappa != 0.5 or not small}
    return Result(sizes, tested, errors, distance, improper)


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    errors, sizes = result.errors, result.sizes
    # Rounding of a cosine near one is 1e-8 in its angle.
    assert result.real_distance < 1e-6, f"split ReLU is {result.real_distance:.1e} away from the real network"
    for task, better, worse, at in (claim for claim in BETTER if {*claim[1:3]} <= {*errors.get(claim[0], ())}):
        for n in set(at) & set(sizes):
            gain = (errors[task][worse] - errors[task][better])[:, sizes.index(n)]
            assert _stands_out(gain, sizes), f"{task}, {n} samples: {better} is not better than {worse}, {gain}"
    for kappa, found in result.improper.items():
        gain = found[:, 0] - found[:, 1]
        assert _stands_out(gain, sizes) if kappa else np.max(np.abs(gain)) < 1e-9, f"circularity {kappa}: gains {gain}"
    for task in (FIR, SALEH) if sizes == SIZES else ():
        t = _in_errors(errors[task][REAL][:, 2] - errors[task][AVERAGED][:, 1])
        assert t > 3, f"{task}: averaged with 64 samples is better than real with 160 by {t:.1f} standard errors only"
    for task, one, other in (pair for pair in SAME if pair[0] in errors):
        assert np.allclose(errors[task][one], errors[task][other], rtol=1e-5), f"{task}: {one} is not {other}"
    for task, one, other in (pair for pair in UNDECIDED if pair[0] in errors):
        t = _in_errors(errors[task][one] - errors[task][other])
        allowed = student(len(errors[task][one]) - 1, t.size)
        assert np.max(np.abs(t)) < allowed, f"{task}: {one} and {other} differ by {t} standard errors"
    for kernel in (MODRELU, AVERAGED) if PSK in errors else ():
        found = errors[PSK][kernel]
        off, allowed = np.max(np.abs(found.mean(axis=0) - 0.5)), normal(6) * 0.5 / np.sqrt(result.tested * len(found))
        assert off < allowed, f"{PSK}: {kernel} does not guess as a coin does, {off:.3f} from 1/2"


def headline(result: Result) -> Headline:
    """What turning brings on the FIR channel."""
    ratios = result.errors[FIR][AVERAGED].mean(axis=0) / result.errors[FIR][REAL].mean(axis=0)
    quantity = f"error of the turning over the real kernel, FIR channel, {', '.join(map(str, result.sizes))} samples"
    return Headline(quantity, "below 1", ", ".join(f"{ratio:.2f}" for ratio in ratios))


def report(result: Result):
    """Lines for the reader."""
    yield f"split ReLU, two real outputs: {result.real_distance:.1e} from the real ReLU network"
    yield "errors (standard errors) with " + ", ".join(str(size) for size in result.sizes) + " training samples"
    for task, errors in result.errors.items():
        yield task
        for kernel, found in errors.items():
            cells = zip(found.mean(axis=0), _standard_error(found), strict=True)
            yield f"  {kernel:32s}" + "".join(f"  {mean:.4f} ({error:.4f})" for mean, error in cells)
    yield "differences in standard errors"
    for task, better, worse, *_ in (*BETTER, *UNDECIDED):
        if not {better, worse} <= {*result.errors.get(task, ())}:
            continue
        t = _in_errors(result.errors[task][worse] - result.errors[task][better])
        yield f"  {task}: {better} before {worse}:" + "".join(f" {value:5.1f}" for value in t)
    for kappa, found in result.improper.items():
        (strict, wide), t = found.mean(axis=0), _in_errors(found[:, 0] - found[:, 1])
        yield f"circularity {kappa}: strictly linear {strict:.4f}, widely linear {wide:.4f}, {t:.1f} standard errors"


def figure(result: Result, path):
    """Learning curves of each task, and the two posteriors under improper noise."""
    drawing, axes = canvas(2, 3, width=4.4, height=3.7)
    colours, markers = ("#000000", "#0072B2", "#009E73", "#D55E00", "#E69F00"), ("s-", "o-", "D-", "^-", "v--")
    for axis, (task, errors) in zip(axes.ravel(), result.errors.items(), strict=False):
        for (kernel, found), colour, marker in zip(errors.items(), colours, markers, strict=False):
            mean, error = found.mean(axis=0), _standard_error(found)
            axis.errorbar(result.sizes, mean, error, fmt=marker, color=colour, label=kernel, ms=5)
        is_class = task in (PSK, POLSAR)
        axis.set(xscale="log", yscale="linear" if is_class else "log")
        axis.set_xticks([], minor=True)
        axis.set_xticks(result.sizes, [str(size) for size in result.sizes])
        axis.set(xlabel="training samples", ylabel="wrong classes" if is_class else "squared error", title=task)
    last, place = axes[-1, -1], np.arange(len(result.improper))
    for shift, label, colour in ((-0.2, "strictly linear", "#CC79A7"), (0.2, "widely linear", "#56B4E9")):
        found = np.stack(list(result.improper.values()))[:, :, int(shift > 0)].T
        last.bar(place + shift, found.mean(axis=0), 0.4, yerr=_standard_error(found), color=colour, label=label)
    last.set_xticks(place, [str(kappa) for kappa in result.improper])
    last.set(xlabel="circularity of the noise", ylabel="squared error", title="improper noise, 64 samples")
    last.set_ylim(0, 1.4 * last.get_ylim()[1])
    last.legend(frameon=False)
    drawing.suptitle("Turning with the input: a gain on channels, none where inputs are real or labels do not turn")
    drawing.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    drawing.savefig(path, dpi=150)


def _standard_error(values):
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


def _in_errors(differences):
    """Mean over the seeds, in units of its standard error; 0 where all differences are 0."""
    return differences.mean(axis=0) / np.maximum(_standard_error(differences), np.finfo(float).tiny)


def _stands_out(gains, sizes) -> bool:
    """Three standard errors above zero; if small, above zero for most data sets.

    The median of 8 is below zero by luck with probability 1e-9 if one gain of 500 is, that of 12 if one of 100 is.
    On the FIR channel logarithms of the errors differ by 8 times their standard deviation over data sets; of 250 draws
    of improper noise all gained.
    """
    return bool(_in_errors(gains) > 3 if sizes == SIZES else np.median(gains) > 0)


def _parts(kernel: Kernel, size: int, tested: int):
    """Between the first inputs, from the last to the first, and between the last."""
    first, last = slice(size), slice(-tested, None)
    return [each(lambda k, part=part: k[part], kernel) for part in ((first, first), (last, first), (last, last))]


def _error(kernel: Kernel, task, size: int, tested: int) -> float:
    """After training on the first samples, on the last; a network with real outputs has two for each complex one."""
    train, cross, test = _parts(kernel, size, tested)
    y, truth = task.y[:size].reshape(size, -1), task.truth[-tested:]
    is_pair = np.iscomplexobj(y) and not np.iscomplexobj(kernel.ntk)
    targets = np.concatenate([y.real, y.imag], axis=1) if is_pair else y
    jitter = RIDGE * float(np.mean(np.real(np.diagonal(train.ntk))))
    mean = np.asarray(ntk.regression(train, cross, test, targets, kind="ntk", jitter=jitter).mean)
    if is_pair:
        mean = mean[:, : y.shape[1]] + 1j * mean[:, y.shape[1] :]
    value = task.metric(mean.reshape(truth.shape), truth)
    return 1 - value if task.metric is tasks.accuracy else value


def _improper(seed: int):
    """Errors of the strictly and the widely linear posterior mean of split ReLU, (circularities, 2)."""
    size, tested = 64, 60
    made = [
        tasks.improper_noise(shifted(seed), size + tested, circularity=kappa, angle=ANGLE) for kappa in CIRCULARITIES
    ]
    train, cross, test = _parts(each(np.asarray, network(nn.SplitReLU()).kernel(made[0].x)), size, tested)
    # At 0 dB the noise has the power of the signal. The kernel of noisy targets is that of signal and noise.
    noise = np.mean(np.real(np.diagonal(train.nngp))) * np.eye(size)
    errors = []
    for task, kappa in zip(made, CIRCULARITIES, strict=True):
        for known in (0, kappa * np.exp(1j * ANGLE)):
            noisy = train._replace(nngp=train.nngp + noise, pseudo=known * noise)
            mean = ntk.regression(noisy, cross, test, task.y[:size]).mean
            errors.append(task.metric(np.asarray(mean), task.truth[size:]))
    return np.reshape(errors, (-1, 2))


if __name__ == "__main__":
    run(__name__)
