"""The spec of a scaling study and its cells."""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator

from ...catalogue import Method, methods
from .._methods import is_searched, known, ranked, samples, searched, takes_any_circuit, trials_of, typical
from ..cells import Cell
from ..kind import AbstractKind, Number, Seeds
from ..records import Record
from ..summary import Summary
from ._circuit_cells import CircuitCell
from ._hard_cells import HardInstanceCell
from ._method_cell import MethodCell
from ._network_cells import NetworkCell
from ._parts import CircuitSeries, HardInstance, Network

_SIZE_AND_DEPTH = (
    *(f"efficient_su2_n{n}_r{r}" for n, r in ((2, 1), (4, 1), (4, 2), (4, 4), (4, 8))),
    *(f"efficient_su2_n{n}_r2" for n in (6, 8, 12, 16)),
)
_SPIN_CHAINS = ("tfim_hva_n3_p1", "tfim_hva_n4_p2", "tfim_hva_n6_p3", "tfim_hva_n8_p4", "tfim_hva_n12_p4")

SEEDS = 3
"""By default."""

_QUICK_TRIALS = 50


class Scaling(AbstractKind):
    """How the cost of a gradient grows with M, for every method. Every field has the default of `qcgrad scaling`.

    Attributes:
        methods: names that `qcgrad methods` lists, those of installed packages too; by default the typical ones.
        seeds: of the hard instance and its trials, and of errors on circuits: so many, or a list of numbers that are
            added to the study's seed. Laws are fitted to the means, and how sure they are follows from the spread.
            Exact methods and networks, which no seed changes, are computed once.
        epsilon: accuracies in the max norm, one or several. For circuits they are in units of sqrt(sum_b c_b^2),
            with c_b the sum of the observable's |coefficients| that are measured together (1 for a single string),
            times sqrt(sum_a (d angle_a / d parameter)^2) of the component.
        delta: probability that the worst component misses epsilon.
        circuits: series of real circuits.
        hard_instance: the all-Pauli hard instance; None (in a TOML file: false) leaves it out.
        network: the classical baseline; None (false) leaves it out.

    Example:
        >>> from qcgrad.studies.scaling import Scaling
        >>> [4**cell.n - 1 for cell in Scaling(methods=("backprop",)).cells(seed=0)]
        [3, 15, 63, 255, 1023, 4095, 65535, 1048575]
        >>> Scaling(seeds=3).seeds, Scaling(seeds=[5, 7]).seeds
        ((0, 1, 2), (5, 7))
    """

    methods: tuple[str, ...] = Field(default_factory=typical)
    seeds: Seeds = tuple(range(SEEDS))
    epsilon: tuple[Number, ...] = (0.3,)
    delta: Number = Field(default=0.02, gt=0, lt=1)
    circuits: tuple[CircuitSeries, ...] = (
        CircuitSeries(label="efficient_su2", circuits=_SIZE_AND_DEPTH),
        CircuitSeries(label="tfim_hva", circuits=_SPIN_CHAINS),
    )
    hard_instance: HardInstance | None = HardInstance()
    network: Network | None = Network()

    @field_validator("hard_instance", "network", mode="before")
    @classmethod
    def _false_is_none(cls, part):
        return None if part is False else part

    @field_validator("epsilon", mode="before")
    @classmethod
    def _one_or_several(cls, epsilon):
        return epsilon if isinstance(epsilon, (list, tuple)) else (epsilon,)

    @field_validator("epsilon")
    @classmethod
    def _check_epsilon(cls, epsilon):
        wrong = [value for value in epsilon if not 0 < value < 1]
        if wrong or not epsilon:
            raise ValueError(f"{wrong[0] if wrong else 'nothing'} given: give numbers greater than 0 and less than 1")
        return tuple(sorted(set(epsilon), reverse=True))

    @field_validator("circuits")
    @classmethod
    def _check_labels(cls, circuits):
        labels = [series.label for series in circuits]
        for name in labels:
            if labels.count(name) > 1:
                raise ValueError(f"two series are labelled {name!r} and would be fitted as one: rename one of them")
        return circuits

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, methods):
        if not methods:
            raise ValueError(f"give at least one of {', '.join(ranked())}")
        return known(methods)

    def cells(self, seed: int) -> Iterator[Cell]:
        compared = [methods()[name] for name in self.methods]
        yield from self._network_cells(seed, [m for m in compared if m.differentiates == "networks"])
        yield from self._circuit_cells(seed, [m for m in compared if takes_any_circuit(m)])
        yield from self._hard_cells(seed, [m for m in compared if is_searched(m)])

    def _seeds(self, seed: int) -> tuple[int, ...]:
        """Of cells that draw."""
        return tuple((seed + more) % 2**63 for more in self.seeds)

    def is_mine(self, cell: Cell) -> bool:
        return isinstance(cell, MethodCell)

    def summary(self, records: Sequence[tuple[Cell, Record]]) -> Summary:
        from ._summary import summary

        return summary([(cell, record) for cell, record in records if isinstance(cell, MethodCell)], self)

    def circuits_named(self) -> tuple[str, ...]:
        return tuple(name for series in self.circuits for name in series.circuits)

    def with_files_in(self, folder: Path) -> Self:
        from ..circuits import absolute_name

        def moved(series: CircuitSeries) -> CircuitSeries:
            return series.model_copy(update={"circuits": tuple(absolute_name(n, folder) for n in series.circuits)})

        return self.model_copy(update={"circuits": tuple(map(moved, self.circuits))})

    def within(self, max_qubits: int) -> Self | None:
        """Without anything on more qubits; the hard instance of n has n + 1."""
        from ..circuits import within

        series = tuple(
            s.model_copy(update={"circuits": kept}) for s in self.circuits if (kept := within(s.circuits, max_qubits))
        )
        hard = self.hard_instance
        if hard is not None:
            kept = tuple(n for n in hard.qubits if n + 1 <= max_qubits)
            hard = hard.model_copy(update={"qubits": kept}) if kept else None
        return self.model_copy(update={"circuits": series, "hard_instance": hard})

    def quick(self) -> Self:
        """Circuits up to 8 qubits, two seeds, the hard instance to n = 4 with fewer trials."""
        hard = self.hard_instance and self.hard_instance.model_copy(
            update={
                "qubits": tuple(n for n in self.hard_instance.qubits if n <= 4),
                "trials": {
                    name: min(_QUICK_TRIALS, self.hard_instance.trials.get(name, trials_of(methods()[name])))
                    for name in searched(self.methods)
                },
                "ladder": max(self.hard_instance.ladder, 1.2),
            }
        )
        smaller = self.model_copy(update={"hard_instance": hard, "seeds": self.seeds[:2]}).within(8)
        assert smaller is not None
        return smaller

    def _network_cells(self, seed: int, compared: list[Method]) -> Iterator[NetworkCell]:
        network = self.network
        if network is None:
            return
        for method in compared:
            for n in network.levels:
                yield NetworkCell(method=method.name, seed=seed, n=n, batch=network.batch)

    def _circuit_cells(self, seed: int, compared: list[Method]) -> Iterator[CircuitCell]:
        from .._circuit_fields import placed
        from ..circuits import within
        from ..factories import is_factory_name

        # A file is read once, however many cells are on it.
        places = {name: placed(name) for name in self.circuits_named()}
        everything = [(series, name) for series in self.circuits for name in series.circuits]
        small = [(s, name) for s in self.circuits for name in within(s.circuits, s.max_sampled_qubits)]
        # Exact methods first: they are the cheap ones.
        for method in sorted(compared, key=samples):
            accuracies = [(epsilon, self.delta) for epsilon in self.epsilon] if samples(method) else [(None, None)]
            for epsilon, delta in accuracies:
                for series, name in small if samples(method) else everything:
                    is_limited = samples(method) and is_factory_name(name)
                    for each in self._seeds(seed)[: None if samples(method) else 1]:
                        yield CircuitCell(
                            **places[name],
                            method=method.name,
                            model=series.label,
                            seed=each,
                            observable=series.observable,
                            # What is simulated has no noise.
                            noise=(series.noise or None) if samples(method) else None,
                            most_qubits=series.max_sampled_qubits if is_limited else None,
                            epsilon=epsilon,
                            delta=delta,
                        )

    def _hard_cells(self, seed: int, compared: list[Method]) -> Iterator[HardInstanceCell]:
        hard = self.hard_instance
        if hard is None:
            return
        grid = product(compared, self.epsilon, hard.qubits, self._seeds(seed))
        for method, epsilon, n, each in grid:
            yield HardInstanceCell(
                method=method.name,
                seed=each,
                epsilon=epsilon,
                delta=self.delta,
                n=n,
                trials=hard.trials.get(method.name, trials_of(method)),
                ladder=hard.ladder,
                tilt=hard.tilt,
            )
