"""What specs share in which networks learn."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..choices import Written, checked, each
from ..kind import Seeds, Whole
from . import _optimizers as optimizers
from . import _rules as rules
from . import _tasks as tasks
from ._networks import Architectures


class Learning(Architectures):
    """A grid of trainings: every network learns every task by every rule and optimiser.

    Names are those of the catalogue, or tables with `name` and options; an option that is a list is a grid.

    Attributes:
        tasks: generators of `qcgrad.studies.complex_tasks`, such as "modulation", and "digits".
        rules: backward rules; by default all that need no option. Those that are not for a network are left out there,
            and the table says why.
        optimizers: of optax; complex weights are pairs of real ones to them.
        loss: "squared", or "cross-entropy" for tasks with classes.
        steps, batch: of a training, and samples of a step.
        examples, tests: samples to learn from, and others to score on.
        seeds: of data, weights and draws: so many trainings of each kind, or a list of numbers.
        points: how often a training is looked at.
    """

    tasks: tuple[Written, ...] = Field(min_length=1)
    rules: tuple[Written, ...] = Field(default_factory=rules.optionless, min_length=1, validate_default=True)
    optimizers: tuple[Written, ...] = Field(
        default=({"name": "adam", "learning_rate": 0.01},), min_length=1, validate_default=True
    )
    loss: Literal["squared", "cross-entropy"] = "squared"
    steps: Whole = Field(default=200, ge=1, le=10_000_000)
    batch: Whole = Field(default=32, ge=1)
    examples: Whole = Field(default=1000, ge=1, le=10_000_000)
    tests: Whole = Field(default=500, ge=1, le=10_000_000)
    seeds: Seeds = (0, 1, 2)
    points: Whole = Field(default=12, ge=2, le=10_000)

    @field_validator("tasks")
    @classmethod
    def _check_tasks(cls, given):
        known = tasks.known()
        return tuple(checked(written, known, "task") for written in given)

    @field_validator("rules")
    @classmethod
    def _check_rules(cls, given):
        known = rules.known()
        return tuple(checked(written, known, "rule") for written in given)

    @field_validator("optimizers")
    @classmethod
    def _check_optimizers(cls, given):
        known = optimizers.known()
        return tuple(checked(written, known, "optimizer") for written in given)

    @model_validator(mode="after")
    def _check_samples(self):
        if self.batch > self.examples:
            raise ValueError(
                f"batch is {self.batch}, but there are {self.examples} examples: give fewer, or more of them"
            )
        for name, _ in each(self.tasks):
            most = tasks.most_samples(name)
            if most is not None and self.examples + self.tests > most:
                raise ValueError(
                    f"examples and tests are {self.examples + self.tests} together, but {name} has {most} samples"
                )
        return self

    def trainings(self, seed: int) -> Iterator[dict[str, Any]]:
        """Fields of a `LearningCell` for each training."""
        shared = {name: getattr(self, name) for name in ("loss", "steps", "batch", "examples", "tests", "points")}
        for task, task_options in each(self.tasks):
            for architecture in self.architectures():
                for rule, rule_options in each(self.rules):
                    for optimizer, optimizer_options in each(self.optimizers):
                        for repetition in self.seeds:
                            yield {
                                **shared,
                                **asdict(architecture),
                                "task": task,
                                "task_options": task_options,
                                "rule": rule,
                                "rule_options": rule_options,
                                "optimizer": optimizer,
                                "optimizer_options": optimizer_options,
                                "repetition": repetition,
                                "seed": seed,
                            }

    def shorter(self) -> Self:
        """The narrowest and shallowest networks, two seeds, fewer steps and samples."""
        limits = {"steps": 50, "examples": 300, "tests": 200, "points": 5}
        less: dict[str, Any] = {name: min(most, getattr(self, name)) for name, most in limits.items()}
        less |= {
            "widths": self.widths[:1],
            "depths": self.depths[:1],
            "seeds": self.seeds[:2],
            "batch": min(self.batch, less["examples"]),
        }
        return self.model_copy(update=less)
