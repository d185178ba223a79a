"""Expectation values of a circuit that starts from a mixed state."""

import equinox as eqx

from ..objective import AbstractObjective
from .expectation import Expectation
from .mixture import Mixture


class MixedExpectation(AbstractObjective):
    r"""\(F(\theta) = \mathrm{tr}\big(O\, U(\theta)\, \rho\, U(\theta)^\dagger\big)\) for a mixed state \(\rho\).

    It has the parameters of U alone. Estimators that know pure states only refuse it by name.

    Args:
        source: rho, as a mixture of circuits without parameters.
        circuit: U and O; what it would give from \(|0\dots0\rangle\) plays no role.
    """

    source: Mixture = eqx.field(static=True)
    circuit: Expectation

    def __init__(self, source: Mixture, circuit: Expectation):
        self.source = source
        self.circuit = circuit

    coordinate_name = "gate angle"

    @property
    def is_vector(self):
        return self.circuit.is_vector

    @property
    def num_outputs(self):
        return self.circuit.num_outputs

    @property
    def mixes_angles(self) -> bool:
        """As in `Expectation`."""
        return self.circuit.mixes_angles

    def check(self, params):
        return self.circuit.check(params)

    def coordinates(self, params):
        return self.circuit.coordinates(params)

    def placeholder(self, dtype):
        return self.circuit.placeholder(dtype)

    def to_params(self, params, reading):
        return self.circuit.to_params(params, reading)
