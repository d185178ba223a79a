"""How a gradient is estimated: the interface of a method, and its common special case."""

import abc
from collections.abc import Iterable
from typing import Any, ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .array_types import Gradient, Key, Values
from .arrays import zeros_like
from .cost import Cost
from .objective import Point, Reading
from .queries import AbstractQuery, Access


class AbstractEstimator(eqx.Module):
    """A method to get gradients: `init`, then `ask` and `tell` in rounds, then `read`.

    An estimator never touches a state: it asks queries, and the driver (`qcgrad.estimate`) passes them
    to a backend and charges for them. To add one, see CONTRIBUTING.md.
    """

    access: ClassVar[Access]
    """The most access that this method ever asks for."""
    called: ClassVar[str] = ""
    """Name in catalogues where it is not the class name in kebab case."""
    differentiates: ClassVar[Literal["circuits", "networks"]] = "circuits"
    """What the method is for."""
    pays_in: ClassVar[Literal["copies", "gates", "flops"]] = "copies"
    """The resource that its cost is about."""
    is_traceable: ClassVar[bool] = True
    """Whether the method works under `jax.jit` and `jax.vmap`: its queries do not depend on answers."""

    is_random: ClassVar[bool] = False
    """Whether the method draws at random what it asks, so that `init` needs a key; answers are drawn by backends."""

    @property
    def stateful(self) -> bool:
        """Whether an estimate's stats hold what the next step needs: then the method is no function of parameters."""
        return False

    @abc.abstractmethod
    def init(self, point: Point, key: Key | None) -> Any:
        """State before the first round.

        Args:
            point: where to work.
            key: JAX random key for methods with `is_random`, else None.

        Raises:
            NotApplicable: the method's rule does not hold for this objective.
        """

    @abc.abstractmethod
    def ask(self, state: Any) -> tuple[AbstractQuery, ...]:
        """Queries of the next round; empty when done."""

    @abc.abstractmethod
    def tell(self, state: Any, answers: tuple) -> Any:
        """State after the answers to the round's queries, in their order."""

    @abc.abstractmethod
    def read(self, state: Any) -> Reading:
        """The result so far; NaN where nothing is known yet."""

    def report(self, stats: dict[str, Any]) -> str:
        """What the result's message says of the stats, where `read` found any; "" for nothing."""
        return ""

    @abc.abstractmethod
    def value_query(self, point: Point) -> AbstractQuery:
        """The query whose answer gives the value alone (as `mean` or `value`), as well as `read` knows it."""

    @abc.abstractmethod
    def predict(self, point: Point) -> Cost:
        """Cost before running: exact for one-round methods, an upper bound for adaptive ones."""


class _Rounds(NamedTuple):
    point: Point
    queries: tuple[AbstractQuery, ...]
    answers: tuple | None = None


class OneRoundEstimator(AbstractEstimator):
    """A method whose queries are all known in advance: write `plan` and `combine`."""

    @abc.abstractmethod
    def plan(self, point: Point, key: Key | None) -> tuple[AbstractQuery, ...]:
        """All queries; `key` as in `init`."""

    @abc.abstractmethod
    def combine(self, point: Point, answers: tuple) -> Reading:
        """The result from the answers, in the order of the plan."""

    def init(self, point: Point, key: Key | None) -> _Rounds:
        return _Rounds(point, self.plan(point, key))

    def ask(self, state: _Rounds) -> tuple[AbstractQuery, ...]:
        return state.queries if state.answers is None else ()

    def tell(self, state: _Rounds, answers: tuple) -> _Rounds:
        return state._replace(answers=answers)

    def read(self, state: _Rounds) -> Reading:
        if state.answers is None:
            return unknown(state.point)
        return self.combine(state.point, state.answers)

    def predict(self, point: Point) -> Cost:
        # Which of its queries a random method draws does not change what they cost.
        return total_cost(self.plan(point, jax.random.key(0) if self.is_random else None))


def total_cost(queries: Iterable[AbstractQuery]) -> Cost:
    """Cost of answering queries one after another."""
    return sum((q.cost() for q in queries), Cost())


def unknown(point: Point) -> Reading:
    """A reading that knows nothing: NaN everywhere."""
    rows, outputs = np.shape(point.cotangents)
    nan = jax.tree.map(lambda leaf: jnp.full((rows, *jnp.shape(leaf)), jnp.nan), point.coordinates)
    return Reading(jnp.full(outputs, jnp.nan), nan, nan, jnp.full(outputs, jnp.nan))


def exact(value: Values, gradient: Gradient) -> Reading:
    """A reading without any statistical error."""
    return Reading(value, gradient, jax.tree.map(zeros_like, gradient), zeros_like(value))
