"""What a computation found out: an estimate, how it ended, and in words what is wrong with its numbers."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .cost import Cost
from .objective import is_concrete
from .readable import in_words


class Result(str):
    """How a computation ended: compares equal to its code, and explains itself.

    The codes: "ok"; "budget_exhausted"; "not_finite" where the value, a derivative or a variance came out as NaN or
    infinite, with a message that says which one and where it arose.

    Example:
        >>> from qcgrad import Result
        >>> Result("ok", "all queries were answered") == "ok"
        True
    """

    message: str

    def __new__(cls, code: str, message: str):
        self = super().__new__(cls, code)
        self.message = message
        return self

    def __getnewargs__(self):
        return str(self), self.message


class Estimate(eqx.Module):
    """A value, its gradient, how sure they are, and what they cost.

    Attributes:
        value: scalar, or (K,) for a sequence of observables.
        gradient: structure and shape of `params`; a leading axis K for a sequence of observables.
        variance: variance of each gradient component, same shape; zero where exact, NaN where unknown
            (a single shot has no sample variance).
        value_variance: the same for `value`.
        bias_bound: bound on |E[gradient] - true gradient|, same shape; zero for unbiased methods.
        value_bias_bound: the same for `value`.
        cost: what was spent.
        result: "ok" or what happened, with a `message`.
        fidelity: "exact", or how the simulation idealizes the physics.
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

    @property
    def standard_error(self) -> Any:
        """Square root of `variance`, same shape."""
        return jax.tree.map(jnp.sqrt, self.variance)

    @property
    def value_standard_error(self) -> Any:
        """Square root of `value_variance`."""
        return jax.tree.map(jnp.sqrt, self.value_variance)

    def __repr__(self):
        leaves = jax.tree.leaves(self)
        has_numbers = is_concrete(leaves) and all(isinstance(leaf, (jax.Array, np.ndarray)) for leaf in leaves)
        return in_words(self) if has_numbers else eqx.tree_pformat(self)

    __str__ = __repr__
