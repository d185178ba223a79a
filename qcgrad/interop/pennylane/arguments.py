"""The arguments of a QNode: which of their numbers are parameters, and which are fixed."""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ...array_types import Params
from ...errors import ImportRefused

if TYPE_CHECKING:  # PennyLane is slow to import, so it waits until it is used
    import pennylane as qml


class Arguments:
    """How a QNode is called.

    Args:
        qnode: PennyLane's.
        args: examples; their floating-point numbers are parameters.
        kwargs: fixed.

    Raises:
        ImportRefused: the QNode does not take these arguments.
    """

    def __init__(self, qnode: "qml.QNode", args: Sequence[Any], kwargs: Mapping[str, Any]):
        try:
            bound = inspect.signature(qnode.func).bind(*args, **kwargs)
        except TypeError as error:
            raise ImportRefused(f"give the arguments that the QNode is called with, as examples: {error}") from error
        names = [name for name in bound.arguments if name not in kwargs]
        # A QNode may take *args: then they are counted.
        self.names = [names[k] if k < len(names) else f"argument {k}" for k in range(len(args))]
        parts = [_split(arg) for arg in args]
        self.chosen = [k for k, (dynamic, _) in enumerate(parts) if jax.tree.leaves(dynamic)]
        dynamic = tuple(parts[k][0] for k in self.chosen)
        self.example = dynamic[0] if len(dynamic) == 1 else dynamic
        self._parts = parts
        # Arguments that hold parameters and nothing else.
        self._free = [k for k in self.chosen if not jax.tree.leaves(parts[k][1])]
        self._fixed = [_print(static) for _, static in parts]
        self._fixed_keywords = {name: _print(value) for name, value in kwargs.items()}

    def full(self, params: Params) -> list[Any]:
        """All positional arguments, with these parameters in the places of the examples'."""
        given = dict(zip(self.chosen, self._each(params), strict=True))
        return [_merge(given[k], static) if k in given else static for k, (_, static) in enumerate(self._parts)]

    def _each(self, params):
        return (params,) if len(self.chosen) == 1 else params

    def params(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """The parameters in arguments with which the QNode itself is called, or in parameters alone.

        Raises:
            TypeError: other arguments than the QNode takes.
            ValueError: a fixed argument differs from the example's.
        """
        for name, value in keywords.items():
            self._check_fixed(name, value, self._fixed_keywords.get(name))
        if len(arguments) == len(self.names):
            parts = [(a, None) if k in self._free else _split(a) for k, a in enumerate(arguments)]
            for k, (_, static) in enumerate(parts):
                if k not in self._free:
                    self._check_fixed(self.names[k], static, self._fixed[k])
            arguments = [parts[k][0] for k in self.chosen]
        if len(arguments) == len(self.chosen):
            return arguments[0] if len(arguments) == 1 else tuple(arguments)
        if len(arguments) == 1:
            return arguments[0]
        raise TypeError(
            f"{len(arguments)} arguments: the QNode was imported with {len(self.names)} ({', '.join(self.names)}), of "
            f"which {', '.join(self.names[k] for k in self.chosen)} hold parameters; a random key goes by keyword, key="
        )

    def _check_fixed(self, name, value, fixed):
        try:
            agrees = _print(value) == fixed
        except jax.errors.JAXTypeError as error:
            raise TypeError(
                f"argument {name} was fixed when the QNode was imported, and is being traced by JAX: leave fixed "
                "arguments out, or keep them out of jit and grad"
            ) from error
        if not agrees:
            raise ValueError(
                f"argument {name} differs from the one that the QNode was imported with, where it was fixed: import "
                "the QNode again"
            )

    def __getstate__(self) -> dict[str, Any]:
        # What was fixed may be anything, and only its print is compared.
        return {name: value for name, value in self.__dict__.items() if name != "_parts"}

    def _key(self):
        return self.names, self.chosen, self._fixed, self._fixed_keywords

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arguments) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((tuple(self.names), tuple(self.chosen)))


def _is_leaf(leaf):
    from pennylane.measurements import MeasurementProcess
    from pennylane.operation import Operator

    # Operators are trees for JAX, but here they are fixed as a whole.
    return leaf is None or isinstance(leaf, (Operator, MeasurementProcess))


def _split(tree):
    """(parameters, the rest) of one argument, each with None in the other's places."""
    leaves, structure = jax.tree.flatten(tree, is_leaf=_is_leaf)
    dynamic = [_as_parameter(leaf) for leaf in leaves]
    # PennyLane's own tensors do not mix with JAX's.
    plain = [np.asarray(leaf) if hasattr(leaf, "requires_grad") and not is_torch(leaf) else leaf for leaf in leaves]
    static = [leaf if d is None else None for leaf, d in zip(plain, dynamic, strict=True)]
    return structure.unflatten(dynamic), structure.unflatten(static)


def is_torch(leaf: Any) -> bool:
    """Whether this is a tensor of torch, which is not imported for the question."""
    return type(leaf).__module__.split(".")[0] == "torch" and hasattr(leaf, "requires_grad")


def detached(leaf: Any) -> Any:
    """A tensor of torch as its numbers, whatever watches it; anything else as it is."""
    return leaf.detach().cpu().numpy() if is_torch(leaf) else leaf


def _as_parameter(leaf):
    if is_torch(leaf):
        return _as_parameter(detached(leaf)) if leaf.dtype.is_floating_point else None
    if isinstance(leaf, (bool, int, str)) or leaf is None or getattr(leaf, "requires_grad", True) is False:
        return None
    dtype = getattr(leaf, "dtype", None)
    if isinstance(leaf, float):
        return np.asarray(leaf, dtype=jax.dtypes.canonicalize_dtype(float))
    if dtype is None or not jnp.issubdtype(dtype, jnp.floating):
        return None
    if isinstance(leaf, Tracer):
        return leaf
    plain = np.asarray(leaf)
    return np.array(plain, dtype=jax.dtypes.canonicalize_dtype(plain.dtype))


def _merge(dynamic, static):
    return jax.tree.map(lambda d, s: s if d is None else d, dynamic, static, is_leaf=_is_leaf)


def _print(value):
    """What two fixed arguments are compared by."""
    leaves, structure = jax.tree.flatten(value, is_leaf=lambda leaf: leaf is None)
    return str(structure), tuple(_print_leaf(leaf) for leaf in leaves)


def _print_leaf(leaf):
    leaf = detached(leaf)
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    if isinstance(leaf, (jax.Array, np.ndarray, np.generic, int, float, complex)):
        array = np.asarray(leaf)
        return array.dtype.kind, array.shape, array.tolist()
    return repr(leaf)
