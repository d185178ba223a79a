"""What the collection holds: families whose gradients take few circuits, as rotations of PennyLane."""

from collections.abc import Iterator
from typing import Any

import pennylane as qml

from . import hamiltonians
from .case import Case, Template, Terms

Block = list[list[str]]
"""Generators of a block: words that share a parameter."""


def cases() -> Iterator[Case]:
    """Commuting generators, commuting blocks, products of stabilizers and logical strings, a random IQP circuit."""
    words = ["XIIIII", "XXIIII", "XIXIII", "XIIXII", "XXXIII"]
    yield _rotations(
        "commuting_translations_n6",
        "Commuting generators that commute with translations; magnetization",
        6,
        [[_translations(word) for word in words]],
        [(hamiltonians.word(6, Z=(q,)), 1 / 6) for q in range(6)],
        "commuting_generators([translations(word) for word in ...])",
        start=[0.4, -0.7, 0.9, 0.2, 1.1, -0.3],
    )
    blocks = [["XIII", "XXXI", "XIXX", "XIIX"], ["ZIII", "ZXXI", "ZIIX"], ["YIII", "YXIX", "YXXX", "YIXI"]]
    yield _rotations(
        "commuting_blocks_n4_b3",
        "Three blocks of commuting generators, which anticommute with each other; products of Z",
        4,
        [[[word] for word in block] for block in blocks],
        [("ZZII", 1.0), ("IIZZ", 0.5), ("IZIZ", 0.3)],
        "commuting_blocks([...])",
        start=[0.5, 0.3, -0.8, 1.2],
    )
    group = [["XXXX", "YYXX", "XXYY", "YYYY"], ["ZIZI", "IZZI", "ZIIZ", "IZIZ"], ["XXII", "YYII", "XXZZ", "YYZZ"]]
    yield _rotations(
        "stabilizer_logical_n4_s2",
        "Stabilizer-logical product ansatz, stabilizers ZZII and IIZZ; an observable that keeps them",
        4,
        [[[word] for word in block] for block in group + group[:2]],
        [("ZIZI", 1.0), ("XXII", 0.7), ("IIXX", 0.5), ("YYXX", -0.4), ("ZZII", 0.3)],
        'stabilizer_logical(["ZZII", "IIZZ"], ["XXXX", "ZIZI", "XXII", "XXXX", "ZIZI"])',
        start=[0.6, -0.4, 0.8, 0.5],
    )
    sets = [(0, 2, 3, 5, 6), (1, 2, 4), (0, 1, 3, 4, 5, 6), (2, 5), (3,), (0, 4, 6), (1, 3, 5), (0, 1, 2, 6), (4, 5)]
    yield _rotations(
        "iqp_dense_n7",
        "IQP circuit with generators on many qubits; products of Z",
        7,
        [[[hamiltonians.word(7, X=qubits)] for qubits in sets]],
        [("ZZZIIII", 1.0), ("IIZZZZZ", -0.5), ("ZIZIZIZ", 0.8), ("IIIIIIZ", 0.3)],
        f"iqp(7, {[list(qubits) for qubits in sets]})",
        family="iqp",
    )


def _translations(word: str) -> list[str]:
    return list(dict.fromkeys(word[-k:] + word[:-k] for k in range(len(word))))


def _rotations(
    name: str,
    description: str,
    qubits: int,
    blocks: list[Block],
    observable: Terms,
    made: str,
    family: str = "commuting",
    start: list[float] | None = None,
) -> Case:
    generators = [generator for block in blocks for generator in block]

    def apply(x: Any) -> None:
        for wire, angle in enumerate(start or []):
            qml.RY(angle, wires=wire)
        for k, generator in enumerate(generators):
            for word in generator:
                wires = [q for q, letter in enumerate(word) if letter != "I"]
                qml.PauliRot(x[k], word.replace("I", ""), wires=wires)

    return Case(
        name,
        family,
        description,
        Template(qubits, [f"theta_{k}" for k in range(len(generators))], apply),
        observable,
        "pennylane",
        f"qml.PauliRot(theta[k], word) for each word of generator k of {generators}",
        f"qcgrad.library.{made}" + (f"; first ry on the qubits, by {start}" if start else ""),
    )
