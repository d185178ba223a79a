"""The interface of a backward rule."""

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import equinox as eqx
import jax
from jaxtyping import Float, PyTree

from ...errors import NotApplicable
from .._array_types import Batch, Outputs, RawKey

if TYPE_CHECKING:
    from ..layers.layer import AbstractLayer


Apply = Callable[..., PyTree]
"""A network's function, `apply(weights, x)` -> outputs, some with `rule=`."""

LossFunction = Callable[[PyTree, PyTree], Float[jax.Array, ""]]
"""`loss_fn(outputs, y)` -> loss."""


class Task(NamedTuple):
    """What a rule differentiates: a loss of a network's outputs on a batch, without anything else an objective holds.

    Attributes:
        apply: `apply(weights, x)`, for rules that replace its derivative also `apply(weights, x, rule=rule)`.
        loss_fn: `loss_fn(outputs, y)`, a real scalar.
        batch: (x, y).
    """

    apply: Apply
    loss_fn: LossFunction
    batch: tuple[PyTree, PyTree]

    def value(self, weights: PyTree, rule: "AbstractRule | None" = None) -> Float[jax.Array, ""]:
        """The loss, whose derivative is the rule's."""
        x, y = self.batch
        # Only networks that know of rules take the argument.
        outputs = self.apply(weights, x) if rule is None else self.apply(weights, x, rule=rule)
        return self.loss_fn(outputs, y)


class AbstractRule(eqx.Module):
    """Any way to a network's gradient: `value_and_gradient` says all of it.

    Derive from `ActivationRule` or `LayerRule` where the rule replaces the derivative of single layers; it then works
    also in `ntk.empirical(..., rule=...)` and wherever a network's `apply` takes `rule=`. Fields are arrays or static.
    """

    is_exact: ClassVar[bool] = False
    """Whether the gradient is the true one."""
    is_unbiased: ClassVar[bool] = False
    """Whether the mean of the gradient over the rule's draws is the true one; exact rules need not say so."""
    is_random: ClassVar[bool] = False
    """Whether the rule draws anything at each call, and so needs a key."""
    stateful: ClassVar[bool] = False
    """Whether the rule learns from step to step: `after` says what."""

    @abc.abstractmethod
    def value_and_gradient(
        self, task: Task, weights: PyTree, key: RawKey | None
    ) -> tuple[Float[jax.Array, ""], PyTree]:
        """The loss, and this rule's gradient in JAX's convention (conjugate to the one that descends).

        Args:
            task: network, loss and batch.
            weights: pytree of real and complex arrays.
            key: raw key data, (2,) unsigned integers, for rules that are random; else None.
        """

    def after(self, task: Task, weights: PyTree, gradient: PyTree, key: RawKey | None) -> "AbstractRule":
        """The rule for the next step; stateful rules override it.

        State lives in array fields, and a rule never changes: one of the same structure succeeds it. `Loss.step`
        returns the successor, `Backprop` in the estimate's stats["rule"]. It is worked out in one program with the
        gradient, so that passes which both need run once.

        Args:
            task, weights, key: what the gradient was worked out from.
            gradient: what `value_and_gradient` returned.
        """
        del task, weights, gradient, key
        if self.stateful:
            name = type(self).__name__
            raise NotApplicable(
                f"{name} is stateful, but has no method `after`: say there what the next step's rule is"
            )
        return self


class Step(NamedTuple):
    """One step of a rule.

    Attributes:
        value: the loss.
        gradient: the rule's, in JAX's convention.
        rule: its successor; None for rules that are not stateful.
    """

    value: Float[jax.Array, ""]
    gradient: PyTree
    rule: AbstractRule | None


class NetworkRule(AbstractRule):
    """A rule that replaces the derivative of a network's function, so that JAX's own differentiation finds it."""

    def value_and_gradient(
        self, task: Task, weights: PyTree, key: RawKey | None
    ) -> tuple[Float[jax.Array, ""], PyTree]:
        return jax.value_and_grad(task.value)(weights, self.drawn(key) if self.is_random else self)

    def drawn(self, key: RawKey | None) -> "NetworkRule":
        """The rule with what it draws at one call; random rules override it."""
        del key
        if self.is_random:
            raise NotApplicable(f"{type(self).__name__} is random, but has no method `drawn`: say there what it draws")
        return self

    @abc.abstractmethod
    def through(self, layer: "AbstractLayer", params: PyTree, x: Batch) -> Outputs:
        """`layer.apply(params, x)` of a layer, or of a network of layers, with the rule's derivative."""
