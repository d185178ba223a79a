"""Parameter maps read off a JAX program: data where they are affine, one compiled function where not."""

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr
from jaxtyping import Bool, Float, PyTree
from numpy.typing import DTypeLike

from ...array_types import Array, CircuitParams, Params
from ...errors import ImportRefused
from ...ir.parameter_map import AffineMap, PureMap, ravel
from ._replay import Replay
from ._symbolic import CONSTANT, Reader, Values
from ._symbolic import inputs as symbolic_inputs
from ._symbolic_rules import RULES, as_values

# A pickled map keeps this many derivatives: gradients, and gradients of gradients.
_ORDERS = 2
_LOCATIONS = re.compile(r"^#loc.*\n| loc\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", re.MULTILINE)


class TracedMap(PureMap):
    """y = affine(x, h(x)) with any function h that JAX traces.

    Args:
        affine: of the N inputs followed by the H values of h.
        function: h, from (N,) to (H,) in the precision in which it was traced.
        num_inputs: N.
        dtype: that precision.
    """

    def __init__(
        self,
        affine: AffineMap,
        function: Callable[[Float[Array, "N"]], Float[Array, "H"]],
        num_inputs: int,
        dtype: DTypeLike,
    ):
        self.affine = affine
        self.function = function
        self.num_inputs = num_inputs
        self.dtype = np.dtype(dtype)

    @property
    def bends(self) -> Bool[np.ndarray, "P"]:
        """(P,) whether y is not affine in x."""
        found = np.zeros(len(self.affine.offset), bool)
        found[self.affine.row[self.affine.column >= self.num_inputs]] = True
        return found

    def __call__(self, params: Params) -> CircuitParams:
        x = ravel(params)
        if x.dtype.itemsize > self.dtype.itemsize:
            raise ImportRefused(
                f"params have dtype {x.dtype}, but the QNode was imported while JAX's 64-bit mode was off, and its "
                f"classical map computes in {self.dtype}: import it again"
            )
        return self._compiled(jnp.asarray(x))

    @cached_property
    def _compiled(self):
        def values(x):
            return self.affine(jnp.concatenate([x, self.function(x.astype(self.dtype)).astype(x.dtype)]))

        return jax.jit(values)

    @cached_property
    def _exported(self) -> tuple[jax.export.Exported, ...]:
        """The function h without Python, as StableHLO, and its derivatives."""
        if isinstance(self.function, Restored):
            return self.function.orders
        try:
            orders = [jax.export.export(jax.jit(self.function))(jax.ShapeDtypeStruct((self.num_inputs,), self.dtype))]
            for _ in range(_ORDERS if _is_reversible(self.function, self.num_inputs, self.dtype) else 1):
                orders.append(orders[-1].vjp())
        except Exception as error:  # each operation without a form outside of this process fails in its own way
            raise pickle.PicklingError(
                f"the classical map of the QNode has no form outside of Python: {error}"
            ) from error
        # The derivatives stand beside it; the function that would make them is Python.
        return tuple(replace(e, _get_vjp=None) for e in orders)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "affine": self.affine,
            "function": Restored(self._exported),
            "num_inputs": self.num_inputs,
            "dtype": self.dtype,
        }

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, TracedMap):
            return self is other
        mine, theirs = (m.affine for m in (self, other))
        return mine == theirs and self.dtype == other.dtype and self._text == other._text

    def __hash__(self) -> int:
        return hash((self.affine, self.num_inputs, self.dtype))

    @cached_property
    def _text(self) -> tuple[str, ...]:
        """h and its derivatives as programs, without the places in source files that they come from."""
        return tuple(_LOCATIONS.sub("", e.mlir_module()) for e in self._exported)


class Restored:
    """An exported function that works under `vmap` and reverse-mode differentiation.

    Args:
        orders: the function, its vector-Jacobian product, and so on.
    """

    def __init__(self, orders: tuple[jax.export.Exported, ...]):
        self.orders = orders

    def __call__(self, *arguments: Array) -> PyTree:
        return self._function(*arguments)

    def __getstate__(self) -> dict[str, Any]:
        return {"orders": self.orders}

    @cached_property
    def _function(self):
        return _restored(self.orders)


def _restored(orders):
    # Exported functions have no rule for batches: one after another.
    plain = jax.custom_batching.sequential_vmap(orders[0].call)
    if len(orders) == 1:
        return plain
    function = jax.custom_vjp(lambda *arguments: plain(*arguments))
    derivative = _restored(orders[1:])

    def backward(arguments, cotangent):
        return tuple(derivative(*arguments, *jax.tree.leaves(cotangent)))

    # The forward pass is the function itself, so that it can be differentiated again.
    function.defvjp(lambda *arguments: (function(*arguments), arguments), backward)
    return function


def read_map(closed: ClosedJaxpr) -> tuple[list[Values], "Atoms"]:
    """Values of the scalar outputs of a traced program, and the atoms that they name.

    Args:
        closed: JAX's `ClosedJaxpr`; all inputs are real numbers in one precision.
    """
    avals = [v.aval for v in closed.jaxpr.invars]
    arguments = symbolic_inputs([(a.shape, a.dtype) for a in avals])
    num_inputs = sum(a.atom.size for a in arguments)
    reader = Reader(num_inputs, RULES)
    outputs = [as_values(v) for v in reader.read(closed.jaxpr, closed.consts, arguments)]
    return outputs, Atoms(reader, avals[0].dtype if avals else np.dtype(float))


class Atoms:
    """The atoms of a program that was read, from which parameter maps are built."""

    def __init__(self, reader: Reader, dtype: np.dtype):
        self._reader = reader
        self._dtype = dtype

    def map_to(self, values: Values) -> AffineMap | TracedMap:
        """The map from the program's inputs to these numbers (P,)."""
        num_inputs = self._reader.num_inputs
        rows, columns, weights = [], [], []
        for row, (atom, scale) in enumerate(zip(values.atom.tolist(), values.scale.tolist(), strict=True)):
            if atom != CONSTANT:
                for base, weight in self._reader.expand(atom).items():
                    rows.append(row)
                    columns.append(base)
                    weights.append(weight * scale)
        computed = sorted({c for c in columns if c >= num_inputs})
        if not computed:
            return AffineMap(num_inputs, rows, columns, weights, values.offset)
        place = {atom: num_inputs + k for k, atom in enumerate(computed)}
        columns: list[int] = [place.get(c, c) for c in columns]
        affine = AffineMap(num_inputs + len(computed), rows, columns, weights, values.offset)
        function = Replay(self._reader, computed)
        if not _is_reversible(function, num_inputs, self._dtype):
            function = _by_forward_mode(function, num_inputs, self._dtype)
        return TracedMap(affine, function, num_inputs, self._dtype)


def _is_reversible(function, num_inputs, dtype) -> bool:
    """Whether JAX has derivatives by reverse mode; it has none of loops whose length is not known."""
    if isinstance(function, jax.custom_vjp):
        return False
    try:
        jax.eval_shape(lambda x: jax.vjp(function, x)[1](function(x)), jax.ShapeDtypeStruct((num_inputs,), dtype))
    except (ValueError, NotImplementedError):
        return False
    return True


def _by_forward_mode(function, num_inputs, dtype):
    """The same function with a first derivative by forward mode, all inputs at once."""
    try:
        jax.eval_shape(jax.jacfwd(function), jax.ShapeDtypeStruct((num_inputs,), dtype))
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ImportRefused(f"JAX cannot differentiate what the QNode does to its arguments: {error}") from error
    wrapped = jax.custom_vjp(lambda x: function(x))
    wrapped.defvjp(lambda x: (function(x), x), lambda x, cotangent: (cotangent @ jax.jacfwd(function)(x),))
    return wrapped
