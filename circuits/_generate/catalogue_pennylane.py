"""What the collection holds: the cases made by PennyLane other than the molecules."""

from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
import pennylane as qml

from . import hamiltonians
from .case import Case, Template, called


def cases() -> Iterator[Case]:
    """Layered templates, QAOA with other costs and mixers, IQP circuits."""
    yield strongly_entangling()
    yield vertex_cover()
    yield independent_set()
    yield from iqp()


def strongly_entangling() -> Case:
    """Arbitrary rotations and long-range entanglers."""
    shape = qml.StronglyEntanglingLayers.shape(n_layers=2, n_wires=4)

    def apply(x: Any) -> None:
        qml.StronglyEntanglingLayers(qml.math.reshape(x, shape), wires=range(4))

    return Case(
        "strongly_entangling_n4_l2",
        "ansatz",
        "Strongly entangling layers; XXZ chain",
        Template(4, [f"theta_{k}" for k in range(int(np.prod(shape)))], apply),
        hamiltonians.heisenberg(4, 0.5),
        "pennylane",
        f"qml.StronglyEntanglingLayers(theta.reshape{shape}, wires=range(4))",
    )


def _layers(cost: Any, mixer: Any, qubits: int, depth: int, plus: bool) -> Template:
    """QAOA from a cost and a mixer; from the uniform superposition if ``plus``."""

    def apply(x: Any) -> None:
        if plus:
            for wire in range(qubits):
                qml.Hadamard(wire)
        for layer in range(depth):
            qml.qaoa.cost_layer(x[layer], cost)
            qml.qaoa.mixer_layer(x[depth + layer], mixer)

    names = [f"{word}_{layer}" for word in ("gamma", "beta") for layer in range(depth)]
    return Template(qubits, names, apply)


def vertex_cover() -> Case:
    """Minimum vertex cover with its penalty terms."""
    graph, graph_call = called(nx.erdos_renyi_graph, 5, 0.6, seed=2)
    cost, mixer = qml.qaoa.min_vertex_cover(graph, constrained=False)
    return Case(
        "min_vertex_cover_n5_p2",
        "qaoa",
        "QAOA for the minimum vertex cover",
        _layers(cost, mixer, 5, 2, plus=True),
        hamiltonians.from_pennylane(cost, 5),
        "pennylane",
        "qml.qaoa.min_vertex_cover(graph, constrained=False), cost_layer, mixer_layer",
        f"h on all qubits first; graph: networkx {graph_call}; the observable is the cost",
    )


def independent_set() -> Case:
    """Maximum independent set with the constrained (controlled bit flip) mixer."""
    graph, graph_call = called(nx.path_graph, 4)
    cost, mixer = qml.qaoa.max_independent_set(graph, constrained=True)
    return Case(
        "max_independent_set_n4_p2",
        "qaoa",
        "QAOA for the maximum independent set, bit-flip mixer",
        _layers(cost, mixer, 4, 2, plus=False),
        hamiltonians.from_pennylane(cost, 4),
        "pennylane",
        "qml.qaoa.max_independent_set(graph, constrained=True), cost_layer, mixer_layer",
        f"graph: networkx {graph_call}; the observable is the cost",
    )


def iqp() -> Iterator[Case]:
    """Parameterised IQP circuits, one with parameters that several generators share."""
    singles = [[[i]] for i in range(6)]
    pairs = [[[i, j]] for i in range(6) for j in range(i + 1, 6)]
    triples = [[[i, (i + 1) % 6, (i + 3) % 6]] for i in range(6)]
    shared = [[[i] for i in range(8)], [[i, (i + 1) % 8] for i in range(8)]]
    yield _iqp("iqp_pairs_n6", 6, singles + pairs, "one- and two-body generators")
    yield _iqp("iqp_triples_n6", 6, singles + triples, "three-body generators")
    yield _iqp("iqp_shared_n8", 8, [*shared, [[0, 2, 4, 6]]], "translation-invariant generators")


def _iqp(name: str, qubits: int, pattern: list[list[list[int]]], what: str) -> Case:
    def apply(x: Any) -> None:
        qml.IQP(x, qubits, pattern)

    return Case(
        name,
        "iqp",
        f"IQP circuit, {what}; Ising energy with a field along Z",
        Template(qubits, [f"theta_{k}" for k in range(len(pattern))], apply),
        hamiltonians.ising(qubits, 0.8, 0.3),
        "pennylane",
        f"qml.IQP(theta, {qubits}, {pattern})",
    )
