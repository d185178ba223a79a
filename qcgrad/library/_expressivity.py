r"""How much a circuit can do, and how many of its derivatives can be measured together."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..ir import Circuit, Expectation, PauliSum, Program, rows
from ..ir.generators import generator
from ..ir.observable import Terms
from ..ir.op_table import MATRIX
from ._generators import Generator, commutator

# Operators are matrices here, and there is one for each derivative.
MAX_QUBITS = 6
_ZERO = 1e-9


class Expressivity(NamedTuple):
    """What `expressivity` finds.

    Attributes:
        dimension: X_exp, of the dynamical Lie algebra.
        groups: sets of derivatives that can be measured together, 0 where none is left.
        efficiency: F_eff, derivatives over groups.
        bound: 4^n / F_eff - F_eff, which X_exp does not exceed on deep circuits.
        is_exact: whether there cannot be fewer groups.
    """

    dimension: int
    groups: int
    efficiency: float
    bound: float
    is_exact: bool


def expressivity(circuit: Circuit, observable: PauliSum | Terms, key: int = 0) -> Expressivity:
    r"""Expressivity and gradient measurement efficiency of a circuit: found by computing, not by its name.

    Two derivatives can be measured together if the operators
    \(\Gamma_j(\theta) = \partial_j\, U^\dagger(\theta) O U(\theta)\) commute for all angles. Commutators are analytic,
    so they vanish everywhere if they do at one point drawn at random, but for chance zero. Derivatives are put into the
    first group with which they commute; where commuting is transitive, as for circuits made of blocks, there are no
    fewer. The bound holds for deep circuits, whose efficiency does not change with more layers.

    Args:
        circuit: M parameterised gates, whose generators are the algebra's, on 6 qubits at most.
        observable: O.
        key: seed of the point.

    Returns:
        `Expressivity`. Derivatives that are 0 for all angles do not count; where all are, the efficiency is NaN.

    Raises:
        ValueError: more than 6 qubits, no parameter, or a fixed unitary without a generator that an angle drives.

    Cost: M^2 products of 2^n x 2^n matrices, and the algebra.

    Example:
        >>> from qcgrad.library import expressivity, stabilizer_logical
        >>> expressivity(stabilizer_logical(["ZZ"], ["XX", "ZI", "XX", "ZI"]), "ZZ + XX")
        Expressivity(dimension=6, groups=4, efficiency=2.0, bound=6.0, is_exact=True)

    References:
        K. Chinzei et al., arXiv:2406.18316 (2024).
    """
    program = Expectation(circuit, observable).program
    if circuit.num_qubits > MAX_QUBITS:
        raise ValueError(
            f"expressivity works with matrices: give at most {MAX_QUBITS} qubits, not {circuit.num_qubits}"
        )
    if not circuit.num_angles:
        raise ValueError("the circuit has no parameter: give a gate param=0")
    generators, operators = _gradient_operators(program, np.random.default_rng(key))
    size = np.linalg.norm(operators, axis=(1, 2))
    operators = operators[size > _ZERO * max(np.abs(program.terms[2]).sum(), np.finfo(float).tiny)]
    commutes = _commuting(operators)
    groups: list[list[int]] = []
    for j in range(len(operators)):
        home = next((group for group in groups if commutes[j, group].all()), None)
        if home is None:
            groups.append([j])
        else:
            home.append(j)
    relation = commutes.astype(int)
    is_exact = bool(np.all((relation @ relation > 0) == commutes))
    efficiency = len(operators) / len(groups) if groups else np.nan
    bound = 4.0**circuit.num_qubits / efficiency - efficiency
    return Expressivity(lie_algebra_dimension(generators), len(groups), efficiency, bound, is_exact)


def lie_algebra_dimension(generators: Iterable[Generator], limit: int | None = None) -> int:
    r"""Dimension of the dynamical Lie algebra: of the span of all nested commutators of the generators.

    Pauli words are closed as bit masks; sums of words by linear algebra on the strings that occur.

    Args:
        generators: \(G_k\) of gates \(e^{-i\theta G_k}\), Pauli words or sums.
        limit: refuse larger algebras; by default 10^6 for words and 2000 for sums.

    Raises:
        ValueError: no generators, different numbers of qubits, or a dimension beyond the limit.

    Cost: for words, dimension times generators; for sums, the dimension squared times the strings that occur.

    Example:
        >>> from qcgrad import PauliSum
        >>> from qcgrad.library import lie_algebra_dimension
        >>> lie_algebra_dimension(["XI", "IX", "ZZ"])  # so(4), of free fermions
        6
        >>> lie_algebra_dimension([PauliSum("XI + IX"), PauliSum("ZZ")])
        4

    References:
        M. Larocca et al., Quantum 6, 824 (2022), arXiv:2105.14377.
    """
    sums = [g if isinstance(g, PauliSum) else PauliSum(g) for g in generators]
    if not sums:
        raise ValueError("generators is empty: give at least one, for example 'XX'")
    if len({one.num_qubits for one in sums}) > 1:
        raise ValueError(f"generators act on {sorted({one.num_qubits for one in sums})} qubits: give equal numbers")
    # Multiples of the identity commute with everything, but count as the dimension that they are.
    if all(one.num_terms == 1 for one in sums):
        return _closed_words(sums, 10**6 if limit is None else limit)
    return _closed_sums(sums, 2000 if limit is None else limit)


def _closed_words(sums, limit: int) -> int:
    seen = {(int(one.x[0]), int(one.z[0])): None for one in sums if one.coefficients[0]}
    start, new = list(seen), list(seen)
    while new:
        added = []
        for x, z in new:
            for gx, gz in start:
                string = (x ^ gx, z ^ gz)
                if ((x & gz).bit_count() + (z & gx).bit_count()) % 2 and string not in seen:
                    seen[string] = None
                    added.append(string)
        _check_limit(len(seen), limit)
        new = added
    return len(seen)


def _closed_sums(sums, limit: int) -> int:
    column: dict[tuple[int, int], int] = {}
    basis: list[np.ndarray] = []
    new = [one for one in sums if _extends(basis, column, one)]
    start = list(new)
    while new:
        added = []
        for one in new:
            for other in start:
                x, z, c = commutator(one, other)
                if not len(c):
                    continue
                # Only the span matters: of equal size, nothing overflows in depth.
                found = PauliSum.from_masks(one.num_qubits, x, z, c / np.abs(c).max())
                if _extends(basis, column, found):
                    added.append(found)
                    _check_limit(len(basis), limit)
        new = added
    return len(basis)


def _extends(basis: list[np.ndarray], column: dict[tuple[int, int], int], one: PauliSum) -> bool:
    """Whether a sum is no combination of the basis; then it is added."""
    where = [column.setdefault(key, len(column)) for key in zip(one.x.tolist(), one.z.tolist(), strict=True)]
    vector = np.zeros(len(column))
    vector[where] = one.coefficients
    if not (size := np.linalg.norm(vector)):
        return False
    vector /= size
    for _ in range(2):  # twice is enough: the second time takes away what rounding left
        for other in basis:
            vector[: len(other)] -= (other @ vector[: len(other)]) * other
    if (rest := np.linalg.norm(vector)) < 1e-8:
        return False
    basis.append(vector / rest)
    return True


def _check_limit(dimension: int, limit: int):
    if dimension > limit:
        raise ValueError(f"the Lie algebra has more than {limit:,} dimensions: give a larger limit")


def _gradient_operators(program: Program, rng: np.random.Generator) -> tuple[list[PauliSum], np.ndarray]:
    """Generators of the parameterised gates, and i[W_j^dagger G_j W_j, U^dagger O U] at a random point."""
    circuit, table = program.circuit, program.circuit.op_table
    dimension = 2**circuit.num_qubits
    bound_rows = rows.bind(table, rng.uniform(-np.pi, np.pi, circuit.num_angles))
    states = np.eye(dimension, dtype=complex)
    strings: list[list[tuple[int, int, float]]] = [[] for _ in range(circuit.num_angles)]
    moved = np.zeros((circuit.num_angles, dimension, dimension), complex)
    for index, row in enumerate(bound_rows):
        states = rows.apply(row, states)
        if table.kind[index] == MATRIX or table.slot[index] < 0:
            continue
        slot, terms = int(table.slot[index]), generator(table, index)
        if len(terms[0]):
            strings[slot] += [(int(x), int(z), float(c)) for x, z, c in zip(*terms, strict=True)]
            matrix = PauliSum.from_masks(circuit.num_qubits, *terms).matrix()
            # Rows of `states` are W|i>.
            moved[slot] += states.conj() @ matrix @ states.T
    final = states.conj() @ program.observables[0].matrix() @ states.T
    generators = [PauliSum.from_masks(circuit.num_qubits, *zip(*terms, strict=True)) for terms in strings if terms]
    return generators, 1j * (moved @ final - final @ moved)


def _commuting(operators: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(operators, axis=(1, 2))
    found = np.empty((len(operators), len(operators)), bool)
    for j, one in enumerate(operators):
        products: Any = one @ operators
        defect = np.linalg.norm(products - operators @ one, axis=(1, 2))
        found[j] = defect <= _ZERO * size[j] * size
    return found
