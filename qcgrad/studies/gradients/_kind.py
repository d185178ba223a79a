"""The spec of an accuracy study, its cells and what they show."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator

from .._circuit_fields import CircuitNames, ObservableText
from ..cells import Cell
from ..choices import Written, checked, each, in_words
from ..kind import AbstractKind, Whole
from ..records import Record
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from ._cell import GradientCell
from ._methods import of_circuits

_HOW_TO_READ = (
    "The error is the root mean square over components and trials, against the adjoint gradient; ± its standard error "
    "over trials. Copies and circuits are those of one estimate, counted."
)


class Gradients(AbstractKind):
    """How far the gradients of methods with given options are from the true one, and what they cost.

    Attributes:
        circuits: names in the circuit library, or OpenQASM files, relative to the folder of the spec.
        observable: Pauli sum. Default: the recorded one, else Z on every qubit, summed.
        methods: names, or tables with `name` and options; an option that is a list is a grid.
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

    circuits: CircuitNames
    observable: ObservableText | None = None
    methods: tuple[Written, ...] = Field(min_length=1)
    trials: Whole = Field(default=100, ge=2)

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, methods):
        known = of_circuits()
        return tuple(checked(written, known, "method") for written in methods)

    def cells(self, seed: int) -> Iterator[Cell]:
        for circuit in self.circuits:
            for method, options in each(self.methods):
                yield GradientCell.of(
                    circuit,
                    method=method,
                    options=options,
                    observable=self.observable,
                    trials=self.trials,
                    seed=seed,
                )

    def is_mine(self, cell: Cell) -> bool:
        return isinstance(cell, GradientCell)

    def with_files_in(self, folder: Path) -> Self:
        from ..circuits import absolute_name

        return self.model_copy(update={"circuits": tuple(absolute_name(name, folder) for name in self.circuits)})

    def within(self, max_qubits: int) -> Self | None:
        from ..circuits import within

        kept = within(self.circuits, max_qubits)
        return self.model_copy(update={"circuits": kept}) if kept else None

    def summary(self, records: Sequence[tuple[Cell, Record]]) -> Summary:
        rows = [(cell, record) for cell, record in records if isinstance(cell, GradientCell)]
        table = Table("Error and cost of gradients", tuple(_columns(rows)), (_HOW_TO_READ,))
        curves = tuple(_curves(rows))
        figures = ()
        if curves:
            panel = Panel(
                "Error of a gradient against its copies", "copies of the state", "root mean square error", curves
            )
            figures = (Figure("gradients", (panel,)),)
        return Summary("Accuracy of gradients", (table,), figures)


def _columns(rows: list[tuple[GradientCell, Record]]) -> Iterator[Column]:
    yield Column("circuit", tuple(cell.circuit for cell, _ in rows), is_text=True)
    yield Column("method", tuple(cell.method for cell, _ in rows), is_text=True)
    yield Column("options", tuple(in_words(cell.options) for cell, _ in rows), is_text=True)
    for heading, key in (("M", "M"), ("qubits", "qubits")):
        yield _numbers(heading, [record[key] for _, record in rows], is_essential=False)
    for heading, counter in (("copies", "copies"), ("circuits", "circuit_runs")):
        yield _numbers(heading, [record["gradient"][counter] for _, record in rows])
    shown = tuple(_error(r["rms_error"], r["rms_standard_error"]) for _, r in rows)
    yield Column("rms error", shown, tuple(r["rms_error"] for _, r in rows))
    for heading, key in (("reported\nstandard error", "reported_standard_error"), ("bias bound", "bias_bound")):
        values = tuple(record[key] for _, record in rows)
        yield Column(heading, tuple("unknown" if v is None else f"{v:.2g}" for v in values), values, is_essential=False)


def _numbers(heading: str, values: list[int], *, is_essential: bool = True) -> Column:
    return Column(heading, tuple(f"{value:,}" for value in values), tuple(values), is_essential=is_essential)


def _error(value: float, spread: float | None) -> str:
    return f"{value:.2e}" if spread is None else f"{value:.2e} ± {spread:.0e}"


def _curves(rows: list[tuple[GradientCell, Record]]) -> Iterator[Curve]:
    """One curve for each method on each circuit, over the copies of its options."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for cell, record in rows:
        if record["gradient"]["copies"] and record["rms_error"] > 0:
            groups.setdefault((cell.method, cell.circuit), []).append(record)
    for (method, circuit), members in groups.items():
        members = sorted(members, key=lambda record: record["gradient"]["copies"])
        yield Curve(
            f"{method}, {circuit}",
            tuple(record["gradient"]["copies"] for record in members),
            tuple(record["rms_error"] for record in members),
            tuple(record["rms_standard_error"] or 0.0 for record in members),
            colour=method,
            marker=circuit,
            line="solid",
        )
