"""What a scaling study shows: exponents with verdicts, laws compared, the hard instance, pictures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._circuit_fields import told_apart
from ..records import Record
from ..summary import Summary
from ._circuit_cells import CircuitCell
from ._figure import figure
from ._hard_cells import HardInstanceCell
from ._method_cell import MethodCell
from ._parts import HardInstance
from ._tables import accuracy_table, fit_tables, hard_table, law_table
from ._verdict import RULE
from .laws import accuracy_laws, laws_of

if TYPE_CHECKING:
    from ._kind import Scaling

Records = Sequence[tuple[MethodCell, Record]]

_READING = (
    "M counts the parameterised gates of a circuit, the weights of a network. The cost ratio is "
    "cost(gradient)/cost(value) in the resource that is paid in; × classical is how many times the ratio of classical "
    "backpropagation at equal M it is, at the largest M (counted by XLA on networks, in between interpolated in ln M). "
    "On real circuits copies follow each method's bounds for epsilon and delta, or what it expects in typical cases, "
    "those for every value Hoeffding's: no seed changes them, and they are given no spread. "
    "Exponents are of power laws in M, least squares in log-log, ± one standard error; they hold for the range of M "
    "shown."
)


def summary(records: Records, spec: "Scaling") -> Summary:
    """Tables and figure of the finished cells."""
    laws = laws_of(records)
    tables = [law_table(laws, (RULE, _READING, *sources(records))), *fit_tables(laws)]
    if accuracies := accuracy_laws(laws):
        tables.append(accuracy_table(accuracies))
    hard = [law for law in laws if law.kind == "hard-instance" and len(set(law.sizes)) > 1]
    if hard:
        tables.append(hard_table(hard, (_definition(records, spec),)))
    return Summary("Gradient cost against M", tuple(tables), (figure(laws, spec),))


def _definition(records: Records, spec: "Scaling") -> str:
    hard = spec.hard_instance or HardInstance()
    cells = [(cell, r) for cell, r in records if isinstance(cell, HardInstanceCell)]
    counts = {cell.method: cell.trials for cell, _ in cells}
    trials = ", ".join(f"{count} for {name}" for name, count in counts.items())
    known = [r for _, r in cells]
    seeds = len({cell.seed for cell, _ in cells})
    epsilons = ", ".join(f"{epsilon:g}" for epsilon in spec.epsilon)
    zeros = min(r["error_of_zeros"] for r in known)
    return (
        f"Copies that reach epsilon: the fewest on a ladder of ratio {hard.ladder:g} with which the largest error of "
        f"all M components stays within epsilon = {epsilons} in a fraction {1 - spec.delta:g} of seeded trials "
        f"({trials}); all copies of an estimate count, those for the value too. Geometric means of {seeds} "
        f"seed{'s' if seeds > 1 else ''}, each with an instance and trials of its own. Returning zeros would be off by "
        f"{zeros:.2f} or more.{_idealization(known)}"
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


def sources(records: Records) -> list[str]:
    """Where the observables and angles of the user's files come from, in words."""
    circuits = told_apart(cell for cell, _ in records if isinstance(cell, CircuitCell))
    found: dict[str, list[str]] = {}
    for cell, record in sorted(records, key=lambda pair: pair[0].seed):
        if isinstance(cell, CircuitCell) and cell.path is not None:
            origins = found.setdefault(circuits[cell.source], [])
            origins.append(f"observable {record['observable']}; angles {record['angles']}")
    files: dict[str, list[str]] = {}
    for name, origins in found.items():
        others = " Other seeds draw other angles." if len(set(origins)) > 1 else ""
        files.setdefault(f"{origins[0]}.{others}", []).append(name)
    return [f"{', '.join(names)}: {origin}" for origin, names in files.items()]
