"""The molecules: chemistry's circuits for Hamiltonians computed by PennyLane."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import library
from qiskit_nature.second_q.circuit.library import UCCSD, HartreeFock
from qiskit_nature.second_q.hamiltonians import ElectronicEnergy
from qiskit_nature.second_q.mappers import JordanWignerMapper

from . import hamiltonians
from .case import Case, Template, Terms, called

HAMILTONIAN = "Hamiltonian: pennylane qml.qchem.molecular_hamiltonian(method='dhf'), STO-3G"


def cases() -> Iterator[Case]:
    """All molecules."""
    yield _uccsd("h2_uccsd_n4", "H2", 2, None)
    yield _uccsd("lih_uccsd_n6", "LiH", 2, (2, 3))
    yield nature()
    for name, symbol, electrons, active in [
        ("h2_givens_n4", "H2", 2, None),
        ("heh_plus_givens_n4", "HeH+", 2, None),
        ("h3_plus_givens_n6", "H3+", 2, None),
        ("lih_givens_n6", "LiH", 2, (2, 3)),
        ("h4_givens_n8", "H4", 4, None),
        ("lih_givens_n10", "LiH", 2, (2, 5)),
    ]:
        yield _givens(name, symbol, electrons, active)
    yield _fabric("h4_gate_fabric_n8", "H4", 4, layers=2)
    yield _hardware("lih_su2_n6", (2, 3), 2)
    yield _hardware("lih_su2_n12", None, 2)


def _names(size: int) -> list[str]:
    return [f"theta_{k}" for k in range(size)]


def _describe(symbol: str, active: tuple[int, int] | None) -> str:
    if active is None:
        return f"{symbol}, all orbitals"
    return f"{symbol}, active space of {active[0]} electrons in {active[1]} orbitals"


def _givens(name: str, symbol: str, electrons: int, active: tuple[int, int] | None) -> Case:
    terms, n = hamiltonians.molecular(symbol, active)
    singles, doubles = qml.qchem.excitations(electrons, n)
    start = qml.qchem.hf_state(electrons, n)

    def apply(x: Any) -> None:
        qml.AllSinglesDoubles(x, range(n), hf_state=start, singles=singles, doubles=doubles)

    return Case(
        name,
        "molecules",
        f"{_describe(symbol, active)}: Givens rotations, singles and doubles",
        Template(n, _names(len(singles) + len(doubles)), apply),
        terms,
        "pennylane",
        f"qml.AllSinglesDoubles(theta, range({n}), qml.qchem.hf_state({electrons}, {n}),"
        f" *qml.qchem.excitations({electrons}, {n}))",
        HAMILTONIAN,
    )


def _uccsd(name: str, symbol: str, electrons: int, active: tuple[int, int] | None) -> Case:
    terms, n = hamiltonians.molecular(symbol, active)
    singles, doubles = qml.qchem.excitations(electrons, n)
    s_wires, d_wires = qml.qchem.excitations_to_wires(singles, doubles)
    start = qml.qchem.hf_state(electrons, n)

    def apply(x: Any) -> None:
        qml.UCCSD(x, range(n), s_wires=s_wires, d_wires=d_wires, init_state=start)

    return Case(
        name,
        "molecules",
        f"{_describe(symbol, active)}: UCCSD",
        Template(n, _names(len(singles) + len(doubles)), apply),
        terms,
        "pennylane",
        f"qml.UCCSD(theta, range({n}), *qml.qchem.excitations_to_wires("
        f"*qml.qchem.excitations({electrons}, {n})), qml.qchem.hf_state({electrons}, {n}))",
        HAMILTONIAN,
    )


def _fabric(name: str, symbol: str, electrons: int, layers: int) -> Case:
    terms, n = hamiltonians.molecular(symbol)
    shape = qml.GateFabric.shape(n_layers=layers, n_wires=n)
    start = qml.qchem.hf_state(electrons, n)

    def apply(x: Any) -> None:
        qml.GateFabric(qml.math.reshape(x, shape), range(n), init_state=start, include_pi=True)

    return Case(
        name,
        "molecules",
        f"{_describe(symbol, None)}: gate fabric, {layers} layers",
        Template(n, _names(int(np.prod(shape))), apply),
        terms,
        "pennylane",
        f"qml.GateFabric(theta.reshape{shape}, range({n}), qml.qchem.hf_state({electrons}, {n}), include_pi=True)",
        HAMILTONIAN,
    )


def _hardware(name: str, active: tuple[int, int] | None, reps: int) -> Case:
    terms, n = hamiltonians.molecular("LiH", active)
    circuit, call = called(library.efficient_su2, n, reps=reps, entanglement="linear")
    return Case(
        name,
        "molecules",
        f"{_describe('LiH', active)}: EfficientSU2",
        circuit,
        terms,
        "qiskit",
        call,
        HAMILTONIAN,
    )


def nature() -> Case:
    """H2 by Qiskit Nature: spin orbitals in two blocks, so another Hamiltonian and circuit."""
    mapper = JordanWignerMapper()
    core, one, two = qml.qchem.electron_integrals(hamiltonians.molecule("H2"))()
    energy = ElectronicEnergy.from_raw_integrals(np.array(one, float), np.array(two, float))
    operator = mapper.map(energy.second_q_op()).simplify()
    terms: Terms = [(p[::-1], float(c.real)) for p, c in operator.to_list()]
    terms = [(p, c + float(np.squeeze(core)) * (p == "IIII")) for p, c in terms]
    circuit = UCCSD(2, (1, 1), mapper, initial_state=HartreeFock(2, (1, 1), mapper)).decompose()
    return Case(
        "h2_uccsd_nature_n4",
        "molecules",
        "H2, all orbitals: UCCSD of Qiskit Nature",
        QuantumCircuit(4).compose(circuit).decompose("PauliEvolution"),
        sorted((p, c) for p, c in terms if abs(c) > 1e-12),
        "qiskit-nature",
        "UCCSD(2, (1, 1), JordanWignerMapper(), initial_state=HartreeFock(2, (1, 1), JordanWignerMapper()))",
        "Hamiltonian: qiskit-nature ElectronicEnergy, from the integrals of pennylane"
        " qml.qchem.electron_integrals, STO-3G",
    )
