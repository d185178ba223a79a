"""Zero-noise extrapolation of whatever a method evaluates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import equinox as eqx
import numpy as np

from ....array_types import Key, Values
from ....errors import NotApplicable
from ....estimator import OneRoundEstimator
from ....ir.folding import extrapolation, folded
from ....objective import Point, Reading
from ....queries import AbstractQuery, Access, Evaluate, Fidelity, Means, fidelity_of, together
from ..._checks import checked_count
from ..._programs import program_at
from ...accuracy import checked_accuracy
from ..shifts._parameter_shift import ParameterShift

# With more, nothing would be left of any state.
_MOST = 1000.0


class ZeroNoiseExtrapolation(OneRoundEstimator):
    r"""Another method, with every expectation value extrapolated to where gates make no errors.

    Each evaluation is made again with more gates that do nothing, \(G \to G\,(G^\dagger G)^k\): noise that belongs to
    gates grows by the factor \(\lambda\) by which their number grows, and a polynomial in \(\lambda\), fitted to the
    values, is read off at zero,

    .. math:: \hat F = \sum_s \gamma_s F(\lambda_s), \qquad
              \mathrm{Var}\,\hat F = \sum_s \gamma_s^2\, \mathrm{Var}\,F(\lambda_s).

    What remains is a bias that nobody bounds: errors of reading, errors that are not of gates, and the difference
    between the polynomial and the truth. Folded pairs are what compilers remove: a device must not optimise circuits.

    Args:
        inner: the method, one whose questions are all evaluations known in advance, such as the parameter-shift rule.
        scales: the factors, from 1, which comes first, upwards. Of d gates the nearest whole number of pairs is
            added, and the factors that come out are used.
        order: degree of the polynomial; one less than there are scales goes through all values (Richardson), less is a
            fit, with less variance.
        min_wires: gates on fewer qubits are not folded; 2 where those on one qubit hardly err.

    Statistics: variances add up with squared weights, which grow with the order: \(\sum_s \gamma_s^2\) is 2.33 for the
    default. Bias: where the backend knows how far off its answers are, \(\sum_s |\gamma_s|\) times that; of devices
    NaN.

    Cost: as the inner method, once for each scale, with as many more gates.

    Raises:
        ValueError: scales that do not begin with 1 and grow, an order that they do not determine.
        TypeError: inner is no such method.
        NotApplicable: when asked, the inner method asks for more than expectation values, or the circuit has too few
            gates to tell the scales apart.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), "IZ")
        >>> method = qg.ZeroNoiseExtrapolation(qg.ParameterShift())
        >>> e = qg.estimate(objective, [0.5], method)  # without noise there is nothing to remove
        >>> print(e.gradient.round(6), e.cost.circuit_runs)
        [-0.479426] 9

    References:
        K. Temme, S. Bravyi, J. M. Gambetta, Phys. Rev. Lett. 119, 180509 (2017), arXiv:1612.02058; T. Giurgica-Tiron et
        al., IEEE QCE (2020), arXiv:2005.10921, for folding.
    """

    inner: OneRoundEstimator
    scales: tuple[float, ...] = eqx.field(static=True)
    order: int = eqx.field(static=True)
    min_wires: int = eqx.field(static=True)
    access = Access.single_copy

    def __init__(
        self,
        inner: OneRoundEstimator,
        scales: Sequence[float] = (1.0, 2.0, 3.0),
        order: int = 1,
        min_wires: int = 1,
    ):
        if not isinstance(inner, OneRoundEstimator) or inner.access > Access.single_copy:
            raise TypeError(
                f"inner is {inner!r}: give a method that evaluates single copies, for example "
                "qcgrad.ParameterShift(1000)"
            )
        self.inner = inner
        self.scales = _checked(scales)
        self.order = checked_count("order", order)
        self.min_wires = checked_count("min_wires", min_wires)
        if self.order >= len(self.scales):
            raise ValueError(
                f"order={order}: {len(self.scales)} scales determine a polynomial of degree {len(self.scales) - 1} at "
                "most; give more scales or a lower order"
            )

    @property
    def is_random(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.is_random

    @property
    def is_traceable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.is_traceable

    def plan(self, point: Point, key: Key | None) -> tuple[AbstractQuery, ...]:
        return tuple(part for query in self.inner.plan(point, key) for part in self._at_scales(query))

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Reading:
        count = len(self.scales)
        # The first of each group is the inner method's own question: scale 1 adds nothing.
        originals = queries[::count]
        groups = [answers[i : i + count] for i in range(0, len(answers), count)]
        means = tuple(self._extrapolated(*pair) for pair in zip(originals, groups, strict=True))
        return self.inner.combine(point, originals, means)

    def report(self, stats: dict[str, Any]) -> str:
        return self.inner.report(stats)

    def value_query(self, point: Point) -> AbstractQuery:
        return self.inner.value_query(point)

    def value_queries(self, point: Point) -> tuple[AbstractQuery, ...]:
        return self._at_scales(self.value_query(point))

    def value_of(self, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Values:
        return self._extrapolated(queries[0], answers).mean[0]

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Parameter shifts with as many more shots as the extrapolation adds to variances.

        The promise is about noise of shots, as that of other methods: by Hoeffding's inequality they keep
        \(\epsilon/\sqrt{\sum_s \gamma_s^2}\), and a sum of independent errors with factors \(\gamma_s\) keeps epsilon.
        What noise of gates leaves is not known here; `qcgrad.advise(..., noise=...)` simulates it.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        plain = cls(ParameterShift())
        weights = plain._weights(Evaluate(program, point.coordinates[None]))
        return cls(ParameterShift.for_accuracy(point, epsilon / float(np.linalg.norm(weights)), delta))

    def _at_scales(self, query) -> tuple[AbstractQuery, ...]:
        if not isinstance(query, Evaluate):
            raise NotApplicable(
                f"{type(self.inner).__name__} asks {type(query).__name__} questions, and zero-noise extrapolation "
                "needs expectation values: give a method that evaluates, for example qcgrad.ParameterShift(shots=1000)"
            )
        # Sums that a simulator works out by itself have no scale.
        query = replace(query, weights=None)
        made = [folded(query.program, scale, self.min_wires) for scale in self.scales[1:]]
        return (query, *(replace(query, program=fold.program, angles=fold.angles(query.angles)) for fold in made))

    def _extrapolated(self, query: Evaluate, answers: tuple[Means, ...]) -> Means:
        weights = self._weights(query)
        mean = sum(w * answer.mean for w, answer in zip(weights, answers, strict=True))
        variance = sum(w**2 * answer.variance for w, answer in zip(weights, answers, strict=True))
        biases = [answer.bias for answer in answers]
        bias = None
        if any(each is not None for each in biases):
            bias = sum(abs(w) * each for w, each in zip(weights, biases, strict=True) if each is not None)
        return Means(mean, variance, bias, Fidelity(together(fidelity_of(answer) for answer in answers)))

    def _weights(self, query) -> list[float]:
        actual = [1.0, *(folded(query.program, scale, self.min_wires).scale for scale in self.scales[1:])]
        if len(set(actual)) <= self.order:
            raise NotApplicable(
                f"a circuit of {query.program.num_gates} gates cannot be folded to the scales {list(self.scales)}: "
                f"they become {actual}; give scales further apart, or min_wires=1"
            )
        return extrapolation(actual, self.order).tolist()


def _checked(scales) -> tuple[float, ...]:
    found = np.asarray(scales, float) if isinstance(scales, (Sequence, np.ndarray)) else np.zeros(0)
    is_growing = found.ndim == 1 and len(found) > 1 and found[0] == 1 and bool(np.all(np.diff(found) > 0))
    if not is_growing or not found[-1] <= _MOST:
        raise ValueError(f"scales={scales!r}: give two or more numbers, 1 first, each larger, at most {_MOST:g}")
    return tuple(found.tolist())
