"""What a computation found out: an estimate, how it ended, and in words what is wrong with its numbers."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .array_types import Gradient, Values
from .arrays import is_concrete
from .cost import Cost
from .readable import in_html, in_words


class Result(str):
    """How a computation ended: compares equal to its code, and explains itself.

    The codes: "ok"; "budget_exhausted"; "backend_failed"; "not_finite" where the value, a derivative or a variance came
    out as NaN or infinite, with a message that says which one and where it arose.

    Example:
        >>> from qcgrad import Result
        >>> Result("ok", "all queries were answered") == "ok"
        True
    """

    message: str

    def __new__(cls, code: str, message: str) -> Self:
        self = super().__new__(cls, code)
        self.message = message
        return self

    def __getnewargs__(self) -> tuple[str, str]:
        return str(self), self.message


class Estimate(eqx.Module):
    """A value, its gradient, how sure they are, and what they cost.

    Attributes:
        value: scalar, or (K,) for a sequence of observables.
        gradient: structure and shape of `params`; a leading axis K for a sequence of observables.
        variance: variance of each gradient component, same shape; zero where exact, NaN where unknown
            (a single shot has no sample variance).
        value_variance: the same for `value`.
        bias_bound: bound on |E[gradient] - true gradient|, same shape; zero for unbiased methods, NaN where none is
            known, as on a device with noise.
        value_bias_bound: the same for `value`.
        cost: what was spent.
        result: "ok" or what happened, with a `message`.
        fidelity: "exact", or what the backend said that its answers idealize.
        stats: what else the method found out: numbers and arrays by name, such as "cosine", "pointer_variances",
            "triggers", "degrees_of_freedom"; each method's docstring says which.
    """

    value: Any
    gradient: Any
    variance: Any
    value_variance: Any
    bias_bound: Any
    value_bias_bound: Any
    cost: Cost = eqx.field(static=True)
    result: Result = eqx.field(static=True)
    fidelity: str = eqx.field(static=True)
    stats: dict[str, Any] = eqx.field(default_factory=dict)

    @property
    def standard_error(self) -> Gradient:
        """Square root of `variance`, same shape."""
        return jax.tree.map(jnp.sqrt, self.variance)

    @property
    def value_standard_error(self) -> Values:
        """Square root of `value_variance`."""
        return jax.tree.map(jnp.sqrt, self.value_variance)

    def interval(self, level: float = 0.95) -> tuple[Gradient, Gradient]:
        r"""Confidence intervals \(\hat g \pm (t\,\sigma + b)\) of the derivatives, (lower, upper), as `gradient`.

        Sigma is `standard_error`, b `bias_bound`, and t the quantile of Student's distribution with the degrees of
        freedom in `stats`, of the normal one where variances count as known. Exact for Gaussian estimates; b bounds the
        bias, so that biased methods are covered more often than `level` says. Variances are those of the sample: where
        the few outcomes of an expectation value near 1 all agree they are 0, and so is what they add to the interval.
        Where no bias bound is known they are NaN. Complex derivatives get an interval for the real part and one for the
        imaginary part.

        Args:
            level: probability that an interval covers the true derivative, between 0 and 1.

        Raises:
            ValueError: another level.
            TypeError: the estimate is being traced by JAX.

        Example:
            >>> import qcgrad as qg
            >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
            >>> lower, upper = qg.estimate(objective, [0.5], qg.ParameterShift(shots=1000), key=0).interval(0.999)
            >>> bool(lower[0] < -0.4794 < upper[0])
            True

        References:
            Student, "The probable error of a mean", Biometrika 6, 1 (1908).
        """
        spread = jax.tree.map(self._half_width(level), self.variance, self.bias_bound)
        lower = jax.tree.map(lambda g, s: g - _both_parts(g, s), self.gradient, spread)
        return lower, jax.tree.map(lambda g, s: g + _both_parts(g, s), self.gradient, spread)

    def value_interval(self, level: float = 0.95) -> tuple[Values, Values]:
        """The same for `value`."""
        spread = self._half_width(level)(self.value_variance, self.value_bias_bound)
        return self.value - spread, self.value + spread

    def _half_width(self, level: float):
        from scipy.stats import t

        if not isinstance(level, (int, float)) or isinstance(level, bool) or not 0 < level < 1:
            raise ValueError(f"level is {level!r}: give a probability between 0 and 1, for example 0.95")
        freedom = self.stats.get("degrees_of_freedom", np.inf)
        if not is_concrete((freedom, self.variance)):
            raise TypeError("intervals need numbers, but JAX is tracing this estimate: ask for them outside jax.jit")
        quantile = t.ppf((1 + level) / 2, np.maximum(freedom, np.finfo(float).tiny))
        return lambda variance, bias: quantile * jnp.sqrt(variance) + bias

    @property
    def _has_numbers(self) -> bool:
        leaves = jax.tree.leaves((self.value, self.gradient, self.variance, self.bias_bound))
        return is_concrete(leaves) and all(isinstance(leaf, (jax.Array, np.ndarray)) for leaf in leaves)

    def __repr__(self) -> str:
        return in_words(self) if self._has_numbers else eqx.tree_pformat(self)

    __str__ = __repr__

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        return in_html(self) if self._has_numbers else None


def _both_parts(numbers, spread):
    """The spread of real and imaginary parts: the variance of a complex number is that of both together."""
    return spread * (1 + 1j) if jnp.iscomplexobj(numbers) else spread
