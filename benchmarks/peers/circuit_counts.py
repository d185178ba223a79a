"""Circuits that a gradient takes: PennyLane's Hadamard modes and parameter-shift rule beside ours, counted.

    python benchmarks/peers/circuit_counts.py  # about two minutes

The same ten circuits of the library in both. PennyLane's numbers are those that its `Tracker` sees of the gradient
transform alone: executions with shots, of which an observable can take several, and in brackets simulations, which know
nothing of measurement bases. Ours are what `estimate` counts with shots, and in brackets without, all without the
evaluation of the value. Ends with an error where any of ours is higher. Writes
benchmarks/peers/results/circuit-counts-DATE.md.
"""

import datetime
import sys
import warnings
from functools import partial
from importlib.metadata import version
from pathlib import Path

import jax
import pennylane as qml
from pennylane import numpy as pnp

import qcgrad as qg
from qcgrad.interop import to_pennylane

jax.config.update("jax_enable_x64", True)
CIRCUITS = (
    "efficient_su2_n4_r2",
    "strongly_entangling_n4_l2",
    "n_local_n4_crx_crz",
    "n_local_n4_rxx_rzz",
    "maxcut_regular2_n4_p1",
    "tfim_hva_n4_p2",
    "xxx_hva_n4_p2",
    "excitation_preserving_n4_r2",
    "h2_givens_n4",
    "iqp_pairs_n6",
)
MODES = ("standard", "reversed", "direct", "reversed-direct", "auto")
SHOTS = 10


def theirs(entry, **options) -> tuple[int, int]:
    """Executions and simulations of PennyLane's transform."""
    device = qml.device("default.qubit", seed=0)
    node = qml.set_shots(qml.QNode(to_pennylane(entry.objective), device), SHOTS)
    if "mode" in options:
        transformed = qml.gradients.hadamard_grad(node, aux_wire=entry.num_qubits, **options)
    else:
        transformed = qml.gradients.param_shift(node)
    with qml.Tracker(device) as tracker:
        transformed(pnp.array(entry.params, requires_grad=True))
    return int(tracker.totals["executions"]), int(tracker.totals["simulations"])


def ours(entry, make) -> tuple[int, int] | None:
    """Circuits of ours with shots and without, but for those of the value; None where the method does not apply."""
    counts = []
    for shots, of_value in ((SHOTS, len(entry.objective.program.bases)), (None, 1)):
        try:
            found = qg.estimate(entry.objective, entry.params, make(shots), key=0)
        except qg.NotApplicable:
            return None
        assert found.cost == qg.predict_cost(entry.objective, make(shots))
        counts.append(found.cost.circuit_runs - of_value)
    return counts[0], counts[1]


def row_of(name: str) -> tuple[str, list[str]]:
    """A line of the table, and what of it is higher than PennyLane's."""
    entry = qg.load_circuit(name)
    pairs = {"shift": (theirs(entry), ours(entry, qg.ParameterShift))}
    for mode in MODES:
        pairs[mode] = (theirs(entry, mode=mode), ours(entry, partial(qg.HadamardTest, mode=mode)))
    alone = [ours(entry, make) for make in (qg.LinearCombination, qg.CommutingBlock)]
    cells = [name, str(entry.circuit.num_angles), str(len(entry.objective.program.terms[0]))]
    cells += [f"{a[0]} / {b[0]} ({a[1]} / {b[1]})" for a, b in pairs.values()]
    cells += ["" if count is None else f"{count[0]} ({count[1]})" for count in alone]
    more = [f"{name}, {what}: {b} > {a}" for what, (a, b) in pairs.items() if b[0] > a[0] or b[1] > a[1]]
    return f"| {' | '.join(cells)} |", more


def main() -> None:
    """The table, to the screen and a dated file."""
    warnings.simplefilter("ignore")
    head = ["circuit", "gates", "strings", *("param_shift / ours" if i == 0 else m for i, m in enumerate(("", *MODES)))]
    head += ["LinearCombination", "CommutingBlock"]
    lines = [
        f"# Circuits that a gradient takes, {datetime.date.today()}",
        "",
        f"PennyLane {version('pennylane')} / ours, `python benchmarks/peers/circuit_counts.py`: executions with shots, "
        "in brackets simulations without measurement bases; the value's are left out. Gates are those with a parameter, "
        "strings those of the observable.",
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
    ]
    higher = []
    for name in CIRCUITS:
        line, more = row_of(name)
        lines.append(line)
        higher += more
        print(line, flush=True)
    path = Path(__file__).parent / "results" / f"circuit-counts-{datetime.date.today()}.md"
    path.write_text("\n".join(lines) + "\n")
    print(f"written to {path}")
    if higher:
        sys.exit("ours is higher: " + "; ".join(higher))


if __name__ == "__main__":
    main()
