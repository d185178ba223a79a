"""What a study says, as tables for people and as flat rows for programs."""

import math
from typing import TYPE_CHECKING

from ._circuit_cells import CircuitCell
from ._hard_cells import HardInstanceCell
from .cells import Cell
from .fit import PowerFit
from .records import Record
from .scaling import RULE, UNITS, AccuracyLaw, HardInstanceFits, Law, accuracy_laws, hard_instance_fits
from .spec import HardInstance, StudySpec

if TYPE_CHECKING:
    from rich.console import Console

_READING = (
    "M counts the parameterised gates of a circuit, the weights of a network. The cost ratio is "
    "cost(gradient)/cost(value) in the resource that is paid in. On real circuits copies follow each method's bounds "
    "for epsilon and delta, or what it expects in typical cases, those for every value Hoeffding's. "
    "Exponents are of power laws in M, least squares in log-log, ± one standard error; they hold for the range of M "
    "shown."
)

# Columns that both tables take with everything on one line; below this they leave out what can be missed.
_FULL_WIDTH = 120


def print_report(records: list[tuple[Cell, Record]], laws: list[Law], spec: StudySpec, console: "Console") -> None:
    """Print the table of exponents with verdicts, the fits on the hard instance, and what they mean.

    Args:
        records: of the finished cells.
        laws: `laws_of(records)`.
        spec: of the study.
        console: a rich console; below 120 columns some columns are left out (the CSV file has all numbers).
    """
    narrow = console.width < _FULL_WIDTH
    console.print(_law_table(laws, narrow), "")
    console.print(RULE, style="dim", highlight=False)
    console.print(_READING, style="dim", highlight=False)
    for line in sources(records):
        console.print(line, style="dim", highlight=False, markup=False)
    if accuracies := accuracy_laws(laws):
        console.print()
        console.print(_accuracy_table(accuracies, narrow))
    hard = [law for law in laws if law.kind == "hard-instance" and hard_instance_fits(law)]
    if hard:
        console.print()
        console.print(_fit_table(hard, narrow), "")
        console.print(_definition(records, spec), style="dim", highlight=False)


def _law_table(laws: list[Law], narrow: bool):
    columns = {
        "method": [law.method for law in laws],
        "access": [law.access for law in laws],
        "model": [law.model for law in laws],
        "ε": ["–" if law.epsilon is None else f"{law.epsilon:g}" for law in laws],
        "M": [f"{min(law.sizes)}–{max(law.sizes)}" for law in laws],
        "copies\n∝ M^": [exponent(law.power("copies")) for law in laws],
        "gates\n∝ M^": [exponent(law.power("gates")) for law in laws],
        "cost ratio\n∝ M^": [exponent(law.power("ratio")) for law in laws],
        "ratio at\nlargest M": [
            f"{law.ratio[-1]:,.0f}" if law.ratio[-1] >= 100 else f"{law.ratio[-1]:.3g}" for law in laws
        ],
        "paid in": [UNITS[law.pays_in] for law in laws],
        "backprop.\nscaling": [f"[{_COLOURS[law.verdict]}]{law.verdict}[/]" for law in laws],
    }
    if len({law.epsilon for law in laws} - {None}) < 2:
        del columns["ε"]
    if narrow:
        for heading in ("access", "ratio at\nlargest M", "paid in"):
            del columns[heading]
    return _table("Gradient cost against M", columns, narrow)


_COLOURS = {"yes": "green", "no": "red", "undecided": "yellow"}
_LEFT = ("method", "access", "model", "paid in", "backprop.\nscaling", "power law", "logarithm")


def _table(title: str, columns: dict[str, list[str]], narrow: bool):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    look = {"box": SIMPLE_HEAD, "padding": (0, 0 if narrow else 1, 0, 0), "show_edge": False}
    table = Table(title=title, title_justify="left", title_style="bold", **look)
    for heading in columns:
        # Where even this is too wide, a number on two lines is better than one cut off.
        table.add_column(heading.strip(" "), justify="left" if heading in _LEFT else "right", overflow="fold")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _fit_table(laws: list[Law], narrow: bool):
    pairs = [(law, fits) for law in laws if (fits := hard_instance_fits(law))]
    columns = {"method": [law.method for law, _ in pairs]}
    if len({law.epsilon for law, _ in pairs}) > 1:
        columns["ε"] = [f"{law.epsilon:g}" for law, _ in pairs]
    if not narrow:
        for size in sorted({size for law, _ in pairs for size in law.sizes}):
            copies = [dict(zip(law.sizes, law.copies, strict=True)).get(size) for law, _ in pairs]
            columns[f"M = {size}"] = ["" if count is None else f"{count:,}" for count in copies]
    columns["power law"] = [f"{f.power.prefactor:.4g} · M^({exponent(f.power)})" for _, f in pairs]
    columns["R²"] = [f"{f.power.r_squared:.4f}" for _, f in pairs]
    columns["logarithm"] = [_logarithm(f) for _, f in pairs]
    columns["R² "] = [f"{f.r_squared:.4f}" for _, f in pairs]
    return _table("All-Pauli hard instance: copies that reach epsilon", columns, narrow)


def _accuracy_table(laws: list[AccuracyLaw], narrow: bool):
    columns = {
        "method": [law.method for law in laws],
        "model": [law.model for law in laws],
        "M": [str(law.size) for law in laws],
    }
    if not narrow:
        for epsilon in sorted({e for law in laws for e in law.epsilons}, reverse=True):
            copies = [dict(zip(law.epsilons, law.copies, strict=True)).get(epsilon) for law in laws]
            columns[f"ε = {epsilon:g}"] = ["" if count is None else f"{count:,}" for count in copies]
    columns["copies\n∝ (1/ε)^"] = [exponent(law.power) for law in laws]
    return _table("Copies against accuracy, at the largest M", columns, narrow)


def _logarithm(fits: HardInstanceFits) -> str:
    sign = "+" if fits.logarithm.slope >= 0 else "-"
    line = f"{fits.logarithm.offset:.4g} {sign} {abs(fits.logarithm.slope):.4g} ln M"
    return f"M · ({line})" if fits.per_component else line


def exponent(fit: PowerFit | None) -> str:
    """The exponent with its standard error, or a dash where nothing is paid.

    Example:
        >>> from qcgrad.studies.fit import PowerFit
        >>> from qcgrad.studies.report import exponent
        >>> exponent(PowerFit(1.0, 1.128, 0.0211, 0.99)), exponent(None)
        ('1.13±0.02', '–')
    """
    if fit is None:
        return "–"
    # An exact law has an exponent of rounding error, whose sign would say nothing.
    value = 0.0 if abs(fit.exponent) < 5e-3 else fit.exponent
    return f"{value:.2f}±{fit.standard_error:.2f}" if not math.isnan(fit.standard_error) else f"{value:.2f}±?"


def _definition(records, spec: StudySpec) -> str:
    hard = spec.hard_instance or HardInstance()
    cells = [(cell, r) for cell, r in records if isinstance(cell, HardInstanceCell)]
    counts = {cell.method: cell.trials for cell, _ in cells}
    trials = ", ".join(f"{count} for {name}" for name, count in counts.items())
    known = [r for _, r in cells]
    epsilons = ", ".join(f"{epsilon:g}" for epsilon in spec.epsilon)
    zeros = min(r["error_of_zeros"] for r in known)
    return (
        f"Copies that reach epsilon: the fewest on a ladder of ratio {hard.ladder:g} with which the largest error of "
        f"all M components stays within epsilon = {epsilons} in a fraction {1 - spec.delta:g} of seeded trials "
        f"({trials}); all copies of an estimate count, those for the value too. Returning zeros would be off by "
        f"{zeros:.2f} or more. Both R² are of the copies.{_idealization(known)}"
    )


def _idealization(records: list[Record]) -> str:
    """What the simulation of sign votes leaves out, if there were any."""
    bound = max(record["idealization_bound"] for record in records)
    if not bound:
        return ""
    return (
        " Sign votes are drawn as if each had copies of its own (idealized); that they share them changes any sign "
        f"with a probability of at most {bound:.1g}."
    )


_DETAILS = (
    "max_error",
    "error_over_allowed",
    "noise_bias",
    "noise_bias_error",
    "setting",
    "idealization_bound",
    "observable",
    "angles",
)


def sources(records: list[tuple[Cell, Record]]) -> list[str]:
    """Where the observables and angles of the user's files come from, in words."""
    files: dict[str, list[str]] = {}
    for cell, record in records:
        if isinstance(cell, CircuitCell) and cell.path is not None:
            origin = f"observable {record['observable']}; angles {record['angles']}"
            files.setdefault(origin, []).append(cell.circuit)
    return [f"{', '.join(dict.fromkeys(names))}: {origin}." for origin, names in files.items()]


def flat_rows(records: list[tuple[Cell, Record]]) -> list[dict]:
    """One flat row for each cell, for the CSV file."""
    rows = []
    for cell, record in records:
        data = cell.data
        row = {name: data.get(name, "") for name in ("kind", "method", "model", "circuit", "n")}
        row |= {"M": record["M"], "qubits": record["qubits"]}
        for of in ("gradient", "value"):
            row |= {f"{of}_{counter}": number for counter, number in record[of].items()}
        row |= {k: record.get(k, "") for k in _DETAILS}
        row |= {name: data.get(name, "") for name in ("epsilon", "delta", "trials", "seed")}
        rows.append(row)
    return rows
