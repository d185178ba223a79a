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
from ...ir.measured_groups import measured_groups
from ...ir.observable import PauliSum
from ...ir.program import Program
from ...queries import EXACT, Evaluate, Fidelity, Means, together
from ._running import Draws

# Random numbers of one setting that are held at a time.
_MOST_DRAWS = 1 << 24
# More in one basis than anyone waits for.
_MOST_SHOTS = 1 << 36


class Expectations(NamedTuple):
    """Values of N elements, and what they took.

    Attributes:
        mean, variance: (N,).
        shots, bases: (K,) shots of each observable in all of its bases, and how many these are; 0 where exact.
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


def shots_for(program: Program, precision: float) -> list[int]:
    r"""Shots in each basis with which no state has a larger standard error.

    The outcome in basis b is the sum of all its strings with their coefficients, which lies in an interval of length
    \(2 r_b\), however correlated the strings are. Its variance is \(r_b^2\) at most, and \(N_b\) shots give a standard
    error of \(\sqrt{\sum_b r_b^2 / N_b}\) at most: fewest with \(N_b \propto r_b\). The sample variance divides by
    N - 1, so that one shot more, and one more for each part that they are split into, keeps the reported error below
    the precision as well.

    Raises:
        ValueError: more shots than anyone waits for.
    """
    ranges = [float(group.ranges.max()) for group in measured_groups(program)]
    needed = [each * sum(ranges) / precision**2 for each in ranges]
    if max(needed, default=0.0) > _MOST_SHOTS:
        raise ValueError(
            f"precision is {precision}: outcomes are up to {sum(ranges):.3g} from their middle, so "
            f"that takes {max(needed):.3g} shots in one of {len(ranges)} bases; give a larger one, or 0 for exact"
        )
    return [math.ceil(each) + 1 + len(_split(math.ceil(each))) for each in needed]


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
        counts = shots_for(program, precision)
        shots.append(sum(counts))
        bases.append(len(counts))
        # The identity, for which nothing needs to be measured, and what each basis adds.
        added = [Means(np.tile(program.constants, (len(members), 1)), np.zeros((len(members), 1)))]
        for group, count in zip(measured_groups(program), counts, strict=True):
            queries = [Evaluate(group.program, angles, part) for part in _split(count)]
            answers = [ask(query, asker, backend, draws.key()) for query in queries]
            added.append(_weighted(answers, np.array([query.shots for query in queries]) / count))
            cost = sum((query.cost() for query in queries), cost)
        means = _weighted(added, np.ones(len(added)))
        parts.append((members, means.map(lambda part: part[:, 0])))
    found = _collected(elements, parts, cost)
    return found._replace(shots=np.array(shots, np.int64), bases=np.array(bases, np.int64)) if parts else found


def _by_observable(elements: Elements) -> Iterator[tuple[Program, Int[np.ndarray, "members"]]]:
    for k, observable in enumerate(elements.observables):
        members = np.flatnonzero(elements.observable == k)
        if len(members):
            yield elements.program((observable,)), members


def _split(shots: int) -> list[int]:
    """Shots in parts whose random numbers fit into memory."""
    count = math.ceil(shots / _MOST_DRAWS)
    return [shots // count + (part < shots % count) for part in range(count)]


def _weighted(answers: list[Means], weights: np.ndarray) -> Means:
    """The weighted sum of independent answers."""

    def summed(arrays, factors):
        return sum(factor * np.asarray(array) for factor, array in zip(factors, arrays, strict=True))

    biases = [(answer.bias, weight) for answer, weight in zip(answers, weights, strict=True) if answer.bias is not None]
    return Means(
        summed([answer.mean for answer in answers], weights),
        summed([answer.variance for answer in answers], np.square(weights)),
        summed(*zip(*biases, strict=True)) if biases else None,
        Fidelity(together(answer.fidelity for answer in answers)),
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
