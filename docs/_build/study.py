"""What was measured for the pages of methods: the study behind docs/data/methods.json, and reading it.

    python -m docs._build.study [--jobs N]      # computes what is missing, and writes the file

The study asks every method of the catalogue on the same circuits. Methods that do not apply say why, and their pages
repeat it.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from qcgrad.catalogue import Method, methods
from qcgrad.cost import Cost
from qcgrad.errors import QcgradError
from qcgrad.objective import Point, point_at
from qcgrad.studies.cells import Cell
from qcgrad.studies.circuits import load_study_circuit, within
from qcgrad.studies.gradients import Gradients
from qcgrad.studies.records import Record
from qcgrad.studies.scaling import CircuitSeries, HardInstance, Network, Scaling
from qcgrad.studies.spec import StudySpec

FILE = Path(__file__).parents[1] / "data" / "methods.json"
COMMAND = "python -m docs._build.study"
_STORE = Path("qcgrad-results") / "methods"

# Sizes and depths that every method can be simulated on in minutes; families that some methods are made for.
_SERIES = {
    "efficient_su2": tuple(f"efficient_su2_n{n}_r{r}" for n, r in ((2, 1), (4, 1), (4, 2), (4, 4), (4, 8))),
    "spin_chains": ("tfim_hva_n3_p1", "tfim_hva_n4_p2", "xxx_hva_n4_p2"),
    "commuting": ("commuting_blocks_n4_b3", "stabilizer_logical_n4_s2", "commuting_translations_n6"),
    "iqp": ("iqp_pairs_n6", "iqp_triples_n6", "iqp_dense_n7"),
}
# Above, methods that sample take minutes each; no family of commuting circuits of the library has three that small.
_MOST_SAMPLED = {"commuting": 6}
_FEW_QUBITS = 5
_ACCURACY_ON = ("tfim_hva_n4_p2", "commuting_blocks_n4_b3", "iqp_pairs_n6")
_EPSILONS = (0.8, 0.4, 0.2, 0.1)
_DELTA = 0.1
_MOST_COPIES, _MOST_CIRCUITS, _MOST_GATES = 4_000_000, 4_000, 500_000_000
_TRIALS = 40


class Measured(NamedTuple):
    """What the file holds.

    Attributes:
        spec: of the study.
        records: of its cells.
        refusals: cells that were not computed, and why.
        began: when, seconds since the epoch.
        provenance: what computed them.
    """

    spec: StudySpec
    records: tuple[tuple[Cell, Record], ...]
    refusals: tuple[tuple[Cell, str], ...]
    began: float
    provenance: dict[str, Any]


def study() -> StudySpec:
    """Every method of the catalogue, on the same circuits."""
    everything = tuple(methods())
    common = [name for name, method in methods().items() if method.make.needs_common_state]
    return StudySpec(
        title="All methods",
        scaling=Scaling(
            methods=everything,
            circuits=tuple(_series(label, names) for label, names in _SERIES.items()),
            hard_instance=HardInstance(qubits=(2, 3, 4), trials=dict.fromkeys(common, 100)),
            network=Network(),
        ),
        gradients=Gradients(circuits=_ACCURACY_ON, methods=tuple(_settings()), trials=_TRIALS),
    )


def cells(spec: StudySpec) -> Iterator[Cell]:
    """Those that are computed: what takes hours is left out where other cells say as much."""
    for cell in spec.cells():
        method = methods()[cell.data["method"]]
        if cell.kind == "hard-instance" and not method.make.needs_common_state:
            continue
        # It draws, though it needs no copies: cells of exact methods are not for it.
        if cell.kind == "circuit" and method.pays_in != "copies" and method.make.accuracy_option:
            continue
        if cell.kind == "gradient" and method.pays_in == "copies" and cell.where in _too_wide():
            continue
        yield cell


def _too_wide() -> list[str]:
    narrow = within(_ACCURACY_ON, _FEW_QUBITS)
    return [name for name in _ACCURACY_ON if name not in narrow]


def _series(label: str, names: tuple[str, ...]) -> CircuitSeries:
    return CircuitSeries(label=label, circuits=names, max_sampled_qubits=_MOST_SAMPLED.get(label, _FEW_QUBITS))


def read(path: Path = FILE) -> Measured:
    """The committed results; fields that cells have got since have their defaults."""
    data = json.loads(path.read_text("utf-8"))
    kinds = {made.kind: made for made in _kinds(Cell) if hasattr(made, "kind")}
    cells = [(_cell(kinds, row["cell"]), row["end"]) for row in data["rows"]]
    return Measured(
        StudySpec(**data["spec"]),
        tuple((cell, end) for cell, end in cells if isinstance(end, dict)),
        tuple((cell, end) for cell, end in cells if isinstance(end, str)),
        data["began"],
        data["provenance"],
    )


def _settings() -> Iterator[dict[str, Any]]:
    """Each method that samples real circuits, with options for errors that fall by a factor of two."""
    points = [point_at(found.objective, found.params)[0] for found in map(load_study_circuit, _ACCURACY_ON)]
    for method in methods().values():
        if method.differentiates == "circuits" and not method.make.needs_common_state:
            for options in _instances(method, points):
                yield {"name": method.name, **options}


def _instances(method: Method, points: list[Point]) -> list[dict[str, Any]]:
    """Plain options for each accuracy, at the first point where the method applies."""
    for point in points:
        try:
            found = [_plain(method, estimator) for estimator in _sized(method, point)]
        except QcgradError:
            continue
        return list({json.dumps(options): options for options in found if options is not None}.values())
    return []


def _sized(method: Method, point: Point) -> list[Any]:
    """One instance for each accuracy; all of them smaller by the same factor where that is too much to simulate."""
    made = [method.make.expected_for_accuracy(point, epsilon, _DELTA) for epsilon in _EPSILONS]
    option = method.make.accuracy_option
    while option and _is_too_much(made[-1].predict(point)) and getattr(made[0], option) >= 8:
        made = [method.changed(each, **{option: getattr(each, option) // 4}) for each in made]
    return [each for each in made if each.predict(point).gates <= _MOST_GATES]


def _is_too_much(cost: Cost) -> bool:
    return cost.copies > _MOST_COPIES or cost.circuit_runs > _MOST_CIRCUITS


def _plain(method: Method, estimator: Any) -> dict[str, Any] | None:
    """The options of an instance; None where one is no plain datum, such as another method."""
    values = {option.name: getattr(estimator, option.name, option.default) for option in method.options}
    # Shots of each circuit by itself: a spec has room for one number.
    values = {name: max(value) if isinstance(value, tuple) else value for name, value in values.items()}
    changed = {option.name for option in method.options if values[option.name] != option.default}
    if not all(isinstance(values[name], (bool, int, float, str)) for name in changed):
        return None
    return {name: values[name] for name in changed}


def _kinds(made: type[Cell]) -> Iterator[type[Cell]]:
    for each in made.__subclasses__():
        yield each
        yield from _kinds(each)


def _cell(kinds: dict[str, type[Cell]], data: dict[str, Any]) -> Cell:
    given: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in data.items()}
    made = kinds[given.pop("kind")]
    return made(**{field.name: given[field.name] for field in dataclasses.fields(made) if field.name in given})


def _write(outcome: Any, spec: StudySpec) -> None:
    from qcgrad.studies.provenance import provenance

    ends = [*outcome.records, *outcome.failures, *outcome.refused]
    about = {name: value for name, value in provenance().items() if name != "host"}
    rows = [{"cell": cell.data, "end": end} for cell, end in ends]
    head = {"command": COMMAND, "began": int(time.time()), "provenance": about, "spec": spec.model_dump(mode="json")}
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    # A line for each cell, so that changes can be read.
    text = json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "rows": [\n{lines}\n]}}\n'
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text, encoding="utf-8")


def main() -> None:
    """Compute the study and write the file."""
    import jax
    from rich.console import Console

    from qcgrad.studies.executors import InProcess, Processes
    from qcgrad.studies.provenance import provenance
    from qcgrad.studies.run import run_cells
    from qcgrad.studies.store import Store

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    jobs = parser.parse_args().jobs
    jax.config.update("jax_enable_x64", True)
    spec = study()
    with Store(_STORE / "study.sqlite") as store:
        store.begin(spec.model_dump_json(), provenance())
        executor = Processes(jobs, None) if jobs > 1 else InProcess(None)
        outcome = run_cells(cells(spec), store, executor, console=Console(stderr=True))
    _write(outcome, spec)


if __name__ == "__main__":
    main()
