"""The objective of variational quantum algorithms: expectation values of a parameterised circuit."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..array_types import Angles, Params
from ..arrays import as_real
from ..objective import AbstractObjective, Reading
from . import _chain as chain
from .angles import gate_angles
from .circuit import Circuit
from .observable import PauliSum, Terms
from .parameter_map import AffineMap, PureMap, ravel, same_structure, unravel
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
        notes: what an importer left out or took over, in words.

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
    notes: tuple[str, ...] = eqx.field(static=True)
    example: Any

    def __init__(
        self,
        circuit: Circuit,
        observable: PauliSum | Terms | Sequence[PauliSum | Terms],
        parameter_map: Callable[[Params], Any] | None = None,
        *,
        example: Params = None,
        notes: Sequence[str] = (),
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
        self.notes = tuple(notes)
        self.example = example

    coordinate_name = "gate angle"

    @property
    def circuit(self) -> Circuit:
        return self.program.circuit

    @property
    def num_outputs(self) -> int:
        return self.program.num_observables

    @property
    def num_parameters(self) -> int:
        """Numbers in the user's parameters."""
        if self.parameter_map is None:
            return self.circuit.num_parameters
        return sum(np.size(leaf) for leaf in jax.tree.leaves(self.example))

    def check(self, params: Params) -> Params:
        if self.num_parameters == 0:
            raise ValueError(
                "the objective has zero parameters, so there is nothing to differentiate: give a gate param=0"
            )
        if self.parameter_map is not None and same_structure(params, self.example):
            return jax.tree.map(lambda leaf: as_real("params", leaf), params)
        params = as_real("params", params)
        if np.shape(params) != (self.num_parameters,):
            raise ValueError(
                f"params has shape {np.shape(params)}: the objective takes {self.num_parameters} parameters, "
                f"shape ({self.num_parameters},)"
            )
        return params

    def coordinates(self, params: Params) -> Angles:
        return gate_angles(self.circuit, self._circuit_parameters(params))

    def placeholder(self, dtype: np.dtype) -> Angles:
        return np.zeros(self.circuit.num_angles, dtype)

    @property
    def mixes_coordinates(self) -> bool:
        index, _, _ = self.circuit.angle_map
        if len(np.unique(index)) < len(index):
            return True
        known = self.parameter_map
        return known.mixes if isinstance(known, AffineMap) else known is not None

    @property
    def is_affine(self) -> bool:
        return self.parameter_map is None or isinstance(self.parameter_map, AffineMap)

    def to_params(self, params: Params, reading: Reading) -> Reading:
        index, scale, _ = self.circuit.angle_map
        reading = chain.affine(reading, np.arange(len(index)), index, scale, self.circuit.num_parameters)
        known = self.parameter_map
        if known is None:
            return reading
        if isinstance(known, AffineMap):
            reading = chain.affine(reading, known.row, known.column, known.weight, known.num_inputs)
            return _map_rows(lambda rows: unravel(rows, params), reading)
        known = known if isinstance(known, PureMap) else self._mapped
        if same_structure(params, self.example):
            return chain.general(reading, known, params)
        reading = chain.general(reading, known, self._structured(params))
        return _map_rows(lambda rows: jax.vmap(ravel)(rows), reading)

    def _mapped(self, params):
        mapped = self.parameter_map(params)  # pyright: ignore[reportOptionalCall]
        return jnp.stack([jnp.asarray(part) for part in mapped]) if isinstance(mapped, (list, tuple)) else mapped

    def _structured(self, params):
        # Shapes only: the precision is that of the vector.
        shapes = jax.tree.map(lambda leaf: np.zeros(np.shape(leaf), params.dtype), self.example)
        return jax.tree.map(lambda leaf: leaf[0], unravel(params[None], shapes))

    def _circuit_parameters(self, params):
        if self.parameter_map is None:
            return params
        if not same_structure(params, self.example):
            params = self._structured(params)
        mapped = self._mapped(params)
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


def _map_rows(function, reading):
    """The reading with a function applied to everything that has the parameters' axis."""
    bias = None if reading.bias_bound is None else function(reading.bias_bound)
    return reading._replace(gradient=function(reading.gradient), variance=function(reading.variance), bias_bound=bias)
