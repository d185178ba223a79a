"""An objective as a layer of a PyTorch model."""

import math
import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from ...array_types import Key, Params
from ...backend import AbstractBackend
from ...estimator import AbstractEstimator
from ...objective import AbstractObjective
from ._function import TorchFunction
from ._tensors import torch


class TorchLayer(torch.nn.Module):
    r"""An objective as an `nn.Module`: some of its parameters are data, the others are trained.

    Of the parameters \(\theta = (x, w)\), the inputs \(x\) are what `layer(x)` is called with and the weights \(w\) are
    registered as `nn.Parameter`. `layer(x)` is \(F(x, w)\), and its gradient by both is the estimator's, as with
    `as_torch`. Batches are one call of the simulator.

    Args:
        objective: what to evaluate.
        estimator: how to differentiate.
        backend: who answers, as for `qcgrad.estimate`.
        inputs: which parameters are data. Of parameters in one vector, how many leading entries; of a dictionary or
            a tuple (a QNode's arguments), the key or position of one entry. By default none.
        initial: weights to start from, in their structure, or a function that fills a tensor in place, such as
            `torch.nn.init.zeros_`. Arrays of float32 or float64 keep their precision, which inputs then have to have as
            well; all else takes PyTorch's default. By default the objective's example, else angles between -pi and pi
            from PyTorch's generator.
        key: random key or seed, as for `as_torch`; each entry of a batch draws for itself.

    Shapes: inputs (..., *shape of one input), with any axes in front for batches; outputs (...,) for a scalar
    objective, (..., K) for K observables. Layers without inputs are called without arguments.

    Raises:
        ValueError: `inputs` that the objective's parameters do not have, inputs or weights of another shape; and as
            for `as_torch`.
        TypeError: an objective whose parameters' shape is not known in advance; and as for `as_torch`.

    Cost: as for `as_torch`, for each entry of a batch.

    Example:
        >>> import torch, qcgrad as qg
        >>> from qcgrad.interop.torch import TorchLayer
        >>> circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1).ry(0, param=2).ry(1, param=3)
        >>> layer = TorchLayer(qg.Expectation(circuit, ["ZI", "IZ"]), qg.Adjoint(), inputs=2)
        >>> model = torch.nn.Sequential(torch.nn.Linear(5, 2), layer, torch.nn.Linear(2, 1))
        >>> model(torch.ones(8, 5)).shape, layer.weights.shape
        (torch.Size([8, 1]), torch.Size([2]))
    """

    def __init__(
        self,
        objective: AbstractObjective,
        estimator: AbstractEstimator,
        backend: AbstractBackend | None = None,
        *,
        inputs: int | str | None = None,
        initial: Params | Callable[[torch.Tensor], Any] | None = None,
        key: Key | int | None = None,
    ):
        super().__init__()
        self.function = TorchFunction(objective, estimator, backend, key)
        self.inputs = inputs
        example = _example(objective)
        self._is_vector = isinstance(example, np.ndarray)
        weights, self._input_shape = _split(example, inputs, self._is_vector)
        named, self._structure = jax.tree_util.tree_flatten_with_path(weights)
        self._names = [_identifier(path) for path, _ in named]
        starts = [leaf for _, leaf in named]
        if initial is not None and not callable(initial):
            starts = self._given(initial, starts)
        is_free = initial is None and getattr(objective, "example", None) is None
        for name, start in zip(self._names, starts, strict=True):
            is_given = isinstance(start, torch.Tensor)
            tensor = torch.as_tensor(start, dtype=None if is_given else torch.get_default_dtype()).detach().clone()
            if is_free:
                tensor.uniform_(-math.pi, math.pi)
            elif callable(initial):
                initial(tensor)
            self.register_parameter(name, torch.nn.Parameter(tensor))

    @torch.compiler.disable  # JAX compiles it
    def forward(self, x: torch.Tensor | None = None) -> PyTree:
        """F(x, w); x with any axes for batches in front, None for a layer without inputs."""
        weights = jax.tree.unflatten(self._structure, [getattr(self, name) for name in self._names])
        if (x is None) != (self.inputs is None):
            wanted = "no inputs" if self.inputs is None else f"inputs of shape (..., {_written(self._input_shape)})"
            raise ValueError(f"this layer takes {wanted}, and got {'none' if x is None else 'some'}")
        if x is None:
            return self.function(weights)
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"inputs are {type(x).__name__}: give a tensor")
        axes = len(self._input_shape)
        if x.ndim < axes or tuple(x.shape[x.ndim - axes :]) != self._input_shape:
            raise ValueError(f"inputs have shape {tuple(x.shape)}: give (..., {_written(self._input_shape)})")
        batch = x.shape[: x.ndim - axes]
        if not batch:
            return self.function(self._joined(x, weights))
        flat = x.reshape(-1, *self._input_shape)
        found = torch.vmap(lambda one: self.function(self._joined(one, weights)), randomness="different")(flat)
        return jax.tree.map(lambda tensor: tensor.reshape(*batch, *tensor.shape[1:]), found)

    def _joined(self, x, weights):
        if self._is_vector:
            return torch.cat([x, weights])
        if isinstance(weights, dict):
            return {**weights, self.inputs: x}
        return (*weights[: self.inputs], x, *weights[self.inputs :])

    def _given(self, initial, starts):
        leaves, structure = jax.tree.flatten(initial)
        if structure != self._structure:
            leaves = [initial] if len(starts) == 1 else leaves
        shapes = [np.shape(leaf) for leaf in leaves]
        if shapes != [np.shape(start) for start in starts]:
            raise ValueError(
                f"initial has arrays of shapes {shapes}: give weights of shapes {[np.shape(start) for start in starts]}"
            )
        return [_in_its_precision(leaf) for leaf in leaves]

    def extra_repr(self) -> str:
        """What stands between the brackets where the model is printed."""
        return f"{self.function.estimator!r}, inputs={self.inputs!r}"


def _in_its_precision(weights) -> torch.Tensor:
    """A tensor of float64 or float32 where the numbers say so, else of PyTorch's default."""
    given = torch.as_tensor(weights if hasattr(weights, "dtype") else np.asarray(weights))
    says_so = hasattr(weights, "dtype") and given.dtype in (torch.float32, torch.float64)
    return given if says_so else given.to(torch.get_default_dtype())


def _example(objective) -> Any:
    """Parameters in the objective's structure, as NumPy arrays."""
    example = getattr(objective, "example", None)
    if example is not None:
        return jax.tree.map(np.asarray, example)
    count = getattr(objective, "num_parameters", None)
    if count is None:
        raise TypeError(
            f"TorchLayer does not know the parameters of a {type(objective).__name__}: give example=... to the "
            "objective, or write a module of your own around as_torch"
        )
    return np.zeros(count)


def _split(example, inputs, is_vector: bool) -> tuple[Any, tuple[int, ...]]:
    """The weights among the parameters, and the shape of one input."""
    is_index = isinstance(inputs, int) and not isinstance(inputs, bool)
    if inputs is None:
        return example, ()
    if is_vector:
        if not is_index or not 0 < inputs <= len(example):
            raise ValueError(
                f"inputs={inputs!r}: the objective takes one vector of {len(example)} parameters; say how many leading "
                "ones are data"
            )
        return example[inputs:], (inputs,)
    if isinstance(example, dict) and inputs in example:
        rest = {name: value for name, value in example.items() if name != inputs}
        return rest, _shape_of_one(example[inputs], inputs)
    if isinstance(example, (tuple, list)) and is_index and 0 <= inputs < len(example):
        return (*example[:inputs], *example[inputs + 1 :]), _shape_of_one(example[inputs], inputs)
    known = sorted(example) if isinstance(example, dict) else range(len(jax.tree.leaves(example)))
    raise ValueError(f"inputs={inputs!r}: the objective's parameters are {list(known)}")


def _shape_of_one(value, inputs):
    if not isinstance(value, np.ndarray):
        raise ValueError(
            f"inputs={inputs!r} is a {type(value).__name__} of parameters: choose an entry that is an array"
        )
    return value.shape


def _identifier(path) -> str:
    """A name for a parameter of a module, from where it stands."""
    return "weights" + re.sub(r"\W+", "_", jax.tree_util.keystr(path)).rstrip("_")


def _written(shape) -> str:
    return ", ".join(map(str, shape))
