"""What the single-copy methods on one common state share: one query, whose answer gives all strings."""

import abc
from typing import Any, ClassVar, NamedTuple, Self

import equinox as eqx
import numpy as np
from jaxtyping import Int

from ....array_types import Angles, Key
from ....cost import Cost
from ....estimator import AbstractEstimator, total_cost, unknown
from ....ir import Program
from ....ir.pull_back import PauliComponents
from ....objective import Point, Reading
from ....queries import AbstractQuery, Access, Evaluate, MeasureBases, stabilizer_gates
from ..._checks import checked_count
from ..._pauli_components import fixed_gates, most_strings, pauli_components
from ..._programs import check_covariances, program_at
from ...accuracy import checked_accuracy, counted, log_of, num_components
from . import _string_statistics as statistics
from ._string_statistics import StringEstimates


class CommonStateEstimator(AbstractEstimator):
    """A method that measures Pauli strings of one common state: write `measurement` and `estimates`."""

    copies: int = eqx.field(static=True)
    access = Access.single_copy
    accuracy_option = "copies"
    needs_common_state = True
    # What is measured follows from the angles, which therefore have to be known numbers.
    is_traceable: ClassVar[bool] = False

    def __init__(self, copies: int):
        self.copies = checked_count("copies", copies)

    @abc.abstractmethod
    def measurement(self, preparation: Program, angles: Angles, components: PauliComponents) -> "Measurement":
        """What to ask about at least one string of the state that is prepared at the angles (0,)."""

    @classmethod
    @abc.abstractmethod
    def copies_for(cls, components: PauliComponents, log: float, epsilon: float) -> float:
        """Copies after which no derivative is off by more than epsilon, at `log_of` how many and how likely."""

    @abc.abstractmethod
    def estimates(self, measurement: "Measurement", components: PauliComponents, answer: Any) -> StringEstimates:
        """All strings from the answer."""

    def init(self, point: Point, key: Key | None) -> "_State":
        check_covariances(point, self)
        components = pauli_components(program_at(point, self, samples=True), point.coordinates, self)
        if not len(components.x):
            return _State(point, components, None)
        preparation: Any = components.preparation  # a program: `program_at` refuses mixtures
        return _State(
            point, components, self.measurement(preparation, np.zeros(0, point.coordinates.dtype), components)
        )

    def ask(self, state: "_State") -> tuple[AbstractQuery, ...]:
        return () if state.measurement is None or state.answer is not None else (state.measurement.query,)

    def tell(self, state: "_State", answers: tuple) -> "_State":
        return state._replace(answer=answers[0])

    def read(self, state: "_State") -> Reading:
        if state.measurement is None:
            return statistics.reading(state.components, statistics.nothing_to_measure(), state.point)
        if state.answer is None:
            return unknown(state.point)
        found = self.estimates(state.measurement, state.components, state.answer)
        return statistics.reading(state.components, found, state.point)

    def value_query(self, point: Point) -> Evaluate:
        """The observable alone, with all copies."""
        program = program_at(point, self, samples=True)
        return Evaluate(program, point.coordinates[None], max(1, self.copies // max(1, len(program.bases))))

    def predict(self, point: Point) -> Cost:
        """Exact where the cost does not depend on the strings; else an upper bound, with exact copies and shots.

        Which strings there are follows from the angles, and a prediction knows none.
        """
        asked = self.ask(self.init(point, None))
        if not asked or not isinstance(asked[0], MeasureBases):
            return total_cost(asked)
        program = program_at(point, self, samples=True)
        n = program.num_qubits
        return Cost(
            copies=self.copies,
            shots=self.copies,
            circuit_runs=min(self.copies, most_strings(program)),
            gates=self.copies * (fixed_gates(program) + stabilizer_gates(n)),
            qubits=n,
        )

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """Copies by `copies_for`."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        components = pauli_components(program_at(point, cls, samples=True), point.coordinates, cls)
        log = log_of(num_components(point), delta)
        return cls(counted(cls, cls.copies_for(components, log, epsilon), epsilon))


class Measurement(NamedTuple):
    """A query, and whatever is needed to understand its answer."""

    query: Any
    details: Any = None


class _State(NamedTuple):
    point: Point
    components: PauliComponents
    measurement: Measurement | None
    answer: Any = None


def equal_shares(estimator: CommonStateEstimator, what: str, count: int) -> Int[np.ndarray, "count"]:
    """Copies for each of `count` measurements; the first ones get what is left over."""
    share, left = divmod(estimator.copies, count)
    if not share:
        raise ValueError(
            f"{type(estimator).__name__} copies={estimator.copies}: {count} {what} are measured, so give at "
            f"least {count} copies"
        )
    return share + (np.arange(count) < left)
