"""From instructions with symbolic angles to a circuit and the map of its parameters."""

from collections.abc import Sequence

from ..ir.circuit import Circuit
from ..ir.gates import Gate
from .angle import Angle, parameter_map
from .instruction import WITH_ANGLE, Instruction, lowered

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
    atoms = dict.fromkeys([i.angle.atom for i in kept if type(i.angle) is Angle])
    atoms.pop(None, None)
    inputs = [atom for atom in atoms if isinstance(atom, int)]
    plain = len(inputs) == len(atoms) and max(inputs, default=-1) + 1 == num_inputs
    index = {k: k for k in range(num_inputs)} if plain else {atom: k for k, atom in enumerate(atoms)}
    # One instruction that occurs often becomes one gate.
    gates: dict[int, Gate] = {}
    made = []
    for i in kept:
        gate = gates.get(id(i))
        if gate is None:
            gate = gates[id(i)] = _gate(i, index)
        made.append(gate)
    return Circuit(num_qubits, made, name), None if plain else parameter_map(tuple(atoms), num_inputs)


def _gate(instruction: Instruction, index) -> Gate:
    name, wires, angle, detail = instruction
    if name not in WITH_ANGLE:
        angle = 0.0
    elif type(angle) is Angle:
        if angle.atom is not None:
            return Gate(name, wires, index[angle.atom], angle.scale, angle.offset, detail)
        angle = angle.offset
    # A frozen dataclass sets field by field, half of the time for a long program: these go in at once, and those left
    # out are the class's defaults, of a fixed gate.
    gate = object.__new__(Gate)
    gate.__dict__.update(name=name, wires=wires, offset=float(angle), detail=detail)
    return gate
