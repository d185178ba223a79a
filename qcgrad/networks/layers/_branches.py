"""Sums of branches: residual networks."""

import functools
import operator
from collections.abc import Iterator

import jax
from jaxtyping import PyTree

from ...array_types import Key
from ...errors import NotApplicable
from .._array_types import Batch, Outputs, Signal
from .._gap import gap_of_sum
from ..kernel_state import KernelState
from ..rules._activation_rule import ActivationRule
from ..rules._layer_rule import LayerRule
from ..rules.rule import NetworkRule
from ._spacing import on_common_pairs
from ._weights import as_complex
from .layer import AbstractLayer, Pairs, Placed
from .serial import serial


class Sum(AbstractLayer):
    r"""The sum of branches that get the same input: \(\sum_b b(x)\).

    Kernels add, since cross terms vanish: every branch but one has to end in weights of its own (Dense or Conv), which
    have mean zero and know nothing of the other branches.

    Args:
        branches: layers of one output shape; `serial()` is the identity.

    Raises:
        TypeError: a branch is not a layer.
        ValueError: there is no branch.

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> layer = nn.Sum((nn.Dense(3), nn.Dense(3)))
        >>> params = layer.init(jax.random.key(0), (2,))
        >>> layer.apply(params, jax.numpy.ones((5, 2))).shape
        (5, 3)
    """

    branches: tuple[AbstractLayer, ...]

    def __check_init__(self) -> None:
        if not isinstance(self.branches, tuple) or not self.branches:
            raise ValueError(f"Sum takes a tuple of at least one layer, but {self.branches!r} was given.")
        serial(*self.branches)

    @property
    def sublayers(self) -> tuple[AbstractLayer, ...]:
        return self.branches

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        shapes = [branch.output_shape(shape) for branch in self.branches]
        if len(set(shapes)) > 1:
            raise ValueError(f"Sum takes branches of one output shape, but theirs are {shapes} for inputs {shape}.")
        return shapes[0]

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[PyTree, ...]:
        self.output_shape(shape)
        keys = jax.random.split(key, len(self.branches))
        return tuple(branch.init(key, shape) for branch, key in zip(self.branches, keys, strict=True))

    def apply(self, params: tuple[PyTree, ...], x: Batch, rule: NetworkRule | None = None) -> Outputs:
        if rule is not None and not isinstance(rule, ActivationRule):
            return rule.through(self, params, x)
        return _summed(branch.apply(own, x, rule) for branch, own in zip(self.branches, params, strict=True))

    def placed(self, shape: tuple[int, ...]) -> Iterator[Placed]:
        for i, branch in enumerate(self.branches):
            yield from (((i, *path), layer, inputs) for path, layer, inputs in branch.placed(shape))

    def trace(
        self, params: tuple[PyTree, ...], x: Batch, rule: LayerRule, path: tuple[int, ...]
    ) -> tuple[Outputs, tuple[PyTree, ...]]:
        pairs = [
            b.trace(own, x, rule, (*path, i)) for i, (b, own) in enumerate(zip(self.branches, params, strict=True))
        ]
        return _summed(y for y, _ in pairs), tuple(kept for _, kept in pairs)

    def pull(
        self,
        params: tuple[PyTree, ...],
        kept: tuple[PyTree, ...],
        cotangent: Outputs,
        rule: LayerRule,
        path: tuple[int, ...],
    ) -> tuple[tuple[PyTree, ...], Signal]:
        gradients, fronts = [], []
        for i, branch in enumerate(self.branches):
            gradient, front = branch.pull(params[i], kept[i], cotangent, rule, (*path, i))
            gradients.append(gradient)
            fronts.append(front)
        return tuple(gradients), _summed(fronts)

    def pairs_in_front(self, behind: Pairs, shape: tuple[int, ...]) -> Pairs:
        wanted = {branch.pairs_in_front(behind, shape) for branch in self.branches}
        return wanted.pop() if len(wanted) == 1 else (1,) * (len(shape) - 1)

    def propagate(self, state: KernelState) -> KernelState:
        states = on_common_pairs([branch.propagate(state) for branch in self.branches])
        independent = [
            after.law == "gaussian" and any(part.has_weights for part in branch.walk())
            for branch, after in zip(self.branches, states, strict=True)
        ]
        if independent.count(False) > 1:
            raise NotApplicable(
                "Sum has no infinite-width kernel here: more than one branch does not end in weights of its own, so "
                "that branches are correlated. End them with a Dense or Conv layer."
            )
        total, laws = states[0], {after.law for after in states}
        for after in states[1:]:
            total = _added(total, after)
        return total._replace(
            law=laws.pop() if len(laws) == 1 else "features",
            nonlinear=next((after.nonlinear for after in reversed(states) if after.nonlinear), None),
            is_narrow=any(after.is_narrow for after in states),
        )


def Residual(branch: AbstractLayer) -> Sum:
    """x + branch(x): the sum of the identity and a branch, which has to end in a Dense or Conv layer.

    Args:
        branch: a layer that keeps the shape of its inputs.

    Returns:
        The layer; its parameters are ((), the branch's).

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> layer = nn.Residual(nn.Dense(2))
        >>> params = layer.init(jax.random.key(0), (2,))
        >>> layer.apply(params, jax.numpy.ones((5, 2))).shape
        (5, 2)

    References:
        He, Zhang, Ren, Sun, Deep residual learning for image recognition, CVPR 2016.
    """
    return Sum((serial(), branch))


def _summed(arrays):
    return functools.reduce(operator.add, arrays)


def _added(first, second):
    if first.is_complex != second.is_complex:
        first, second = (s if s.is_complex else as_complex(s) for s in (first, second))
    other = second._asdict()
    arrays = {n: a + other[n] for n, a in first._asdict().items() if isinstance(a, jax.Array) and n != "gap"}
    known = first.gap is not None and second.gap is not None
    return first._replace(**arrays, gap=gap_of_sum(first.gaussians, second.gaussians) if known else None)
