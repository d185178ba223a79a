"""What a study consists of: cells, each described by plain data."""

from pathlib import Path
from typing import Any

from .spec import CircuitSeries, StudySpec

Cell = dict[str, Any]
"""Plain data: `kind`, `method`, `model` and the settings of that kind. A `path` says where a file lies whose `content`
is known by its hash, so that moving it changes no result."""


def cells_of(spec: StudySpec) -> list[Cell]:
    """The cells of a study in the order in which they run, cheap ones first.

    Example:
        >>> from qcgrad.studies.plan import cells_of
        >>> from qcgrad.studies.spec import StudySpec
        >>> [cell["n"] for cell in cells_of(StudySpec(methods=("backprop",)))]
        [2, 3, 4, 5]
    """
    return [*_network_cells(spec), *_circuit_cells(spec), *_hard_cells(spec)]


def label(cell: Cell) -> str:
    """A short name for people."""
    where = cell["circuit"] if cell["kind"] == "circuit" else f"{cell['model']}, n = {cell['n']}"
    return f"{cell['method']}, {where}" + (f", ε = {cell['epsilon']:g}" if "epsilon" in cell else "")


def _network_cells(spec: StudySpec) -> list[Cell]:
    if spec.network is None or "backprop" not in spec.methods:
        return []
    common = {"kind": "network", "method": "backprop", "model": "perceptron", "seed": spec.seed}
    return [{**common, "n": n, "batch": spec.network.batch} for n in spec.network.levels]


def _circuit_cells(spec: StudySpec) -> list[Cell]:
    from .circuits import within

    everything = [(series, name) for series in spec.circuits for name in series.circuits]
    small = [(s, name) for s in spec.circuits for name in within(s.circuits, s.max_sampled_qubits)]
    cells = []
    if "adjoint" in spec.methods:
        cells += [_circuit_cell("adjoint", series, name, spec) for series, name in everything]
    for method in ("parameter-shift", "gentle-sweep"):
        if method in spec.methods:
            for epsilon in spec.epsilon:
                accuracy = {"epsilon": epsilon, "delta": spec.delta}
                cells += [_circuit_cell(method, series, name, spec) | accuracy for series, name in small]
    return cells


def _circuit_cell(method: str, series: CircuitSeries, name: str, spec: StudySpec) -> Cell:
    from ..library import is_file_name
    from .circuits import content_of

    cell = {"kind": "circuit", "method": method, "model": series.label, "circuit": name, "seed": spec.seed}
    if series.observable is not None:
        cell["observable"] = series.observable
    if is_file_name(name):
        cell |= {"circuit": Path(name).name, "path": name, "content": content_of(name)}
    return cell


def _hard_cells(spec: StudySpec) -> list[Cell]:
    hard = spec.hard_instance
    if hard is None:
        return []
    common = {
        "kind": "hard-instance",
        "model": "all-Pauli",
        "delta": spec.delta,
        "ladder": hard.ladder,
        "tilt": hard.tilt,
        "seed": spec.seed,
    }
    return [
        {**common, "method": method, "trials": hard.trials.get(method, 200), "epsilon": epsilon, "n": n}
        for method in ("parameter-shift", "read-once", "bell-shadow")
        if method in spec.methods
        for epsilon in spec.epsilon
        for n in hard.qubits
    ]
