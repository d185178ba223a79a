"""What the methods of this room share: one round of experiments, and the value from an evaluation of its own."""

import abc
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import equinox as eqx
import numpy as np

from ....array_types import Key
from ....arrays import add_at, namespace
from ....cost import Cost
from ....estimator import OneRoundEstimator, total_cost
from ....ir import Program
from ....memory import allowed_bytes, require
from ....objective import Point, Reading
from ....queries import Access, Evaluate, Means
from ..._checks import checked_count
from ..._programs import check_covariances, name_of, program_at
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ._experiment import Experiment, Labels

Shots = int | tuple[int, ...] | None
"""One number for every circuit evaluation, or the value's first, then one for each; None where they are exact."""


# Measured, of a circuit that was run: references, and op tables of it and of the part that is simulated.
_BYTES_PER_GATE = 700


class ExperimentEstimator(OneRoundEstimator):
    """A method that asks experiments: write `experiments` and `for_accuracy`."""

    shots: eqx.AbstractVar[Shots]
    access = Access.single_copy
    accuracy_option = "shots"

    @abc.abstractmethod
    def experiments(self, program: Program, labels: Labels) -> tuple[Experiment, ...]:
        """All experiments, independent of each other; the same each time it is asked.

        Raises:
            NotApplicable: the method's rule does not hold for the circuit.
        """

    def plan(self, point: Point, key: Key | None) -> tuple[Evaluate, ...]:
        program, found = self._at(point)
        value, *shots = self._shots(found)
        queries = [e.query(point.coordinates, each) for e, each in zip(found, shots, strict=True)]
        return (Evaluate(program, point.coordinates[None], value), *queries)

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Means, ...]) -> Reading:
        _, found = self._at(point)
        value, *answered = answers
        xp = namespace((answers, point.cotangents))
        cotangents, size = xp.asarray(point.cotangents, value.mean.dtype), len(point.coordinates)
        index = np.concatenate([np.zeros(0, np.int64), *(e.gates for e in found)])

        def by_gate(factors, parts):
            rows = xp.concatenate([xp.zeros((0, len(factors)), factors.dtype), *((factors @ p).T for p in parts)])
            return add_at(xp.zeros((size, len(factors)), factors.dtype), index, rows).T

        spreads = [e.variances(a) for e, a in zip(found, answered, strict=True)]
        variance = by_gate(xp.square(cotangents), [single for single, _ in spreads])
        is_biased = any(a.bias is not None for a in answers)
        bias = [_biases(e, a) for e, a in zip(found, answered, strict=True)] if is_biased else []
        return Reading(
            value=value.mean[0],
            gradient=by_gate(cotangents, [e.derivatives(a) for e, a in zip(found, answered, strict=True)]),
            variance=variance,
            value_variance=value.variance[0],
            bias_bound=by_gate(abs(cotangents), bias) if is_biased else None,
            value_bias_bound=None if value.bias is None else value.bias[0],
            covariance=_covariance(xp, found, variance, xp.square(cotangents), [pairs for _, pairs in spreads]),
            stats={} if self.shots is None else {"degrees_of_freedom": np.min(self.shots) - 1},
        )

    def value_query(self, point: Point) -> Evaluate:
        shots = self.shots[0] if isinstance(self.shots, tuple) else self.shots
        return Evaluate(program_at(point, self, samples=self.shots is not None), point.coordinates[None], shots)

    def for_point(self, point: Point, epsilon: float, delta: float) -> Self:
        r"""This method with shots for an accuracy, by Hoeffding's inequality.

        With \(r_i\) the largest range of what evaluation i adds to a derivative and \(S_i\) the largest sum of these
        over the evaluations of a derivative that i belongs to,

        .. math:: N_i = 2\ln(2M/\delta)\, r_i S_i / \epsilon^2

        makes \(\sum_i r_i^2/N_i\), the variance proxy of a derivative, small enough, since \(\sum_i r_i / S_i \le 1\).
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        _, found = self._at(point)
        cotangents, size = np.abs(np.asarray(point.cotangents)), len(point.coordinates)
        # (settings, C, L) of each experiment; cotangents add up the ranges of outputs.
        ranges = [np.einsum("ck,bkl->bcl", cotangents, e.ranges) for e in found]
        largest = [part.max(axis=(1, 2), initial=0.0) for part in ranges]
        sums = np.zeros(size)
        for experiment, each in zip(found, largest, strict=True):
            sums[experiment.gates] += each.sum()
        log = log_of(num_components(point), delta)
        shots = []
        for experiment, each in zip(found, largest, strict=True):
            spread = each * sums[experiment.gates].max(initial=0.0)
            # At least two, so that every evaluation keeps a sample variance.
            shots += [max(2, counted(type(self), hoeffding(v, log, epsilon), epsilon)) for v in spread]
        shots = shots or [2]
        # The value is not promised: it gets as many as the worst evaluation.
        return self.with_shots(shots[0] if len(set(shots)) == 1 else (max(shots), *shots))

    @abc.abstractmethod
    def with_shots(self, shots: Shots) -> Self:
        """The same method with other shots."""

    def cost_at(self, point: Point) -> Cost:
        """What it would cost there."""
        return total_cost(self.plan(point, None))

    def _at(self, point: Point) -> tuple[Program, tuple[Experiment, ...]]:
        is_sampled = self.shots is not None
        program = program_at(point, self, samples=is_sampled)
        if is_sampled:
            check_covariances(point, self)
        return program, self.experiments(program, _labels_of(point.objective) if is_sampled else None)

    def _shots(self, found: Sequence[Experiment]) -> list:
        """Shots of the value, and a tuple for each experiment."""
        settings = [e.num_settings for e in found]
        if not isinstance(self.shots, tuple):
            return [self.shots, *(None if self.shots is None else (self.shots,) * count for count in settings)]
        if len(self.shots) != 1 + sum(settings):
            raise ValueError(
                f"shots has {len(self.shots)} numbers, but there are {1 + sum(settings)} circuit evaluations: one for "
                f"the value, then those of {name_of(self)}"
            )
        ends = np.cumsum([1, *settings])
        return [self.shots[0], *(self.shots[a:b] for a, b in pairwise(ends))]


def checked_shots(shots: Any) -> Shots:
    """Counts, or one clear error."""
    if isinstance(shots, (list, tuple, np.ndarray)):
        return tuple(checked_count("shots", s) for s in shots)
    return None if shots is None else checked_count("shots", shots)


def _labels_of(objective: Any) -> Labels:
    """Which coordinates the chain rule adds up: those of one circuit parameter, or any behind a map."""
    if not objective.mixes_coordinates:
        return None
    index, _, _ = objective.circuit.angle_map
    return tuple((index if objective.parameter_map is None else 0 * index).tolist())


def check_size(who: str, program: Program, circuits: int) -> None:
    """Refuse, before they are made, circuits that would not fit."""
    each = _BYTES_PER_GATE * max(program.num_gates, 1)
    require(
        f"{who} on {program.num_angles:,} parameterised gates makes {circuits:,} circuits, which take",
        circuits * each,
        allowed_bytes(),
        "use qcgrad.Adjoint, or a circuit with fewer gates",
    )


def _covariance(xp, found, variance, squares, pairs):
    """(C, A, A), block by block; None where nothing measured on the same shots adds up."""
    if not any(len(e.pairs) for e in found):
        return None
    size = variance.shape[1]
    diagonal = np.arange(size) * (size + 1)
    index, rows = [diagonal], [variance.T]
    for experiment, each in zip(found, pairs, strict=True):
        a, b = experiment.gates[experiment.pairs].T
        index += [a * size + b, b * size + a]
        rows += 2 * [(squares @ each).T]
    flat = xp.zeros((size * size, len(variance)), variance.dtype)
    total = add_at(flat, np.concatenate(index), xp.concatenate(rows))
    return total.T.reshape(len(variance), size, size)


def _biases(experiment: Experiment, answer: Means):
    return experiment.biases(answer if answer.bias is not None else answer._replace(bias=0 * answer.mean))
