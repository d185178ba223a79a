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


@dataclass(frozen=True, eq=False)
class Moved(Evaluate):
    """The angles themselves, then moved forward and backward.

    Attributes:
        directions: (D, A).
        steps: (D,) how far along each, radians.
    """

    directions: Any = None
    steps: Any = None


class Accuracy(NamedTuple):
    """What reaches an accuracy: directions, step and shots."""

    directions: int
    step: float
    shots: int


def planned(
    point: Point,
    program: Program,
    who: AbstractEstimator,
    key: Key,
    count: int,
    distribution: directions.Distribution,
    step: float | None,
    shots: int | None,
) -> Moved:
    """Two evaluations for each of `count` random directions, and that of the value.

    The step of direction v is `step`, or the best one for a function whose frequency is the norm of (v_a Omega_a).
    """
    angles = point.coordinates
    directions.check_memory(name_of(who), count, len(angles), angles.dtype)
    check_covariances(point, who)
    fastest, central = bandwidths(program.circuit.angle_gates), stencil("central", 2)
    v = directions.drawn(key, count, len(angles), distribution, angles.dtype)
    v = np.asarray(v) if is_concrete((v, angles)) else v
    xp = namespace((v, angles))
    if step is None:
        typical = xp.sqrt(xp.square(v * fastest.astype(angles.dtype)[None]).sum(axis=1))
        steps = central.best(program, angles.dtype, shots) / xp.where(typical > 0, typical, 1.0)
    else:
        check_step(step, float(fastest.sum()), shots, central, program, angles.dtype)
        steps = xp.full(count, step, angles.dtype)
    return Moved(program, directions.around(program.circuit, angles, steps[:, None] * v), shots, v, steps)


def predicted(point: Point, program: Program, who: AbstractEstimator, count: int, shots: int | None) -> Cost:
    """What `planned` costs; the number of directions decides, so none is drawn."""
    angles = np.asarray(point.coordinates)
    directions.check_memory(name_of(who), count, len(angles), angles.dtype)
    return Evaluate(program, angles[None], shots).cost() * (1 + 2 * count)


def read(point: Point, query: Moved, answer: Means) -> Reading:
    """Central differences along the directions, with what Taylor's theorem leaves as a bound on the bias."""
    mean, off = answer.mean, answer.bias
    program: Any = query.program
    count = len(query.directions)
    xp = namespace((mean, query.directions, query.steps, point.cotangents))
    dtype = mean.dtype
    steps, v = xp.asarray(query.steps, dtype), xp.asarray(query.directions, dtype)
    up, down = mean[1 : 1 + count], mean[1 + count :]
    value = mean[0], answer.variance[0], None if off is None else off[0]
    reading = directions.mean_along(point, value, (up - down) / (2 * steps[:, None]), v)
    cotangents = abs(xp.asarray(point.cotangents, dtype))
    # (C, D): how far a derivative along a direction may be off.
    fastest = abs(v) @ bandwidths(query.program.circuit.angle_gates).astype(dtype)
    sizes = xp.asarray(ranges_along(program, point.cotangents), dtype)[:, None]
    error = sizes * (steps**2 * fastest**3 / 6)[None]
    if query.shots is None:
        whole = abs(xp.asarray(point.cotangents) @ query.program.terms[2]).sum(axis=1)
        error = error + xp.asarray(whole, dtype)[:, None] * (relative_rounding(program, dtype) / steps)[None]
    angle = float(np.finfo(dtype).eps) * (xp.max(abs(query.angles), initial=0.0) + 1.0)
    error = error + sizes * bandwidths(query.program.circuit.angle_gates).sum() * (angle / steps)[None]
    if off is not None:
        error = error + cotangents @ (off[1 : 1 + count] + off[1 + count :]).T / (2 * steps[None])
    return reading._replace(bias_bound=xp.asarray(error @ abs(v) / count, dtype))


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
