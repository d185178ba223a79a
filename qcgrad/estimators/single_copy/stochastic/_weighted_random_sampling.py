"""Parameter shifts whose shots are spread over the terms of the observable at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Self

import equinox as eqx
import numpy as np
from jaxtyping import Int

from ....array_types import Key
from ....cost import Cost
from ....draws import generator
from ....estimator import OneRoundEstimator
from ....ir import PauliSum, Program, pauli
from ....objective import Point, Reading
from ....queries import Access, Evaluate, Means
from ..._checks import checked_count
from ..._programs import program_at
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ..shifts._evaluations import Evaluations


@dataclass(frozen=True, eq=False)
class _SomeSettings(Evaluate):
    """What is measured in one basis: the settings that it was drawn for.

    Attributes:
        basis: which.
        rows: which of all settings.
    """

    basis: int = 0
    rows: Any = None


class WeightedRandomSampling(OneRoundEstimator):
    r"""Unbiased gradients by the parameter-shift rule, each shot in a basis drawn by the weight of its terms.

    Where `ParameterShift` takes all its shots in every measurement basis of the observable, each of the N shots of an
    evaluation draws its basis b here, with probability

    .. math:: p_b = r_b / \sum_{b'} r_{b'}, \qquad r_b = \sum_{t \in b} |c_t|,

    and an outcome \(o_b = \sum_{t\in b} c_t P_t\) counts \(o_b / p_b\). So an evaluation takes as few as one shot
    altogether, however many bases there are, and light terms are measured seldom. Of several observables, \(r_b\) is
    the largest one.

    Args:
        shots: shots per circuit evaluation, in all bases together. A sequence gives each evaluation its own number:
            first the value, then the evaluations of every angle in order, as for `ParameterShift`.

    Access: single copy. Unbiased. Variances are sample variances of the independent terms \(o_b/p_b\); NaN
    for one shot.

    Cost: 1 + sum over gates of 2R evaluations of N copies each; how many circuits that is depends on what is drawn.

    Raises:
        ValueError: shots that are zero, negative, fractional or boolean, or a sequence of wrong length.
        TooLarge: settings that would not fit into memory.
        NotApplicable: a gate's spectrum is not known (evolution under a large Hamiltonian).

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"Z": 1.0, "X": 0.1})
        >>> e = qg.estimate(objective, [0.5], qg.WeightedRandomSampling(shots=1000), key=0)
        >>> bool(abs(e.gradient[0] + 0.3917) < 5 * e.variance[0] ** 0.5), e.cost.shots
        (True, 3000)

    References:
        A. Arrasmith, L. Cincio, R. D. Somma, P. J. Coles, "Operator sampling for shot-frugal optimization in
        variational algorithms", arXiv:2004.06252 (there, each term is a basis of its own).
    """

    shots: int | tuple[int, ...] = eqx.field(static=True)
    access = Access.single_copy
    accuracy_option = "shots"
    allots_shots = True
    is_random = True
    # Which circuits run is drawn on the host.
    is_traceable = False

    def __init__(self, shots: "int | Sequence[int]"):
        if isinstance(shots, (list, tuple, np.ndarray)):
            self.shots = tuple(checked_count("shots", s) for s in shots)
        else:
            self.shots = checked_count("shots", shots)

    def plan(self, point: Point, key: Key) -> tuple[_SomeSettings, ...]:
        program, shifts = self._problem(point)
        shifts.check_memory(self, point.coordinates, are_held=True)
        settings = shifts.settings(program.circuit, point.coordinates)
        bases = _bases(program)
        drawn = generator(key).multinomial(self._shots(shifts), bases.probabilities)
        asked = []
        for basis, part in enumerate(bases.programs):
            rows = np.flatnonzero(drawn[:, basis])
            if len(rows):
                counts = tuple(drawn[rows, basis].tolist())
                asked.append(_SomeSettings(part, settings[rows], counts, basis, rows))
        return tuple(asked)

    def combine(self, point: Point, queries: tuple[_SomeSettings, ...], answers: tuple[Means, ...]) -> Reading:
        program, shifts = self._problem(point)
        mean, variance, off = self._means(program, self._shots(shifts), queries, answers)
        cotangents = np.asarray(point.cotangents)
        coefficients = shifts.coefficients[:, None]
        dtype = point.coordinates.dtype
        bias = abs(cotangents) @ shifts.sum_by_gate(abs(coefficients) * off[1:]).T
        return Reading(
            value=mean[0].astype(dtype),
            gradient=(cotangents @ shifts.sum_by_gate(coefficients * mean[1:]).T).astype(dtype),
            variance=(np.square(cotangents) @ shifts.sum_by_gate(coefficients**2 * variance[1:]).T).astype(dtype),
            value_variance=variance[0].astype(dtype),
            bias_bound=bias.astype(dtype),
            value_bias_bound=off[0].astype(dtype),
            stats={"degrees_of_freedom": np.min(self.shots) - 1},
        )

    def value_query(self, point: Point) -> Evaluate:
        """One question cannot draw: about as many copies, the same number in every basis."""
        program, _ = self._problem(point)
        shots = self.shots if isinstance(self.shots, int) else self.shots[0]
        return Evaluate(program, point.coordinates[None], max(1, shots // max(1, len(program.bases))))

    def predict(self, point: Point) -> Cost:
        """Exact in copies and shots; gates and circuits as if every basis were drawn, and each the dearest."""
        program, shifts = self._problem(point)
        shots, bases = self._shots(shifts), len(program.bases)
        total = int(shots.sum()) if bases else 0
        return Cost(
            copies=total,
            shots=total,
            circuit_runs=int(np.minimum(shots, bases).sum()),
            gates=total * (program.num_gates + max(program.basis_rotations, default=0)),
            qubits=program.num_qubits,
        )

    def allotted(self, point: Point, value: int, shots: Int[np.ndarray, "A"]) -> Self:
        _, shifts = self._problem(point)
        return type(self)((value, *np.asarray(shots)[shifts.owner].tolist()))

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Shots by Hoeffding's inequality: an outcome counts \(\sum_b r_b\) at most.

        .. math:: N_\mu = 2\ln(2M/\delta)\, \Big(\sum_b r_b\Big)^2\, |c_\mu| \sum_\nu |c_\nu| / \epsilon^2.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        shifts = Evaluations.of(program.circuit.angle_gates)
        cotangents = np.asarray(point.cotangents)
        bases = zip(program.bases, _bases(program).probabilities, strict=False)
        ranges = [np.abs(cotangents @ basis.coefficients).sum(axis=1) / p for basis, p in bases if p]
        weight = np.abs(shifts.coefficients)
        size = np.max(np.square(ranges), initial=0.0)
        spread = size * weight * np.bincount(shifts.owner, weight, shifts.num_gates)[shifts.owner]
        log = log_of(num_components(point), delta)
        # At least two, so that every evaluation keeps a sample variance.
        shots = [max(2, counted(cls, hoeffding(each, log, epsilon), epsilon)) for each in spread.tolist()] or [2]
        return cls(shots[0] if len(set(shots)) == 1 else (max(shots), *shots))

    def _problem(self, point) -> tuple[Program, Evaluations]:
        program = program_at(point, self, samples=True)
        return program, Evaluations.of(program.circuit.angle_gates)

    def _shots(self, shifts) -> np.ndarray:
        """(1 + B,) shots of each evaluation."""
        evaluations = 1 + len(shifts.owner)
        if isinstance(self.shots, int):
            return np.full(evaluations, self.shots)
        if len(self.shots) != evaluations:
            raise ValueError(
                f"shots has {len(self.shots)} numbers, but there are {evaluations} circuit evaluations: one for the "
                "value, then those of every angle"
            )
        return np.array(self.shots)

    @staticmethod
    def _means(program, shots, queries, answers):
        """(1 + B, K) means, variances of them, and bounds on their bias, of outcomes that count 1 / p_b."""
        shape = len(shots), program.num_observables
        probabilities = _bases(program).probabilities
        total, squares, off = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for query, answer in zip(queries, answers, strict=True):
            p, n = probabilities[query.basis], np.array(query.shots)[:, None]
            mean, variance = np.asarray(answer.mean, float), np.asarray(answer.variance, float)
            total[query.rows] += n * mean / p
            # A single outcome has no spread of its own, and its variance is NaN.
            inside = np.where(n > 1, n * (n - 1) * variance, 0.0)
            squares[query.rows] += (n * mean**2 + inside) / p**2
            if answer.bias is not None:
                off[query.rows] += n * np.asarray(answer.bias) / p
        n = shots[:, None]
        mean = total / n
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.maximum(squares - n * mean**2, 0.0) / (n - 1) / n
        return mean + program.constants, variance, off / n


class _Bases(NamedTuple):
    """The circuit with what is measured in each basis, without the identity, and how often that basis is drawn."""

    programs: tuple[Program, ...]
    probabilities: np.ndarray


@lru_cache(maxsize=32)
def _bases(program: Program) -> _Bases:
    if not program.bases:  # nothing but the identity, which takes no shots
        nothing = [PauliSum.from_masks(program.num_qubits, [0], [0], [0.0])] * program.num_observables
        return _Bases((Program(program.circuit, nothing),), np.ones(1))
    weights = np.array([np.abs(basis.coefficients).sum(axis=1).max() for basis in program.bases])
    total = weights.sum()
    probabilities = weights / total if total else np.full(len(weights), 1 / len(weights))
    return _Bases(tuple(_part(program, basis) for basis in program.bases), probabilities)


def _part(program, basis) -> Program:
    n = program.num_qubits
    strings = [(basis.x & support, basis.z & support) for support in basis.supports.tolist()]
    x, z = (pauli.mask_array([string[i] for string in strings], n) for i in (0, 1))
    return Program(program.circuit, [PauliSum.from_masks(n, x, z, row) for row in basis.coefficients])
