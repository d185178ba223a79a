"""Forward gradients: derivatives along random directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import equinox as eqx
import numpy as np
from jaxtyping import Int

from ....array_types import Key
from ....cost import Cost
from ....errors import NotApplicable
from ....estimator import Directions, OneRoundEstimator
from ....objective import Point, Reading
from ....queries import Access, Evaluate, TangentSweep
from ..._checks import checked_choice, checked_count, checked_positive
from ..._programs import check_covariances, program_at
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from . import _directions as along
from . import _moves as moves
from . import _spaces as spaces

# Directions that one sweep carries: it holds a state for each.
_TOGETHER = 8


@dataclass(frozen=True, eq=False)
class _Tangents(TangentSweep):
    """Tangents along what moves the angles.

    Attributes:
        drawn: (D, S) as drawn.
    """

    drawn: Any = None


class ForwardGradient(OneRoundEstimator):
    r"""Gradients from derivatives along K random directions.

    .. math:: \hat g = \frac1K \sum_{k=1}^K (\nabla F\cdot v_k)\, v_k, \qquad E[v v^T] = 1.

    Unbiased, off by \(E|\hat g - g|^2 = (A + \kappa - 2)|g|^2/K\) for A angles: \(\kappa = 1\) for "rademacher", 3 for
    "gaussian", and 1 in effect for "sphere" and "coordinate". Without shots each derivative is exact: a simulation
    carries the state's tangent along, forward mode, with no backward pass. With shots it is a central difference
    along the direction, as in `SPSA`, which is the same for "rademacher".

    Args:
        directions: K.
        distribution: "rademacher" for fair signs, "gaussian" for independent normal components, "sphere" for uniformly
            random directions of length \(\sqrt A\), "coordinate" for one random angle at a time, times \(\sqrt A\).
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact tangents. A
            sequence gives first the value its number, then both evaluations of each direction theirs.
        step: with shots, how far along the direction, in units of its length, radians; None as in `SPSA`.
        moving: what a direction is made of: "angles", that of each gate, or "parameters", those of the
            circuit. Gates that share one then move together: A is the number of parameters, and scatter and noise of
            their derivatives shrink with it. What each gate adds is not known then.

    Access: white box without shots, single copy with them. The variance is the sample variance over directions, shot
    noise included, also where shots differ; NaN for one direction. With shots biased by the difference: `bias_bound`
    is proved for the directions drawn. `stats` hold what was found along each direction: "slopes" and, from the noise
    of shots alone, "slope_variances" (K, D), "steps" and "lengths" (D,).

    Cost: without shots one run for the value and 1 + D gate applications a gate for every D = 8 directions, which are
    carried together; with shots 1 + 2K evaluations.

    Raises:
        ValueError: directions or shots that are no positive integer, a sequence of wrong length, an unknown
            distribution, a step that is no positive number, or without shots, or so small that shot noise swamps it.
        TooLarge: directions that would not fit into memory.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> e = qg.estimate(objective, [0.5], qg.ForwardGradient(directions=2), key=0)
        >>> print(e.gradient.round(4), e.cost.copies)  # of one parameter, the derivative itself
        [-0.4794] 0

    References:
        A. G. Baydin et al., "Gradients without backpropagation", arXiv:2202.08587; B. Coyle et al., "Adaptive
        directional gradients for parameterised quantum circuits", arXiv:2606.09734.
    """

    directions: int = eqx.field(static=True)
    distribution: along.Distribution = eqx.field(static=True)
    shots: int | tuple[int, ...] | None = eqx.field(static=True)
    step: float | None = eqx.field(static=True)
    moving: spaces.Moving = eqx.field(static=True)
    access: Access = eqx.field(static=True, init=False, default=Access.white_box)  # pyright: ignore
    is_traceable: bool = eqx.field(static=True, init=False, default=True)  # pyright: ignore
    accuracy_option = "directions"
    allots_directions = True
    is_random = True

    def __init__(
        self,
        directions: int = 1,
        distribution: along.Distribution = "rademacher",
        shots: "int | Sequence[int] | None" = None,
        step: float | None = None,
        moving: spaces.Moving = spaces.ANGLES,
    ):
        self.directions = checked_count("directions", directions)
        self.distribution = checked_choice("distribution", distribution, along.DISTRIBUTIONS)
        self.shots = _checked_shots(shots, self.directions)
        self.step = None if step is None else checked_positive("step", step)
        if step is not None and shots is None:
            raise ValueError(
                f"step={step!r} without shots: tangents are exact and take no step; give shots, or use SPSA"
            )
        self.moving = checked_choice("moving", moving, spaces.MOVING)
        self.access = Access.white_box if shots is None else Access.single_copy
        # Tangents are carried by NumPy.
        self.is_traceable = shots is not None

    def plan(self, point: Point, key: Key) -> tuple[Evaluate | TangentSweep, ...]:
        program = program_at(point, self, samples=self.shots is not None)
        if self.shots is not None:
            return (moves.planned(point, program, self, key, self._moves),)
        angles = point.coordinates
        along.check_memory(type(self).__name__, self.directions, len(angles), angles.dtype)
        check_covariances(point, self)
        within = spaces.space(program.circuit, self.moving)
        drawn = np.asarray(along.drawn(key, self.directions, within.size, self.distribution, angles.dtype))
        parts = [drawn[start : start + _TOGETHER] for start in range(0, self.directions, _TOGETHER)]
        swept = (_Tangents(program, angles, within.along(part), part) for part in parts)
        return (Evaluate(program, angles[None]), *swept)

    def predict(self, point: Point) -> Cost:
        """Exact, whichever directions are drawn: none is."""
        program = program_at(point, self, samples=self.shots is not None)
        if self.shots is not None:
            return moves.predicted(point, program, self, self._moves)
        angles = point.coordinates
        along.check_memory(type(self).__name__, self.directions, len(angles), angles.dtype)
        whole, rest = divmod(self.directions, _TOGETHER)
        full, last = (
            TangentSweep(program, angles, np.broadcast_to(angles, (rows, len(angles)))).cost()
            for rows in (_TOGETHER, rest)
        )
        value = Evaluate(program, angles[None]).cost()
        return sum(([full * whole] if whole else []) + ([last] if rest else []), value)

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Reading:
        if self.shots is not None:
            return moves.read(point, queries[0], answers[0], self.distribution)
        value, *swept = answers
        dtype = point.coordinates.dtype
        slopes = np.concatenate([2 * np.real(np.asarray(part.observed)).T for part in swept]).astype(dtype)
        drawn = np.concatenate([query.drawn for query in queries[1:]])
        off = None if value.bias is None else value.bias[0]
        reading = along.mean_along(point, (value.mean[0], value.variance[0], off), slopes, drawn)
        return spaces.space(program_at(point, self).circuit, self.moving).by_angle(reading)

    def value_query(self, point: Point) -> Evaluate:
        shots = self.shots[0] if isinstance(self.shots, tuple) else self.shots
        return Evaluate(program_at(point, self, samples=self.shots is not None), point.coordinates[None], shots)

    def drawn(self, point: Point, key: Key) -> Directions:
        if self.shots is None:
            raise NotApplicable("ForwardGradient without shots has exact tangents, which take no steps: give shots")
        moved: moves.Moved = self.plan(point, key)[0]  # pyright: ignore[reportAssignmentType]
        return Directions(moved.directions, moved.steps, moved.space.index, moved.space.scale)

    def directed(self, value: int, shots: Int[np.ndarray, "D"]) -> Self:
        counts = (value, *np.asarray(shots).tolist())
        return type(self)(self.directions, self.distribution, counts, self.step, self.moving)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Rademacher directions and exact tangents, by Hoeffding's inequality: no copies at all.

        A component sees the sum of all others with random signs, which is sub-Gaussian:

        .. math:: K = 2\ln(2M/\delta)\, R^2 \sum_b \Omega_b^2/\epsilon^2,

        without the smallest term, where \(\Omega_b\) is the fastest frequency in a gate's angle and R the sum of the
        observable's |coefficients|: a derivative is \(\Omega_b R\) at most.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        scatter = moves.worst_scatter(point, program_at(point, cls))
        needed = hoeffding(np.array([scatter]), log_of(num_components(point), delta), epsilon)
        # At least two, so that there is a sample variance.
        return cls(max(2, counted(cls, needed, epsilon)))

    @property
    def _moves(self) -> moves.Moves:
        return moves.Moves(self.directions, self.distribution, self.step, self.shots, self.moving)


def _checked_shots(shots, directions):
    if shots is None or not isinstance(shots, (list, tuple, np.ndarray)):
        return None if shots is None else checked_count("shots", shots)
    if len(shots) != 1 + directions:
        raise ValueError(
            f"shots has {len(shots)} numbers, but there are {1 + directions}: one for the value, then one for each of "
            f"{directions} directions"
        )
    return tuple(checked_count("shots", each) for each in shots)
