"""What all cells share in which a network learns."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import jax
import numpy as np

from ...array_types import Key
from ...cost import Cost
from ...errors import NotApplicable
from ...estimate import predict_cost
from ...estimators import Backprop
from .._memory import check
from .._over_seeds import key_of
from ..cells import Cell
from ..choices import labelled
from ..complex_tasks import accuracy
from . import _tasks as tasks
from ._networks import Architecture
from ._optimizers import optimizer_of
from ._rules import rule_of
from ._train import Moment, Problem, Trained, cross_entropy, squared, train

LOSSES = {"squared": squared, "cross-entropy": cross_entropy}
"""Losses by name."""

# Weights, their gradient, two moments of an optimiser, and new ones of each.
_COPIES_OF_WEIGHTS = 8


class Setting(NamedTuple):
    """A cell, made ready to learn.

    Attributes:
        problem: network, data, loss.
        start: weights and the rule at the beginning.
        key: of all that is drawn later.
        cost: of one step, counted.
    """

    problem: Problem
    start: Moment
    key: Key
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class LearningCell(Cell):
    """One network that learns one task by a rule; options are JSON.

    Attributes:
        task, task_options: where the data come from.
        layer, layer_options, activation, activation_options, width, depth, pools, sigma_w, sigma_b: see `Architecture`.
        rule, rule_options: of the catalogue.
        optimizer, optimizer_options: of optax.
        loss: "squared" or "cross-entropy".
        steps, batch: of the training.
        examples, tests: samples to learn from, and to score on.
        points: how often the training is looked at.
        repetition: which of several with other data, weights and draws.
    """

    hurries = False  # it measures seconds
    task: str
    task_options: str
    layer: str
    layer_options: str
    activation: str
    activation_options: str
    width: int
    depth: int
    pools: bool
    sigma_w: float
    sigma_b: float
    rule: str
    rule_options: str
    optimizer: str
    optimizer_options: str
    loss: str
    steps: int
    batch: int
    examples: int
    tests: int
    points: int
    repetition: int

    @property
    def architecture(self) -> Architecture:
        """The network."""
        return Architecture(**{field.name: getattr(self, field.name) for field in fields(Architecture)})

    @property
    def where(self) -> str:
        return f"{labelled(self.task, self.task_options)}, {self.architecture.label}"

    @property
    def label(self) -> str:
        by = labelled(self.optimizer, self.optimizer_options)
        return f"{labelled(self.rule, self.rule_options)}, {by}, {self.where}, seed {self.repetition}"

    def setting(self, max_bytes: int | None) -> Setting:
        """The network with its data, its rule, and what a step costs.

        Raises:
            StateTooLarge: it would take more memory than is allowed.
            NotApplicable: the rule or the network is not for this task.
        """
        draws = int(np.random.SeedSequence((self.seed, self.repetition)).generate_state(1)[0])
        held = tasks.bytes_of_samples(self.task, self.task_options, self.examples + self.tests)
        check(held, lambda allowed: "fewer examples and tests would fit", max_bytes)
        data = tasks.load(self.task, self.task_options, self.examples, self.tests, draws)
        is_complex = np.iscomplexobj(data.y)
        if self.loss == "cross-entropy" and data.metric is not accuracy:
            raise NotApplicable(f"cross-entropy is for tasks with classes, and {self.task} has none: take squared")
        data = as_seen(data, self.architecture)
        shape, key = data.x.shape[1:], key_of(self.seed, self.repetition)
        network = self.architecture.build(shape, data.y.shape[1], complex_outputs=is_complex)
        ours, feedback, rest = jax.random.split(key, 3)
        self._check_weights(jax.eval_shape(lambda k: network.init(k, shape), ours), max_bytes)
        weights = network.init(ours, shape)
        rule = rule_of(self.rule, self.rule_options, network, shape, feedback)
        problem = Problem(network, LOSSES[self.loss], data, self.batch)
        cost = predict_cost(problem.loss(slice(self.batch), weights), Backprop(rule, compare=False))
        check(cost.peak_bytes, lambda allowed: "a smaller batch or width would fit", max_bytes)
        return Setting(problem, Moment(0, weights, rule), rest, cost)

    def train(self, setting: Setting, look: Callable[[Moment], Any], notify: Callable[[str], None]) -> Trained:
        """Train, and look at `points` moments, often at the beginning and rarely at the end."""

        def seen(moment: Moment) -> None:
            notify(f"step {moment.step:,} of {self.steps:,}")
            with np.errstate(over="ignore", invalid="ignore"):  # a training that diverges says so by its numbers
                look(moment)

        # The first and the last one, and squares between them: most happens early.
        moments = {round(self.steps * (k / (self.points - 1)) ** 2) for k in range(self.points)}
        optimizer = optimizer_of(self.optimizer, self.optimizer_options)
        return train(setting.problem, setting.start, optimizer, setting.key, dict.fromkeys(sorted(moments), seen))

    def _check_weights(self, shapes: Any, max_bytes: int | None) -> None:
        held = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))
        check(_COPIES_OF_WEIGHTS * held, lambda allowed: "a smaller width or depth would fit", max_bytes)


class Progress(NamedTuple):
    """Loss on all examples, and score on the tests; None where they are no finite numbers."""

    loss: float | None
    score: float | None


def progress(problem: Problem, weights: Any) -> Progress:
    """How far a training got."""
    data = problem.data
    score = float(data.metric(problem.outputs(weights, data.test_x), data.test_y))
    numbers = (problem.value(weights), score)
    return Progress(*(number if np.isfinite(number) else None for number in numbers))


def table_of(rows: list[dict[str, Any]], trained: Trained, steps: int) -> dict[str, list[Any]]:
    """What was seen along a training, by column; after a step that diverged all is None."""
    if trained.steps < steps:
        rows = [*rows, dict.fromkeys(rows[0]) | {"step": trained.steps + 1}]
    return {name: [row[name] for row in rows] for name in rows[0]}


def as_seen(data: tasks.Data, network: Architecture) -> tasks.Data:
    """Data in the form that a network takes: without positions for dense layers, pairs for real ones."""
    x, test_x = (part if network.has_positions else part.reshape(len(part), -1) for part in (data.x, data.test_x))
    data = data._replace(x=x, test_x=test_x)
    if not network.is_real:
        return data
    pairs = {name: _parts(getattr(data, name)) for name in ("x", "y", "test_x", "test_y")}
    is_paired = np.iscomplexobj(data.y)

    def metric(predicted: np.ndarray, truth: np.ndarray) -> float:
        return data.metric(_joined(predicted), _joined(truth)) if is_paired else data.metric(predicted, truth)

    return data._replace(**pairs, metric=metric)


def _parts(numbers: np.ndarray) -> np.ndarray:
    """Real and imaginary parts behind each other on the last axis; real numbers as they are."""
    if not np.iscomplexobj(numbers):
        return numbers
    return np.concatenate([np.real(numbers), np.imag(numbers)], axis=-1)


def _joined(parts: np.ndarray) -> np.ndarray:
    half = parts.shape[-1] // 2
    return parts[..., :half] + 1j * parts[..., half:]
