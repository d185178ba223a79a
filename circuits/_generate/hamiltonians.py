"""The observables: spin chains, graph problems and small molecules."""

from functools import cache
from typing import Any

import networkx as nx
import numpy as np
import pennylane as qml

from .case import Terms

BOHR_PER_ANGSTROM = 1 / 0.529177210903


def word(qubits: int, **paulis: tuple[int, ...]) -> str:
    """A Pauli string, e.g. ``word(4, X=(0, 2))`` is ``XIXI``."""
    letters = ["I"] * qubits
    for letter, wires in paulis.items():
        for wire in wires:
            letters[wire] = letter
    return "".join(letters)


def ising(qubits: int, field: float = 0.8, longitudinal: float = 0.0) -> Terms:
    """Open Ising chain ``-sum ZZ - field sum X - longitudinal sum Z``."""
    terms = [(word(qubits, Z=(i, i + 1)), -1.0) for i in range(qubits - 1)]
    terms += [(word(qubits, X=(i,)), -field) for i in range(qubits)]
    if longitudinal:
        terms += [(word(qubits, Z=(i,)), -longitudinal) for i in range(qubits)]
    return terms


def heisenberg_bonds(qubits: int, start: int, step: int, anisotropy: float) -> Terms:
    """``XX + YY + anisotropy ZZ`` on the bonds (i, i+1), i = start, start + step, ..."""
    terms: Terms = []
    for i in range(start, qubits - 1, step):
        bond = (i, i + 1)
        terms.append((word(qubits, X=bond), 1.0))
        terms.append((word(qubits, Y=bond), 1.0))
        terms.append((word(qubits, Z=bond), anisotropy))
    return terms


def heisenberg(qubits: int, anisotropy: float = 1.0) -> Terms:
    """Open XXX (or XXZ) chain."""
    return heisenberg_bonds(qubits, 0, 1, anisotropy)


def cut(graph: nx.Graph) -> Terms:
    """Max-cut cost ``sum w/2 ZZ``, without its constant, to be minimised."""
    n = graph.number_of_nodes()
    edges = sorted((min(u, v), max(u, v), d.get("weight", 1.0)) for u, v, d in graph.edges(data=True))
    return [(word(n, Z=(u, v)), 0.5 * w) for u, v, w in edges]


def weighted(graph: nx.Graph, seed: int) -> nx.Graph:
    """The graph with weights in (0.1, 2), two decimals, drawn with ``seed``."""
    rng = np.random.default_rng(seed)
    for u, v in sorted(graph.edges):
        graph.edges[u, v]["weight"] = round(float(rng.uniform(0.1, 2.0)), 2)
    return graph


def sherrington_kirkpatrick(qubits: int, seed: int) -> Terms:
    """The spin glass ``sum J ZZ / sqrt(n)`` with standard normal couplings J."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(qubits) for j in range(i + 1, qubits)]
    return [(word(qubits, Z=p), float(rng.normal() / np.sqrt(qubits))) for p in pairs]


def from_pennylane(operator: Any, qubits: int) -> Terms:
    """A PennyLane operator as Pauli strings; terms below 1e-12 are dropped."""
    terms: Terms = []
    for paulis, value in operator.pauli_rep.items():
        if abs(complex(value).imag) > 1e-12:
            raise ValueError("observable is not Hermitian")
        label = "".join(paulis.get(i, "I") for i in range(qubits))
        if abs(value) > 1e-12:
            terms.append((label, float(np.real(value))))
    return sorted(terms)


MOLECULES: dict[str, tuple[list[str], list[list[float]], int]] = {
    "H2": (["H", "H"], [[0, 0, 0], [0, 0, 0.7414]], 0),
    "HeH+": (["He", "H"], [[0, 0, 0], [0, 0, 0.775]], 1),
    "H3+": (["H", "H", "H"], [[0, 0, 0], [0.9, 0, 0], [0.45, 0.8, 0]], 1),
    "H4": (["H"] * 4, [[0, 0, 0.9 * i] for i in range(4)], 0),
    "LiH": (["Li", "H"], [[0, 0, 0], [0, 0, 1.57]], 0),
}
"""Symbols, coordinates in angstrom, charge."""


@cache
def molecule(name: str) -> Any:
    """The molecule in the STO-3G basis (PennyLane's own basis data)."""
    symbols, angstrom, charge = MOLECULES[name]
    return qml.qchem.Molecule(symbols, np.array(angstrom) * BOHR_PER_ANGSTROM, charge=charge)


@cache
def molecular(name: str, active: tuple[int, int] | None = None) -> tuple[Terms, int]:
    """Jordan-Wigner Hamiltonian, spin orbitals interleaved, and its number of qubits.

    ``active`` is (electrons, orbitals) of the active space, all of them if absent.
    """
    electrons, orbitals = active or (None, None)
    operator, qubits = qml.qchem.molecular_hamiltonian(
        molecule(name), method="dhf", active_electrons=electrons, active_orbitals=orbitals
    )
    return from_pennylane(operator, qubits), qubits
