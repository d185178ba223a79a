"""Hypothesis strategies: random circuits that use every kind of gate, and random Pauli sums."""

import numpy as np
from hypothesis import strategies as st
from scipy.stats import unitary_group

import qcgrad as qg
from qcgrad.ir.gates import GATES, Unitary

ANGLES = st.floats(-7, 7, allow_nan=False).map(lambda t: round(t, 3))
QUARTER_TURNS = st.integers(-4, 4).map(lambda k: k * np.pi / 2)
# Clifford at every multiple of pi/2 of their angle (a controlled rotation is not).
_CLIFFORD_ROTATIONS = ["rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx"]
_CLIFFORD_FIXED = ["x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap", "iswap"]


def words(num_qubits, letters="IXYZ"):
    """Pauli words of one length."""
    return st.text(alphabet=letters, min_size=num_qubits, max_size=num_qubits)


def pauli_terms(num_qubits, max_terms=5):
    """Dicts from words to coefficients."""
    coefficients = st.floats(-2, 2, allow_nan=False).map(lambda c: round(c, 2) or 1.0)
    return st.dictionaries(words(num_qubits), coefficients, min_size=1, max_size=max_terms)


@st.composite
def circuits(draw, max_qubits=5, max_gates=12, num_parameters=3):
    """(circuit, params): fixed and parameterised gates of every kind, parameters shared at random."""
    n = draw(st.integers(1, max_qubits))
    circuit = qg.Circuit(n)
    names = [name for name, spec in GATES.items() if spec.num_wires <= n]
    for _ in range(draw(st.integers(1, max_gates))):
        name = draw(st.sampled_from([*names, "pauli_rot", "evolution", "unitary"]))
        circuit = circuit.add(_gate(draw, name, n, num_parameters))
    # The last parameter always exists, so that the number of parameters is known.
    circuit = circuit.ry(draw(st.integers(0, n - 1)), param=num_parameters - 1)
    return circuit, np.array(draw(st.lists(ANGLES, min_size=num_parameters, max_size=num_parameters)))


def _gate(draw, name, n, num_parameters):
    if name in GATES:
        spec = GATES[name]
        wires, detail, has_angle = _wires(draw, n, spec.num_wires), None, spec.has_angle
    elif name == "unitary":
        count = draw(st.integers(1, min(n, 3)))
        detail = Unitary(unitary_group.rvs(2**count, random_state=draw(st.integers(0, 99))))
        return qg.Gate(name, _wires(draw, n, count), detail=detail)
    else:
        count = draw(st.integers(1, min(n, 3)))
        wires, has_angle = _wires(draw, n, count), True
        detail = draw(words(count)) if name == "pauli_rot" else qg.PauliSum(draw(pauli_terms(count, 3)))
    param = draw(st.none() | st.integers(0, num_parameters - 1)) if has_angle and name != "gphase" else None
    scale = draw(st.sampled_from([1.0, -0.5, 2.0])) if param is not None else 1.0
    return qg.Gate(name, wires, param, scale, draw(ANGLES) if has_angle else 0.0, detail)


def _wires(draw, n, count):
    return tuple(draw(st.permutations(range(n)))[:count])


@st.composite
def clifford_circuits(draw, max_qubits=4, max_gates=12):
    """(circuit, params) whose gates behind the first parameterised one are Clifford at those angles."""
    n = draw(st.integers(2, max_qubits))
    circuit = qg.Circuit(n)
    for q in range(n):
        circuit = circuit.ry(q, draw(ANGLES)).rz(q, draw(ANGLES))
    circuit = circuit.cx(0, n - 1)
    params = []
    for _ in range(draw(st.integers(1, max_gates))):
        kind = draw(st.sampled_from(["fixed", "rotation", "pauli_rot"]))
        if kind == "fixed":
            name = draw(st.sampled_from(_CLIFFORD_FIXED))
            circuit = circuit.add(qg.Gate(name, _wires(draw, n, GATES[name].num_wires)))
            continue
        offset = draw(QUARTER_TURNS)
        if kind == "rotation":
            name = draw(st.sampled_from(_CLIFFORD_ROTATIONS))
            gate = qg.Gate(name, _wires(draw, n, GATES[name].num_wires), len(params), 1.0, offset)
        else:
            gate = qg.Gate("pauli_rot", tuple(range(n)), len(params), -1.0, offset, draw(words(n)))
        params.append(draw(QUARTER_TURNS))
        circuit = circuit.add(gate)
    if not params:
        circuit, params = circuit.rx(0, param=0), [0.0]
    return circuit, np.array(params)
