"""Qubits of a program: declarations, indices, ranges, aliases."""

from collections.abc import Sequence

from ...errors import ImportRefused
from ._nodes import Expression, Operand
from ._scope import Bits, Qubits, Scope
from ._values import integer
from .limits import INTEGER_BITS, MAX_QUBITS


class Registers:
    """Counts the qubits of a program.

    Attributes:
        num_qubits: so far. Declared qubits count in the order of declaration; qubit k is the physical one $k.
    """

    def __init__(self):
        self.num_qubits = 0
        self._kind = ""

    def declare(self, name: str, size: Expression | None, scope: Scope) -> None:
        """A register, or one qubit where it has no size."""
        self._use("declared", name)
        count = declared_size(name, size, scope)
        if self.num_qubits + count > MAX_QUBITS:
            raise ImportRefused(
                f"register {name} of size {count}: a program may have at most {MAX_QUBITS} qubits "
                f"({self.num_qubits} are declared before)"
            )
        wires = range(self.num_qubits, self.num_qubits + count)
        scope.declare(name, Qubits(wires, size is not None))
        self.num_qubits += count

    def select(self, operand: Operand, scope: Scope) -> Qubits:
        """The qubits that an operand names."""
        name, indices = operand
        if name[0] == "$":
            return self._physical(name)
        found = scope.find(name)
        if not isinstance(found, Qubits):
            what = f"{name!r} is no qubit" if found is not None else f"qubit register {name!r} is not declared"
            raise ImportRefused(f"{what}: the qubits here are {_names(scope)}")
        if indices is None:
            return found
        if type(indices) is int:
            _check_register(name, found)
            return Qubits((_one(name, found, indices),), False)
        for items in indices:
            found = _indexed(name, found, items, scope)
        return found

    def single(self, operands: Sequence[Operand], scope: Scope) -> tuple[int, ...] | None:
        """The wires of operands that are all like q[3], None if others are among them."""
        wires = []
        for name, index in operands:
            found = scope.find(name)
            if type(index) is not int or type(found) is not Qubits or not found.is_register:
                return None
            if not 0 <= index < len(found.wires):
                return None
            wires.append(found.wires[index])
        return tuple(wires)

    def concatenated(self, parts: Sequence[Operand], scope: Scope) -> Qubits:
        """The qubits of several operands, one after the other.

        Raises:
            ImportRefused: a qubit occurs twice.
        """
        found = [self.select(part, scope) for part in parts]
        if len(found) == 1:
            return found[0]
        wires = tuple(w for qubits in found for w in qubits.wires)
        if len(set(wires)) < len(wires):
            raise ImportRefused("an alias that names a qubit twice")
        return Qubits(wires, True)

    def _physical(self, name):
        self._use("physical", name)
        number = int(name[1:]) if len(name) < 20 else MAX_QUBITS
        if number >= MAX_QUBITS:
            raise ImportRefused(f"physical qubit {name[:40]}: a program may have at most {MAX_QUBITS} qubits")
        self.num_qubits = max(self.num_qubits, number + 1)
        return Qubits((number,), False)

    def _use(self, kind, name):
        if self._kind not in ("", kind):
            raise ImportRefused(f"{kind} qubit {name[:40]} beside {self._kind} ones: a program has qubits of one kind")
        self._kind = kind


def declared_size(name: str, size: Expression | None, scope: Scope) -> int:
    """The size in a declaration, 1 where there is none.

    Raises:
        ImportRefused: it is no positive constant.
    """
    if size is None:
        return 1
    count = integer(size, scope, f"the size of {name}")
    if count < 1:
        raise ImportRefused(f"register {name} has size {count}: give at least 1")
    return count


def selected_bits(operand: Operand, scope: Scope) -> Bits:
    """The classical bits that an operand names."""
    name, indices = operand
    found = scope.find(name)
    if not isinstance(found, Bits):
        raise ImportRefused(f"classical register {name!r} is not declared")
    if indices is None:
        return found
    wires = Qubits(range(found.size), found.is_register)
    if type(indices) is int:
        indices = ((indices,),)
    for items in indices:
        wires = _indexed(name, wires, items, scope)
    return Bits(len(wires.wires), wires.is_register)


def values_of(node: Expression, scope: Scope, what: str) -> range:
    """The integers of a range start:step:stop; both ends belong to it."""
    _, start, step, stop = node
    if start is None or stop is None:
        raise ImportRefused(f"{what} needs both ends")
    first, last = (integer(end, scope, f"an end of {what}") for end in (start, stop))
    return _inclusive(first, last, 1 if step is None else integer(step, scope, f"the step of {what}"), what)


def _inclusive(start, stop, step, what):
    if step == 0:
        raise ImportRefused(f"{what} has step 0")
    if max(abs(start), abs(stop), abs(step)) >= 2**INTEGER_BITS // 2:
        raise ImportRefused(f"{what} goes beyond {INTEGER_BITS} bits")
    return range(start, stop + (1 if step > 0 else -1), step)


def _indexed(name, qubits, items, scope) -> Qubits:
    _check_register(name, qubits)
    if len(items) != 1:
        raise ImportRefused(f"this index of {name} is not supported: write one index, range or set")
    item = items[0]
    kind = item[0] if isinstance(item, tuple) else None
    if kind == "set":
        places = [_one(name, qubits, integer(i, scope, f"the index of {name}")) for i in item[1]]
        if len(set(places)) < len(places):
            raise ImportRefused(f"a set of indices of {name} names a qubit twice")
    elif kind == "range":
        places = _slice(name, qubits, item, scope)
    else:
        return Qubits((_one(name, qubits, integer(item, scope, f"the index of {name}")),), False)
    if not places:
        raise ImportRefused(f"this index of {name} selects nothing")
    return Qubits(tuple(places), True)


def _check_register(name, qubits):
    if not qubits.is_register:
        raise ImportRefused(f"{name} is a single qubit here, not a register: write {name} without an index")


def _one(name, qubits, index) -> int:
    size = len(qubits.wires)
    if not -size <= index < size:
        raise ImportRefused(f"{name}[{index}] is out of range: {name} has {size} qubit(s)")
    return qubits.wires[index]


def _slice(name, qubits, item, scope):
    _, start, step, stop = item
    size, what = len(qubits.wires), f"the range of {name}"
    step = 1 if step is None else integer(step, scope, f"the step of {what}")
    default = (0, size - 1) if step > 0 else (size - 1, 0)
    ends = []
    for given, otherwise in zip((start, stop), default, strict=True):
        place = otherwise if given is None else integer(given, scope, f"an end of {what}")
        _one(name, qubits, place)  # refuses what is out of range
        # -1 is the last qubit, in ranges as elsewhere.
        ends.append(place + size if place < 0 else place)
    return [qubits.wires[k] for k in _inclusive(ends[0], ends[1], step, what)]


def _names(scope):
    found, at = [], scope
    while at is not None:
        found += [name for name, meaning in at.names.items() if isinstance(meaning, Qubits)]
        at = at.parent
    return ", ".join(found[:10]) + (", ..." if len(found) > 10 else "") or "none so far"
