"""What a study consists of: cells, each described by plain data."""

from typing import Any

from .spec import StudySpec

Cell = dict[str, Any]
"""Plain data: `kind`, `method`, `model` and the settings of that kind."""


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
    return f"{cell['method']}, {where}"


def _network_cells(spec: StudySpec) -> list[Cell]:
    if spec.network is None or "backprop" not in spec.methods:
        return []
    common = {"kind": "network", "method": "backprop", "model": "perceptron", "seed": spec.seed}
    return [{**common, "n": n, "batch": spec.network.batch} for n in spec.network.levels]


def _circuit_cells(spec: StudySpec) -> list[Cell]:
    cells = []
    for method in ("adjoint", "parameter-shift", "gentle-sweep"):
        if method not in spec.methods:
            continue
        for series in spec.circuits:
            common = {"kind": "circuit", "method": method, "model": series.label}
            if method != "adjoint":
                common |= {"epsilon": spec.epsilon, "delta": spec.delta, "seed": spec.seed}
                common |= {"max_qubits": series.max_sampled_qubits}
            cells += [{**common, "circuit": name} for name in _within(series.circuits, common.get("max_qubits"))]
    return cells


def _within(names, max_qubits) -> list[str]:
    if max_qubits is None:
        return list(names)
    from ..interop.library import list_circuits

    too_large = {c.name for c in list_circuits() if c.num_qubits > max_qubits}
    return [name for name in names if name not in too_large]


def _hard_cells(spec: StudySpec) -> list[Cell]:
    hard = spec.hard_instance
    if hard is None:
        return []
    common = {
        "kind": "hard-instance",
        "model": "all-Pauli",
        "epsilon": spec.epsilon,
        "delta": spec.delta,
        "ladder": hard.ladder,
        "tilt": hard.tilt,
        "seed": spec.seed,
    }
    return [
        {**common, "method": method, "trials": hard.trials.get(method, 200), "n": n}
        for method in ("parameter-shift", "read-once", "bell-shadow")
        if method in spec.methods
        for n in hard.qubits
    ]
