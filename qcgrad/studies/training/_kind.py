"""The spec of a training study, and its cells."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ...catalogue import methods
from .._circuit_fields import ObservableText, OnCircuits, placed
from ..cells import Cell
from ..choices import Written, checked, each
from ..gradients import estimator_of, of_circuits
from ..kind import AbstractKind, Seeds, Whole
from ..learning import _optimizers as optimizers
from ..learning._fields import Learning
from ..records import Record
from ..summary import Summary
from ._circuit_cell import CircuitTrainingCell
from ._network_cell import NetworkTrainingCell


class CircuitTraining(OnCircuits):
    """A grid of minimisations: every circuit with every method and optimiser.

    Attributes:
        circuits: names in the circuit library, or OpenQASM files, relative to the folder of the spec.
        observable: Pauli sum. Default: the recorded one, else Z on every qubit, summed.
        methods: names, or tables with `name` and options; an option that is a list is a grid.
        optimizers: likewise, of optax, or those of `qcgrad.optimizers` that ask for shots. Where these are given no
            `lipschitz`, it is the largest curvature L of exact Hessians around the start (hardware would have to guess
            it); no `learning_rate` is 1/(2L), or what the optimiser takes by default.
        start: "given", at the circuit's own angles, or "random", other ones for each seed.
        copies: of the state at most, where methods take copies.
        steps: at most.
        seeds: of starts and draws: so many minimisations of each kind, or a list of numbers; where nothing is drawn,
            the first.
        points: how many steps of each are kept.
    """

    observable: ObservableText | None = None
    methods: tuple[Written, ...] = Field(min_length=1)
    optimizers: tuple[Written, ...] = Field(min_length=1)
    start: Literal["given", "random"] = "given"
    copies: Whole | None = Field(default=None, ge=1)
    steps: Whole = Field(default=200, ge=1, le=10_000_000)
    seeds: Seeds = (0, 1, 2, 3, 4)
    points: Whole = Field(default=40, ge=2, le=10_000)

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, given):
        known = of_circuits()
        return tuple(checked(written, known, "method") for written in given)

    @field_validator("optimizers")
    @classmethod
    def _check_optimizers(cls, given):
        known = optimizers.known_for_circuits()
        return tuple(checked(written, known, "optimizer") for written in given)

    def cells(self, seed: int) -> Iterator[Cell]:
        """One for each circuit, method, optimiser and seed; a single one where no seed changes anything."""
        shared: dict[str, Any] = {
            name: getattr(self, name) for name in ("observable", "start", "copies", "steps", "points")
        }
        for circuit in self.circuits:
            place = placed(circuit)
            for method, method_options in each(self.methods):
                for optimizer, optimizer_options in each(self.optimizers):
                    draws = self.start == "random" or _draws(method, method_options, optimizer)
                    for repetition in self.seeds if draws else self.seeds[:1]:
                        yield CircuitTrainingCell(
                            **place,
                            method=method,
                            method_options=method_options,
                            optimizer=optimizer,
                            optimizer_options=optimizer_options,
                            repetition=repetition,
                            seed=seed,
                            **shared,
                        )

    def shorter(self) -> Self:
        """The first circuit, two seeds, fewer steps and copies."""
        limits = {"steps": 30, "copies": 30_000}
        less = {name: min(most, now) for name, most in limits.items() if (now := getattr(self, name)) is not None}
        return self.model_copy(update={**less, "circuits": self.circuits[:1], "seeds": self.seeds[:2]})


def _draws(method: str, options: str, optimizer: str) -> bool:
    """Whether steps are drawn: methods that take copies have exact values where they are given no shots."""
    estimator = estimator_of(method, options)
    is_sampled = optimizers.asks_for_shots(optimizer) or getattr(estimator, "shots", 0) is not None
    return methods()[method].pays_in == "copies" and (estimator.is_random or is_sampled)


class Training(AbstractKind):
    """Losses against what they cost: of circuits in copies of the state, of networks in FLOPs and bytes.

    Attributes:
        circuits: grids of minimisations of expectation values.
        networks: grids of trainings of networks.

    Example:
        >>> from qcgrad.studies.training import Training
        >>> spec = Training(circuits=[{"circuits": ["tfim_hva_n3_p1"], "methods": ["parameter-shift"],
        ...                            "optimizers": ["gcans"], "copies": 1000, "seeds": 1}])
        >>> [cell.label for cell in spec.cells(seed=0)]
        ['parameter-shift, gcans, tfim_hva_n3_p1, seed 0']
    """

    circuits: tuple[CircuitTraining, ...] = ()
    networks: tuple[Learning, ...] = ()

    @model_validator(mode="after")
    def _check_parts(self):
        if not (self.circuits or self.networks):
            raise ValueError("nothing to train: give [[training.circuits]] or [[training.networks]]")
        return self

    def cells(self, seed: int) -> Iterator[Cell]:
        for circuits in self.circuits:
            yield from circuits.cells(seed)
        for networks in self.networks:
            for fields in networks.trainings(seed):
                yield NetworkTrainingCell(**fields)

    def is_mine(self, cell: Cell) -> bool:
        return isinstance(cell, (CircuitTrainingCell, NetworkTrainingCell))

    def circuits_named(self) -> tuple[str, ...]:
        return tuple(name for part in self.circuits for name in part.circuits)

    def with_files_in(self, folder: Path) -> Self:
        return self.model_copy(update={"circuits": tuple(part.with_files_in(folder) for part in self.circuits)})

    def within(self, max_qubits: int) -> Self | None:
        circuits = tuple(kept for part in self.circuits if (kept := part.within(max_qubits)) is not None)
        return self.model_copy(update={"circuits": circuits}) if circuits or self.networks else None

    def quick(self) -> Self:
        parts = {"circuits": self.circuits, "networks": self.networks}
        return self.model_copy(update={name: tuple(p.shorter() for p in group) for name, group in parts.items()})

    def summary(self, records: Sequence[tuple[Cell, Record]]) -> Summary:
        from ._summary import summary

        return summary(records)
