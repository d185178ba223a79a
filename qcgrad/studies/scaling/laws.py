"""From records to scaling laws: which resource grows how with M, and the verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...catalogue import methods
from .._methods import ranked
from ..fit import LogFit, PowerFit, fit_logarithm, fit_power
from ..records import Record
from ._method_cell import MethodCell

THRESHOLD = 0.2
"""An exponent of the cost ratio that is below this by two standard errors counts as "at most log M"."""

RULE = (
    "Backpropagation scaling: cost(gradient)/cost(value) grows at most like log M. Rule: its power-law exponent "
    f"plus two standard errors is below {THRESHOLD} (yes), minus two is above (no), else undecided. Methods pay in "
    "copies where they measure, in gates where they simulate, in FLOPs in a network."
)

# Between an exponent of 1/2 and one of 1.
_PER_COMPONENT = 0.75

UNITS = {"copies": "copies", "gates": "gates", "flops": "FLOPs"}


@dataclass(frozen=True)
class Law:
    """How one method scales on one model.

    Attributes:
        method, model, kind, epsilon: of the cells; epsilon is None where nothing is sampled.
        sizes: M of the points, ascending.
        copies, gates: what the gradient costs at each point (zeros where it costs none).
        ratio: cost(gradient)/cost(value) in the resource `pays_in`.
    """

    method: str
    model: str
    kind: str
    epsilon: float | None
    sizes: tuple[int, ...]
    copies: tuple[int, ...]
    gates: tuple[int, ...]
    ratio: tuple[float, ...]

    @property
    def access(self) -> str:
        """How much of the state the method needs."""
        return methods()[self.method].access.name.replace("_", " ")

    @property
    def pays_in(self) -> str:
        """The resource of `ratio`."""
        return methods()[self.method].pays_in

    def power(self, name: str) -> PowerFit | None:
        """Power law of `copies`, `gates` or `ratio` in M; None where there is none to fit."""
        values = getattr(self, name)
        if len(set(self.sizes)) < 2 or min(values) <= 0:
            return None
        return fit_power(self.sizes, values)

    @property
    def verdict(self) -> str:
        """yes, no or undecided; see `RULE`."""
        return verdict(self.power("ratio"))


def verdict(fit: PowerFit | None) -> str:
    """Apply `RULE` to the power law of the cost ratio.

    Example:
        >>> from qcgrad.studies.fit import PowerFit
        >>> from qcgrad.studies.scaling.laws import verdict
        >>> verdict(PowerFit(3.0, 0.01, 0.02, 1.0)), verdict(PowerFit(2.0, 1.1, 0.02, 1.0))
        ('yes', 'no')
        >>> verdict(PowerFit(2.0, 0.15, 0.1, 1.0)), verdict(None)
        ('undecided', 'undecided')
    """
    if fit is None or math.isnan(fit.standard_error):
        return "undecided"
    if fit.exponent + 2 * fit.standard_error < THRESHOLD:
        return "yes"
    return "no" if fit.exponent - 2 * fit.standard_error > THRESHOLD else "undecided"


def laws_of(records: Sequence[tuple[MethodCell, Record]]) -> list[Law]:
    """One law for each method, model and epsilon, in order of first appearance."""
    groups: dict[tuple[str, str, str, float | None], list[Record]] = {}
    for cell, record in records:
        key = (cell.method, cell.model, cell.kind, cell.epsilon)
        groups.setdefault(key, []).append(record)
    laws = []
    for (method, model, kind, epsilon), members in groups.items():
        members = sorted(members, key=lambda record: record["M"])
        resource = methods()[method].pays_in
        laws.append(
            Law(
                method,
                model,
                kind,
                epsilon,
                tuple(r["M"] for r in members),
                tuple(r["gradient"]["copies"] for r in members),
                tuple(r["gradient"]["gates"] for r in members),
                tuple(_ratio(r["gradient"][resource], r["value"][resource]) for r in members),
            )
        )
    return sorted(laws, key=lambda law: ranked().index(law.method))


def _ratio(gradient: int, value: int) -> float:
    """Zero where the value costs nothing, and there is no law."""
    return gradient / value if value else 0.0


@dataclass(frozen=True)
class HardInstanceFits:
    """Copies that reach epsilon on the hard instance, fitted in two ways.

    Attributes:
        power: copies = c M^k.
        logarithm: copies = a + b ln M, or copies/M = a + b ln M for methods that measure each component by itself.
        per_component: whether `logarithm` is of copies/M.
        r_squared: of the copies themselves by the logarithm, to compare with `power.r_squared`.
    """

    power: PowerFit
    logarithm: LogFit
    per_component: bool
    r_squared: float


def hard_instance_fits(law: Law) -> HardInstanceFits | None:
    """Both fits of a law on the hard instance; None for fewer than two sizes."""
    power = law.power("copies")
    if power is None:
        return None
    # Log M, root of M or M log M: of these only the last one has an exponent near 1.
    per_component = power.exponent > _PER_COMPONENT
    divisor = law.sizes if per_component else (1,) * len(law.sizes)
    logarithm = fit_logarithm(law.sizes, [c / d for c, d in zip(law.copies, divisor, strict=True)])
    fitted = [float(logarithm.at(m)) * d for m, d in zip(law.sizes, divisor, strict=True)]
    mean = sum(law.copies) / len(law.copies)
    total = sum((c - mean) ** 2 for c in law.copies)
    missed = sum((c - f) ** 2 for c, f in zip(law.copies, fitted, strict=True))
    return HardInstanceFits(power, logarithm, per_component, 1 - missed / total if total else 1.0)


@dataclass(frozen=True)
class AccuracyLaw:
    """What a smaller epsilon costs one method on one model, at the largest size that was done at every epsilon.

    Attributes:
        method, model: of the laws.
        size: M.
        epsilons: in falling order.
        copies: at each of them.
    """

    method: str
    model: str
    size: int
    epsilons: tuple[float, ...]
    copies: tuple[int, ...]

    @property
    def power(self) -> PowerFit:
        """Power law of the copies in 1/epsilon."""
        return fit_power([1 / epsilon for epsilon in self.epsilons], self.copies)


def accuracy_laws(laws: list[Law]) -> list[AccuracyLaw]:
    """One law for each method and model that was sampled at two epsilons or more."""
    groups: dict[tuple[str, str], list[Law]] = {}
    for law in laws:
        if law.epsilon is not None:
            groups.setdefault((law.method, law.model), []).append(law)
    found = []
    for (method, model), members in groups.items():
        common = set.intersection(*(set(law.sizes) for law in members))
        if len(members) > 1 and common:
            members = sorted(members, key=lambda law: -(law.epsilon or 0))
            size = max(common)
            copies = tuple(law.copies[law.sizes.index(size)] for law in members)
            found.append(AccuracyLaw(method, model, size, tuple(law.epsilon or 0 for law in members), copies))
    return found
