r"""Claim: leaving out positions is unbiased for one layer, with a variance of C (1 - r)/r S^2, and biased beyond.

Stochastic backpropagation keeps k of C cells of positions, r = k/C, the same ones in every layer; images of 9 x 9
positions, C = 9 cells, complex convolutional networks (derivation in stochastic_backprop.md):

1. One convolution: the gradient divided by r is unbiased; its total variance is C (1 - r)/r S^2, S^2 the variance of
   the cells' parts among each other. Without the division its mean is r times the gradient.
2. Windows of one position, two layers: r times the gradient without division; divided at each layer, 1/r times.
3. Wider windows, two layers: parts whose path meets two cells survive with k (k - 1)/(C (C - 1)) only. No factor
   repairs that.
4. On smooth images a lattice of cells has less variance than as many random ones.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qcgrad import networks as nn
from theory.claim import Headline, canvas, run
from theory.statistics import assert_frequencies, bernstein, key

SIDE, AXIS, IMAGES, CHANNELS, HIDDEN = 9, 3, 16, 2, 4
SEEN = 32  # gradients of the rule itself; the others are looked up by their masks
CELLS = AXIS**2
BOTH = "two layers, windows of 3"
NETWORKS = {"one layer": (3,), "two layers, windows of 1": (1, 1), BOTH: (3, 3)}


class Fixed(nn.StochasticBackprop):
    """The rule with a mask that is given in place of one that is drawn."""

    given: jax.Array | None = None

    def kept_cells(self, axes):
        return self.given


class Draws(NamedTuple):
    """Gradients of the first convolution under N masks of the rule.

    Attributes:
        mean, variance: of the gradient (P,), and total over its components.
        counts: (M,) how often each of the M masks with k cells was drawn, in the order of `itertools.combinations`.
    """

    mean: np.ndarray
    variance: float
    counts: np.ndarray


class Case(NamedTuple):
    """One network.

    Attributes:
        table: (2^C, P) its gradient for every mask, cells kept counted in bits, nothing divided.
        draws: by k, nothing divided.
        lattice: mean square deviation over the three lattices of C/3 cells from their mean.
        unlike: largest difference between gradients of the rule and those of the table for the same masks.
    """

    table: np.ndarray
    draws: dict[int, Draws]
    lattice: float
    unlike: float


class Result(NamedTuple):
    """Cases by name of the network; N draws each."""

    number: int
    cases: dict[str, Case]


def compute(small: bool = False) -> Result:
    """Seconds; if small with a tenth of the draws."""
    number = 2000 if small else 20_000
    return Result(number, {name: _case(windows, number) for name, windows in NETWORKS.items()})


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    for name, case in result.cases.items():
        size = np.linalg.norm(case.table[-1])
        assert case.unlike < 1e-12 * size, f"{name}: drawn and given masks differ by {case.unlike:.1e}"
        for k, draws in case.draws.items():
            label = f"{name}, {k} of {CELLS} cells"
            if len(draws.counts) > 1:
                assert_frequencies(draws.counts, np.full(len(draws.counts), 1 / len(draws.counts)))
            rows = case.table[_masks(k)]
            mean, square = _law(name, case.table, k)
            # The law is an identity over all masks: nothing is drawn.
            away = np.linalg.norm(rows.mean(axis=0) - mean)
            assert away < 1e-12 * size, f"{label}: the mean over all masks is {away / size:.1e} away from the law"
            deviations = np.sum(np.abs(rows - mean) ** 2, axis=1)
            if square is not None:
                assert abs(deviations.mean() - square) < 1e-12 * size**2, f"{label}: the law's variance is another"
            # And the rule's draws are around it; Bernstein's inequality holds for norms in any dimension (Pinelis). The
            # tolerance is a tenth of the gradient or less if small.
            allowed = bernstein(deviations.mean(), np.sqrt(deviations.max()), result.number)
            away = np.linalg.norm(draws.mean - mean)
            assert away < allowed + 1e-12 * size, f"{label}: mean {away / size:.3f} away, not {allowed / size:.3f}"
            allowed = bernstein(deviations.var(), deviations.max(), result.number)
            away = abs(draws.variance - deviations.mean())
            assert away < allowed + 1e-12 * size**2, f"{label}: variance off by {away / size**2:.1e}"
        rows = case.table[_masks(AXIS)]
        random = np.sum(np.abs(rows - rows.mean(axis=0)) ** 2, axis=1).mean()
        assert case.lattice < random / 2, f"{name}: a lattice has {case.lattice / random:.2f} of the variance"
    table = result.cases[BOTH].table
    mean, _ = _law(BOTH, table, AXIS)
    best = np.vdot(table[-1], mean) / np.vdot(table[-1], table[-1])
    left = np.linalg.norm(mean - best * table[-1]) / np.linalg.norm(mean)
    assert left > 0.01, f"a factor of {best:.3f} repairs the bias of two layers but for {left:.1e}"


def headline(result: Result) -> Headline:
    """Variances over those of the law, one layer, a third of all cells."""
    case = result.cases["one layer"]
    draws = case.draws[AXIS]
    _, square = _law("one layer", case.table, AXIS)
    return Headline(
        f"variance over that of the law, {AXIS} of {CELLS} cells, one layer", "1", f"{draws.variance / square:.3f}"
    )


def report(result: Result):
    """Lines for the reader."""
    yield f"{result.number} draws each; share of the gradient kept, relative deviation (its law)"
    for name, case in result.cases.items():
        whole = case.table[-1]
        yield f"{name}: a lattice of {AXIS} cells has {case.lattice / case.draws[AXIS].variance:.2f} of the variance"
        for k, draws in case.draws.items():
            mean, square = _law(name, case.table, k)
            share, law = (np.real(np.vdot(whole, g)) / np.linalg.norm(whole) ** 2 for g in (draws.mean, mean))
            spread = np.sqrt([draws.variance, np.nan if square is None else square]) / np.linalg.norm(whole)
            known = "" if square is None else f" ({spread[1]:.4f})"
            yield f"  {k} of {CELLS}: share {share:.4f} ({law:.4f}), deviation {spread[0]:.4f}{known}"


def figure(result: Result, path):
    """What is kept of the gradient, and its variance, against the ratio."""
    drawing, ((left, right),) = canvas(1, 2)
    for (name, case), colour in zip(result.cases.items(), ("#0072B2", "#009E73", "#D55E00"), strict=True):
        whole, ks = case.table[-1], list(case.draws)
        ratios, norm = np.array(ks) / CELLS, np.linalg.norm(case.table[-1]) ** 2
        kept = [np.real(np.vdot(whole, draws.mean)) / norm for draws in case.draws.values()]
        law = [np.real(np.vdot(whole, _law(name, case.table, k)[0])) / norm for k in ks]
        left.plot(ratios, kept, "o", color=colour, label=name)
        left.plot(ratios, law, "-", color=colour, linewidth=1)
        variances = [draws.variance / (r**2 * norm) for r, draws in zip(ratios, case.draws.values(), strict=True)]
        right.semilogy(ratios[:-1], variances[:-1], "o", color=colour, label=name)
        right.semilogy(1 / AXIS, AXIS**2 * case.lattice / norm, "*", color=colour, markersize=11)
        if name != BOTH:
            squares = [_law(name, case.table, k)[1] / (k / CELLS) ** 2 / norm for k in ks[:-1]]
            right.semilogy(ratios[:-1], squares, "-", color=colour, linewidth=1)
    left.set(xlabel="ratio r of kept cells", ylabel="share of the gradient", title="Mean; lines: the laws")
    right.set(xlabel="ratio r of kept cells", ylabel=r"total variance / ($r^2\|g\|^2$)")
    right.set_title("Variance; lines: the law, stars: a lattice")
    for axis in (left, right):
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


def _masks(k):
    """Rows of the table with k cells, in the order of `itertools.combinations`."""
    return np.array([sum(1 << cell for cell in kept) for kept in itertools.combinations(range(CELLS), k)])


def _law(name, table, k):
    """Mean and total variance (None where there is no law) of the gradient with k random cells, nothing divided."""
    whole, singles = table[-1], table[_masks(1)]
    ratio, same = k / CELLS, singles.sum(axis=0)
    mean = ratio * same + ratio * (k - 1) / (CELLS - 1) * (whole - same)
    if name == BOTH:
        return mean, None
    between = np.sum(np.abs(singles - singles.mean(axis=0)) ** 2) / (CELLS - 1)
    return mean, ratio**2 * CELLS * (1 - ratio) / ratio * between


def _case(windows, number) -> Case:
    convolutions = [part for w in windows for part in (nn.Conv2D(HIDDEN, (w, w), sigma_b=0.1), nn.SplitTanh())]
    net = nn.serial(*convolutions, nn.GlobalAveragePool(), nn.Dense(1))
    x, y = _images()
    weights = net.init(jax.random.key(0), x.shape[1:])

    def gradient(rule):
        loss = lambda w: jnp.mean(jnp.abs(net.apply(w, x, rule)[:, 0] - y) ** 2)  # noqa: E731
        first = jax.grad(loss)(weights)[0]
        return jnp.concatenate([first.weight.ravel(), first.bias.ravel()])

    given = jax.jit(lambda masks: jax.lax.map(lambda mask: gradient(Fixed(1 / AXIS, AXIS, given=mask)), masks))
    bits = (np.arange(2**CELLS)[:, None] >> np.arange(CELLS)) & 1
    table = np.asarray(given(bits.astype(bool).reshape(-1, AXIS, AXIS)))
    rows = table[np.unique(_drawn(AXIS, _keys(0, SEEN), "grid"))]
    assert len(rows) == AXIS, "32 draws have missed a lattice"
    lattice = np.sum(np.abs(rows - rows.mean(axis=0)) ** 2, axis=1).mean()
    keys, unlike = _keys(0, SEEN), 0.0
    for rescale in (False, True):
        rule = nn.StochasticBackprop(1 / AXIS, AXIS, rescale=rescale)
        seen = jax.jit(lambda keys, rule=rule: jax.lax.map(lambda raw: gradient(rule.drawn(raw)), keys))(keys)
        # Divided once in each layer on the way down.
        factor = float(AXIS) ** len(windows) if rescale else 1.0
        unlike = max(unlike, np.max(np.abs(np.asarray(seen) / factor - table[_drawn(AXIS, keys)])))
    draws = {k: _draws(table, k, number) for k in (1, 2, 3, 5, 7, CELLS)}
    return Case(table, draws, float(lattice), float(unlike))


def _draws(table, k, number) -> Draws:
    rows, masks = _drawn(k, _keys(k, number)), _masks(k)
    # Whatever the mask, a gradient of the rule is that of the table, which `unlike` says.
    counts = np.sum(rows[:, None] == masks, axis=0)
    mean = counts @ table[masks] / number
    deviations = np.sum(np.abs(table[masks] - table[masks].mean(axis=0)) ** 2, axis=1)
    return Draws(mean, float(counts @ deviations / number), counts)


def _drawn(k, keys, mask="random"):
    """Rows of the table that the rule draws."""
    masks = jax.vmap(lambda raw: nn.StochasticBackprop(k / CELLS, AXIS, mask, key=raw).kept_cells(2))(keys)
    return np.asarray(masks).reshape(len(keys), -1) @ (1 << np.arange(CELLS))


def _keys(seed, number):
    return jax.random.key_data(jax.random.split(key(seed), number))


def _images():
    """Complex images (N, 9, 9, 2) that vary over about three positions, and targets (N,)."""
    draws = np.random.default_rng(0)
    noise = draws.normal(size=(2, IMAGES, SIDE + 4, SIDE + 4, CHANNELS))
    smooth = sum(noise[:, :, i : i + SIDE, j : j + SIDE] for i in range(5) for j in range(5)) / 5
    targets = draws.normal(size=(2, IMAGES))
    return (smooth[0] + 1j * smooth[1]) / np.sqrt(2), (targets[0] + 1j * targets[1]) / np.sqrt(2)


if __name__ == "__main__":
    run(__name__)
