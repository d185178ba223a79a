"""What a training study shows."""

from collections.abc import Callable, Iterator, Sequence

from .._circuit_fields import told_apart
from .._over_seeds import Group, against, curve, file_name, grouped, medians, point, quartiles
from ..cells import Cell
from ..choices import labelled
from ..learning._names import Names, task
from ..learning._tables import ENDS, after, diverged, naming, refusals, trained
from ..records import Record
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from ._circuit_cell import CircuitTrainingCell
from ._network_cell import NetworkTrainingCell

Circuits = dict[CircuitTrainingCell, Group]
Networks = dict[NetworkTrainingCell, Group]

_OF_CIRCUITS = (
    "Medians over seeds, with quartiles. The value is exact, at the parameters that the last step leads to; copies, "
    "circuits and FLOPs are those of all steps, counted, the estimates of the value included."
)
_OF_NETWORKS = (
    "Medians over seeds, with quartiles. The loss is that of all examples, the score that of tests, after the last "
    "step. FLOPs are those of all passes forward and backward, bytes the peak of one, both counted."
)
_OF_BANDS = "Lines are medians over seeds of what each budget leads to, bands the quartiles."


def summary(records: Sequence[tuple[Cell, Record]]) -> Summary:
    """Tables and figures of all records, circuits first."""
    applied = [(cell, record) for cell, record in records if "refused" not in record]
    circuits = grouped((cell, record) for cell, record in applied if isinstance(cell, CircuitTrainingCell))
    networks = grouped((cell, record) for cell, record in applied if isinstance(cell, NetworkTrainingCell))
    tables: list[Table] = []
    if circuits:
        tables.append(Table("Minima of circuits", tuple(_columns_of_circuits(circuits)), (_OF_CIRCUITS,)))
    if networks:
        notes = (_OF_NETWORKS, *Names(networks).in_common())
        tables.append(Table("Losses of networks", tuple(_columns_of_networks(networks)), notes))
    tables += refusals("What does not go together", records)
    return Summary("Training", tuple(tables), (*_figures_of_circuits(circuits), *_figures_of_networks(networks)))


def _columns_of_circuits(circuits: Circuits) -> Iterator[Column]:
    groups = circuits.values()
    names = told_apart(circuits)
    yield Column.of_words("circuit", (names[cell.source] for cell in circuits))
    yield Column.of_words("method", map(_method, circuits))
    yield Column.of_words("optimizer", map(_optimizer, circuits))
    for heading, read in _different(circuits).items():
        yield Column.of_words(heading, map(read, circuits))
    yield medians("value\nreached", groups, lambda r: r["along"]["loss"][-1], ".4f", with_quartiles=True)
    yield medians("value at\nthe start", groups, lambda r: r["along"]["loss"][0], ".4f", is_essential=False)
    for heading, counter in (("copies", "copies"), ("circuits", "circuit_runs"), ("FLOPs", "flops")):
        is_essential = counter != "circuit_runs"
        yield medians(heading, groups, lambda r, c=counter: r["total"][c], ",.0f", is_essential=is_essential)
    yield medians("steps", groups, lambda r: r["made"], ",.0f")
    endings = (dict.fromkeys(record["ended"] for record in group) for group in groups)
    yield Column.of_words("ended", map(" / ".join, endings), is_essential=False)


def _columns_of_networks(networks: Networks) -> Iterator[Column]:
    groups = networks.values()
    yield from naming(networks, Names(networks))
    yield after("loss", groups, "loss")
    metrics = " / ".join(dict.fromkeys(group[0]["metric"] for group in groups))
    yield after(f"{metrics}\nof tests", groups, "score")
    yield medians("FLOPs", groups, lambda r: r["total"]["flops"], ",.0f")
    yield medians("peak\nbytes", groups, lambda r: r["total"]["peak_bytes"], ",.0f")
    yield medians("steps", groups, lambda r: r["finite_steps"], ",.0f", is_essential=False)
    yield medians("ms\na step", groups, lambda r: 1e3 * r["seconds_per_step"], is_essential=False)
    yield trained(networks.items())


def _figures_of_circuits(circuits: Circuits) -> Iterator[Figure]:
    """One for each circuit: values against copies, and against FLOPs where methods take those."""
    for source, circuit in told_apart(circuits).items():
        mine = {cell: group for cell, group in circuits.items() if cell.source == source}
        panels = []
        for resource, label in (("copies", "copies of the state"), ("flops", "classical FLOPs")):
            if curves := tuple(_values(mine, resource)):
                title = f"{circuit}: value for {label}"
                panels.append(Panel(title, label, "expectation value", curves, log_y=False))
        if panels:
            yield Figure(f"training-{file_name(circuit)}", tuple(panels), (_OF_BANDS,))


def _values(circuits: Circuits, resource: str) -> Iterator[Curve]:
    told = _different(circuits)
    for cell, group in circuits.items():
        if found := against([(record["along"][resource], record["along"]["loss"]) for record in group]):
            name = ", ".join([_method(cell), _optimizer(cell), *(read(cell) for read in told.values())])
            yield curve(name, found, colour=name, marker=_method(cell))


def _figures_of_networks(networks: Networks) -> Iterator[Figure]:
    """One for each task: loss along training against FLOPs, and its end against bytes."""
    for name in dict.fromkeys(map(task, networks)):
        mine = {cell: group for cell, group in networks.items() if task(cell) == name}
        panels = (
            Panel(f"{name}: loss for FLOPs", "FLOPs", "loss", tuple(_losses(mine))),
            Panel(f"{name}: loss for bytes", "peak bytes", "loss after training", tuple(_ends(mine))),
        )
        shown = tuple(panel for panel in panels if panel.curves)
        if shown:
            notes = (_OF_BANDS, *([ENDS] if diverged(mine.items()) else []), *Names(mine).in_common())
            yield Figure(f"training-{file_name(name)}", shown, notes)


def _losses(networks: Networks) -> Iterator[Curve]:
    names = Names(networks)
    for cell, group in networks.items():
        runs = [([r["gradient"]["flops"] * step for step in r["along"]["step"]], r["along"]["loss"]) for r in group]
        if found := against(runs):
            yield curve(names.curve(cell), found, **names.look(cell))


def _ends(networks: Networks) -> Iterator[Curve]:
    names = Names(networks)
    for cell, group in networks.items():
        held = quartiles(record["total"]["peak_bytes"] for record in group)
        losses = [record["along"]["loss"][-1] for record in group]
        loss = None if None in losses else quartiles(losses)
        yield from point(names.curve(cell), held, loss, **names.look(cell))


_SETTINGS: dict[str, Callable[[CircuitTrainingCell], str]] = {
    "observable": lambda cell: cell.observable or "default",
    "start": lambda cell: f"{cell.start} start",
    "limit": lambda cell: "any copies" if cell.copies is None else f"{cell.copies:,} copies",
    "steps\nallowed": lambda cell: f"{cell.steps:,} steps",
    "points\nkept": lambda cell: f"{cell.points:,} points",
}


def _different(circuits: Circuits) -> dict[str, Callable[[CircuitTrainingCell], str]]:
    """What else tells minimisations apart that stand side by side."""
    return {heading: read for heading, read in _SETTINGS.items() if len(set(map(read, circuits))) > 1}


def _method(cell: CircuitTrainingCell) -> str:
    return labelled(cell.method, cell.method_options)


def _optimizer(cell: CircuitTrainingCell) -> str:
    return labelled(cell.optimizer, cell.optimizer_options)
