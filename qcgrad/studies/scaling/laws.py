"""From records to scaling laws: which resource grows how with M, what predicts it, and the verdict."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...catalogue import methods
from .._methods import ranked
from ..comparison import Comparison, Sample, compare
from ..fit import PowerFit, fit_power
from ..records import Record
from ._method_cell import MethodCell
from ._verdict import Verdict, verdict

UNITS = {"copies": "copies", "gates": "gates", "flops": "FLOPs"}


@dataclass(frozen=True)
class Law:
    """How one method scales on one model.

    Attributes:
        method, model, kind, epsilon: of the cells; epsilon is None where nothing is sampled.
        samples: "copies" and "gates" that the gradient costs at each point (zeros where it costs none), and "ratio",
            cost(gradient)/cost(value) in the resource `pays_in`; for each seed.
        seeds: how many there are at most.
    """

    method: str
    model: str
    kind: str
    epsilon: float | None
    samples: dict[str, Sample]
    seeds: int = 1

    @property
    def without_epsilon(self) -> tuple[str, str, str]:
        """What laws at several epsilons share; a user's series may be named like a model of another kind."""
        return self.method, self.model, self.kind

    @property
    def sizes(self) -> tuple[int, ...]:
        """M of the points, ascending."""
        return self.samples["ratio"].sizes

    @property
    def copies(self) -> tuple[float, ...]:
        """Mean copies of a gradient at each point."""
        return self.samples["copies"].means

    @property
    def ratio(self) -> tuple[float, ...]:
        """Mean cost ratio at each point."""
        return self.samples["ratio"].means

    @property
    def access(self) -> str:
        """How much of the state the method needs."""
        return methods()[self.method].access.name.replace("_", " ")

    @property
    def pays_in(self) -> str:
        """The resource of `ratio`."""
        return methods()[self.method].pays_in

    def power(self, name: str) -> PowerFit | None:
        """Power law of a sample in M; None where there is none to fit."""
        sample = self.samples[name]
        return fit_power(sample.sizes, sample.means, sample.errors) if sample.can_be_fitted else None

    def comparison(self, name: str) -> Comparison | None:
        """Laws of a sample compared; None for fewer than three sizes, or where nothing is paid."""
        sample = self.samples[name]
        return _compared(sample) if sample.can_be_fitted and len(set(sample.sizes)) > 2 else None

    @property
    def judged(self) -> Verdict:
        """The verdict with its reasons."""
        compared = self.comparison("ratio")
        return verdict(self.sizes, self.power("ratio"), compared.interval if compared else None)

    @property
    def verdict(self) -> str:
        """ "yes", "no" or "not enough range"; "–" where the value costs nothing. See `RULE`."""
        return self.judged.answer if min(self.ratio) > 0 else "–"


# A summary is drawn in several forms.
_compared = lru_cache(maxsize=256)(compare)


def laws_of(records: Sequence[tuple[MethodCell, Record]]) -> list[Law]:
    """One law for each method, model and epsilon, in order of first appearance; seeds of a cell are one point."""
    groups: dict[tuple[str, str, str, float | None], dict[str, list[Record]]] = {}
    for cell, record in records:
        key = (cell.method, cell.model, cell.kind, cell.epsilon)
        point = json.dumps({name: part for name, part in cell.data.items() if name != "seed"}, sort_keys=True)
        groups.setdefault(key, {}).setdefault(point, []).append(record)
    laws = []
    for key, points in groups.items():
        members = sorted(points.values(), key=lambda seeds: seeds[0]["M"])
        laws.append(Law(*key, _samples(members, methods()[key[0]].pays_in), max(map(len, members))))
    return sorted(laws, key=lambda law: ranked().index(law.method))


def _samples(points: list[list[Record]], resource: str) -> dict[str, Sample]:
    sizes = tuple(seeds[0]["M"] for seeds in points)

    def sample(number) -> Sample:
        return Sample(sizes, tuple(tuple(number(record) for record in seeds) for seeds in points))

    return {
        "copies": sample(lambda record: record["gradient"]["copies"]),
        "gates": sample(lambda record: record["gradient"]["gates"]),
        "ratio": sample(lambda record: _ratio(record["gradient"][resource], record["value"][resource])),
    }


def _ratio(gradient: int, value: int) -> float:
    """Zero where the value costs nothing, and there is no law."""
    return gradient / value if value else 0.0


def over_classical(law: Law, laws: Sequence[Law]) -> tuple[float | None, ...]:
    """The cost ratio of each point over that of classical backpropagation at equal M.

    The ratio of the first network's law, which is counted at the network's sizes, changes slowly: between two of them
    it is interpolated in ln M. None where M lies outside of them, or no network was counted.

    Args:
        law: of any model.
        laws: of the study.
    """
    network = next((each for each in laws if each.kind == "network"), None)
    if network is None or min(network.ratio) <= 0:
        return (None,) * len(law.sizes)
    known, ratios = np.log(network.sizes), network.ratio
    inside = [network.sizes[0] <= m <= network.sizes[-1] for m in law.sizes]
    return tuple(
        ratio / float(np.interp(np.log(m), known, ratios)) if fits and ratio > 0 else None
        for m, ratio, fits in zip(law.sizes, law.ratio, inside, strict=True)
    )


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
    copies: tuple[float, ...]

    @property
    def power(self) -> PowerFit:
        """Power law of the copies in 1/epsilon."""
        return fit_power([1 / epsilon for epsilon in self.epsilons], self.copies)


def accuracy_laws(laws: list[Law]) -> list[AccuracyLaw]:
    """One law for each method and model that was sampled at two epsilons or more."""
    groups: dict[tuple[str, str, str], list[Law]] = {}
    for law in laws:
        if law.epsilon is not None:
            groups.setdefault(law.without_epsilon, []).append(law)
    found = []
    for (method, model, _), members in groups.items():
        common = set.intersection(*(set(law.sizes) for law in members))
        if len(members) > 1 and common:
            members = sorted(members, key=lambda law: -(law.epsilon or 0))
            size = max(common)
            copies = tuple(law.copies[law.sizes.index(size)] for law in members)
            found.append(AccuracyLaw(method, model, size, tuple(law.epsilon or 0 for law in members), copies))
    return found
