"""Dense reference: gates as textbook matrices, circuits as their products. Shares no code with qcgrad."""

from functools import reduce

import numpy as np
from scipy.linalg import expm

PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}
_H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
_SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
_SWAP = np.eye(4)[[0, 2, 1, 3]]


def controlled(matrix, controls=1):
    """Controls first, then the target qubits of `matrix`."""
    out = np.eye(len(matrix) * 2**controls, dtype=complex)
    out[-len(matrix) :, -len(matrix) :] = matrix
    return out


FIXED = {
    "id": np.eye(2),
    "x": PAULIS["X"],
    "y": PAULIS["Y"],
    "z": PAULIS["Z"],
    "h": _H,
    "s": np.diag([1, 1j]),
    "sdg": np.diag([1, -1j]),
    "t": np.diag([1, np.exp(0.25j * np.pi)]),
    "tdg": np.diag([1, np.exp(-0.25j * np.pi)]),
    "sx": _SX,
    "sxdg": _SX.conj().T,
    "cx": controlled(PAULIS["X"]),
    "cy": controlled(PAULIS["Y"]),
    "cz": controlled(PAULIS["Z"]),
    "ch": controlled(_H),
    "csx": controlled(_SX),
    "swap": _SWAP,
    "iswap": np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]]),
    "ccx": controlled(PAULIS["X"], 2),
    "ccz": controlled(PAULIS["Z"], 2),
    "cswap": controlled(_SWAP),
}


def word_matrix(word):
    """Kronecker product of the letters, first letter leftmost."""
    return reduce(np.kron, (PAULIS[letter] for letter in word), np.eye(1))


def rotation(word, angle):
    """exp(-i angle P/2)."""
    return expm(-0.5j * angle * word_matrix(word))


ROTATIONS = {
    "rx": lambda t: rotation("X", t),
    "ry": lambda t: rotation("Y", t),
    "rz": lambda t: rotation("Z", t),
    "p": lambda t: np.diag([1, np.exp(1j * t)]),
    "crx": lambda t: controlled(rotation("X", t)),
    "cry": lambda t: controlled(rotation("Y", t)),
    "crz": lambda t: controlled(rotation("Z", t)),
    "cp": lambda t: np.diag([1, 1, 1, np.exp(1j * t)]),
    "rxx": lambda t: rotation("XX", t),
    "ryy": lambda t: rotation("YY", t),
    "rzz": lambda t: rotation("ZZ", t),
    "rzx": lambda t: rotation("ZX", t),
    "gphase": lambda t: np.array([[np.exp(1j * t)]]),
}


def observable_matrix(terms):
    """sum of coefficient * word for a dict of terms."""
    return sum(c * word_matrix(word) for word, c in terms.items())


def gate_matrix(gate, angle):
    """Matrix of a `qcgrad.Gate` on its own wires at an angle (ignored by fixed gates)."""
    if gate.name in FIXED:
        return FIXED[gate.name]
    if gate.name in ROTATIONS:
        return ROTATIONS[gate.name](angle)
    if gate.name == "pauli_rot":
        return rotation(gate.detail, angle)
    if gate.name == "evolution":
        terms = dict(zip(gate.detail.words, gate.detail.coefficients, strict=True))
        return expm(-1j * angle * observable_matrix(terms))
    return gate.detail.matrix


def apply(psi, matrix, wires):
    """`matrix` on the given qubits of a state of shape (2,) * n."""
    count = len(wires)
    tensor = np.asarray(matrix, complex).reshape((2,) * (2 * count))
    moved = np.tensordot(tensor, psi, axes=(range(count, 2 * count), wires))
    return np.moveaxis(moved, range(count), wires)


def apply_word(psi, word):
    """A Pauli word on a state (2^n,)."""
    tensor = psi.reshape((2,) * len(word))
    for wire, letter in enumerate(word):
        if letter != "I":
            tensor = apply(tensor, PAULIS[letter], (wire,))
    return tensor.ravel()


def state(circuit, params=()):
    """Final amplitudes (2^n,) of a `qcgrad.Circuit`."""
    psi = np.zeros((2,) * circuit.num_qubits, complex)
    psi[(0,) * circuit.num_qubits] = 1
    for gate in circuit.gates:
        angle = gate.offset if gate.param is None else gate.scale * params[gate.param] + gate.offset
        psi = apply(psi, gate_matrix(gate, angle), gate.wires)
    return psi.ravel()


def expectation(circuit, params, terms):
    """<O> of a dict of Pauli terms in the final state."""
    psi = state(circuit, params)
    return float(np.real(psi.conj() @ observable_matrix(terms) @ psi))
