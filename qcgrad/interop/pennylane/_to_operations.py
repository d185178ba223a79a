"""Circuits without parameters as operations of PennyLane."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...ir.circuit import Circuit
from ...ir.gates import GATES, Gate

if TYPE_CHECKING:
    from pennylane.operation import Operator

_NAMES = {
    "id": "Identity",
    "x": "PauliX",
    "y": "PauliY",
    "z": "PauliZ",
    "h": "Hadamard",
    "s": "S",
    "t": "T",
    "sx": "SX",
    "rx": "RX",
    "ry": "RY",
    "rz": "RZ",
    "p": "PhaseShift",
    "cx": "CNOT",
    "cy": "CY",
    "cz": "CZ",
    "ch": "CH",
    "crx": "CRX",
    "cry": "CRY",
    "crz": "CRZ",
    "cp": "ControlledPhaseShift",
    "rxx": "IsingXX",
    "ryy": "IsingYY",
    "rzz": "IsingZZ",
    "swap": "SWAP",
    "iswap": "ISWAP",
    "ccx": "Toffoli",
    "ccz": "CCZ",
    "cswap": "CSWAP",
}
_ADJOINTS = {"sdg": "S", "tdg": "T", "sxdg": "SX"}


def operations(circuit: Circuit, wires: Sequence[Any]) -> "list[Operator]":
    """The gates of a circuit without parameters, on these wire labels; global phases, which nothing shows, left out.

    Args:
        circuit: whose gates have numbers for angles.
        wires: a label for each qubit.
    """
    import pennylane as qml

    return [made for gate in circuit.gates for made in _made(gate, [wires[q] for q in gate.wires], qml)]


def _made(gate: Gate, wires: list, qml) -> "Iterable[Operator]":
    if gate.name in _NAMES:
        make = getattr(qml, _NAMES[gate.name])
        return [make(gate.offset, wires=wires) if GATES[gate.name].has_angle else make(wires=wires)]
    if gate.name in _ADJOINTS:
        return [qml.adjoint(getattr(qml, _ADJOINTS[gate.name])(wires=wires))]
    return _OTHERS[gate.name](gate, wires, qml)


def _rotation(angle: float, word: str, wires: list, qml) -> "list[Operator]":
    kept = [(letter, wire) for letter, wire in zip(word, wires, strict=True) if letter != "I"]
    if not kept:
        return []
    return [qml.PauliRot(angle, "".join(letter for letter, _ in kept), wires=[wire for _, wire in kept])]


def _evolution(gate: Gate, wires: list, qml) -> "list[Operator]":
    hamiltonian = gate.detail
    if hamiltonian.is_commuting:
        terms = zip(hamiltonian.words, hamiltonian.coefficients.tolist(), strict=True)
        return [made for word, c in terms for made in _rotation(2 * c * gate.offset, word, wires, qml)]
    levels, vectors = np.linalg.eigh(hamiltonian.matrix())
    return [qml.QubitUnitary((vectors * np.exp(-1j * gate.offset * levels)) @ vectors.conj().T, wires=wires)]


_OTHERS: dict[str, Callable[[Gate, list, Any], list]] = {
    "csx": lambda gate, wires, qml: [qml.ctrl(qml.SX(wires=wires[1]), control=wires[0])],
    "rzx": lambda gate, wires, qml: _rotation(gate.offset, "ZX", wires, qml),
    "gphase": lambda gate, wires, qml: [],
    "pauli_rot": lambda gate, wires, qml: _rotation(gate.offset, gate.detail, wires, qml),
    "evolution": _evolution,
    "unitary": lambda gate, wires, qml: [qml.QubitUnitary(np.array(gate.detail.matrix), wires=wires)],
}
