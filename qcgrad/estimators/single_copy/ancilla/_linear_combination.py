"""Gradients by linear combinations of unitaries."""

from functools import lru_cache
from typing import Self

import equinox as eqx
import numpy as np

from ....errors import NotApplicable
from ....ir import Gate, PauliSum, Program, pauli
from ....ir.gates import Unitary
from ....objective import Point
from ..._programs import program_at
from ...accuracy import checked_accuracy
from ._experiment import Experiment, Labels
from ._experiments import ExperimentEstimator, Shots, check_size, checked_shots
from ._insertions import ancilla_tests, beside_ancilla, driven_gates, inserted_test, strings_of
from ._steps import Step

# An index of three qubits, whose preparation is one gate.
_MOST_STRINGS = 8


class LinearCombination(ExperimentEstimator):
    r"""Unbiased gradients from one circuit for each gate, whose generator is a linear combination of unitaries.

    The derivative of a gate is \(-iQ\) times the gate, with \(Q = \sum_j q_j P_j\). An index register holds
    \(\sum_j \sqrt{|q_j|/\Lambda}\,|j\rangle\), \(\Lambda = \sum_j |q_j|\); where an ancilla in \(|+\rangle\) is 1, it
    selects \(\pm P_j\) behind the gate, and is un-prepared. With V the gates after that one,

    .. math:: \partial_a F = 2\Lambda\,\langle O \otimes Y\rangle
        = 2\,\mathrm{Im}\langle\psi_a|V^\dagger O V Q|\psi_a\rangle .

    Rotations need no index: their circuits are those of `HadamardTest(mode="standard")`, which takes one circuit for
    each string instead. In both the same accuracy takes the same number of copies in all.

    Args:
        shots: shots per circuit evaluation, in each measurement basis; None for exact expectation values. A sequence
            gives each evaluation its own number: first the value, then those of the gates in order.

    Access: single copy, on one qubit more, and one to three for the index of generators of up to 8 strings. Unbiased.
    For a Pauli observable N shots give the variance \((4\Lambda^2 - g^2)/N\), \((1 - g^2)/N\) for rotations and
    controlled ones. Variances are sample variances; NaN where an evaluation has a single shot.

    Cost: one evaluation of the value and one of each gate on whose angle an observable depends. Selecting takes one
    gate for each string, and preparing the index two.

    Raises:
        ValueError: shots that are no counts, or a sequence of wrong length.
        TooLarge: more circuits than fit into memory.
        NotApplicable: a generator of more than 8 strings, with the gate.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1), "IZ")
        >>> e = qg.estimate(objective, [0.9, 0.4], qg.LinearCombination())
        >>> print(e.gradient.round(4), e.cost.circuit_runs, e.cost.qubits)
        [-0.0309 -0.0737] 3 4

    References:
        M. Schuld et al., Phys. Rev. A 99, 032331 (2019), section IV; A. M. Childs, N. Wiebe, Quantum Information and
        Computation 12, 901 (2012), arXiv:1202.5822.
    """

    shots: Shots = eqx.field(static=True)

    def __init__(self, shots: Shots = None):
        self.shots = checked_shots(shots)

    def with_shots(self, shots: Shots) -> Self:
        return type(self)(shots)

    def experiments(self, program: Program, labels: Labels) -> tuple[Experiment, ...]:
        del labels  # every gate has shots of its own
        return _experiments(program)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """Shots by Hoeffding's inequality, for outcomes as large as the observable's times twice Lambda."""
        checked_accuracy(epsilon, delta)
        program_at(point, cls, samples=True)
        return cls(2).for_point(point, epsilon, delta)


@lru_cache(maxsize=4)
def _experiments(program: Program) -> tuple[Experiment, ...]:
    positions = driven_gates(program)
    check_size("LinearCombination", program, len(positions))
    return tuple(_test(program, position) for position in positions)


def _test(program: Program, position: int) -> Experiment:
    terms = list(strings_of(program, position))
    if len(terms) == 1:
        return next(ancilla_tests(program, position))
    gate = program.circuit.gates[position]
    if len(terms) > _MOST_STRINGS:
        raise NotApplicable(
            f"LinearCombination selects among at most {_MOST_STRINGS} strings, and the generator of gate {gate.name} "
            f"on qubits {gate.wires} (parameterised gate {driven_gates(program)[position]}) has {len(terms)}: use "
            "qcgrad.HadamardTest, or split the gate"
        )
    n, index = program.num_qubits, (len(terms) - 1).bit_length()
    observables = [beside_ancilla(observable, index) for observable in program.observables]
    total = sum(abs(q) for _, _, q in terms)
    return inserted_test(program, position, _combination(n, index, terms), observables, n + 1 + index, [2 * total])


def _combination(n: int, index: int, terms: list[tuple[int, int, float]]) -> list[Step]:
    """Prepare the index, select a string where the ancilla is 1, and un-prepare."""
    prepare, wires = _preparation(index, [abs(q) for _, _, q in terms]), tuple(range(n + 1, n + 1 + index))
    prepared = Step(Gate("unitary", wires, detail=Unitary(prepare)))
    selected = [Step(_selected(n, index, j, *term)) for j, term in enumerate(terms)]
    return [Step(Gate("h", (n,))), prepared, *selected, prepared.undone]


def _preparation(index: int, sizes: list[float]):
    """A reflection that takes |0> to the square roots of the sizes, normalized."""
    target = np.zeros(2**index)
    target[: len(sizes)] = np.sqrt(np.array(sizes) / sum(sizes))
    normal = np.eye(2**index)[0] - target
    return np.eye(2**index) - 2 * np.outer(normal, normal) / (normal @ normal)


def _selected(n: int, index: int, j: int, x: int, z: int, q: float) -> Gate:
    r"""\(\pm P\) where the ancilla is 1 and the index j: \(e^{-i\pi H}\), H the projector on these times (1 -+ P)/2."""
    word = pauli.word(x, z, n)
    wires = tuple(w for w in range(n) if word[w] != "I")
    letters = "".join(word[w] for w in wires)
    terms = [("I" * len(letters), 0.5), (letters, -0.5 if q > 0 else 0.5)]
    for bit in (1, *(j >> (index - 1 - b) & 1 for b in range(index))):
        terms = [(word + letter, c * f) for word, c in terms for letter, f in (("I", 0.5), ("Z", 0.5 - bit))]
    return Gate("evolution", (*wires, *range(n, n + 1 + index)), None, 1.0, np.pi, PauliSum(terms))
