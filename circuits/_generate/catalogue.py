"""What the collection holds: the cases made by Qiskit.

The calls are made here and recorded as text, so the text in a file is what was called.
"""

from collections.abc import Iterator

import networkx as nx
from qiskit import QuantumCircuit
from qiskit.circuit import library

from . import catalogue_commuting, catalogue_mqt, catalogue_pennylane, hamiltonians, molecules
from .case import Case, Terms, called, sparse_pauli


def cases() -> Iterator[Case]:
    """All circuits of the collection."""
    yield from ansatz()
    yield from qaoa()
    yield from catalogue_mqt.cases()
    yield from molecules.cases()
    yield from spin_chains()
    yield from iqp()
    yield from catalogue_pennylane.cases()
    yield from catalogue_commuting.cases()


def prepared(circuit: QuantumCircuit, gate: str, wires: list[int]) -> QuantumCircuit:
    """The circuit after a layer of ``x`` or ``h`` on some qubits (its initial state)."""
    start = QuantumCircuit(circuit.num_qubits)
    for wire in wires:
        getattr(start, gate)(wire)
    return start.compose(circuit)


def ansatz() -> Iterator[Case]:
    """Hardware-efficient circuits: a size and depth series of one of them, and others."""
    for n, reps in [(2, 1), (4, 1), (4, 2), (4, 4), (4, 8), (5, 5), (6, 2), (8, 2), (12, 2), (16, 2)]:
        circuit, call = called(library.efficient_su2, n, reps=reps, entanglement="linear")
        yield Case(
            f"efficient_su2_n{n}_r{reps}",
            "ansatz",
            f"EfficientSU2, {reps} repetitions, linear; mixed-field Ising chain",
            circuit,
            hamiltonians.ising(n, 0.8, 0.3),
            "qiskit",
            call,
            "part of a series in the number of qubits and of repetitions",
        )
    circuit, call = called(library.efficient_su2, 6, reps=3, entanglement="full")
    yield Case(
        "efficient_su2_n6_r3_full",
        "ansatz",
        "EfficientSU2 with all pairs entangled; XXZ chain",
        circuit,
        hamiltonians.heisenberg(6, 0.5),
        "qiskit",
        call,
    )
    for n, reps, pattern in [(5, 3, "reverse_linear"), (6, 2, "circular")]:
        circuit, call = called(library.real_amplitudes, n, reps=reps, entanglement=pattern)
        yield Case(
            f"real_amplitudes_n{n}_r{reps}_{pattern}",
            "ansatz",
            f"RealAmplitudes, {reps} repetitions, {pattern}; Ising chain",
            circuit,
            hamiltonians.ising(n),
            "qiskit",
            call,
        )
    yield from local()
    yield from special()


def local() -> Iterator[Case]:
    """``n_local`` with parameterised entanglers."""
    for name, n, rotations, entanglers, pattern, reps in [
        ("n_local_n4_crx_crz", 4, "ry", ["crx", "crz"], "linear", 2),
        ("n_local_n5_cry_sca", 5, ["rx", "rz"], "cry", "sca", 2),
        ("n_local_n4_rxx_rzz", 4, ["rz", "ry"], ["rxx", "rzz"], "circular", 1),
    ]:
        circuit, call = called(library.n_local, n, rotations, entanglers, entanglement=pattern, reps=reps)
        yield Case(
            name,
            "ansatz",
            "NLocal with parameterised two-qubit gates; Heisenberg chain",
            circuit,
            hamiltonians.heisenberg(n),
            "qiskit",
            call,
        )


def special() -> Iterator[Case]:
    """Ansatz circuits with their own customary observables."""
    circuit, call = called(library.excitation_preserving, 4, reps=2, entanglement="linear")
    yield Case(
        "excitation_preserving_n4_r2",
        "ansatz",
        "ExcitationPreserving; XXZ chain",
        prepared(circuit, "x", [0, 2]),
        hamiltonians.heisenberg(4, 0.7),
        "qiskit",
        call,
        "x on qubits 0 and 2 first, for two excitations",
    )
    circuit, call = called(library.pauli_two_design, 5, reps=3, seed=11)
    yield Case(
        "pauli_two_design_n5_r3",
        "ansatz",
        "PauliTwoDesign, the barren plateau circuit; ZZ",
        circuit,
        [("ZZIII", 1.0)],
        "qiskit",
        call,
    )


def qaoa() -> Iterator[Case]:
    """QAOA: each parameter is shared by a layer, scaled by the weights of the graph."""
    for n, degree, reps, seed in [(4, 2, 1, 3), (6, 3, 2, 5), (10, 3, 3, 8), (16, 3, 2, 9)]:
        graph, graph_call = called(nx.random_regular_graph, degree, n, seed=seed)
        yield _qaoa(
            f"maxcut_regular{degree}_n{n}_p{reps}",
            f"QAOA for max-cut, random {degree}-regular graph",
            hamiltonians.cut(graph),
            reps,
            f"graph: networkx {graph_call}",
        )
    graph, graph_call = called(nx.erdos_renyi_graph, 5, 0.7, seed=4)
    yield _qaoa(
        "maxcut_weighted_n5_p3",
        "QAOA for max-cut, graph with edge weights",
        hamiltonians.cut(hamiltonians.weighted(graph, 4)),
        3,
        f"graph: networkx {graph_call}, weights uniform in (0.1, 2)",
    )
    yield _qaoa(
        "sherrington_kirkpatrick_n7_p2",
        "QAOA for a Sherrington-Kirkpatrick spin glass",
        hamiltonians.sherrington_kirkpatrick(7, 12),
        2,
        "normal couplings, numpy seed 12",
    )


def _qaoa(name: str, description: str, cost: Terms, reps: int, notes: str) -> Case:
    circuit, call = called(library.qaoa_ansatz, sparse_pauli(cost), reps=reps)
    notes = f"H is the observable; {notes}"
    return Case(name, "qaoa", description, circuit, cost, "qiskit", call, notes)


def spin_chains() -> Iterator[Case]:
    """Hamiltonian variational ansatz for the Ising, XXX and XXZ chains."""
    for n, reps in [(3, 1), (4, 2), (6, 3), (8, 4), (12, 4), (20, 3)]:
        terms = hamiltonians.ising(n, 1.0)
        circuit, call = called(library.hamiltonian_variational_ansatz, sparse_pauli(terms), reps=reps)
        yield Case(
            f"tfim_hva_n{n}_p{reps}",
            "spin_chains",
            f"Critical transverse-field Ising chain, variational ansatz, {reps} repetitions",
            prepared(circuit, "h", list(range(n))),
            terms,
            "qiskit",
            call,
            "h on all qubits first; H is the observable",
        )
    for n, reps, anisotropy in [(4, 2, 1.0), (8, 3, 1.0), (6, 2, 0.5), (10, 3, 0.5), (20, 2, 0.5)]:
        yield _heisenberg(n, reps, anisotropy)


def _heisenberg(n: int, reps: int, anisotropy: float) -> Case:
    model = "xxx" if anisotropy == 1.0 else "xxz"
    bonds = [hamiltonians.heisenberg_bonds(n, start, 2, anisotropy) for start in (0, 1)]
    layers = [sparse_pauli(terms) for terms in bonds]
    circuit, call = called(library.hamiltonian_variational_ansatz, layers, reps=reps)
    return Case(
        f"{model}_hva_n{n}_p{reps}",
        "spin_chains",
        f"Heisenberg {model.upper()} chain, variational ansatz, {reps} repetitions",
        prepared(circuit, "x", list(range(0, n, 2))),
        hamiltonians.heisenberg(n, anisotropy),
        "qiskit",
        call,
        "x on the even qubits first (Neel state); H0 and H1 are the even and the odd bonds of the observable",
    )


def iqp() -> Iterator[Case]:
    """Rotations between fixed IQP circuits (Qiskit's own has no free parameters)."""
    interactions = [[1, 3, 0, 5], [3, 2, 1, 0], [0, 1, 7, 3], [5, 0, 3, 6]]
    block, block_call = called(library.iqp, interactions)
    block.name = "iqp_block"
    circuit, call = called(library.n_local, 4, "ry", block.to_gate(), [[0, 1, 2, 3]], reps=2)
    call = f"n_local(4, 'ry', {block_call}.to_gate(), [[0, 1, 2, 3]], reps=2)"
    yield Case(
        "iqp_n_local_n4_r2",
        "iqp",
        "RY layers with a fixed IQP circuit as the entangler",
        circuit,
        hamiltonians.ising(4, 0.8, 0.3),
        "qiskit",
        call,
    )
