"""A tape as a structure that repeats, and the numbers that change from call to call.

In a training loop every step brings the same gates with other angles. So each operation is turned into gates whose
angles are scale * slot + offset; what names the gates is the key under which circuit and program are kept, and a step
only fills in the numbers.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from ....array_types import Array, Settings
from ....arrays import is_concrete
from ....errors import ImportRefused
from ....ir import Circuit, PauliSum, Program
from ....ir.angles import gate_angles
from ....ir.gates import Gate
from ...instructions._angle import Angle, as_angle
from ...instructions._instruction import WITH_ANGLE, Instruction, lowered
from .._gates import NAMES, SPECIAL, walk
from .._recorder import Recorder

Part = tuple[str, tuple[int, ...], Any]
"""A gate without its angle: name, qubits, detail."""


class Lowered:
    """Gates on qubits 0 to n - 1, and their angles scale * values[slot] + offset.

    Attributes:
        parts: the gates, a key under which circuits are kept.
        slots: which number of the tape each angle comes from, -1 for none.
        scales, offsets: of each angle.
        values: numbers of the tape, each a scalar or with a batch axis.
        owners: for each of them the index of the tape's parameter that it is, -1 where it is derived from one.
    """

    def __init__(self):
        self.parts: list[Part] = []
        self.slots: list[int] = []
        self.scales: list[float] = []
        self.offsets: list[float] = []
        self.values: list[Any] = []
        self.owners: list[int] = []

    @cached_property
    def batch_size(self) -> int | None:
        """B where numbers of the tape have a batch axis."""
        return next((np.shape(value)[0] for value in self.values if np.ndim(value)), None)

    def angles(self, xp: Any = np) -> Settings:
        """(B, A) radians; with jax.numpy in the precision of the tape's numbers, which may be traced."""
        slots, scales, offsets = np.array(self.slots, int), np.array(self.scales), np.array(self.offsets)
        batch = (self.batch_size or 1,)
        if not self.values:
            return np.broadcast_to(offsets, (*batch, len(offsets)))
        given = [xp.asarray(value) for value in self.values]
        if self.batch_size is not None:
            given = [xp.broadcast_to(value, batch) for value in given]
        values = xp.stack(given, axis=-1).reshape(*batch, len(given))
        values = values if values.dtype.kind == "f" and xp is not np else values.astype(float)
        scales, offsets = scales.astype(values.dtype), offsets.astype(values.dtype)
        return scales[None] * values[:, np.maximum(slots, 0)] + offsets[None]

    def pull_back(self, rows: Float[Array, "C A"], num_params: int) -> Float[np.ndarray, "C P"]:
        """Derivatives by the tape's parameters from those by the angles."""
        owner = np.array([self.owners[slot] if slot >= 0 else -1 for slot in self.slots], int)
        out = np.zeros((len(rows), num_params), rows.dtype)
        known = owner >= 0
        np.add.at(out.T, owner[known], (np.asarray(rows) * np.array(self.scales))[:, known].T)
        return out


class _Slots(Recorder):
    """Every number that an operation is given becomes a slot."""

    def __init__(self, found: Lowered):
        super().__init__()
        self._found = found
        self._data: list[Any] = []
        self._first = 0
        self._used: dict[int, int] = {}

    def begin(self, data: Sequence[Any], first: int) -> None:
        """The next operation's parameters, which are those of the tape from `first` on."""
        self._data, self._first, self._used = list(data), first, {}

    def angle(self, value: Any) -> Angle:
        """The slot of a number; a number that an operation makes of its parameters belongs to none of them."""
        same = [k for k, number in enumerate(self._data) if number is value]
        fresh = next((k for k in same if k not in self._used), None)
        if fresh is None and same:
            return Angle(self._used[same[0]], 1.0, 0.0)
        slot = len(self._found.values)
        if fresh is not None:
            self._used[fresh] = slot
        self._found.values.append(value)
        self._found.owners.append(-1 if fresh is None else self._first + fresh)
        return Angle(slot, 1.0, 0.0)

    def constant(self, value: Any, what: str) -> Shaped[np.ndarray, "..."]:
        """Numbers that belong to the structure."""
        if not is_concrete(value):
            raise ImportRefused(f"{what} is being traced by JAX: only angles of gates can be")
        return np.asarray(value)


def lower_tape(operations: Sequence[Any], wires: Mapping[Any, int]) -> Lowered:
    """The gates of PennyLane's operations.

    Args:
        operations: those that `_preprocess` leaves.
        wires: qubit of each wire label.

    Raises:
        ImportRefused: an operation that is no unitary gate.
    """
    found = Lowered()
    slots = _Slots(found)
    first = 0
    for operation in operations:
        data = operation.data
        name = NAMES.get(operation.name)
        if name is None:
            slots.begin(data, first)
            _append(found, lowered(walk(operation, dict(wires), slots)))
        else:  # nearly all gates of nearly all circuits
            found.parts.append((name, tuple([wires[w] for w in operation.wires.labels]), None))
            if data:
                found.slots.append(len(found.values))
                found.scales.append(1.0)
                found.offsets.append(0.0)
                found.values.append(data[0])
                found.owners.append(first)
        first += len(data)
    return found


def _append(found: Lowered, instructions: Sequence[Instruction]):
    for name, wires, angle, detail in instructions:
        if name == "id":
            continue
        found.parts.append((name, wires, detail))
        if name in WITH_ANGLE:
            angle = as_angle(angle)
            found.slots.append(-1 if angle.atom is None else int(angle.atom))  # pyright: ignore[reportArgumentType]
            found.scales.append(angle.scale)
            found.offsets.append(angle.offset)


def keeps_parameters(operation: Any) -> bool:
    """Whether each angle of an operation is affine in one of its parameters, so that derivatives by them are known."""
    if operation.name in NAMES or operation.name in SPECIAL:
        return True
    from pennylane.ops import Adjoint, Controlled, Evolution, Exp

    if isinstance(operation, (Adjoint, Controlled)):
        return keeps_parameters(operation.base)
    if operation.num_params != 1 or operation.has_decomposition or not operation.has_generator:
        return False
    return isinstance(operation, Evolution) or not isinstance(operation, Exp)


@lru_cache(maxsize=256)
def circuit_of(num_qubits: int, parts: tuple[Part, ...]) -> Circuit:
    """The circuit whose parameter a is the angle of its a-th gate that has one."""
    gates, count = [], 0
    for name, wires, detail in parts:
        if name in WITH_ANGLE:
            gates.append(Gate(name, wires, count, 1.0, 0.0, detail))
            count += 1
        else:
            gates.append(Gate(name, wires, detail=detail))
    return Circuit(num_qubits, gates, "the tape")


def settings_of(lowered: Lowered, place: "Place", dtype: np.dtype) -> Settings:
    """(B, A) the angles of plain numbers up to whole periods, in the precision `dtype`."""
    circuit = circuit_of(len(place.order), tuple(lowered.parts))
    return np.stack([gate_angles(circuit, row) for row in lowered.angles()]).astype(dtype)


def without_observables(place: "Place", parts: tuple[Part, ...]) -> Program:
    """A program that is run for its state, or for outcomes in bases that the question names."""
    n = len(place.order)
    return Program(circuit_of(n, parts), [PauliSum.from_sparse([("", (), 1.0)], n)])


class Place(NamedTuple):
    """Where a tape runs.

    Attributes:
        order: wire labels in the order of the qubits.
        qubit: qubit of each label.
    """

    order: tuple[Any, ...]
    qubit: dict[Any, int]


def place_of(tape: Any, device_wires: Any) -> Place:
    """The device's wires where it has some, else the tape's in PennyLane's standard order."""
    if device_wires is not None:
        order = tuple(device_wires)
    else:
        acted = dict.fromkeys(w for operation in tape.operations for w in operation.wires.labels)
        seen = dict.fromkeys(w for measurement in tape.measurements for w in measurement.wires.labels)
        only_seen = [w for w in seen if w not in acted]
        order = (*_in_order(acted, 0), *_in_order(only_seen, len(acted)))
        if set(acted) != set(range(len(acted))) or set(only_seen) != set(range(len(acted), len(order))):
            order = (*acted, *only_seen)
    return Place(order or (0,), {label: k for k, label in enumerate(order or (0,))})


def _in_order(labels: Any, start: int) -> list[Any]:
    """Labels that count on from `start`, sorted; others as they come."""
    counted = range(start, start + len(labels))
    return list(counted) if set(labels) == set(counted) else list(labels)
