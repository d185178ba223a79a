"""The spec of a kernel study, its cells and what they show."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from ...catalogue import Entry, activations, nearest_method
from ..cells import Cell
from ..kind import AbstractKind, Number, Whole, distinct
from ..ntk_convergence import Convergence
from ..records import Record
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from ._cell import KernelCell

_HOW_TO_READ = (
    "Relative Frobenius distance of the tangent kernel of random networks from that of infinite width, averaged over "
    "networks; theory: width^-0.5. The interval is Student's, 95 %."
)


class TangentKernels(AbstractKind):
    """How fast the tangent kernel of complex networks approaches its limit.

    Attributes:
        activations: functions of complex numbers that `qcgrad methods --kind activations` lists.
        bias: of activations that take one.
        depths, widths: hidden layers, and of each.
        networks: random networks of each width.
        inputs, dimension: random complex inputs.
        sigma_w, sigma_b: scales of weights and biases.
    """

    activations: tuple[str, ...] = ("modrelu",)
    bias: Number = Field(default=-0.5, le=0)
    depths: tuple[Whole, ...] = Field(default=(2,), min_length=1)
    widths: tuple[Whole, ...] = Field(default=(64, 256, 1024), min_length=2)
    networks: Whole = Field(default=16, ge=2)
    inputs: Whole = Field(default=5, ge=2)
    dimension: Whole = Field(default=6, ge=1)
    sigma_w: Number = Field(default=2**0.5, gt=0)
    sigma_b: Number = Field(default=0.1, ge=0)

    @field_validator("activations")
    @classmethod
    def _check_activations(cls, names):
        known = complex_activations()
        return distinct(tuple(nearest_method(name, known, "activation") for name in names))

    @field_validator("depths", "widths")
    @classmethod
    def _check_positive(cls, values):
        if any(value < 1 for value in values):
            raise ValueError("give positive integers")
        return tuple(sorted(set(values)))

    def cells(self, seed: int) -> Iterator[Cell]:
        for activation in self.activations:
            takes_bias = activations()[activation].option("b") is not None
            for depth in self.depths:
                for width in self.widths:
                    for network in range(self.networks):
                        yield KernelCell(
                            activation=activation,
                            bias=self.bias if takes_bias else None,
                            depth=depth,
                            width=width,
                            network=network,
                            seed=seed,
                            **{name: getattr(self, name) for name in ("inputs", "dimension", "sigma_w", "sigma_b")},
                        )

    def is_mine(self, cell: Cell) -> bool:
        return isinstance(cell, KernelCell)

    def quick(self) -> "TangentKernels":
        """Widths up to 256, four networks of each."""
        widths = tuple(width for width in self.widths if width <= 256)
        update = {"networks": min(4, self.networks)} | ({"widths": widths} if len(widths) > 1 else {})
        return self.model_copy(update=update)

    def summary(self, records: Sequence[tuple[Cell, Record]]) -> Summary:
        found = _convergences([(cell, record) for cell, record in records if isinstance(cell, KernelCell)])
        table = Table("Distance of tangent kernels from their limit", tuple(_columns(found)), (_HOW_TO_READ,))
        curves = tuple(_curves(found))
        panel = Panel("Tangent kernels of finite networks", "width", "relative distance from the limit", curves)
        figures = (Figure("ntk", (panel,)),) if curves else ()
        return Summary("Tangent kernels", (table,), figures)


def complex_activations() -> dict[str, Entry]:
    """Activations of complex numbers that a bias alone makes."""
    return {
        name: entry
        for name, entry in activations().items()
        if not entry.make.is_real and not any(o.is_required and o.name != "b" for o in entry.options)
    }


def _convergences(rows: list[tuple[KernelCell, Record]]) -> dict[tuple[str, int], Convergence]:
    """One for each activation and depth; only as many networks of each width as all widths have."""
    groups: dict[tuple[str, int], dict[int, list[Record]]] = {}
    for cell, record in rows:
        groups.setdefault((cell.activation, cell.depth), {}).setdefault(cell.width, []).append(record)
    found = {}
    for key, by_width in groups.items():
        widths = sorted(by_width)
        networks = min(map(len, by_width.values()))
        tables = [
            np.array([[record[name] for record in by_width[width][:networks]] for width in widths])
            for name in ("distance", "pseudo")
        ]
        found[key] = Convergence(tuple(widths), *tables)
    return found


def _columns(found: dict[tuple[str, int], Convergence]) -> Iterator[Column]:
    yield Column("activation", tuple(activation for activation, _ in found), is_text=True)
    yield Column("depth", tuple(str(depth) for _, depth in found), tuple(depth for _, depth in found))
    for width in sorted({width for c in found.values() for width in c.widths}):
        means = tuple(float(c.ntk[c.widths.index(width)].mean()) if width in c.widths else None for c in found.values())
        yield Column(f"width {width}", tuple("" if m is None else f"{m:.3f}" for m in means), means, is_essential=False)
    fits = [c if len(c.widths) > 1 else None for c in found.values()]
    slopes = tuple(None if c is None else c.slope.exponent for c in fits)
    yield Column("distance\n∝ width^", tuple("–" if s is None else f"{s:.2f}" for s in slopes), slopes)
    yield Column("95 % interval", tuple(_interval(c) for c in fits), is_text=True)


def _interval(found: Convergence | None) -> str:
    if found is None or found.ntk.shape[1] < 2:
        return "–"
    low, high = found.slope_interval()
    return f"{low:.2f} to {high:.2f}"


def _curves(found: dict[tuple[str, int], Convergence]) -> Iterator[Curve]:
    for (activation, depth), c in found.items():
        networks = c.ntk.shape[1]
        error = tuple((c.ntk.std(axis=1, ddof=1) / networks**0.5).tolist()) if networks > 1 else None
        look: dict[str, Any] = {"colour": activation, "marker": f"depth {depth}"}
        yield Curve(
            f"{activation}, depth {depth}", c.widths, tuple(c.ntk.mean(axis=1).tolist()), error, line="solid", **look
        )
        pseudo = tuple(c.pseudo.mean(axis=1).tolist())
        yield Curve(
            f"{activation}, depth {depth}, pseudo-kernel", c.widths, pseudo, line="dotted", is_filled=False, **look
        )
