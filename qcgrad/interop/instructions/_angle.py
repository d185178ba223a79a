"""Symbolic gate angles: scale * atom + offset, so that what is affine stays plain data.

An *atom* is an input parameter (its index) or a classical function of several, kept as a hashable tree.
A circuit has one parameter for each atom in use; `parameter_map` computes them all from the inputs, so
JAX differentiates products, sums and functions of parameters exactly.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...array_types import CircuitParams, Params
from ...ir.parameter_map import AffineMap, PureMap


@dataclass(frozen=True)
class Angle:
    """scale * atom + offset, in radians; a plain number where `atom` is None.

    Attributes:
        atom: index of an input, a tuple (function name, operand `Angle`s), or None.
        scale, offset: real numbers.
    """

    atom: Hashable = None
    scale: float = 0.0
    offset: float = 0.0

    @property
    def is_constant(self) -> bool:
        return self.atom is None

    def __bool__(self) -> bool:
        """False for the number 0 alone, as with numbers."""
        return self.atom is not None or self.offset != 0

    def substituted(self, atoms: "Sequence[Angle]") -> "Angle":
        """The same angle with its atom k, an index, replaced by `atoms[k]`; a factor of zero is kept."""
        if self.is_constant:
            return self
        found = atoms[self.atom]  # pyright: ignore[reportArgumentType, reportCallIssue]
        return Angle(found.atom, self.scale * found.scale, self.scale * found.offset + self.offset)

    def __add__(self, other: "Angle | float") -> "Angle":
        other = as_angle(other)
        if other.is_constant:
            return Angle(self.atom, self.scale, self.offset + other.offset)
        if self.is_constant:
            return other + self
        if self.atom == other.atom:
            return _reduced(self.atom, self.scale + other.scale, self.offset + other.offset)
        return Angle(("add", self, other), 1.0, 0.0)

    __radd__ = __add__

    def __neg__(self) -> "Angle":
        return self * -1.0

    def __sub__(self, other: "Angle | float") -> "Angle":
        return self + (-as_angle(other))

    def __rsub__(self, other: float) -> "Angle":
        return -self + other

    def __mul__(self, other: "Angle | float") -> "Angle":
        other = as_angle(other)
        if other.is_constant:
            return _reduced(self.atom, self.scale * other.offset, self.offset * other.offset)
        if self.is_constant:
            return other * self
        return Angle(("mul", self, other), 1.0, 0.0)

    __rmul__ = __mul__

    def __truediv__(self, other: "Angle | float") -> "Angle":
        other = as_angle(other)
        if other.is_constant:
            # Not a product with 1/other: that would round twice.
            return _reduced(self.atom, self.scale / other.offset, self.offset / other.offset)
        return Angle(("div", self, other), 1.0, 0.0)


def as_angle(value: Angle | float) -> Angle:
    """A number as a constant angle; angles pass through."""
    return value if isinstance(value, Angle) else Angle(None, 0.0, float(value))


def apply(function: str, *operands: Angle) -> Angle:
    """A function of `FUNCTIONS` on angles; numbers are computed now, with Python's own precision.

    Raises:
        KeyError: no such function.
        ArithmeticError, ValueError: constants outside of its domain.
    """
    on_numbers, _ = FUNCTIONS[function]
    if all(a.is_constant for a in operands):
        return Angle(None, 0.0, float(on_numbers(*(a.offset for a in operands))))
    return Angle((function, *operands), 1.0, 0.0)


# Name: (on Python numbers, on JAX arrays).
FUNCTIONS: dict[str, tuple[Callable, Callable]] = {
    "sin": (math.sin, jnp.sin),
    "cos": (math.cos, jnp.cos),
    "tan": (math.tan, jnp.tan),
    "arcsin": (math.asin, jnp.arcsin),
    "arccos": (math.acos, jnp.arccos),
    "arctan": (math.atan, jnp.arctan),
    "sinh": (math.sinh, jnp.sinh),
    "cosh": (math.cosh, jnp.cosh),
    "tanh": (math.tanh, jnp.tanh),
    "exp": (math.exp, jnp.exp),
    "log": (math.log, jnp.log),
    "sqrt": (math.sqrt, jnp.sqrt),
    "abs": (abs, jnp.abs),
    "sign": (np.sign, jnp.sign),
    "floor": (math.floor, jnp.floor),
    "ceiling": (math.ceil, jnp.ceil),
    "mod": (math.fmod, jnp.fmod),
    "pow": (math.pow, jnp.power),
}

_ARITHMETIC = {"add": jnp.add, "mul": jnp.multiply, "div": jnp.divide}


def _reduced(atom, scale, offset) -> Angle:
    return Angle(atom, scale, offset) if scale else Angle(None, 0.0, offset)


@dataclass(frozen=True)
class ParameterMap(PureMap):
    """The circuit's parameters from the inputs.

    Attributes:
        atoms: one for each parameter of the circuit.
    """

    atoms: tuple[Hashable, ...]

    def __call__(self, params: Params) -> CircuitParams:
        return self._compiled(jnp.asarray(params))

    @cached_property
    def _compiled(self):
        def values(inputs):
            known = {}
            return jnp.stack([_atom_value(atom, inputs, known) for atom in self.atoms])

        return jax.jit(values)


@lru_cache(maxsize=64)
def parameter_map(atoms: tuple[Hashable, ...], num_inputs: int) -> PureMap:
    """The map from inputs to atoms: data where all are sums of inputs; equal maps are one object, compiled once."""
    rows = [_as_sum(atom) for atom in atoms]
    if any(row is None for row in rows):
        return ParameterMap(atoms)
    found: list[Any] = rows
    rows_of_entries = [row for row, (weights, _) in enumerate(found) for _ in weights]
    columns = [k for weights, _ in found for k in weights]
    weights = [w for weights, _ in found for w in weights.values()]
    return AffineMap(num_inputs, rows_of_entries, columns, weights, [offset for _, offset in found])


def _as_sum(atom: Hashable) -> tuple[dict[int, float], float] | None:
    """({input: weight}, offset) of an atom that is a sum, else None."""
    weights: dict[int, float] = {}
    offset = 0.0
    pending = [Angle(atom, 1.0, 0.0)]
    while pending:
        angle = pending.pop()
        offset += angle.offset
        if isinstance(angle.atom, (int, np.integer)):
            weights[int(angle.atom)] = weights.get(int(angle.atom), 0.0) + angle.scale
        elif isinstance(angle.atom, tuple) and angle.atom[0] == "add":
            pending += [term * angle.scale for term in angle.atom[1:]]
        elif angle.atom is not None:
            return None
    return weights, offset


def _atom_value(atom, inputs, known):
    if isinstance(atom, (int, np.integer)):
        return inputs[atom]
    if atom not in known:
        function, *operands = atom
        values = [_angle_value(a, inputs, known) for a in operands]
        if function == "pow" and operands[1].is_constant and operands[1].offset == int(operands[1].offset):
            # An integer power has a finite derivative at zero and below, a real one has not.
            known[atom] = values[0] ** int(operands[1].offset)
        else:
            known[atom] = (_ARITHMETIC[function] if function in _ARITHMETIC else FUNCTIONS[function][1])(*values)
    return known[atom]


def _angle_value(angle, inputs, known):
    if angle.is_constant:
        return jnp.asarray(angle.offset, inputs.dtype)
    return angle.scale * _atom_value(angle.atom, inputs, known) + angle.offset
