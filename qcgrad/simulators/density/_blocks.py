r"""A noisy circuit as linear maps of two qubits in the Pauli basis.

A density matrix is held as its real coefficients \(r_P = \mathrm{tr}(P\rho)\), half as many numbers as the matrix has.
A rotation by a string P turns the pairs \((r_Q, r_{iPQ})\) of strings Q that anticommute with P, a channel is a real
matrix, and an error of reading is one too. What happens to the same two qubits in a row is one block, however much it
is: noise costs nothing beside the gates that it follows. A string on more qubits is a block of its own.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int

from ...ir.gates import MatrixPrimitive, PauliPrimitive
from ...ir.noise import ReadoutError
from ...ir.noise.channel import pauli_matrix
from ...ir.noise.noisy_circuit import ChannelStep, NoisyCircuit

LETTERS = "IXZY"
"""By number: bit 0 says X, bit 1 says Z, so that products of strings are exclusive ors of their numbers."""

# A controlled exponential is 2^controls of them; more controls are left to the interpreter.
_MAX_CONTROLS = 6


class Turn(NamedTuple):
    """exp(-i t P/2), t = scale * angle[slot] + offset (offset alone where slot is -1)."""

    letters: dict[int, int]
    slot: int
    scale: float
    offset: float


@dataclass
class Item:
    """What happens to some qubits: turns, Kraus operators or an error of reading.

    Attributes:
        wires: k of them.
        turns: one after another.
        operators: (m, 2^k, 2^k), one for a unitary.
        place: the how manyth matrices of the circuit these are.
        is_fixed: whether no state changes their probabilities.
        reading: (4^k, 4^k) what becomes of coefficients.
    """

    wires: tuple[int, ...]
    turns: list[Turn] = field(default_factory=list)
    operators: np.ndarray | None = None
    place: int = 0
    is_fixed: bool = True
    reading: np.ndarray | None = None

    @property
    def coefficients(self) -> Float[np.ndarray, "4**k 4**k"] | None:
        """What becomes of coefficients, where it is no turn."""
        return self.reading if self.operators is None else _coefficients(self.operators)


@dataclass
class Pair:
    """A block: what happens to two qubits, or to any number by one string."""

    wires: tuple[int, ...]
    items: list[Item]

    @property
    def is_string(self) -> bool:
        return len(self.wires) != 2


def blocks(circuit: NoisyCircuit, is_read: bool) -> tuple[list[Pair], int] | None:
    """The blocks of a circuit, on two qubits at least, and how many qubits that are.

    Args:
        circuit: with its noise.
        is_read: whether qubits are read at the end, with their errors.

    Returns:
        None where a matrix acts on more than two qubits, or a gate has too many controls.
    """
    found = [*_items(circuit), *(_reading(circuit.readout) if is_read else [])]
    if any(item is None for item in found):
        return None
    n = max(circuit.num_qubits, 2)
    return _grouped(n, [item for item in found if item is not None and item.wires]), n


def _coefficients(kraus: Complex[np.ndarray, "m 2**k 2**k"]) -> Float[np.ndarray, "4**k 4**k"]:
    """tr(P_i sum K P_j K^dagger) / 2^k."""
    width = kraus.shape[1].bit_length() - 1
    strings = np.array([pauli_matrix("".join(word)) for word in product(LETTERS, repeat=width)])
    images = np.einsum("mab,jbc,mdc->jad", kraus, strings, kraus.conj(), optimize=True)
    return np.real(np.einsum("iba,jab->ij", strings, images)) / 2**width


def _items(circuit: NoisyCircuit) -> Iterator[Item | None]:
    """In order; None stands for what has no block."""
    slot, place = -1, 0
    for step in circuit.steps:
        if isinstance(step, ChannelStep):
            channel = step.channel
            yield _matrices(step.wires, channel.operators, place, channel.mixture is not None)
            place += 1
            continue
        driven = step.gate.param is not None
        slot += driven
        for p in step.primitives():
            if isinstance(p, MatrixPrimitive):
                yield _matrices(p.wires, p.matrix[None], place, True)
                place += 1
            elif len(p.controls) > _MAX_CONTROLS:
                yield None
            else:
                yield from _turned(p, slot if driven and p.scale else -1, 0.0 if driven else step.gate.offset)


def _matrices(wires: tuple[int, ...], operators: np.ndarray, place: int, is_fixed: bool) -> Item | None:
    return Item(wires, operators=operators, place=place, is_fixed=is_fixed) if len(wires) <= 2 else None


def _turned(p: PauliPrimitive, slot: int, angle: float) -> Iterator[Item]:
    """On controls that are all 1, which is the product of (1 - Z)/2: commuting exponentials of strings."""
    base = {wire: LETTERS.index(letter) for letter, wire in zip(p.letters, p.wires, strict=True) if letter != "I"}
    turns = []
    for count in range(len(p.controls) + 1):
        for chosen in combinations(p.controls, count):
            weight, zs = (-1) ** count / 2 ** len(p.controls), dict.fromkeys(chosen, 2)
            for letters, sign in (({**base, **zs}, 1), (zs, -p.kappa)):
                factor = sign * weight
                if letters and factor:
                    scale = p.scale * factor if slot >= 0 else 0.0
                    turns.append(Turn(letters, slot, scale, (p.offset + p.scale * angle) * factor))
    wires = tuple(sorted({wire for turn in turns for wire in turn.letters}))
    if len(wires) <= 2:
        yield Item(wires, turns)
        return
    yield from (Item(tuple(turn.letters), [turn]) for turn in turns)


def _reading(readout: Sequence[ReadoutError | None]) -> Iterator[Item]:
    """Errors of reading: of whatever letter is read, a + b P, so that coefficients become what is read of strings."""
    for q, error in enumerate(readout):
        if error is not None:
            up, down = error.confusion[0, 1], error.confusion[1, 0]
            matrix = np.diag([1.0, *[1 - up - down] * 3])
            matrix[1:, 0] = down - up
            yield Item((q,), reading=matrix)


def _grouped(n: int, items: Sequence[Item]) -> list[Pair]:
    """Blocks in order. What acts on one qubit joins the last block there, or waits for the next one."""
    found: list[Pair] = []
    last: list[Pair | None] = [None] * n
    waiting: list[list[Item]] = [[] for _ in range(n)]

    def flush(wires):
        late = [wire for wire in wires if waiting[wire]]
        for first, *second in (late[i : i + 2] for i in range(0, len(late), 2)):
            # Alone it shares a block with a qubit that nothing happens to.
            other = second[0] if second else (first + 1) % n
            found.append(Pair((first, other), waiting[first] + (waiting[other] if second else [])))
            for wire in (first, *second):
                last[wire], waiting[wire] = found[-1], []

    for item in items:
        block = last[item.wires[0]]
        if len(item.wires) == 1:
            (waiting[item.wires[0]] if block is None else block.items).append(item)
        elif len(item.wires) == 2:
            if block is None or last[item.wires[1]] is not block:
                a, b = item.wires
                block = Pair((a, b), waiting[a] + waiting[b])
                found.append(block)
                last[a] = last[b] = block
                waiting[a], waiting[b] = [], []
            block.items.append(item)
        else:
            flush(item.wires)
            found.append(Pair(item.wires, [item]))
            for wire in item.wires:
                last[wire] = None
    flush(range(n))
    return found


def within(matrix: np.ndarray, wires: tuple[int, ...], pair: tuple[int, ...]) -> np.ndarray:
    """A matrix (or several) on one or two of a block's qubits as one on both."""
    size = matrix.shape[-1]
    if len(wires) == 1:
        return np.kron(matrix, np.eye(size)) if wires[0] == pair[0] else np.kron(np.eye(size), matrix)
    if wires == pair:
        return matrix
    side = math.isqrt(size)
    return matrix.reshape(-1, *(side,) * 4).transpose(0, 2, 1, 4, 3).reshape(matrix.shape)


def string_number(letters: dict[int, int], wires: Sequence[int]) -> int:
    """A string in base 4, the first wire's digit on top."""
    total = 0
    for wire in wires:
        total = total << 2 | letters.get(wire, 0)
    return total


def string_numbers(x: Int[np.ndarray, "T"], z: Int[np.ndarray, "T"], num_qubits: int) -> Int[np.ndarray, "T"]:
    """Strings of masks in base 4."""
    found = np.zeros(np.shape(x), np.int64)
    for bit in range(num_qubits):
        found |= (x >> bit & 1) << (2 * bit) | (z >> bit & 1) << (2 * bit + 1)
    return found
