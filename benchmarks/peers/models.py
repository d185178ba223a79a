"""The benchmarked models as lists of gates, written once and translated for every contestant."""

import random
from typing import NamedTuple

import numpy as np

import qcgrad as qg


class Rotation(NamedTuple):
    """exp(-i scale * params[param] P/2) for a Pauli word on some qubits."""

    word: str
    wires: tuple[int, ...]
    param: int
    scale: float = 1.0


class Fixed(NamedTuple):
    """A gate without an angle: "h", "x" or "cnot"."""

    name: str
    wires: tuple[int, ...]


class Model(NamedTuple):
    """A circuit and an observable.

    Attributes:
        num_qubits: n; num_params: M as the user counts them.
        gates: in order.
        terms: (Pauli word, qubits, coefficient).
    """

    num_qubits: int
    num_params: int
    gates: list
    terms: list

    def params(self, seed=0):
        """Generic angles."""
        return np.random.default_rng(seed).uniform(-1, 1, self.num_params)

    def objective(self) -> qg.Expectation:
        """The model for qcgrad."""
        gates = []
        for gate in self.gates:
            if isinstance(gate, Rotation):
                name = {"X": "rx", "Y": "ry", "Z": "rz", "ZZ": "rzz"}.get(gate.word, "pauli_rot")
                detail = gate.word if name == "pauli_rot" else None
                gates.append(qg.Gate(name, gate.wires, gate.param, gate.scale, 0.0, detail))
            else:
                gates.append(qg.Gate({"cnot": "cx"}.get(gate.name, gate.name), gate.wires))
        observable = qg.PauliSum.from_sparse(self.terms, self.num_qubits)
        return qg.Expectation(qg.Circuit(self.num_qubits, gates), observable)


def hardware_efficient(n: int, layers: int) -> Model:
    """HEA(n, L): RZ RY RZ on every qubit, then a ring of CNOTs; sum Z Z + 1/2 sum X. M = 3 n L."""
    gates, p = [], 0
    for _ in range(layers):
        for q in range(n):
            for word in "ZYZ":
                gates.append(Rotation(word, (q,), p))
                p += 1
        gates += [Fixed("cnot", (q, (q + 1) % n)) for q in range(n)]
    terms = [("ZZ", (q, q + 1), 1.0) for q in range(n - 1)] + [("X", (q,), 0.5) for q in range(n)]
    return Model(n, p, gates, terms)


def maxcut(n: int, depth: int, seed: int = 1) -> Model:
    """QAOA on a weighted graph: a ring, chords of length 3 and n/2 random edges."""
    rng = random.Random(seed)
    edges = {tuple(sorted((i, (i + d) % n))) for i in range(n) for d in (1, 3)}
    edges = sorted(edges | {tuple(sorted(rng.sample(range(n), 2))) for _ in range(n // 2)})
    weights = [rng.uniform(0.2, 1.5) for _ in edges]
    gates: list = [Fixed("h", (q,)) for q in range(n)]
    for layer in range(depth):
        gates += [Rotation("ZZ", edge, 2 * layer, w) for edge, w in zip(edges, weights, strict=True)]
        gates += [Rotation("X", (q,), 2 * layer + 1, 2.0) for q in range(n)]
    return Model(n, 2 * depth, gates, [("ZZ", edge, w) for edge, w in zip(edges, weights, strict=True)])


def lithium_hydride() -> Model:
    """LiH on 12 qubits with its 631-term Hamiltonian; all UCCSD excitations as Pauli rotations (Jordan-Wigner)."""
    import pennylane as qml

    library = qg.load_circuit("lih_su2_n12")
    observable, n = library.observable, library.num_qubits
    gates: list = [Fixed("x", (q,)) for q in range(4)]
    singles, doubles = qml.qchem.excitations(4, n)
    for param, wires in enumerate([*singles, *doubles]):
        half = len(wires) // 2
        raising = qml.FermiWord({(i, w): "-" if i < half else "+" for i, w in enumerate(wires)})
        generator = qml.jordan_wigner(raising - raising.adjoint(), ps=True)
        for word, coefficient in sorted(generator.items(), key=lambda item: str(item[0])):
            # exp(theta c P) with imaginary c is the rotation of angle 2 i c theta.
            wires_of, letters = zip(*sorted(word.items()), strict=True)
            gates.append(Rotation("".join(letters), wires_of, param, float(np.real(2j * coefficient))))
    terms = []
    for word, coefficient in zip(observable.words, observable.coefficients.tolist(), strict=True):
        qubits = tuple(q for q, letter in enumerate(word) if letter != "I")
        terms.append(("".join(word[q] for q in qubits), qubits, coefficient))
    return Model(n, len(singles) + len(doubles), gates, terms)
