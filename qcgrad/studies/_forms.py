"""Forms of scaling laws, fitted by least squares in ln y to many samples at once.

Relative departures count, since costs span decades and their scatter grows with them; and forms compare only where
their departures are on one scale. Arrays of samples are (B, K): B samples at the same K sizes.
"""

import abc
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Row = Float[np.ndarray, " K"]
Samples = Float[np.ndarray, "B K"]
Parameters = Float[np.ndarray, "B P"]
Slopes = Float[np.ndarray, "B K P"]

# Of Levenberg and Marquardt's iteration; from the ends of the data it converges in about ten.
_ITERATIONS = 25
# What an ending at or below zero would be, in ln y.
_NOTHING = -700.0


class Form(abc.ABC):
    """A family of curves.

    Attributes:
        name: for people.
        free: number of parameters.
        least: sizes are larger than this.
    """

    name: str
    free: int
    least: float = 0.0

    @abc.abstractmethod
    def solve(self, x: Row, logs: Samples, weights: Row) -> Parameters:
        """The parameters of least squares."""

    @abc.abstractmethod
    def logs(self, x: Row, parameters: Parameters) -> Samples:
        """ln y of the curves."""

    @abc.abstractmethod
    def slopes(self, x: Row, parameters: Parameters) -> Slopes:
        """Derivatives of ln y by the parameters."""

    def covariances(self, x: Row, parameters: Parameters, weights: Row) -> Float[np.ndarray, "B P P"]:
        """Of the parameters, for departures of ln y with variances 1/weights."""
        slopes = self.slopes(x, parameters)
        # Units of y may be anything, and a law that fits badly may leave a parameter next to free.
        size = np.max(np.abs(slopes), axis=1)
        scaled = slopes / size[:, None, :]
        inverse = np.linalg.pinv(np.einsum("bkp,k,bkq->bpq", scaled, weights, scaled), hermitian=True)
        return inverse / size[:, :, None] / size[:, None, :]


@dataclass(frozen=True)
class Power(Form):
    """y = c x^k factor(x); parameters ln c and k, or ln c alone.

    Attributes:
        name, least: of the form.
        has_exponent: whether k is free, else it is zero.
        log_factor: ln of a known factor.
    """

    name: str
    has_exponent: bool = True
    log_factor: Callable[[Row], Row] = np.zeros_like
    least: float = 0.0

    @property
    def free(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return 1 + self.has_exponent

    def solve(self, x: Row, logs: Samples, weights: Row) -> Parameters:
        slopes = self._design(x)
        root = np.sqrt(weights)
        return (logs - self.log_factor(x)) * root @ np.linalg.pinv(slopes * root[:, None]).T

    def logs(self, x: Row, parameters: Parameters) -> Samples:
        return parameters @ self._design(x).T + self.log_factor(x)

    def slopes(self, x: Row, parameters: Parameters) -> Slopes:
        return np.broadcast_to(self._design(x), (len(parameters), len(x), self.free))

    def _design(self, x):
        return np.stack([np.ones(len(x)), np.log(x)][: self.free], axis=-1)


@dataclass(frozen=True)
class Logarithm(Form):
    """y = a + b ln x, positive at all sizes that it is fitted to; parameters a and b."""

    name: str = "logarithm"
    free: int = 2
    least: float = 0.0

    def solve(self, x: Row, logs: Samples, weights: Row) -> Parameters:
        u = np.log(x)
        low, high = u.min(), u.max()
        t = (u - low) / (high - low)
        ends = self._ends(t, logs, weights)
        first, last = np.exp(ends).T
        slope = (last - first) / (high - low)
        return np.stack([first - slope * low, slope], axis=-1)

    def _ends(self, t, logs, weights):
        """ln y at the smallest and largest size: any values of these make a curve that is positive between them."""
        ends = np.stack([logs[:, np.argmin(t)], logs[:, np.argmax(t)]], axis=-1)
        damping = np.full(len(logs), 1e-3)
        missed = _missed(t, ends, logs, weights)
        for _ in range(_ITERATIONS):
            curve, share = _between(t, ends)
            slopes = np.stack([1 - share, share], axis=-1)
            normal = np.einsum("bkp,k,bkq->bpq", slopes, weights, slopes)
            gradient = np.einsum("bkp,k,bk->bp", slopes, weights, logs - curve)
            damped = normal + damping[:, None, None] * np.eye(2) * np.trace(normal, axis1=1, axis2=2)[:, None, None]
            tried = ends + np.linalg.solve(damped, gradient[..., None])[..., 0]
            found = _missed(t, tried, logs, weights)
            better = found <= missed
            ends = np.where(better[:, None], tried, ends)
            missed = np.where(better, found, missed)
            damping = np.clip(np.where(better, damping / 10, damping * 10), 1e-12, 1e6)
        return ends

    def logs(self, x: Row, parameters: Parameters) -> Samples:
        values = parameters[:, :1] + parameters[:, 1:] * np.log(x)
        # Beyond the sizes of the fit it may fall to zero and below.
        return np.log(np.maximum(values, math.exp(_NOTHING)))

    def slopes(self, x: Row, parameters: Parameters) -> Slopes:
        values = np.exp(self.logs(x, parameters))
        return np.stack([1 / values, np.log(x) / values], axis=-1)


def _between(t, ends):
    """ln y of straight lines between two values, and the share of the second one in y."""
    parts = ends[:, None, :] + np.log(np.stack([1 - t, t], axis=-1) + 1e-300)
    curve = np.logaddexp(parts[..., 0], parts[..., 1])
    return curve, np.exp(parts[..., 1] - curve)


def _missed(t, ends, logs, weights):
    return np.square(logs - _between(t, ends)[0]) @ weights


CONSTANT = Power("constant", has_exponent=False)
LOGARITHM = Logarithm()
POWER = Power("power law")
POWER_LOGARITHM = Power("power · log", log_factor=lambda x: np.log(np.log(x)), least=1.0)

FORMS: tuple[Form, ...] = (CONSTANT, LOGARITHM, POWER, POWER_LOGARITHM)
"""Those with fewer parameters first, then the ones that grow more slowly."""
