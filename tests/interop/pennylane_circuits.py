"""Objectives of qcgrad as QNodes, written without the exporter of the package."""

import pennylane as qml

GATES = {
    "x": qml.X, "h": qml.H, "s": qml.S, "cx": qml.CNOT, "cz": qml.CZ, "rx": qml.RX, "ry": qml.RY, "rz": qml.RZ,
    "p": qml.PhaseShift, "cp": qml.ControlledPhaseShift, "crx": qml.CRX, "cry": qml.CRY, "crz": qml.CRZ,
    "rxx": qml.IsingXX, "ryy": qml.IsingYY, "rzz": qml.IsingZZ, "sx": qml.SX,
}  # fmt: skip


def objective_as_qnode(objective, device, **options):
    """A QNode of one vector of parameters that measures the objective's one observable."""
    circuit, (observable,) = objective.circuit, objective.program.observables
    terms = [qml.pauli.string_to_pauli_word(word) if set(word) != {"I"} else qml.I(0) for word in observable.words]
    hamiltonian = qml.Hamiltonian(observable.coefficients.tolist(), terms)

    @qml.qnode(device, **options)
    def qnode(params):
        for gate in circuit.gates:
            angle = gate.offset if gate.param is None else gate.scale * params[gate.param] + gate.offset
            angles = [angle] if gate.name[0] in "r" or "r" in gate.name[1:] or gate.name in ("p", "cp") else []
            GATES[gate.name](*angles, wires=list(gate.wires))
        return qml.expval(hamiltonian)

    return qnode
