"""Circuit families whose gradients take a number of circuits that does not grow with the parameters of a block."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..ir import Circuit, Gate, PauliSum, pauli
from ._generators import Generator, checked_generators, commutator, made_of


def commuting_generators(generators: Iterable[Generator]) -> Circuit:
    r"""\(\prod_k e^{-i\theta_k G_k/2}\), all of whose generators commute: one block, so one circuit gives the gradient.

    Args:
        generators: G_k, Pauli words or sums of words that commute (see `translations`), on the same qubits. A sum
            becomes a rotation for each of its strings, which share the parameter; coefficients are scales.

    Returns:
        The circuit, with a parameter for each generator. Put a preparation in front of it: `start.compose(circuit)`.

    Raises:
        TypeError, ValueError: something else than generators, or the first two that do not commute.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.library import commuting_generators, translations
        >>> circuit = commuting_generators(["XXI", translations("XII")])
        >>> circuit.num_parameters, circuit.num_gates
        (2, 4)

    References:
        J. Bowles, D. Wierichs, C.-Y. Park, arXiv:2306.14962 (2023), section 4.
    """
    sums = checked_generators("generators", generators)
    _check_commuting("generators", sums)
    return made_of(sums, "commuting generators")


def commuting_blocks(blocks: Iterable[Iterable[Generator]]) -> Circuit:
    r"""B blocks of commuting generators, any two blocks of which commute or anticommute, string by string.

    `CommutingBlock` gets the whole gradient from \(2B - 1\) circuits, however many parameters a block has.

    Args:
        blocks: the generators of each, in order, as for `commuting_generators`.

    Returns:
        The circuit, with a parameter for each generator, block after block.

    Raises:
        TypeError, ValueError: something else than generators, or the first pair that breaks the structure.

    Example:
        >>> from qcgrad.library import commuting_blocks
        >>> commuting_blocks([["XII", "XXX"], ["ZII", "ZZI"]])
        Traceback (most recent call last):
        ...
        ValueError: blocks[0][1] XXX and blocks[1][1] ZZI commute, but blocks[0][0] XII and blocks[1][0] ZII do not: ...
        >>> commuting_blocks([["XII", "XXX"], ["ZII", "ZZZ"]]).num_parameters
        4

    References:
        J. Bowles, D. Wierichs, C.-Y. Park, arXiv:2306.14962 (2023), section 5.
    """
    if isinstance(blocks, (str, PauliSum)) or not isinstance(blocks, Iterable):
        raise TypeError(f"blocks is {blocks!r}: give a sequence of blocks, each a sequence of generators")
    found = [checked_generators(f"blocks[{b}]", block) for b, block in enumerate(blocks)]
    checked_generators("blocks", [g for block in found for g in block])
    for b, block in enumerate(found):
        _check_commuting(f"blocks[{b}]", block)
        for earlier in range(b):
            _check_relation(earlier, found[earlier], b, block)
    return made_of([g for block in found for g in block], "commuting blocks")


def stabilizer_logical(stabilizers: Sequence[str], logicals: Sequence[str]) -> Circuit:
    r"""The stabilizer-logical product ansatz: blocks of products of stabilizers with one logical string.

    Block d holds \(2^s\) generators, \(\prod_S e^{-i\theta_{d,S} S L_d/2}\) over all products S of s independent
    stabilizers. Strings of one block commute, and two blocks commute or anticommute as their logical strings do. It
    reaches the bound \(X_\mathrm{exp} \le 4^n/F_\mathrm{eff} - F_\mathrm{eff}\) where its logical strings generate all
    logical operators: see `expressivity`.

    Args:
        stabilizers: s Pauli words that commute and are independent; none gives one generator a block.
        logicals: L_d of each block, which commute with all stabilizers and are no product of them.

    Returns:
        The circuit, with \(2^s\) parameters a block.

    Raises:
        TypeError, ValueError: something else than words, stabilizers that depend on each other or do not commute, a
            string that is not logical.

    Example:
        >>> from qcgrad.library import stabilizer_logical
        >>> circuit = stabilizer_logical(["ZZI", "IZZ"], ["XXX", "ZII"])
        >>> circuit.num_parameters, [gate.detail for gate in circuit.gates[:4]]
        (8, ['XXX', 'YYX', 'XYY', 'YXY'])

    References:
        K. Chinzei, S. Yamano, Q. H. Tran, Y. Endo, H. Oshima, "Trade-off between gradient measurement efficiency and
        expressivity in deep quantum neural networks", arXiv:2406.18316 (2024).
    """
    words = checked_generators("logicals", logicals)
    if isinstance(stabilizers, str) or not isinstance(stabilizers, Iterable):
        raise TypeError(f"stabilizers is {stabilizers!r}: give a sequence of Pauli words")
    group = checked_generators("stabilizers", stabilizers) if len(tuple(stabilizers)) else ()
    for name, sums in (("stabilizers", group), ("logicals", words)):
        for index, one in enumerate(sums):
            if one.num_terms != 1 or abs(one.coefficients[0]) != 1:
                raise ValueError(f"{name}[{index}] is {one}: give a single Pauli word")
    if group:
        checked_generators("stabilizers and logicals", [*group, *words])
        _check_commuting("stabilizers", group)
    elements = _products(group, words[0].num_qubits)
    gates = []
    for d, logical in enumerate(words):
        _check_logical(d, logical, group, elements)
        strings = [(x ^ int(logical.x[0]), z ^ int(logical.z[0])) for x, z in elements]
        gates += [_rotation(x, z, logical.num_qubits, d * len(elements) + k) for k, (x, z) in enumerate(strings)]
    return Circuit(words[0].num_qubits, gates, "stabilizer-logical product ansatz")


def iqp(num_qubits: int, generators: Iterable[Sequence[int] | Sequence[Sequence[int]]]) -> Circuit:
    r"""A parameterised IQP circuit: \(\prod_k e^{-i\theta_k X^{g_k}/2}\) on \(|0\dots0\rangle\), measured in Z.

    Up to a basis change the instantaneous quantum polynomial circuits of diagonal gates between two layers of H.
    `IQPSampling` differentiates them on any number of qubits, `CommutingBlock` on a quantum computer.

    Args:
        num_qubits: n.
        generators: for each parameter the qubits that its X act on, or a sequence of such sets that share it.

    Returns:
        The circuit; a parameter is twice, and minus, the one of \(e^{i\theta X^g}\).

    Raises:
        TypeError, ValueError: something else than sets of qubits, none, or a qubit that is not there.

    Example:
        >>> from qcgrad.library import iqp
        >>> circuit = iqp(3, [[0], [0, 1], [[1], [2]]])
        >>> circuit.num_parameters, circuit.num_gates
        (3, 4)

    References:
        D. Shepherd, M. J. Bremner, Proc. R. Soc. A 465, 1413 (2009), arXiv:0809.0847.
    """
    if isinstance(generators, str) or not isinstance(generators, Iterable):
        raise TypeError(f"generators is {generators!r}: give a sequence of sets of qubits, for example [[0], [0, 1]]")
    gates = []
    for k, given in enumerate(generators):
        if isinstance(given, str) or not isinstance(given, Iterable) or not (members := list(given)):
            raise ValueError(f"generators[{k}] is {given!r}: give the qubits that X acts on, for example [0, 1]")
        sets: list = members if all(isinstance(member, Iterable) for member in members) else [members]
        for wires in map(list, sets):
            if not wires:
                raise ValueError(f"generators[{k}] holds no qubit: give the qubits that X acts on, for example [0, 1]")
            qubits = tuple(int(q) if isinstance(q, np.integer) else q for q in wires)
            gates.append(Gate("pauli_rot", qubits, k, 1.0, 0.0, "X" * len(qubits)))
    if not gates:
        raise ValueError("generators is empty: give at least one set of qubits, for example [0, 1]")
    return Circuit(num_qubits, gates, "IQP")


def _check_commuting(name: str, sums: Sequence[PauliSum]):
    for j, second in enumerate(sums):
        for i, first in enumerate(sums[:j]):
            if len(commutator(first, second)[2]):
                raise ValueError(
                    f"{name}[{i}] {_short(first)} and {name}[{j}] {_short(second)} do not commute: put them into "
                    "different blocks"
                )


def _check_relation(a: int, earlier: Sequence[PauliSum], b: int, later: Sequence[PauliSum]):
    """All strings of one block commute with all of the other, or none does."""
    first = bool(pauli.commute(earlier[0].x[0], earlier[0].z[0], later[0].x[0], later[0].z[0]))
    for i, one in enumerate(earlier):
        for j, two in enumerate(later):
            relations = pauli.commute(one.x[:, None], one.z[:, None], two.x, two.z)
            if np.any(relations != first):
                word = one.words[int(np.argwhere(relations != first)[0][0])]
                other = two.words[int(np.argwhere(relations != first)[0][1])]
                said = ("do not commute", "do") if first else ("commute", "do not")
                raise ValueError(
                    f"blocks[{a}][{i}] {word} and blocks[{b}][{j}] {other} {said[0]}, but blocks[{a}][0] "
                    f"{earlier[0].words[0]} and blocks[{b}][0] {later[0].words[0]} {said[1]}: between two blocks all "
                    "strings have to commute, or all to anticommute"
                )


def _products(stabilizers: Sequence[PauliSum], num_qubits: int) -> list[tuple[int, int]]:
    elements = [(0, 0)]
    for index, one in enumerate(stabilizers):
        if (int(one.x[0]), int(one.z[0])) in elements:
            raise ValueError(f"stabilizers[{index}] {one.words[0]} is a product of others: give independent ones")
        elements += [(x ^ int(one.x[0]), z ^ int(one.z[0])) for x, z in elements]
    return elements


def _check_logical(d: int, logical: PauliSum, stabilizers: Sequence[PauliSum], elements: list[tuple[int, int]]):
    for k, one in enumerate(stabilizers):
        if not pauli.commute(one.x[0], one.z[0], logical.x[0], logical.z[0]):
            raise ValueError(
                f"logicals[{d}] {logical.words[0]} does not commute with stabilizers[{k}] {one.words[0]}: give strings "
                "that commute with all stabilizers"
            )
    if (int(logical.x[0]), int(logical.z[0])) in elements:
        raise ValueError(f"logicals[{d}] {logical.words[0]} is a product of stabilizers: one generator would be 1")


def _rotation(x: int, z: int, num_qubits: int, param: int) -> Gate:
    word = pauli.word(x, z, num_qubits)
    wires = tuple(q for q, letter in enumerate(word) if letter != "I")
    return Gate("pauli_rot", wires, param, 1.0, 0.0, word.replace("I", ""))


def _short(one: PauliSum) -> str:
    return one.words[0] + (" + ..." if one.num_terms > 1 else "")
