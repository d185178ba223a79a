"""How a gradient is estimated: the interface of a method, and its common special case."""

import abc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from .array_types import Gradient, Key, Values
from .arrays import zeros_like
from .cost import Cost
from .errors import NotApplicable
from .objective import Point, Reading
from .queries import AbstractQuery, Access, value_in


class Directions(NamedTuple):
    """Where a method moves at random.

    Attributes:
        drawn: (D, S) independent rows v with E[v v^T] = 1.
        steps: (D,) how far along each.
        index, scale: (A,) coordinate a moves by scale[a] v[index[a]].
    """

    drawn: Float[np.ndarray, "D S"]
    steps: Float[np.ndarray, "D"]
    index: Int[np.ndarray, "A"]
    scale: Float[np.ndarray, "A"]


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

    accuracy_option: ClassVar[str] = ""
    """The option whose growth alone buys accuracy, such as "shots" or "copies"; empty where there is none."""
    needs_common_state: ClassVar[bool] = False
    """Whether the derivatives have to be Pauli expectations of one common state, as at Clifford angles."""
    is_typical: ClassVar[bool] = False
    """Whether it stands for methods of its kind in studies that name none."""

    allots_shots: ClassVar[bool] = False
    """Whether each coordinate can have its own number of shots, by `allotted`."""

    allots_directions: ClassVar[bool] = False
    """Whether each direction that it moves along at random can have its own number of shots, by `directed`."""

    is_random: ClassVar[bool] = False
    """Whether the method draws at random what it asks, so that `init` needs a key; answers are drawn by backends."""

    if not TYPE_CHECKING:
        # Of each method that is looked up Equinox makes a pytree, which takes longer than most of these methods run: a
        # third of an estimate of a small circuit. None of them is handed to JAX as such.
        __getattribute__ = object.__getattribute__

    @property
    def stateful(self) -> bool:
        """Whether an estimate's stats hold what the next step needs: then the method is no function of parameters."""
        return False

    def on(self, backend: Any) -> Self:
        """The method as it is on an `AbstractBackend`; by default itself.

        Methods that choose look at what a backend grants, and at its noise.
        """
        return self

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

    def nothing_known(self, point: Point) -> Reading:
        """The reading where nothing was asked, or the coordinates are no numbers: NaN everywhere."""
        return unknown(point)

    def report(self, stats: dict[str, Any]) -> str:
        """What the result's message says of the stats, where `read` found any; "" for nothing."""
        return ""

    @abc.abstractmethod
    def value_query(self, point: Point) -> AbstractQuery:
        """The query whose answer gives the value alone (as `mean` or `value`), as well as `read` knows it."""

    def value_queries(self, point: Point) -> tuple[AbstractQuery, ...]:
        """All that is asked for the value alone: `value_query`, where a method needs no more than one question."""
        return (self.value_query(point),)

    def value_of(self, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Values:
        """The value (K,) from the answers to `value_queries`."""
        (answer,) = answers
        return value_in(answer)

    @abc.abstractmethod
    def predict(self, point: Point) -> Cost:
        """Cost before running: exact for one-round methods, an upper bound for adaptive ones."""

    def allotted(self, point: Point, value: int, shots: Int[np.ndarray, "A"]) -> Self:
        """The same method with its own number of shots for each coordinate, where it `allots_shots`.

        Args:
            point: where; what it asks there decides what is allotted.
            value: shots of the evaluation that gives the value.
            shots: (A,) shots of each evaluation that goes into the derivative by that coordinate.
        """
        raise NotApplicable(f"{type(self).__name__} has no shots for each coordinate: they share what is measured")

    def drawn(self, point: Point, key: Key) -> Directions:
        """The directions that `init` draws with this key, where it `allots_directions`."""
        raise NotApplicable(f"{type(self).__name__} has no shots for each direction")

    def directed(self, value: int, shots: Int[np.ndarray, "D"]) -> Self:
        """The same method with its own number of shots for each direction, where it `allots_directions`.

        Args:
            value: shots of the evaluation that gives the value.
            shots: (D,) shots of each evaluation along that direction.
        """
        raise NotApplicable(f"{type(self).__name__} has no shots for each direction")

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """The cheapest instance whose worst derivative is proved to miss epsilon with probability delta at most.

        The promise is of the method's own bounds, for the worst state that they allow.

        Args:
            point: where; all derivatives by its coordinates count, for each of its cotangents.
            epsilon: largest error of a derivative, in units of the outputs over those of a coordinate.
            delta: probability that any of them is further off, at most.

        Returns:
            An instance; where the method is exact, the method itself.

        Raises:
            ValueError: an epsilon that is no positive number, a delta that is not between 0 and 1.
            NotApplicable: no bound is known, or none for this objective.

        Example:
            >>> import qcgrad as qg
            >>> from qcgrad.objective import point_at
            >>> point, _ = point_at(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [0.5])
            >>> qg.ParameterShift.for_accuracy(point, epsilon=0.1, delta=0.01).shots  # ln(2 / 0.01) / 0.1^2
            530
        """
        raise NotApplicable(f"{cls.__name__} states no bound on its errors: choose its options, and look at variances")

    @classmethod
    def expected_for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """The instance that is likely to do in typical cases, without proof; by default the one that is proved to.

        Scaling studies start their search from it, or measure its errors. Arguments and errors as for `for_accuracy`.
        """
        return cls.for_accuracy(point, epsilon, delta)


class AbstractPrecision(abc.ABC):
    """How precise a gradient has to be: `qcgrad.Precision`.

    Attributes:
        epsilon: with `delta`, the largest error; without, the largest standard error.
        delta: probability with which it may be larger.
    """

    epsilon: float
    delta: float | None

    @abc.abstractmethod
    def reached_by(self, estimator: AbstractEstimator) -> AbstractEstimator:
        """The method, with as many shots as it needs.

        Raises:
            NotApplicable: a method that cannot be told how many to take.
        """


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
    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Reading:
        """The result from the answers to the queries of the plan, in its order."""

    def init(self, point: Point, key: Key | None) -> _Rounds:
        queries = self.plan(point, key)
        # Where there is nothing to ask, all is known.
        return _Rounds(point, queries, None if queries else ())

    def ask(self, state: _Rounds) -> tuple[AbstractQuery, ...]:
        return state.queries if state.answers is None else ()

    def tell(self, state: _Rounds, answers: tuple) -> _Rounds:
        return state._replace(answers=answers)

    def read(self, state: _Rounds) -> Reading:
        if state.answers is None:
            return self.nothing_known(state.point)
        return self.combine(state.point, state.queries, state.answers)

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
