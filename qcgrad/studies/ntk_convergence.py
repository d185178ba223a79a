"""How fast the tangent kernel of a finite network approaches that of the infinite one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Inexact

from ..array_types import Array
from .fit import PowerFit, fit_power

if TYPE_CHECKING:
    from ..networks.layers.layer import AbstractLayer


@dataclass(frozen=True)
class Convergence:
    """Relative Frobenius errors of finite-width kernels.

    Attributes:
        widths: (W,) ascending.
        ntk: (W, S) ||Theta_n - Theta|| / ||Theta|| of S random networks of each width.
        pseudo: (W, S) ||Theta-tilde_n|| / ||Theta||, which vanishes in the limit for circular weights.
    """

    widths: tuple[int, ...]
    ntk: np.ndarray
    pseudo: np.ndarray

    @property
    def slope(self) -> PowerFit:
        """Power law of the mean error in the width; theory says an exponent of -1/2."""
        return fit_power(self.widths, self.ntk.mean(axis=1))

    @property
    def slope_error(self) -> float:
        """Standard error of that exponent from the spread over networks; NaN for one network of each width."""
        return float(np.sqrt(np.sum(self._slope_variances())))

    def slope_interval(self, level: float = 0.95) -> tuple[float, float]:
        """A confidence interval of the exponent: Student's t, since few networks do not know their own spread.

        Degrees of freedom by Welch and Satterthwaite: widths have spreads of their own. NaN for one network of each.
        """
        from scipy.stats import t

        variances, networks = self._slope_variances(), self.ntk.shape[1]
        freedom = (networks - 1) * np.sum(variances) ** 2 / np.sum(variances**2)
        half = float(t.ppf((1 + level) / 2, freedom)) * self.slope_error
        return self.slope.exponent - half, self.slope.exponent + half

    def _slope_variances(self):
        """What the mean error of each width adds to the variance of the exponent, (W,)."""
        networks = self.ntk.shape[1]
        if networks < 2:
            return np.full(len(self.widths), np.nan)
        u = np.log(self.widths) - np.mean(np.log(self.widths))
        relative = self.ntk.std(axis=1, ddof=1) / self.ntk.mean(axis=1)
        return (u / np.sum(u**2) * relative) ** 2 / networks


def converge(
    make_network: Callable[[int], "AbstractLayer"],
    x: Inexact[Array, "N *shape"],
    widths: tuple[int, ...],
    seeds: int,
    seed: int = 0,
    notify: Callable[[str], object] = lambda message: None,
) -> Convergence:
    """Compare finite networks with their limit.

    Args:
        make_network: from a width to a network with one complex output.
        x: inputs (N, d).
        widths: of all hidden layers.
        seeds: S networks of each width.
        seed: of the first one.
        notify: told what is going on.

    Cost: S empirical kernels of each width, O(depth * width^2 * N + N^2 * width * depth) each.

    Example:
        >>> import jax, numpy as np
        >>> jax.config.update("jax_enable_x64", True)
        >>> from qcgrad import networks as nn
        >>> from qcgrad.studies.ntk_convergence import converge
        >>> x = np.random.default_rng(0).normal(size=(3, 2)) + 0j
        >>> found = converge(lambda n: nn.serial(nn.Dense(n), nn.SplitReLU(), nn.Dense(1)), x, (16, 64), 2)
        >>> found.ntk.shape, bool(found.ntk[1].mean() < found.ntk[0].mean())
        ((2, 2), True)
    """
    import jax

    from .. import ntk

    limit = np.asarray(make_network(widths[0]).kernel(x).ntk)
    errors, pseudo = np.empty((len(widths), seeds)), np.empty((len(widths), seeds))
    for w, width in enumerate(widths):
        network = make_network(width)
        for s in range(seeds):
            notify(f"width {width}, network {s + 1} of {seeds}")
            params = network.init(jax.random.key(seed + s), x.shape[1:])
            theta, tilde = ntk.empirical(network.apply, params, x, kind="augmented")
            errors[w, s] = np.linalg.norm(theta - limit) / np.linalg.norm(limit)
            pseudo[w, s] = np.linalg.norm(tilde) / np.linalg.norm(limit)
    return Convergence(tuple(widths), errors, pseudo)


def draw(found: Convergence, title: str, path: "str | Path") -> None:
    """Write the figure: every network, the means, the fitted power law."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(6, 4.5), layout=ConstrainedLayoutEngine())
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    fit = found.slope
    for values, colour, label in (
        (found.ntk, "#0072B2", f"tangent kernel: width$^{{{fit.exponent:.2f}}}$"),
        (found.pseudo, "#D55E00", "pseudo-kernel, limit 0"),
    ):
        axes.loglog(np.repeat(found.widths, values.shape[1]), values.ravel(), ".", color=colour, alpha=0.35)
        axes.loglog(found.widths, values.mean(axis=1), "o-", color=colour, linewidth=1, label=label)
    axes.loglog(found.widths, fit.at(found.widths), "--", color="#0072B2", linewidth=1)
    axes.set(xlabel="width", ylabel="relative Frobenius distance from the limit", title=title)
    axes.set_xticks(found.widths, [str(width) for width in found.widths])
    axes.xaxis.set_minor_formatter("")
    axes.grid(alpha=0.3, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=160)
