"""An objective as a function of tensors whose gradient is the estimator of one's choice."""

from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from ...array_types import Key
from ...backend import AbstractBackend
from ...differentiable import as_jax
from ...estimate import predict_cost
from ...estimator import AbstractEstimator
from ...keys import KeyStream, as_key
from ...objective import AbstractObjective
from ._autograd import evaluate
from ._programs import Program
from ._tensors import check, constant, torch


def as_torch(
    objective: AbstractObjective,
    estimator: AbstractEstimator,
    backend: AbstractBackend | None = None,
    key: Key | int | None = None,
) -> "TorchFunction":
    r"""A function `f(params)` of tensors whose `.backward()` is the estimator.

    What `qcgrad.as_jax` is for JAX: f maps the objective's parameters \(\theta\) to its values \(F_k(\theta)\), and
    backward carries a cotangent \(c\) to \(\sum_k c_k\, \widehat{\partial F_k}\) as the method estimates it. It works
    inside any PyTorch program: `torch.autograd.grad` with `create_graph=True` (second derivatives of exact methods),
    `torch.func.grad`, `jacrev`, `jacfwd` and `hessian`, and `torch.vmap`, which answers a batch with one native call.
    `qcgrad.Tracker` counts the runs.

    Args:
        objective: what to evaluate.
        estimator: how to differentiate.
        backend: who answers, as for `qcgrad.estimate`.
        key: JAX random key or integer seed for methods that sample. Call number i (0, 1, ...) draws with
            `jax.random.fold_in(key, i)`, so a program that runs again draws the same; `f(params, key=...)` draws with
            a key of its own. Deep copies go on in the same sequence.

    Returns:
        A function of the parameters in the objective's structure, with tensors as leaves; for a QNode's objective
        called as the QNode is. Tensors are float32 or float64 on the CPU. Contiguous ones that start at a multiple of
        64 bytes, as whole tensors do, share their memory with JAX, and so do results. The function copies and pickles
        where the objective does.

    Raises:
        NotApplicable: as for `qcgrad.as_jax`; a second derivative of a method that samples, when it is asked for.
        TypeError: tensors of other types or on other devices.
        ValueError: parameters of wrong shape, NaN or infinity; float64 while JAX's 64-bit mode is off; a missing key.
        RuntimeError: `torch.vmap` of a method that samples, without `randomness=`.

    Cost: a call without gradients is one value. A call that needs gradients runs the method once where the objective
    has one output, for value and gradient together; where it has several, forward takes their values, and backward one
    run with the cotangent. One program is compiled for each shape of the parameters.

    Example:
        >>> import jax, torch, qcgrad as qg
        >>> from qcgrad.interop.torch import as_torch
        >>> jax.config.update("jax_enable_x64", True)
        >>> f = as_torch(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), qg.Adjoint())
        >>> theta = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
        >>> value = f(theta)
        >>> value.backward()
        >>> print(round(value.item(), 6), round(theta.grad.item(), 6))
        0.877583 -0.479426
    """
    return TorchFunction(objective, estimator, backend, key)


class TorchFunction:
    """What `as_torch` returns; arguments as there."""

    def __init__(
        self,
        objective: AbstractObjective,
        estimator: AbstractEstimator,
        backend: AbstractBackend | None = None,
        key: Key | int | None = None,
    ):
        self.objective, self.estimator, self.backend = objective, estimator, backend
        found = as_key(key)
        self.keys = None if found is None else KeyStream(found)
        self._function = as_jax(objective, estimator, backend)
        self._programs: dict[Any, tuple[Program, list]] = {}

    def __call__(self, *args: PyTree, key: Key | int | None = None, **kwargs: PyTree) -> PyTree:
        return _uncompiled(self, args, kwargs, key)  # pyright: ignore[reportCallIssue]

    def _evaluated(self, args, kwargs, key):
        named, structure = jax.tree_util.tree_flatten_with_path((args, kwargs))
        paths, leaves = zip(*named, strict=True) if named else ((), ())
        leaves = [_dense(leaf) for leaf in leaves]
        dynamic = [i for i, leaf in enumerate(leaves) if _is_number(leaf)]
        names = tuple(_name(paths[i], len(args)) for i in dynamic)
        fixed = tuple((i, leaf) for i, leaf in enumerate(leaves) if i not in dynamic)
        program, returned = self._program(structure, fixed, names)
        found = evaluate(program, self._next_key(key), _tensors(names, [leaves[i] for i in dynamic]))
        return jax.tree.unflatten(returned[0], found)

    def _program(self, structure, fixed, names) -> tuple[Program, list]:
        """The compiled function of these numbers, and (once it was traced) the structure of what it returns."""
        kind = structure, fixed, names
        if kind not in self._programs:
            returned = [None]

            def function(numbers, key):
                leaves = dict(fixed)
                free = (i for i in range(structure.num_leaves) if i not in leaves)
                leaves |= dict(zip(free, numbers, strict=True))
                args, kwargs = jax.tree.unflatten(structure, [leaves[i] for i in range(structure.num_leaves)])
                found, returned[0] = jax.tree.flatten(self._function(*args, key=key, **kwargs))
                return tuple(found)

            self._programs[kind] = Program(function, names, self._draws()), returned
        return self._programs[kind]

    def _next_key(self, key):
        return as_key(key) if key is not None or self.keys is None else self.keys.next()

    def _draws(self) -> bool:
        if self.estimator.is_random or self.estimator.differentiates == "networks":
            return True
        return predict_cost(self.objective, self.estimator, self.backend).shots > 0

    def __getstate__(self) -> dict[str, Any]:
        # What is compiled is compiled again where the function arrives.
        return {name: value for name, value in self.__dict__.items() if name not in ("_function", "_programs")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["objective"], state["estimator"], state["backend"])
        self.keys = state["keys"]

    def __repr__(self) -> str:
        return f"as_torch({type(self.objective).__name__}, {self.estimator!r})"


@torch.compiler.disable
def _uncompiled(function, args, kwargs, key):
    """What `torch.compile` leaves as it is: JAX has compiled it."""
    return function._evaluated(args, kwargs, key)


def _dense(leaf):
    return np.asarray(leaf) if isinstance(leaf, (jax.Array, np.generic)) else leaf


def _is_number(leaf) -> bool:
    """Whether it is passed on as numbers; what else a QNode takes (integers, names) is part of the program."""
    return isinstance(leaf, (torch.Tensor, np.ndarray, float))


def _tensors(names, leaves) -> tuple[torch.Tensor, ...]:
    given = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    for name, leaf in zip(names, leaves, strict=True):
        if isinstance(leaf, torch.Tensor):
            check(name, leaf)
    dtype = max((leaf.dtype for leaf in given), key=lambda dtype: dtype.itemsize, default=torch.get_default_dtype())
    return tuple(leaf if isinstance(leaf, torch.Tensor) else constant(leaf, dtype) for leaf in leaves)


def _name(path, num_positional: int) -> str:
    """What messages call a number: "params" where there is one argument, and where in it."""
    keywords, which, *inner = path
    start = str(which.key) if keywords.idx else "params" if num_positional == 1 else f"argument {which.idx}"
    return start + jax.tree_util.keystr(tuple(inner))
