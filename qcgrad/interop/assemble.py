"""From instructions with symbolic angles to a circuit and the map of its parameters."""

from collections.abc import Sequence

from ..ir.circuit import Circuit
from ..ir.gates import Gate
from .angle import Angle, parameter_map
from .instruction import Instruction, has_angle, lowered

_INVISIBLE = frozenset(["gphase", "id"])


def assemble(num_qubits: int, instructions: Sequence[Instruction], num_inputs: int, name: str = ""):
    """Build a circuit.

    Args:
        num_qubits: n.
        instructions: gates in order; global phases are left out, they change no expectation value.
        num_inputs: number of input parameters; an `Angle` with an integer atom names one.
        name: what errors call the circuit: its file, for example.

    Returns:
        (circuit, parameter_map): the map is None where parameter i of the circuit is input i. Inputs on which no gate
        depends have gradient zero; the map keeps their place.
    """
    kept = lowered([i for i in instructions if i.name not in _INVISIBLE])
    atoms = dict.fromkeys([i.angle.atom for i in kept])
    atoms.pop(None, None)
    inputs = [atom for atom in atoms if isinstance(atom, int)]
    plain = len(inputs) == len(atoms) and max(inputs, default=-1) + 1 == num_inputs
    index = {k: k for k in range(num_inputs)} if plain else {atom: k for k, atom in enumerate(atoms)}
    # One instruction that occurs often becomes one gate.
    gates = {key: _gate(i, index) for key, i in {id(i): i for i in kept}.items()}
    circuit = Circuit(num_qubits, [gates[id(i)] for i in kept], name)
    return circuit, None if plain else parameter_map(tuple(atoms), num_inputs)


def _gate(instruction: Instruction, index) -> Gate:
    name, wires, angle, detail = instruction
    if not has_angle(instruction):
        return Gate(name, wires, detail=detail)
    if isinstance(angle, Angle) and not angle.is_constant:
        return Gate(name, wires, index[angle.atom], angle.scale, angle.offset, detail)
    return Gate(name, wires, None, 1.0, angle.offset, detail)
