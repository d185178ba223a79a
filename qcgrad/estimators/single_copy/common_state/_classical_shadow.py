"""What classical shadows share: each copy in a random basis of an ensemble, and how often it contains a string."""

import abc
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from ....array_types import Angles
from ....ir import Program
from ....ir.pull_back import PauliComponents
from ....queries import RandomizedMeasure, Snapshots
from ._common_state import CommonStateEstimator, Measurement
from ._snapshots import copies_for, estimates
from ._string_statistics import StringEstimates


class ClassicalShadow(CommonStateEstimator):
    """A method that measures each copy in its own random basis: say of which `ensemble`, and `weight`."""

    ensemble: ClassVar[Literal["clifford", "local"]]

    @staticmethod
    @abc.abstractmethod
    def weight(components: PauliComponents) -> Float[np.ndarray, " D"]:
        """One over the probability that a random basis contains each string."""

    def measurement(self, preparation: Program, angles: Angles, components: PauliComponents) -> Measurement:
        return Measurement(RandomizedMeasure(preparation, angles, self.ensemble, self.copies))

    def estimates(self, measurement: Measurement, components: PauliComponents, answer: Snapshots) -> StringEstimates:
        return estimates(components, answer, self.weight(components))

    @classmethod
    def copies_for(cls, components: PauliComponents, log: float, epsilon: float) -> float:
        """Bernstein's inequality."""
        return copies_for(components, cls.weight(components), log, epsilon)
