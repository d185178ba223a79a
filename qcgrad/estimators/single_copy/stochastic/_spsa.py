"""Simultaneous perturbation stochastic approximation."""

from typing import Self

import equinox as eqx

from ....array_types import Key
from ....cost import Cost
from ....estimator import OneRoundEstimator
from ....objective import Point, Reading
from ....queries import Access, Evaluate, Means
from ..._checks import checked_count, checked_positive
from ..._programs import program_at
from . import _moves as moves


class SPSA(OneRoundEstimator):
    r"""Gradients from two evaluations a direction, all angles moved at once, however many there are.

    .. math:: \hat g = \frac1K \sum_{k=1}^K \frac{F(\theta + c\,v_k) - F(\theta - c\,v_k)}{2c}\; v_k,
        \qquad v_k \in \{-1, 1\}^A,

    with independent fair signs. Along a direction F has frequencies up to \(\Omega = \sum_a \Omega_a\), so a component
    is off by \(c^2 R\,\Omega^3/6\) on average at most, R the sum of the observable's |coefficients|; and it scatters,
    since every component sees all others: \(E|\hat g - g|^2 = (A-1)|g|^2/K\), and the noise of shots beside it.

    Args:
        directions: K.
        step: c, radians of a gate's angle. None for the step that balances bias and shot noise of a function of
            frequency \(\sqrt{\sum_a \Omega_a^2}\), as typical ones have along a random direction.
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact ones.

    Access: single copy. Biased: `bias_bound` is proved for the directions drawn, up to rounding, which counts to first
    order. The variance is the sample variance over directions, shot noise included; NaN for one direction.

    Cost: 1 + 2K evaluations.

    Raises:
        ValueError: directions or shots that are no positive integer, a step that is no positive number, or so small
            that shot noise or rounding swamps it.
        TooLarge: directions that would not fit into memory.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> e = qg.estimate(objective, [0.5], qg.SPSA(directions=2, step=0.1), key=0)
        >>> print(e.gradient.round(4), e.cost.circuit_runs)  # of one parameter, a central difference
        [-0.4786] 5

    References:
        J. C. Spall, "Multivariate stochastic approximation using a simultaneous perturbation gradient approximation",
        IEEE Trans. Autom. Control 37, 332 (1992).
    """

    directions: int = eqx.field(static=True)
    step: float | None = eqx.field(static=True)
    shots: int | None = eqx.field(static=True)
    called = "spsa"
    access = Access.single_copy
    accuracy_option = "directions"
    is_random = True

    def __init__(self, directions: int = 1, step: float | None = None, shots: int | None = None):
        self.directions = checked_count("directions", directions)
        self.step = None if step is None else checked_positive("step", step)
        self.shots = None if shots is None else checked_count("shots", shots)

    def plan(self, point: Point, key: Key) -> tuple[moves.Moved]:
        program = program_at(point, self, samples=self.shots is not None)
        return (moves.planned(point, program, self, key, self._moves),)

    def predict(self, point: Point) -> Cost:
        """Exact, whichever directions are drawn."""
        program = program_at(point, self, samples=self.shots is not None)
        return moves.predicted(point, program, self, self._moves)

    def combine(self, point: Point, queries: tuple[moves.Moved], answers: tuple[Means]) -> Reading:
        return moves.read(point, queries[0], answers[0], "rademacher")

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self, samples=self.shots is not None), point.coordinates[None], self.shots)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Directions by Hoeffding's inequality, a quarter of the error for the bias.

        .. math:: c = \sqrt{3\epsilon/(2R\,\Omega^3)}, \qquad
            K = \frac{32\ln(2M/\delta)}{9\,\epsilon^2} \Big(\sum_b \Omega_b^2 R^2 + \frac{\sum_b r_b^2}{2c^2N}\Big),

        without the smallest term of the first sum, and with N so that the second is no larger.
        """
        return cls(*moves.for_accuracy(cls, point, program_at(point, cls, samples=True), epsilon, delta))

    @property
    def _moves(self) -> moves.Moves:
        return moves.Moves(self.directions, "rademacher", self.step, self.shots)
