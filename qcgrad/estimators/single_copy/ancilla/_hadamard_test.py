"""Hadamard tests."""

from functools import lru_cache
from typing import Literal, Self, get_args

import equinox as eqx

from ....ir import Program
from ....objective import Point
from ..._checks import checked_choice
from ..._programs import program_at
from ...accuracy import checked_accuracy
from ._experiment import Experiment, Labels
from ._experiments import ExperimentEstimator, Shots, check_size, checked_shots
from ._insertions import ancilla_tests, direct_tests, driven_gates, num_strings
from ._layers import Layer, layers_of, num_circuits, reversed_tests

Mode = Literal["standard", "reversed", "direct", "reversed-direct", "auto"]


class HadamardTest(ExperimentEstimator):
    r"""Unbiased gradients from circuits in which a Pauli string is inserted, with an ancilla or without.

    For a gate with the generator \(Q = \sum_j q_j P_j\), an observable \(O = \sum_t c_t P_t\), the state
    \(|\psi_a\rangle\) behind the gate and V the gates after it,

    .. math:: \partial_a F = \sum_j 2 q_j\,\mathrm{Im}\langle\psi_a|V^\dagger O V P_j|\psi_a\rangle
        = -\sum_t 2 c_t\,\mathrm{Im}\langle\psi|V Q V^\dagger P_t|\psi\rangle , \quad |\psi\rangle = V|\psi_a\rangle .

    - "standard": an ancilla in \(|+\rangle\) controls \(P_j\) behind the gate; \(O \otimes Y\) is measured at the end.
      One circuit for each string of each generator, and for each measurement basis of O.
    - "reversed": the ancilla controls \(P_t\) at the end, V is undone, and the generators times Y are measured. One
      circuit for each *layer* of generators that commute, and for each string of O.
    - "direct", "reversed-direct": rotations \(e^{\mp i\pi P/4}\) take the place of the controlled string, in two
      circuits without an ancilla. The same accuracy takes half of the shots in each.
    - "auto": "standard" or "reversed" for each layer, or some of its gates, whichever takes fewer circuits.

    Controlled gates count with the strings of their generator, such as \((Z_t - Z_c Z_t)/4\), evolutions with the terms
    of their Hamiltonian. Angles that no observable depends on have the derivative 0, for which nothing is measured.

    Args:
        shots: shots per circuit evaluation, in each measurement basis; None for exact expectation values. A sequence
            gives each evaluation its own number: first the value, then those of the circuits in order.
        mode: which circuits, as above.

    Access: single copy, on one qubit more with an ancilla. Unbiased. For a Pauli observable and a Pauli rotation N
    shots give the variance \((1 - g^2)/N\), never below the \((1 - g^2 - c^2)/N\) of the shift rule, where c is the
    mean of both shifted values. Variances are sample variances; NaN where an evaluation has a single shot.

    Cost: one evaluation of the value, and the circuits above: of the standard test the gates of the circuit, and one
    for the ancilla and each letter of the string; of the reversed one up to twice the gates, and a basis change where
    generators of a layer commute but share letters that differ.

    Raises:
        ValueError: an unknown mode; shots that are no counts, or a sequence of wrong length.
        TooLarge: more circuits than fit into memory.
        NotApplicable: the objective is no expectation value of a circuit.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1)
        >>> objective = qg.Expectation(circuit, "IZ")
        >>> for mode in ("standard", "reversed", "direct"):
        ...     e = qg.estimate(objective, [0.5, 0.2], qg.HadamardTest(mode=mode))
        ...     print(e.gradient.round(4), e.cost.circuit_runs)
        [-0.4699 -0.1743] 3
        [-0.4699 -0.1743] 2
        [-0.4699 -0.1743] 5

    References:
        K. Mitarai, K. Fujii, Phys. Rev. Research 1, 013006 (2019); for the modes arXiv:2408.05406 (2024).
    """

    shots: Shots = eqx.field(static=True)
    mode: Mode = eqx.field(static=True)

    def __init__(self, shots: Shots = None, mode: Mode = "standard"):
        self.shots = checked_shots(shots)
        self.mode = checked_choice("mode", mode, get_args(Mode))

    def with_shots(self, shots: Shots) -> Self:
        return type(self)(shots, self.mode)

    def experiments(self, program: Program, labels: Labels) -> tuple[Experiment, ...]:
        # Exact expectation values take one run, whatever the number of bases.
        return _experiments(program, labels, self.mode, 1 if self.shots is None else len(program.bases))

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """The mode that takes the fewest copies, of these the fewest gates, with shots by Hoeffding's inequality."""
        checked_accuracy(epsilon, delta)
        program_at(point, cls, samples=True)

        def priced(mode):
            # One after another: the circuits of a mode are kept for a while, those of all of them are not.
            test = cls(2, mode).for_point(point, epsilon, delta)
            return test, test.predict(point)

        found = map(priced, get_args(Mode))
        return min(found, key=lambda pair: (pair[1].copies, pair[1].gates))[0]


@lru_cache(maxsize=4)
def _experiments(program: Program, labels: Labels, mode: Mode, bases: int) -> tuple[Experiment, ...]:
    if mode in ("standard", "direct"):
        make = ancilla_tests if mode == "standard" else direct_tests
        check_size("HadamardTest", program, num_strings(program, list(driven_gates(program))))
        return tuple(test for position in driven_gates(program) for test in make(program, position))
    found = []
    layers = layers_of(program)
    check_size("HadamardTest", program, sum(num_circuits(program, layer) for layer in layers))
    for layer in layers:
        inserted, measured = _shared_out(program, layer, bases) if mode == "auto" else ((), layer)
        found += [test for position in inserted for test in ancilla_tests(program, position)]
        if measured.positions:
            found += reversed_tests(program, measured, labels, with_ancilla=mode != "reversed-direct")
    return tuple(found)


def _shared_out(program: Program, layer: Layer, bases: int) -> tuple[tuple[int, ...], Layer]:
    """The gates of a layer that take fewer circuits with strings inserted behind them, and the rest of the layer."""

    def circuits(inserted: tuple[int, ...]) -> int:
        rest = layer._replace(positions=tuple(i for i in layer.positions if i not in inserted))
        return num_strings(program, inserted) * bases + num_circuits(program, rest)

    light = tuple(
        i
        for i in layer.positions
        if num_strings(program, [i]) * bases <= num_circuits(program, layer._replace(positions=(i,)))
    )
    inserted = min((layer.positions, light, ()), key=circuits)
    return inserted, layer._replace(positions=tuple(i for i in layer.positions if i not in inserted))
