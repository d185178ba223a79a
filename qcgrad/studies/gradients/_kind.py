"""The spec of an accuracy study and its cells."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field, field_validator, model_validator

from ...catalogue import methods
from .._circuit_fields import ObservableText, OnCircuits, placed
from .._methods import samples
from ..cells import MOST_CELLS, Cell
from ..choices import Written, checked, each, parsed, points
from ..kind import AbstractKind, Number, Seeds, Whole, distinct
from ..records import Record
from ..summary import Summary
from ._cell import GradientCell
from ._conditions import Condition, Noise, conditions, known
from ._methods import of_circuits

# Gradients of trials go by one by one, but each takes its time.
_MOST_TRIALS = 1_000_000


class Gradients(OnCircuits, AbstractKind):
    """How far the gradients of methods are from the true one, and what they cost.

    Lists are grids: there is a cell for each combination of their values that has a meaning.

    Attributes:
        circuits: names in the circuit library; OpenQASM files, relative to the folder of the spec; or functions that
            make circuits, as {factory = "ansatz.py:layers", arguments = {depth = [1, 2]}}, which take --allow-code.
        observable: Pauli sums, one or several. Default: the recorded one, else Z on every qubit, summed.
        methods: names, or tables with `name` and options; an option that is a list is a grid.
        epsilon: accuracies in the max norm, one or several, in the units of a scaling study. Methods that sample and
            are given without options then take the cheapest instance that is proved to reach them.
        delta: probabilities that the worst component misses epsilon, one or several.
        noise: what goes wrong where methods sample, in words as "depolarizing=0.01,2@cx" (see `qcgrad.ir.noise`); a
            list of such lists is a grid, in which [] is no noise. Errors are those to the gradient without noise.
        backends: what simulates, by name; noise goes to those that simulate it.
        seeds: of angles that are drawn and of samples: so many, or a list of numbers; added to the study's seed.
        trials: independent estimates with each method that samples.

    Example:
        >>> from qcgrad.studies.gradients import Gradients
        >>> spec = Gradients(
        ...     circuits=("tfim_hva_n3_p1",), methods=("adjoint", {"name": "parameter-shift", "shots": [10, 100]})
        ... )
        >>> [cell.label for cell in spec.cells(seed=0)]  # doctest: +NORMALIZE_WHITESPACE
        ['adjoint, tfim_hva_n3_p1', 'parameter-shift {"shots": 10}, tfim_hva_n3_p1',
        'parameter-shift {"shots": 100}, tfim_hva_n3_p1']
    """

    observable: tuple[ObservableText, ...] = ()
    methods: tuple[Written, ...] = Field(min_length=1)
    epsilon: tuple[Number, ...] = ()
    delta: tuple[Number, ...] = Field(default=(0.02,), min_length=1)
    noise: tuple[Noise, ...] = ()
    backends: tuple[str, ...] = ()
    seeds: Seeds = (0,)
    trials: Whole = Field(default=100, ge=2, le=_MOST_TRIALS)

    @field_validator("observable", "epsilon", "delta", mode="before")
    @classmethod
    def _one_or_several(cls, given):
        return given if isinstance(given, (list, tuple)) else () if given is None else (given,)

    @field_validator("noise", mode="before")
    @classmethod
    def _several_noises(cls, given):
        if isinstance(given, str):
            return ((given,),)
        is_one = isinstance(given, (list, tuple)) and given and all(isinstance(words, str) for words in given)
        return (given,) if is_one else given

    @field_validator("noise")
    @classmethod
    def _check_noise(cls, noises):
        from ...ir.noise import noise_in_words

        for words in filter(None, noises):
            noise_in_words(words)  # refuses by name what is none
        return distinct(noises)

    @field_validator("epsilon", "delta")
    @classmethod
    def _check_accuracy(cls, values):
        if wrong := [value for value in values if not 0 < value < 1]:
            raise ValueError(f"{wrong[0]} given: give numbers greater than 0 and less than 1")
        return tuple(sorted(set(values), reverse=True))

    @field_validator("observable")
    @classmethod
    def _check_observables(cls, observables):
        return distinct(observables)

    @field_validator("backends")
    @classmethod
    def _check_backends(cls, names):
        return known(names)

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, entries):
        among = of_circuits()
        return tuple(checked(entry, among, "method") for entry in entries)

    @model_validator(mode="after")
    def _check_grid(self):
        conditions(self.noise, self.backends)  # refuses what fits nowhere
        lists = (self.circuits, self.observable, self.seeds, self.epsilon, self.delta, self.noise, self.backends)
        count = math.prod(max(1, len(values)) for values in lists) * sum(map(points, self.methods))
        if count > MOST_CELLS:
            raise ValueError(f"the lists make up to {count:,} cells: leave out values, {MOST_CELLS:,} are allowed")
        return self

    def cells(self, seed: int) -> Iterator[Cell]:
        everywhere = conditions(self.noise, self.backends)
        for name in self.circuits:
            place = placed(name)
            # Instances are the outer loop: a product would hold all of them.
            for method, options in each(self.methods):
                settings = list(self._settings(method, options, everywhere))
                for observable, more in itertools.product(self.observable or (None,), self.seeds):
                    shared = {"observable": observable, "trials": self.trials, "seed": (seed + more) % 2**63}
                    for setting in settings:
                        yield GradientCell(**place, **setting, **shared)

    def _settings(self, method: str, options: str, everywhere: list[Condition]) -> Iterator[dict[str, Any]]:
        """Accuracy and condition of each cell of an instance on a circuit."""
        is_sampling = samples(methods()[method])
        accuracies = [(None, None)]
        if self.epsilon and is_sampling and not parsed(options):
            accuracies = list(itertools.product(self.epsilon, self.delta))
        # What is exact by knowing the circuit has no noise.
        fitting = everywhere if is_sampling else [c for c in everywhere if c.noise is None] or [Condition()]
        for (epsilon, delta), (noise, backend) in itertools.product(accuracies, fitting):
            yield {
                "method": method,
                "options": options,
                "epsilon": epsilon,
                "delta": delta,
                "noise": noise,
                "backend": backend,
            }

    def is_mine(self, cell: Cell) -> bool:
        return isinstance(cell, GradientCell)

    def circuits_named(self) -> tuple[str, ...]:
        return self.circuits

    def summary(self, records: Sequence[tuple[Cell, Record]]) -> Summary:
        from ._summary import summary

        return summary([(cell, record) for cell, record in records if isinstance(cell, GradientCell)])
