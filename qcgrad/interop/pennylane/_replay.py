"""Computes the atoms of a program that are not affine in its inputs, as one JAX function."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Num

from ...array_types import Array
from ._symbolic import CONSTANT, LinearAtom, Reader, Reference, Step, Values, evaluate
from ._symbolic_rules import as_values

# Operations that act entry by entry: those on the same level run as one, so what has to be compiled
# grows with the depth of the program, not with the number of gates.
# fmt: off
_ELEMENTWISE = frozenset((
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh",
    "div", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1", "floor", "integer_pow", "lgamma", "log", "log1p",
    "logistic", "max", "min", "mul", "neg", "pow", "rem", "round", "rsqrt", "sign", "sin", "sinh", "sqrt",
    "square", "stop_gradient", "sub", "tan", "tanh",
))
# fmt: on


class _Operand(NamedTuple):
    """Where an input of a group is found: places in the vector of known atoms, and what is done to them."""

    place: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    dtype: Any

    def read(self, known: Float[jax.Array, "atoms"]) -> Num[jax.Array, "..."]:
        picked = known[np.maximum(self.place, 0)] * self.scale.astype(known.dtype)
        # A derivative that is infinite must not meet the factor zero of a constant entry.
        masked = picked if np.all(self.place >= 0) else jnp.where(self.place >= 0, picked, 0)
        return (masked + self.offset.astype(known.dtype)).astype(self.dtype)


class _Group(NamedTuple):
    """Steps that run as one.

    Attributes:
        number: of the first step.
        run: from the inputs to a list of outputs.
        inputs: `_Operand`, `Reference`, plain arrays, or None for all known atoms.
        extends: for each output, whether its numbers become known atoms.
    """

    number: int
    run: Callable
    inputs: list[Any]
    extends: list[bool]


class Replay:
    """A function of the flat vector of inputs (N,) that gives the wanted atoms (H,).

    Args:
        reader: what was read.
        wanted: atoms to compute.
    """

    def __init__(self, reader: Reader, wanted: list[int]):
        self._reader = reader
        self._places: dict[int, int] = {}
        needed, linear = self._needed(wanted)
        self._groups = self._build(needed, linear)
        self._wanted = np.array([self._place(a) for a in wanted], np.int32)
        del self._reader

    def __call__(self, inputs: Float[Array, "N"]) -> Float[jax.Array, "H"]:
        known = jnp.asarray(inputs)
        references: dict[tuple[int, int], Any] = {}
        for group in self._groups:
            given = [self._read(i, known, references) for i in group.inputs]
            for place, (extends, output) in enumerate(zip(group.extends, group.run(given), strict=True)):
                if extends:
                    known = jnp.concatenate([known, output.ravel().astype(known.dtype)])
                else:
                    references[group.number, place] = output
        return known[self._wanted]

    def _read(self, given, known, references):
        if given is None:
            return known
        if isinstance(given, _Operand):
            return given.read(known)
        return references[given] if isinstance(given, Reference) else given

    def _needed(self, wanted) -> tuple[set[int], set[int]]:
        """Indices of the steps, and the linear atoms, on which the wanted atoms depend."""
        reader = self._reader
        steps: set[int] = set()
        linear: set[int] = set()
        stack = list(wanted)
        while stack:
            atom = stack.pop()
            if atom < reader.num_inputs or atom in linear:
                continue
            source = reader.sources[atom - reader.num_inputs]
            if isinstance(source, LinearAtom):
                linear.add(atom)
                stack += source.atoms
            else:
                self._need(source, steps, stack)
        return steps, linear

    def _need(self, number, steps, stack):
        pending = [number]
        while pending:
            number = pending.pop()
            if number in steps:
                continue
            steps.add(number)
            for value in self._reader.steps[number].inputs:
                if isinstance(value, Values):
                    stack += np.unique(value.atom[value.atom != CONSTANT]).tolist()
                elif isinstance(value, Reference):
                    pending.append(value.step)

    def _build(self, needed, linear) -> list[_Group]:
        reader = self._reader
        levels: dict[int, tuple[dict[Any, list[int]], list[int]]] = {}
        for number in sorted(needed):
            step = reader.steps[number]
            kinds = levels.setdefault(step.level, ({}, []))[0]
            kinds.setdefault(_kind(number, step), []).append(number)
        for atom in sorted(linear):
            source = reader.sources[atom - reader.num_inputs]
            levels.setdefault(source.level, ({}, []))[1].append(atom)  # pyright: ignore[reportAttributeAccessIssue]
        groups = []
        for level in sorted(levels):
            kinds, atoms = levels[level]
            if atoms:
                groups.append(self._linear_group(atoms))
            groups += [self._group(numbers) for numbers in kinds.values()]
        return groups

    def _place(self, atom):
        return atom if atom < self._num_inputs or atom == CONSTANT else self._places[atom]

    @property
    def _num_inputs(self):
        return self._reader.num_inputs

    def _extend(self, atoms):
        start = self._num_inputs + len(self._places)
        self._places.update(zip(atoms, range(start, start + len(atoms)), strict=True))

    def _linear_group(self, atoms) -> _Group:
        sources: list[Any] = [self._reader.sources[a - self._num_inputs] for a in atoms]
        columns = np.array([self._place(b) for s in sources for b in s.atoms], np.int32)
        weights = np.array([w for s in sources for w in s.weights])
        rows = np.repeat(np.arange(len(sources)), [len(s.atoms) for s in sources])
        self._extend(atoms)

        def run(given):
            (known,) = given
            terms = known[columns] * weights.astype(known.dtype)
            return [jnp.zeros(len(atoms), known.dtype).at[rows].add(terms)]

        return _Group(-1, run, [None], [True])

    def _group(self, numbers) -> _Group:
        steps = [self._reader.steps[n] for n in numbers]
        equation = steps[0].equation
        joined = len(steps) > 1
        inputs = [
            self._joined(values) if joined else self._operand(values[0])
            for values in zip(*(s.inputs for s in steps), strict=True)
        ]
        for place, start in enumerate(steps[0].outputs):
            if start is not None:
                starts: list[Any] = [s.outputs[place] for s in steps]
                sizes = [int(np.prod(s.equation.outvars[place].aval.shape)) for s in steps]
                self._extend([a for first, size in zip(starts, sizes, strict=True) for a in range(first, first + size)])
        return _Group(
            numbers[0], partial(evaluate, equation), inputs, [start is not None for start in steps[0].outputs]
        )

    def _operand(self, value):
        if not isinstance(value, Values):
            return value
        places = np.array([self._place(a) for a in value.atom.ravel().tolist()], np.int32).reshape(value.atom.shape)
        return _Operand(places, value.scale, value.offset, value.dtype)

    def _joined(self, values):
        """One input of elementwise steps, all in one vector."""
        if not any(isinstance(v, Values) for v in values):
            return np.concatenate([np.ravel(v) for v in values])
        parts = [as_values(v, values[0].dtype) for v in values]
        atom, scale, offset = (np.concatenate([p[k].ravel() for p in parts]) for k in range(3))
        return self._operand(Values(atom, scale, offset, values[0].dtype))


def _kind(number: int, step: Step):
    """Steps of the same kind on the same level run together."""
    name = step.equation.primitive.name
    is_plain = not any(isinstance(i, Reference) for i in step.inputs) and step.outputs[0] is not None
    shapes = {np.shape(i.atom if isinstance(i, Values) else i) for i in step.inputs}
    if name not in _ELEMENTWISE or not is_plain or len(shapes) > 1:
        return number
    kinds = tuple((isinstance(i, Values), str(i.dtype)) for i in step.inputs)
    return name, str(step.equation.params), kinds
