"""From instructions with symbolic angles to a circuit and the map of its parameters."""

from collections.abc import Sequence

from ..ir.circuit import Circuit
from ..ir.gates import Gate
from .angle import Angle, inputs_of, parameter_map
from .instruction import Instruction, has_angle

_INVISIBLE = frozenset(["gphase", "id"])


def assemble(num_qubits: int, instructions: Sequence[Instruction], num_inputs: int):
    """Build a circuit.

    Args:
        num_qubits: n.
        instructions: gates in order; global phases are left out, they change no expectation value.
        num_inputs: number of input parameters; an `Angle` with an integer atom names one.

    Returns:
        (circuit, parameter_map, phase_only): the map is None where parameter i of the circuit is input i;
        `phase_only` holds the inputs on which nothing but a global phase depends.
    """
    kept = [i for i in instructions if i.name not in _INVISIBLE]
    phases = {k for i in instructions if i.name == "gphase" for k in inputs_of(i.angle.atom)}
    atoms = dict.fromkeys([i.angle.atom for i in kept])
    atoms.pop(None, None)
    used = {k for atom in atoms for k in inputs_of(atom)}
    plain = all(isinstance(atom, int) for atom in atoms) and max(used, default=-1) + 1 == num_inputs
    # An input that no gate uses has gradient zero; the map keeps its place.
    index = {k: k for k in range(num_inputs)} if plain else {atom: k for k, atom in enumerate(atoms)}
    # One instruction that occurs often becomes one gate.
    gates = {key: _gate(i, index) for key, i in {id(i): i for i in kept}.items()}
    circuit = Circuit(num_qubits, [gates[id(i)] for i in kept])
    return circuit, None if plain else parameter_map(tuple(atoms), num_inputs), phases - used


def _gate(instruction: Instruction, index) -> Gate:
    name, wires, angle, detail = instruction
    if not has_angle(instruction):
        return Gate(name, wires, detail=detail)
    if isinstance(angle, Angle) and not angle.is_constant:
        return Gate(name, wires, index[angle.atom], angle.scale, angle.offset, detail)
    return Gate(name, wires, None, 1.0, angle.offset, detail)
