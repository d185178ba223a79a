"""Derivatives along random directions by two evaluations each."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ....array_types import Key
from ....arrays import is_concrete, namespace
from ....cost import Cost
from ....errors import NotApplicable
from ....estimator import AbstractEstimator
from ....ir import Program
from ....objective import Point, Reading
from ....queries import Evaluate, Means
from ..._programs import check_covariances, name_of
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ..shifts._derivative_bounds import bandwidths, ranges_along, relative_rounding, spread_along
from ..shifts._stencils import check_step, stencil
from . import _directions as directions
from ._spaces import ANGLES, Moving, space


class Moves(NamedTuple):
    """What is asked along random directions.

    Attributes:
        count: D directions.
        distribution: what they are drawn from.
        step: how far along each; None for the best step.
        shots: of each evaluation; 1 + D numbers for those of the value and of each direction; None for exact ones.
        moving: what a direction is made of.
    """

    count: int
    distribution: directions.Distribution
    step: float | None
    shots: int | tuple[int, ...] | None
    moving: Moving = ANGLES

    @property
    def of_directions(self) -> "int | tuple[int, ...] | None":
        """Shots of either evaluation along each direction."""
        return self.shots[1:] if isinstance(self.shots, tuple) else self.shots

    @property
    def of_settings(self) -> "int | tuple[int, ...] | None":
        """Shots of all 1 + 2D settings."""
        return (*self.shots, *self.shots[1:]) if isinstance(self.shots, tuple) else self.shots


@dataclass(frozen=True, eq=False)
class Moved(Evaluate):
    """The angles themselves, then moved forward and backward.

    Attributes:
        directions: (D, S) as drawn.
        steps: (D,) how far along each, radians.
        space: how they move the angles.
    """

    directions: Any = None
    steps: Any = None
    space: Any = None


class Accuracy(NamedTuple):
    """What reaches an accuracy: directions, step and shots."""

    directions: int
    step: float
    shots: int


def planned(point: Point, program: Program, who: AbstractEstimator, key: Key, moves: Moves) -> Moved:
    """Two evaluations for each of D random directions, and that of the value.

    The step of direction v is the given one, or the best one for a function whose frequency is the norm of
    (v_a Omega_a).
    """
    angles, step = point.coordinates, moves.step
    directions.check_memory(name_of(who), moves.count, len(angles), angles.dtype)
    check_covariances(point, who)
    fastest, central = bandwidths(program.circuit.angle_gates), stencil("central", 2)
    within = space(program.circuit, moves.moving)
    drawn = directions.drawn(key, moves.count, within.size, moves.distribution, angles.dtype)
    drawn = np.asarray(drawn) if is_concrete((drawn, angles)) else drawn
    v = within.along(drawn)
    xp = namespace((v, angles))
    each = moves.of_directions if isinstance(moves.of_directions, tuple) else (moves.of_directions,)
    if step is None:
        typical = xp.sqrt(xp.square(v * fastest.astype(angles.dtype)[None]).sum(axis=1))
        best = np.array([central.best(program, angles.dtype, shots) for shots in each])
        steps = best.astype(angles.dtype) / xp.where(typical > 0, typical, 1.0)
    else:
        fewest = None if moves.shots is None else min(shots for shots in each if shots is not None)
        check_step(step, within.bandwidth(fastest), fewest, central, program, angles.dtype)
        steps = xp.full(moves.count, step, angles.dtype)
    settings = directions.around(program.circuit, angles, steps[:, None] * v)
    return Moved(program, settings, moves.of_settings, drawn, steps, within)


def predicted(point: Point, program: Program, who: AbstractEstimator, moves: Moves) -> Cost:
    """What `planned` costs; the number of directions decides, so none is drawn."""
    angles = np.asarray(point.coordinates)
    directions.check_memory(name_of(who), moves.count, len(angles), angles.dtype)
    settings = np.broadcast_to(angles, (1 + 2 * moves.count, len(angles)))
    return Evaluate(program, settings, moves.of_settings).cost()


def read(point: Point, query: Moved, answer: Means, distribution: directions.Distribution) -> Reading:
    """Central differences along the directions, with what Taylor's theorem leaves as a bound on the bias."""
    mean, off, within = answer.mean, answer.bias, query.space
    count = len(query.directions)
    xp = namespace((mean, query.directions, query.steps, point.cotangents))
    dtype = mean.dtype
    steps, drawn = xp.asarray(query.steps, dtype), xp.asarray(query.directions, dtype)
    up, down = slice(1, 1 + count), slice(1 + count, None)
    value = mean[0], answer.variance[0], None if off is None else off[0]
    slopes = (mean[up] - mean[down]) / (2 * steps[:, None])
    reading = directions.mean_along(point, value, slopes, drawn)
    error = _errors(point, query, xp, dtype)
    if off is not None:
        error = error + abs(xp.asarray(point.cotangents, dtype)) @ (off[up] + off[down]).T / (2 * steps[None])
    reading = reading._replace(bias_bound=xp.asarray(error @ abs(drawn) / count, dtype))
    stats = reading.stats | {
        "slopes": slopes.T,
        "slope_variances": ((answer.variance[up] + answer.variance[down]) / (4 * steps[:, None] ** 2)).T,
        "steps": steps,
        "lengths": xp.sqrt(xp.square(drawn).sum(axis=1)),
        "scatter": directions.scatter(distribution, within.size),
    }
    return within.by_angle(reading._replace(stats=stats))


def _errors(point, query, xp, dtype):
    """(C, D): how far a derivative along a direction may be off, by the step and by rounding."""
    program, steps = query.program, xp.asarray(query.steps, dtype)
    by_gate = bandwidths(program.circuit.angle_gates)
    fastest = abs(query.space.along(xp.asarray(query.directions, dtype))) @ by_gate.astype(dtype)
    sizes = xp.asarray(ranges_along(program, point.cotangents), dtype)[:, None]
    error = sizes * (steps**2 * fastest**3 / 6)[None]
    if query.shots is None:
        whole = abs(xp.asarray(point.cotangents) @ program.terms[2]).sum(axis=1)
        error = error + xp.asarray(whole, dtype)[:, None] * (relative_rounding(program, dtype) / steps)[None]
    angle = float(np.finfo(dtype).eps) * (xp.max(abs(query.angles), initial=0.0) + 1.0)
    return error + sizes * by_gate.sum() * (angle / steps)[None]


def worst_scatter(point: Point, program: Program) -> float:
    r"""What the others add to a component: \(\sum_{b\ne a} g_b v_b v_a\) is sub-Gaussian with \(\sum_{b\ne a} g_b^2\).

    For Rademacher directions, whose products are independent signs; Bernstein's inequality bounds each component.
    """
    fastest = bandwidths(program.circuit.angle_gates)
    size = float(np.max(ranges_along(program, np.asarray(point.cotangents)), initial=0.0))
    squares = np.sort(np.square(size * fastest))
    # The smallest component sees all others.
    return float(squares[1:].sum())


def for_accuracy(method: type, point: Point, program: Program, epsilon: float, delta: float) -> Accuracy:
    r"""Rademacher directions, a quarter of the error for the bias, the rest by Hoeffding's inequality.

    \(h = \sqrt{3\epsilon/(2 R\,\Omega^3)}\) with \(\Omega = \sum_a \Omega_a\); shots so that their noise scatters as
    the other components do, at most: the fewest copies are half of that, of single shots.
    """
    epsilon, delta = checked_accuracy(epsilon, delta)
    cotangents = np.asarray(point.cotangents)
    fastest = float(bandwidths(program.circuit.angle_gates).sum())
    size = float(np.max(ranges_along(program, cotangents), initial=0.0))
    if not fastest * size:
        return Accuracy(2, 1.0, 1)
    step = min(math.sqrt(1.5 * epsilon / size / fastest**3), math.pi / 2 / fastest)
    rest = epsilon - step**2 * size * fastest**3 / 6
    noise, scatter = spread_along(program, cotangents) / (2 * step**2), worst_scatter(point, program)
    least = stencil("central", 2).error(program, point.coordinates.dtype, 1) / (step * fastest)
    if not noise <= 1e300:
        raise NotApplicable(
            f"{method.__name__} would take a step of {step:.2g} for epsilon={epsilon:g}: give a larger one"
        )
    shots = counted(method, max(noise / scatter if scatter else 1.0, least**2 * (1 + 1e-9)), epsilon)
    log = log_of(num_components(point), delta)
    needed = hoeffding(np.array([scatter + noise / shots]), log, rest)
    counted(method, needed * shots, epsilon)
    return Accuracy(max(2, counted(method, needed, epsilon)), step, shots)
