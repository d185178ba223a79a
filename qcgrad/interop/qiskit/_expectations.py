"""Expectation values of a pub: which questions they take, and how many shots a standard error takes."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from ...array_types import Settings
from ...backend import AbstractBackend
from ...cost import Cost
from ...estimate import ask
from ...ir.observable import PauliSum
from ...ir.program import Program
from ...queries import EXACT, Evaluate, Means, together
from ._running import Draws

# Random numbers of one setting that are held at a time, all bases together.
_MOST_DRAWS = 1 << 24
# More in one basis than anyone waits for.
_MOST_SHOTS = 1 << 36


class Expectations(NamedTuple):
    """Values of N elements, and what they took.

    Attributes:
        mean, variance: (N,).
        shots, bases: (K,) shots of each observable in each of its bases, and how many these are; 0 where exact.
        bias: (N,) bounds that the backend states, or None.
        fidelity: "exact", or how the backend idealizes.
        cost: of all.
    """

    mean: np.ndarray
    variance: np.ndarray
    shots: np.ndarray
    bases: np.ndarray
    bias: np.ndarray | None
    fidelity: str
    cost: Cost


class Elements(NamedTuple):
    """What is asked for: N pairs of a setting and an observable.

    Attributes:
        observables: K different ones.
        program: the circuit with some observables.
        angles: (B, A) of the settings, radians.
        setting, observable: (N,) which of these belong to an element.
    """

    observables: tuple[PauliSum, ...]
    program: Callable[[tuple[PauliSum, ...]], Program]
    angles: Settings
    setting: Int[np.ndarray, "N"]
    observable: Int[np.ndarray, "N"]


def shots_for(program: Program, precision: float) -> int:
    r"""Shots in each basis with which no state has a larger standard error.

    The outcome in basis b is the sum of all its strings with their coefficients, so it lies between \(-r_b\) and
    \(r_b\), the sum of |coefficients|, however correlated the strings are. Its variance is \(r_b^2\) at most, and N
    shots in each basis give a standard error of \(\sqrt{\sum_b r_b^2 / N}\) at most. The sample variance divides by
    N - 1, so that one shot more, and one more for each part that they are split into, keeps the reported error below
    the precision as well.

    Raises:
        ValueError: more shots than anyone waits for.
    """
    ranges = [np.abs(basis.coefficients).sum() for basis in program.bases]
    needed = float(np.square(ranges).sum()) / precision**2 if ranges else 0.0
    if needed > _MOST_SHOTS:
        raise ValueError(
            f"precision is {precision}: the observable's coefficients add up to {sum(ranges):.3g}, so that takes "
            f"{needed:.3g} shots in each of {len(ranges)} bases; give a larger one, or 0 for exact values"
        )
    return math.ceil(needed) + 1 + len(_split(math.ceil(needed), program)) if ranges else 0


def exact_values(elements: Elements, asker: Any, backend: AbstractBackend) -> Expectations:
    """Values without statistical error: each state is prepared once where most pairs are asked for."""
    total = len(elements.setting)
    if total and total * 2 >= len(elements.angles) * len(elements.observables):
        query = Evaluate(elements.program(elements.observables), elements.angles)
        means = ask(query, asker, backend, None)
        parts = [(slice(None), means.map(lambda part: part[elements.setting, elements.observable]))]
        return _collected(elements, parts, query.cost())
    parts, cost = [], Cost()
    for program, members in _by_observable(elements):
        settings, place = np.unique(elements.setting[members], return_inverse=True)
        query = Evaluate(program, elements.angles[settings])
        means = ask(query, asker, backend, None)
        parts.append((members, means.map(lambda part, place=place: part[place, 0])))
        cost += query.cost()
    return _collected(elements, parts, cost)


def sampled_values(
    elements: Elements, precision: float, asker: Any, backend: AbstractBackend, draws: Draws
) -> Expectations:
    """Estimates with standard errors of `precision` at most, each element from shots of its own."""
    parts, cost = [], Cost()
    shots, bases = [], []
    for program, members in _by_observable(elements):
        angles = elements.angles[elements.setting[members]]
        shots.append(shots_for(program, precision))
        bases.append(len(program.bases))
        queries = [Evaluate(program, angles, part) for part in _split(shots[-1], program)]
        answers = [ask(query, asker, backend, draws.key()) for query in queries]
        if answers:
            means = _averaged(answers, [query.shots for query in queries])
        else:  # a multiple of the identity, for which nothing needs to be measured
            means = Means(np.tile(program.constants, (len(members), 1)), np.zeros((len(members), 1)))
        parts.append((members, means.map(lambda part: part[:, 0])))
        cost = sum((query.cost() for query in queries), cost)
    found = _collected(elements, parts, cost)
    return found._replace(shots=np.array(shots, np.int64), bases=np.array(bases, np.int64)) if parts else found


def _by_observable(elements: Elements) -> Iterator[tuple[Program, Int[np.ndarray, "members"]]]:
    for k, observable in enumerate(elements.observables):
        members = np.flatnonzero(elements.observable == k)
        if len(members):
            yield elements.program((observable,)), members


def _split(shots: int, program: Program) -> list[int]:
    """Shots in parts whose random numbers fit into memory."""
    count = math.ceil(shots * len(program.bases) / _MOST_DRAWS)
    return [shots // count + (part < shots % count) for part in range(count)]


def _averaged(answers: list[Means], shots: list[Any]) -> Means:
    """The mean over independent parts, each with the weight of its shots."""
    weights = np.array(shots) / np.sum(shots)

    def summed(arrays, factors):
        return sum(factor * np.asarray(array) for factor, array in zip(factors, arrays, strict=True))

    biases = [answer.bias for answer in answers]
    return Means(
        summed([answer.mean for answer in answers], weights),
        summed([answer.variance for answer in answers], np.square(weights)),
        None if any(bias is None for bias in biases) else summed(biases, weights),
        answers[0].fidelity,
    )


def _collected(elements: Elements, parts: list[tuple[Any, Means]], cost: Cost) -> Expectations:
    mean, variance, bias = np.zeros((3, len(elements.setting)))
    for members, means in parts:
        mean[members], variance[members] = means.mean, means.variance
        bias[members] = 0.0 if means.bias is None else means.bias
    nothing = np.zeros(len(elements.observables), np.int64)
    fidelity = together(means.fidelity for _, means in parts) if parts else EXACT
    has_bias = any(means.bias is not None for _, means in parts)
    return Expectations(mean, variance, nothing, nothing, bias if has_bias else None, fidelity, cost)
