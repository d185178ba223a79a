"""Expectation values of a circuit that starts from a mixed state."""

import equinox as eqx
import numpy as np

from ..array_types import Angles, Params
from ..objective import AbstractObjective, Reading
from .expectation import Expectation
from .mixture import Mixture


class MixedExpectation(AbstractObjective):
    r"""\(F(\theta) = \mathrm{tr}\big(O\, U(\theta)\, \rho\, U(\theta)^\dagger\big)\) for a mixed state \(\rho\).

    It has the parameters of U alone. Estimators that know pure states only refuse it by name.

    Args:
        source: rho, as a mixture of circuits without parameters.
        expectation: of O behind U; what it would give from \(|0\dots0\rangle\) plays no role.
    """

    source: Mixture = eqx.field(static=True)
    expectation: Expectation

    def __init__(self, source: Mixture, expectation: Expectation):
        self.source = source
        self.expectation = expectation

    coordinate_name = "gate angle"

    @property
    def is_vector(self) -> bool:
        return self.expectation.is_vector

    @property
    def num_outputs(self) -> int:
        return self.expectation.num_outputs

    @property
    def mixes_coordinates(self) -> bool:
        return self.expectation.mixes_coordinates

    def check(self, params: Params) -> Params:
        return self.expectation.check(params)

    def coordinates(self, params: Params) -> Angles:
        return self.expectation.coordinates(params)

    def placeholder(self, dtype: np.dtype) -> Angles:
        return self.expectation.placeholder(dtype)

    def to_params(self, params: Params, reading: Reading) -> Reading:
        return self.expectation.to_params(params, reading)
