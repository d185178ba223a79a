"""From instructions with symbolic angles to a circuit and the map of its parameters."""

from collections.abc import Sequence

from ...ir.circuit import Circuit
from ...ir.gates import Gate
from ...ir.parameter_map import PureMap
from ._angle import Angle, parameter_map
from ._instruction import WITH_ANGLE, Instruction, lowered

_INVISIBLE = frozenset(["gphase", "id"])
_MAX_KNOWN = 2**14


def assemble(
    num_qubits: int, instructions: Sequence[Instruction], num_inputs: int, name: str = ""
) -> tuple[Circuit, PureMap | None]:
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
    kept, names = instructions, {i.name for i in instructions}
    if not names.isdisjoint(_INVISIBLE):
        kept = [i for i in kept if i.name not in _INVISIBLE]
    if "unitary" in names:
        kept = lowered(kept)
    atoms = dict.fromkeys([i.angle.atom for i in kept if isinstance(i.angle, Angle)] if num_inputs else [])
    atoms.pop(None, None)
    inputs = [atom for atom in atoms if isinstance(atom, int)]
    plain = len(inputs) == len(atoms) and max(inputs, default=-1) + 1 == num_inputs
    index = {k: k for k in range(num_inputs)} if plain else {atom: k for k, atom in enumerate(atoms)}
    # One instruction that occurs often becomes one gate; where all are others, no more than so many are remembered.
    known: dict[int, Gate] = {}
    gates = []
    for i in kept:
        gate = known.get(id(i))
        if gate is None:
            gate = _gate(i, index)
            if len(known) < _MAX_KNOWN:
                known[id(i)] = gate
        gates.append(gate)
    return Circuit(num_qubits, gates, name), None if plain else parameter_map(tuple(atoms), num_inputs)


def _gate(instruction: Instruction, index) -> Gate:
    name, wires, angle, detail = instruction
    if name not in WITH_ANGLE:
        return Gate(name, wires, detail=detail)
    if isinstance(angle, Angle):
        if angle.atom is not None:
            return Gate(name, wires, index[angle.atom], angle.scale, angle.offset, detail)
        angle = angle.offset
    # The constructor of a frozen dataclass sets every field, which for a long program takes longer than all else: the
    # fields left out here are the class's defaults, of a fixed gate.
    gate = object.__new__(Gate)
    _set(gate, "name", name)
    _set(gate, "wires", wires)
    _set(gate, "offset", float(angle))
    if detail is not None:
        _set(gate, "detail", detail)
    return gate


_set = object.__setattr__
# Python lays out the objects of a class as the first one was filled: with all fields, before any of the short ones.
Gate("id", (0,))
