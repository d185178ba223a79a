r"""Claim: each backward rule trains as its own infinite-width kernel says, and not as the other rule's.

Two hidden layers, one complex output, eight inputs of dimension six, gradient descent with small steps on
L = 1/2 sum |e|^2, e = f - y (derivation in training_residual.md); split ReLU and modReLU:

1. Outputs move as f-dot = -(Theta e + Theta-tilde conj e)/2, with the kernels of that network: Theta of the full
   Wirtinger rule, J J-hat^H of the holomorphic-branch rule.
2. With the kernel of infinite width, exp(-Theta t/2) e_0 predicts the residual of a network with an error that falls
   about as width^(-1/2), if it is the kernel of the rule that trained the network.
3. The error of the other rule's kernel does not fall to zero: the ratio of both errors grows with the width, and wide
   networks are predicted better by their own kernel.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.studies.complex_tasks.task import circular
from theory.claim import Headline, canvas, run
from theory.complex_ntk.train import draw, train
from theory.statistics import student

INPUTS, DIMENSION = 8, 6
TIME, RECORDS = 2.0, 10  # modes are learned with rates Theta/2, about 0.4 to 9: the slowest have begun to move
RULES = {"full": None, "holomorphic": nn.HolomorphicBranch()}
COLOURS = {"full": ("#0072B2", "o"), "holomorphic": ("#D55E00", "s")}


class Race(NamedTuple):
    """Networks of one activation, trained with one rule; S of each of W widths.

    Attributes:
        own, other: (W, S) root mean square over time of ||e_t - prediction|| / ||e_0||, with the rule's own kernel and
            with the other rule's.
        apart: (W, S) the same distance between both predictions.
        euler: (S,) error of the steps at the smallest width, first half of the time: twice the distance to a run with
            half the step, which for a method of first order has half the error.
        measured, predicted: (RECORDS + 1,) ||e_t|| / ||e_0||, mean of the widest networks.
    """

    own: np.ndarray
    other: np.ndarray
    apart: np.ndarray
    euler: np.ndarray
    measured: np.ndarray
    predicted: np.ndarray


class Result(NamedTuple):
    """`velocity` is the relative error of f-dot = -(Theta e + Theta-tilde conj e)/2; races by activation and rule."""

    widths: tuple[int, ...]
    velocity: float
    races: dict[tuple[str, str], Race]


def activations(small):
    """Those of the claim."""
    return {"split ReLU": nn.SplitReLU()} | ({} if small else {"modReLU": nn.ModReLU(-0.5)})


def compute(small: bool = False) -> Result:
    """Seconds with split ReLU and narrow networks if small, else six minutes."""
    draws = np.random.default_rng(0)
    x, y = circular(draws, INPUTS, DIMENSION), circular(draws, INPUTS)
    widths, steps, seeds = ((16, 64), 20, 80) if small else ((32, 128, 512), 30, 24)
    velocity, races = 0.0, {}
    for name, activation in activations(small).items():
        for rule_name, rule in RULES.items():
            velocity = max(velocity, _velocity_error(_network(activation, 16), rule, x, y))
            races[name, rule_name] = _race(activation, rule, x, y, widths, steps, seeds)
    return Result(widths, velocity, races)


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    # Rounding of one step of length 1.
    assert result.velocity < 1e-12, f"f-dot is {result.velocity:.1e} away from -(Theta e + Theta-tilde conj e)/2"
    for (name, rule), race in result.races.items():
        label = f"{name}, {rule} rule"
        # Far below what is compared, so that the distances are those of gradient flow.
        closest = race.own[-1].mean()
        assert race.euler.mean() < closest / 5, f"{label}: steps are too long, {race.euler.mean():.1e} of {closest:.1e}"
        slope, error = _exponent(result.widths, race.own)
        # The kernel's drift adds terms of higher order to the narrowest networks: -0.52 to -0.58 between widths 16 and
        # 64. Chance is 0.25; that the error falls at all is fifteen standard errors if small.
        assert slope < 0, f"{label}: own kernel's error grows"
        allowed = 0.1 + student(race.own.shape[1] - 1) * error
        assert abs(slope + 0.5) < allowed, f"{label}: own kernel's error falls with exponent {slope:.2f}"
        gain, error = _gain(race)
        # If small 0.48 +- 0.05 (full rule) and 0.63 +- 0.03, the growth 0.51 +- 0.056 and 0.31 +- 0.033: nine standard
        # errors or more, with means and spreads of 400 networks.
        assert gain[-1] > 0, f"{label}: its own kernel is not better, log ratio {gain[-1]:.2f}"
        growth, error = gain[-1] - gain[0], np.hypot(error[0], error[-1])
        assert growth > 0, f"{label}: the advantage does not grow, {growth:.2f} +- {error:.2f}"


def headline(result: Result) -> Headline:
    """Exponents of the own kernel's error."""
    slopes = [_exponent(result.widths, race.own)[0] for race in result.races.values()]
    gains = [np.exp(_gain(race)[0][-1]) for race in result.races.values()]
    measured = f"{min(slopes):.2f} to {max(slopes):.2f}; {min(gains):.1f} to {max(gains):.1f}"
    return Headline("exponent of the own kernel's error; the other's error over it", "-0.5; grows", measured)


def report(result: Result):
    """Lines for the reader."""
    yield f"f-dot = -(Theta e + Theta-tilde conj e)/2 up to {result.velocity:.0e}"
    yield "error of own kernel's prediction / other kernel's, at width " + ", ".join(str(w) for w in result.widths)
    for (name, rule), race in result.races.items():
        cells = "  ".join(f"{a:.4f} / {b:.4f}" for a, b in zip(race.own.mean(1), race.other.mean(1), strict=True))
        gain, error = _gain(race)
        factors = "  ".join(f"{np.exp(g):.2f} +- {np.exp(g) * e:.2f}" for g, e in zip(gain, error, strict=True))
        slope, error = _exponent(result.widths, race.own)
        yield f"{name}, {rule} rule: {cells}; predictions are {race.apart[-1].mean():.4f} apart"
        yield f"  factor {factors}; own error's exponent {slope:.2f} +- {error:.2f}; Euler error {race.euler.max():.4f}"


def figure(result: Result, path):
    """Residuals of the widest networks, and errors of both predictions against the width."""
    names = list(dict.fromkeys(name for name, _ in result.races))
    drawing, axes = canvas(2, len(names))
    for (name, rule), race in result.races.items():
        column = axes[:, names.index(name)]
        colour, marker = COLOURS[rule]
        times = np.linspace(0, TIME, RECORDS + 1)
        column[0].plot(times, race.predicted, "-", color=colour, label=f"{rule}: its own kernel")
        column[0].plot(times, race.measured, marker, color=colour, label=f"{rule}: trained networks")
        column[0].set(yscale="log", xlabel="time t", ylabel=r"$\|e_t\|/\|e_0\|$")
        column[0].set(title=f"{name}, width {result.widths[-1]}")
        for errors, style, label in ((race.own, "-", "its own kernel"), (race.other, "--", "the other's")):
            spread = errors.std(axis=1, ddof=1) / np.sqrt(errors.shape[1])
            column[1].errorbar(
                result.widths, errors.mean(axis=1), spread, fmt=f"{marker}{style}", color=colour, capsize=2,
                label=f"{rule}: {label}",
            )  # fmt: skip
        column[1].set(xscale="log", yscale="log", xlabel="width", ylabel="error of the prediction")
        column[1].set_title("The other rule's kernel stays wrong")
        column[1].set_xticks(result.widths, [str(width) for width in result.widths])
        column[1].xaxis.set_minor_formatter("")
    for axis in axes.ravel():
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


def _gain(race):
    """Mean log of (other error / own error) at each width, and its standard error: networks are their own control."""
    logs = np.log(race.other / race.own)
    return logs.mean(axis=1), logs.std(axis=1, ddof=1) / np.sqrt(logs.shape[1])


def _exponent(widths, errors):
    """Exponent of the width in the error between the narrowest and the widest networks, and its standard error."""
    logs, span = np.log(errors[[0, -1]]), np.log(widths[-1] / widths[0])
    spread = logs.std(axis=1, ddof=1) / np.sqrt(logs.shape[1])
    return (logs[1].mean() - logs[0].mean()) / span, np.hypot(*spread) / span


def _race(activation, rule, x, y, widths, steps, seeds) -> Race:
    kernel = _network(activation, widths[0]).kernel(x)
    kernels = (kernel.ntk, kernel.ntk_rule) if rule is None else (kernel.ntk_rule, kernel.ntk)
    own, other, apart = np.empty((3, len(widths), seeds))
    for w, width in enumerate(widths):
        net = _network(activation, width)
        params = draw(net, DIMENSION, seeds, seed=width)
        follow = _follower(net, rule, x, y, steps)
        errors = np.asarray(follow(params, TIME / RECORDS / steps))
        size = np.linalg.norm(errors[:, :1], axis=2)
        if w == 0:  # kernels fluctuate most, and the largest eigenvalue sets the error of a step
            halved = np.asarray(follow(params, TIME / RECORDS / steps / 2))[:, ::2]
            euler = 2 * _root_mean_square(np.linalg.norm(errors[:, : halved.shape[1]] - halved, axis=2) / size)
        ours, theirs = (_predicted(theta, errors[:, 0]) for theta in kernels)
        pairs = ((errors, ours), (errors, theirs), (ours, theirs))
        own[w], other[w], apart[w] = (_root_mean_square(np.linalg.norm(a - b, axis=2) / size) for a, b in pairs)
    curves = [np.mean(np.linalg.norm(e, axis=2) / size, axis=0) for e in (errors, ours)]
    return Race(own, other, apart, euler, *curves)


def _follower(net, rule, x, y, steps):
    """From networks and a step to e_t = f_t - y, at the start and after each `steps` steps: (S, RECORDS + 1, N)."""

    def one(params, step):
        def record(params, _):
            params = train(lambda p, x: net.apply(p, x, rule), params, x, y, step, steps)
            return params, net.apply(params, x)[:, 0] - y

        before = net.apply(params, x)[:, 0] - y
        return jnp.concatenate([before[None], jax.lax.scan(record, params, None, length=RECORDS)[1]])

    # One network after the other: of wide ones, few fit into memory side by side.
    return jax.jit(lambda params, step: jax.lax.map(lambda p: one(p, step), params))


def _predicted(theta, errors):
    """exp(-Theta t/2) e_0 for each network: (S, RECORDS + 1, N)."""
    # Networks stand in the place of outputs: all have the same kernel. With targets 0, outputs are residuals.
    initial = errors.T
    times = np.linspace(0, TIME, RECORDS + 1)
    return np.asarray(ntk.gradient_flow(theta, np.zeros_like(initial), times, initial=initial).train).transpose(2, 0, 1)


def _velocity_error(net, rule, x, y) -> float:
    """How far f-dot of one network is from -(Theta e + Theta-tilde conj e)/2 with its own (cross) kernels."""
    params = jax.tree.map(lambda leaf: leaf[0], draw(net, DIMENSION, 1, seed=0))
    moved = train(lambda p, x: net.apply(p, x, rule), params, x, y, 1.0, 1)
    direction = jax.tree.map(lambda a, b: a - b, moved, params)  # one step of length 1: p-dot
    outputs, velocity = jax.jvp(lambda p: net.apply(p, x)[:, 0], (params,), (direction,))
    theta, pseudo = ntk.empirical(net.apply, params, x, kind="augmented", rule=rule)
    error = outputs - y
    expected = -(theta @ error + pseudo @ error.conj()) / 2
    return float(jnp.linalg.norm(velocity - expected) / jnp.linalg.norm(expected))


def _root_mean_square(values):
    return np.sqrt(np.mean(values[:, 1:] ** 2, axis=1))


def _network(activation, width):
    dense = nn.Dense(width, 2**0.5, 0.1)
    return nn.serial(dense, activation, dense, activation, nn.Dense(1, 2**0.5, 0.1))


if __name__ == "__main__":
    run(__name__)
