"""Circuits of qcgrad as OpenQASM 3."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Complex

from ...errors import ImportRefused
from ...ir.circuit import Circuit
from ...ir.gates import GATES, Gate, MatrixPrimitive

# Gates of stdgates.inc by the same name here, and those that a modifier makes of them.
_STANDARD = frozenset(
    "x y z h s sdg t tdg sx rx ry rz p cx cy cz ch crx cry crz cp swap ccx cswap id".split()  # noqa: SIM905
)
_MODIFIED = {"sxdg": "inv @ sx", "csx": "ctrl @ sx", "ccz": "ctrl @ cz"}
_DEFINED = {
    "rzz": "gate rzz(t) a, b { cx a, b; rz(t) b; cx a, b; }",
    "rxx": "gate rxx(t) a, b { h a; h b; cx a, b; rz(t) b; cx a, b; h a; h b; }",
    "ryy": "gate ryy(t) a, b { sdg a; sdg b; h a; h b; cx a, b; rz(t) b; cx a, b; h a; h b; s a; s b; }",
    "rzx": "gate rzx(t) a, b { h b; cx a, b; rz(t) b; cx a, b; h b; }",
    "iswap": "gate iswap a, b { s a; s b; h a; cx a, b; cx b, a; h b; }",
}
# To the basis of a letter, and back.
_BASIS = {"X": (("h",), ("h",)), "Y": (("sdg", "h"), ("h", "s")), "Z": ((), ())}
_MAX_MATRIX_WIRES = 3


class _Writer:
    """Statements of gates, one circuit's."""

    def __init__(self, circuit: Circuit, name: str):
        digits = len(str(max(circuit.num_parameters - 1, 0)))
        self.inputs = [f"{name}_{k:0{digits}}" for k in range(circuit.num_parameters)]
        self.qubits = [f"q[{k}]" for k in range(circuit.num_qubits)]
        self.definitions: dict[str, str] = {}

    def statements(self, gate: Gate) -> Iterator[str]:
        """One gate; the angle that drives it keeps its scale and offset."""
        name = gate.name
        if name in _STANDARD:
            yield f"{name}{self._angle(gate)} {self._operands(gate.wires)};"
        elif name in _MODIFIED:
            yield f"{_MODIFIED[name]} {self._operands(gate.wires)};"
        elif name in _DEFINED:
            self.definitions[name] = _DEFINED[name]
            yield f"{name}{self._angle(gate)} {self._operands(gate.wires)};"
        elif name == "gphase":
            yield f"gphase{self._angle(gate)};"
        else:
            yield from self._primitives(gate)

    def _primitives(self, gate: Gate) -> Iterator[str]:
        """What is no named gate, as rotations about Pauli words and matrices."""
        for primitive in gate.primitives():
            if isinstance(primitive, MatrixPrimitive):
                if len(primitive.wires) > _MAX_MATRIX_WIRES:
                    raise ImportRefused(
                        f"{gate.name} on qubits {gate.wires} has terms that do not commute on {len(primitive.wires)} "
                        f"qubits: at most {_MAX_MATRIX_WIRES} are written exactly; split it into commuting evolutions"
                    )
                yield from self._matrix(primitive.matrix, primitive.wires)
            else:
                yield from self._rotation(primitive.letters, primitive.wires, self._angle(gate, primitive.scale))

    def _rotation(self, letters: str, wires: Sequence[int], angle: str) -> Iterator[str]:
        """exp(-i angle P / 2): the parity of the word's qubits, collected in its last one, is rotated about Z."""
        acting = [(letter, self.qubits[wire]) for letter, wire in zip(letters, wires, strict=True) if letter != "I"]
        if not acting:
            yield f"gphase(-0.5 * {angle});"
            return
        last = acting[-1][1]
        chain = [f"cx {a}, {b};" for (_, a), (_, b) in itertools.pairwise(acting)]
        yield from (f"{gate} {qubit};" for letter, qubit in acting for gate in _BASIS[letter][0])
        yield from chain
        yield f"rz{angle} {last};"
        yield from reversed(chain)
        yield from (f"{gate} {qubit};" for letter, qubit in acting for gate in _BASIS[letter][1])

    def _matrix(self, matrix: Complex[np.ndarray, "d d"], wires: Sequence[int]) -> Iterator[str]:
        from qiskit.synthesis import OneQubitEulerDecomposer, qs_decomposition

        from ..qiskit._angles import Angles
        from ..qiskit._gates import walk

        synthesis = OneQubitEulerDecomposer("ZYZ") if len(wires) == 1 else qs_decomposition
        found = synthesis(np.array(matrix))
        # Qiskit's first qubit is the least significant bit of the matrix index.
        for name, local, angle, detail in walk(found, tuple(wires[::-1]), Angles([])):
            yield from self.statements(Gate(name, local, None, 1.0, _number(angle), detail))

    def _angle(self, gate: Gate, factor: float = 1.0) -> str:
        """The angle in parentheses; nothing for gates that have none."""
        if gate.name in GATES and not GATES[gate.name].has_angle:
            return ""
        offset = factor * gate.offset
        if gate.param is None:
            return f"({offset!r})"
        scale = factor * gate.scale
        term = self.inputs[gate.param]
        if scale != 1:
            term = f"-{term}" if scale == -1 else f"{scale!r} * {term}"
        if not offset:
            return f"({term})"
        return f"({term} {'-' if offset < 0 else '+'} {abs(offset)!r})"

    def _operands(self, wires: Sequence[int]) -> str:
        return ", ".join([self.qubits[wire] for wire in wires])


def to_openqasm3(circuit: Circuit, name: str = "theta") -> str:
    """The same circuit as an OpenQASM 3 program.

    Named gates are those of `stdgates.inc`, or defined where they are used; Pauli rotations and evolutions become
    chains of CNOTs around a rotation, and matrices what Qiskit's synthesis makes of them, global phases included.

    Args:
        circuit: the circuit.
        name: parameter k becomes `input float[64] name_k`, with as many digits for all so that tools which sort the
            inputs by name keep the order.

    Returns:
        The program's text, which `parse_qasm` and Qiskit's `qasm3.loads` read. Qubit i is q[i].

    Raises:
        ImportRefused: an evolution under terms that do not commute on more than 3 qubits.
        ValueError: a name that is no identifier.

    Cost: time and text grow in proportion to the number of gates.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.interop import parse_qasm, to_openqasm3
        >>> text = to_openqasm3(qg.Circuit(2).ry(0, param=0, scale=2.0, offset=-0.5).cx(0, 1))
        >>> print(text.strip())
        OPENQASM 3.0;
        include "stdgates.inc";
        input float[64] theta_0;
        qubit[2] q;
        ry(2.0 * theta_0 - 0.5) q[0];
        cx q[0], q[1];
        >>> parse_qasm(text).circuit.num_gates
        2

    References:
        A. Cross et al., "OpenQASM 3: A broader and deeper quantum assembly language", ACM Transactions on Quantum
        Computing 3, 12 (2022), arXiv:2104.14722.
    """
    if not isinstance(circuit, Circuit):
        raise TypeError(f"circuit is {type(circuit).__name__}: give a qcgrad.Circuit, for example objective.circuit")
    if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
        raise ValueError(f"name is {name!r}: give letters, digits and underscores, no digit first")
    writer = _Writer(circuit, name)
    body = [statement for gate in circuit.gates for statement in writer.statements(gate)]
    head = ["OPENQASM 3.0;", 'include "stdgates.inc";', *writer.definitions.values()]
    inputs = [f"input float[64] {given};" for given in writer.inputs]
    return "\n".join([*head, *inputs, f"qubit[{circuit.num_qubits}] q;", *body, ""])


def _number(angle) -> float:
    return float(getattr(angle, "offset", angle))
