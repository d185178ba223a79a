"""The objective of variational quantum algorithms: expectation values of a parameterised circuit."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ..objective import AbstractObjective, Reading, as_real, is_concrete
from .angles import gate_angles
from .circuit import Circuit
from .observable import PauliSum
from .program import Program


class Expectation(AbstractObjective):
    r"""\(F_k(\theta) = \langle 0|U(\theta)^\dagger O_k U(\theta)|0\rangle\), in units of the observable.

    Args:
        circuit: U, with P parameters.
        observable: one `PauliSum` (or what its constructor accepts) for a scalar objective, or a
            sequence of K of them for a vector-valued one: value (K,), gradient (K, P).
        parameter_map: any JAX-traceable function from the user's parameters to the circuit's P
            parameters. It is kept and differentiated exactly.
        example: parameters that show the structure which `parameter_map` takes; the same numbers
            raveled in order into one vector are accepted too.

    Raises:
        ValueError: qubit numbers differ, no observables, no parameters.

    Example:
        >>> import jax.numpy as jnp, qcgrad as qg
        >>> circuit = qg.Circuit(2).ry(0, param=0).cnot(0, 1).rz(1, param=1)
        >>> scalar = qg.Expectation(circuit, {"ZZ": 1.0, "XX": 0.5})
        >>> vector = qg.Expectation(circuit, ["ZI", "IZ"])
        >>> chained = qg.Expectation(circuit, "ZZ", lambda t: jnp.stack([t["a"] * t["b"], t["b"] ** 2]),
        ...                          example={"a": 0.1, "b": 0.2})
        >>> scalar.num_outputs, vector.num_outputs
        (1, 2)
    """

    program: Program = eqx.field(static=True)
    is_vector: bool = eqx.field(static=True)
    parameter_map: Callable[[Any], Any] | None = eqx.field(static=True)
    example: Any

    def __init__(
        self,
        circuit: Circuit,
        observable: "PauliSum | Any | Sequence[PauliSum]",
        parameter_map: Callable[[Any], Any] | None = None,
        *,
        example: Any = None,
    ):
        if not isinstance(circuit, Circuit):
            raise TypeError(f"circuit is {circuit!r}: give a qcgrad.Circuit (or import one, see qcgrad.interop)")
        if parameter_map is not None and not callable(parameter_map):
            raise TypeError(f"parameter_map is {parameter_map!r}: give a function of the parameters")
        if parameter_map is not None and example is None:
            raise ValueError("parameter_map needs example=...: parameters that show the structure it takes")
        observables, self.is_vector = _as_observables(observable)
        self.program = Program(circuit, observables)
        self.parameter_map = parameter_map
        self.example = example

    coordinate_name = "gate angle"

    @property
    def circuit(self) -> Circuit:
        return self.program.circuit

    @property
    def num_outputs(self):
        return self.program.num_observables

    @property
    def num_parameters(self) -> int:
        """Numbers in the user's parameters."""
        if self.parameter_map is None:
            return self.circuit.num_parameters
        return sum(np.size(leaf) for leaf in jax.tree.leaves(self.example))

    def check(self, params):
        if self.num_parameters == 0:
            raise ValueError(
                "the objective has zero parameters, so there is nothing to differentiate: give a gate param=0"
            )
        if self.parameter_map is not None and _same_structure(params, self.example):
            return jax.tree.map(lambda leaf: as_real("params", leaf), params)
        params = as_real("params", params)
        if np.shape(params) != (self.num_parameters,):
            raise ValueError(
                f"params has shape {np.shape(params)}: the objective takes {self.num_parameters} parameters, "
                f"shape ({self.num_parameters},)"
            )
        return params

    def coordinates(self, params):
        return gate_angles(self.circuit, self._circuit_parameters(params))

    def placeholder(self, dtype):
        return np.zeros(self.circuit.num_angles, dtype)

    @property
    def mixes_angles(self) -> bool:
        """Whether one parameter drives several angles, so that their errors add up with covariances."""
        index, _, _ = self.circuit.angle_map
        return self.parameter_map is not None or len(np.unique(index)) < len(index)

    def to_params(self, params, reading):
        index, scale, _ = self.circuit.angle_map
        if self.parameter_map is None:
            return _affine_chain(reading, index, scale, self.circuit.num_parameters)
        jacobian = jax.jacobian(lambda p: jnp.asarray(self.coordinates(p)))(jax.tree.map(jnp.asarray, params))
        return _dense_chain(reading, jacobian)

    def _circuit_parameters(self, params):
        if self.parameter_map is None:
            return params
        if not _same_structure(params, self.example):
            params = ravel_pytree(self.example)[1](jnp.asarray(params))
        mapped = self.parameter_map(params)
        if isinstance(mapped, (list, tuple)):
            mapped = jnp.stack([jnp.asarray(part) for part in mapped])
        if mapped is None or np.dtype(jnp.result_type(mapped)).kind != "f":
            found = "None" if mapped is None else jnp.result_type(mapped)
            raise TypeError(f"parameter_map returned {found}: return an array of real floating-point numbers")
        if jnp.shape(mapped) != (self.circuit.num_parameters,):
            raise ValueError(
                f"parameter_map returned shape {jnp.shape(mapped)}: the circuit takes ({self.circuit.num_parameters},)"
            )
        return mapped


def _as_observables(given) -> tuple[list[PauliSum], bool]:
    is_term_list = isinstance(given, (list, tuple)) and all(
        isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], str) for item in given
    )
    if isinstance(given, (list, tuple)) and not is_term_list:
        return [o if isinstance(o, PauliSum) else PauliSum(o) for o in given], True
    return [given if isinstance(given, PauliSum) else PauliSum(given)], False


def _same_structure(params, example):
    if jax.tree.structure(params) != jax.tree.structure(example):
        return False
    shapes = zip(jax.tree.leaves(params), jax.tree.leaves(example), strict=True)
    return all(np.shape(a) == np.shape(b) for a, b in shapes)


def _affine_chain(reading: Reading, index, scale, num_parameters) -> Reading:
    """Sum what each parameter's gates contribute, times their scale."""

    def gather(rows, *factors):
        xp = np if is_concrete(rows) else jnp
        rows = xp.asarray(rows)
        with np.errstate(over="ignore"):
            weighted = math.prod((factor.astype(rows.dtype)[None] for factor in factors), start=rows)
        if xp is np:
            out = np.zeros((len(rows), num_parameters), rows.dtype)
            np.add.at(out.T, index, weighted.T)
            return out
        return jnp.zeros((len(rows), num_parameters), rows.dtype).at[:, index].add(weighted)

    # Factor by factor: the square of a large scale would overflow, and turn exact zeros into NaN.
    variance = gather(reading.variance, scale, scale)
    if reading.covariance is not None:
        chain = np.zeros((len(scale), num_parameters))
        chain[np.arange(len(scale)), index] = scale
        variance = np.maximum(np.einsum("ap,cab,bp->cp", chain, reading.covariance, chain), 0)
    bias = None if reading.bias_bound is None else gather(reading.bias_bound, np.abs(scale))
    return reading._replace(gradient=gather(reading.gradient, scale), variance=variance, bias_bound=bias)


def _dense_chain(reading: Reading, jacobian) -> Reading:
    """Chain rule through any parameter map; `jacobian` has leaves (A, *shape)."""

    def through(rows, transform):
        return jax.tree.map(lambda j: jnp.tensordot(jnp.asarray(rows, j.dtype), transform(j), axes=1), jacobian)

    if reading.covariance is None:
        variance = through(reading.variance, jnp.square)
    else:
        variance = jax.tree.map(
            lambda j: jnp.maximum(jnp.einsum("a...,cab,b...->c...", j, jnp.asarray(reading.covariance, j.dtype), j), 0),
            jacobian,
        )
    bias = None if reading.bias_bound is None else through(reading.bias_bound, jnp.abs)
    return reading._replace(gradient=through(reading.gradient, lambda j: j), variance=variance, bias_bound=bias)
