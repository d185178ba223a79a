"""Reads a JAX program as data: which of its numbers are affine in which others, and what is left to compute.

Every real number of the program is scale * atom + offset. Atoms 0 to N - 1 are the inputs. Moving, scaling
and shifting numbers changes no atom, a sum of several atoms is a new, *linear* atom, and what any other
operation returns are new atoms with a `Step` that computes them. So affine programs need no computing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import Jaxpr, JaxprEqn, Literal
from jax.typing import ArrayLike

CONSTANT = -1
"""The atom of an entry that is a plain number, its offset."""


class Values(NamedTuple):
    """An array of real numbers scale * atom + offset; `atom`, `scale`, `offset` have its shape."""

    atom: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    dtype: Any


class Reference(NamedTuple):
    """A value that is no array of real numbers (integers, keys, ...): one output of a step."""

    step: int
    output: int


Known = Values | Reference | ArrayLike
"""What a variable of a program stands for."""


class Step(NamedTuple):
    """One equation that has to be computed.

    Attributes:
        equation: JAX's.
        inputs: `Values`, `Reference` or plain arrays.
        outputs: first atom of each output; None where it is a `Reference`.
        level: more than that of every step that it needs.
    """

    equation: Any
    inputs: list[Any]
    outputs: list[int | None]
    level: int


class LinearAtom(NamedTuple):
    """A sum of weight * atom."""

    atoms: tuple[int, ...]
    weights: tuple[float, ...]
    level: int


class Reader:
    """Interprets a JAX program on `Values`.

    Args:
        num_inputs: N.
        rules: for the name of an affine operation, what it does to `Values` (see `symbolic_rules`).

    Attributes:
        steps: what has to be computed, in order.
        sources: for atom N + i, the index of the step that computes it, or its `LinearAtom`.
    """

    def __init__(self, num_inputs: int, rules: Mapping[str, Callable[..., Any]]):
        self.num_inputs = num_inputs
        self._rules = rules
        self.steps: list[Step] = []
        self.sources: list[int | LinearAtom] = []
        self._linear: dict[Any, int] = {}

    def read(self, jaxpr: Jaxpr, constants: Sequence[ArrayLike], arguments: Sequence[Known]) -> list[Any]:
        """Values of the outputs of a `Jaxpr`."""
        known: dict[Any, Known] = dict(zip(jaxpr.constvars, constants, strict=True))
        known.update(zip(jaxpr.invars, arguments, strict=True))

        def value(variable):
            return variable.val if isinstance(variable, Literal) else known[variable]

        for equation in jaxpr.eqns:
            outputs = self._apply(equation, [value(v) for v in equation.invars])
            known.update(zip(equation.outvars, outputs, strict=True))
        return [value(v) for v in jaxpr.outvars]

    def _apply(self, equation, inputs):
        kinds = {type(i) for i in inputs}
        if Values not in kinds and Reference not in kinds:
            return evaluate(equation, inputs)
        name = equation.primitive.name
        if name in ("jit", "pjit", "closed_call"):
            closed = equation.params.get("jaxpr") or equation.params["call_jaxpr"]
            return self.read(closed.jaxpr, closed.consts, inputs)
        rule = self._rules.get(name)
        if rule is not None and Reference not in kinds:
            found = rule(self, equation, inputs)
            if found is not None:
                return found if isinstance(found, list) else [found]
        return self._compute(equation, inputs)

    def _compute(self, equation, inputs):
        level = 1 + max((self._level_of(i) for i in inputs), default=0)
        number = len(self.steps)
        outputs, starts = [], []
        for place, variable in enumerate(equation.outvars):
            shape, dtype = getattr(variable.aval, "shape", ()), getattr(variable.aval, "dtype", None)
            if dtype is not None and jax.numpy.issubdtype(dtype, np.floating):
                starts.append(self.num_inputs + len(self.sources))
                size = int(np.prod(shape))
                self.sources += [number] * size
                atoms = np.arange(starts[-1], starts[-1] + size).reshape(shape)
                outputs.append(Values(atoms, np.ones(shape), np.zeros(shape), dtype))
            else:
                starts.append(None)
                outputs.append(Reference(number, place))
        self.steps.append(Step(equation, inputs, starts, level))
        return outputs

    def linear(self, atoms: dict[int, float]) -> int:
        """The atom that is this sum of base atoms (see `expand`)."""
        key = tuple(atoms.items())
        if key not in self._linear:
            level = max((self._level(a) for a in atoms), default=0)
            self._linear[key] = self.num_inputs + len(self.sources)
            self.sources.append(LinearAtom(tuple(atoms), tuple(atoms.values()), level + 1))
        return self._linear[key]

    def expand(self, atom: int) -> dict[int, float]:
        """An atom as a sum of inputs and computed atoms."""
        source = self.sources[atom - self.num_inputs] if atom >= self.num_inputs else None
        if isinstance(source, LinearAtom):
            return dict(zip(source.atoms, source.weights, strict=True))
        return {atom: 1.0}

    def _level_of(self, value) -> int:
        if isinstance(value, Reference):
            return self.steps[value.step].level
        if isinstance(value, Values):
            return max((self._level(a) for a in np.unique(value.atom).tolist()), default=0)
        return 0

    def _level(self, atom: int) -> int:
        if atom < self.num_inputs:
            return 0
        source = self.sources[atom - self.num_inputs]
        return source.level if isinstance(source, LinearAtom) else self.steps[source].level


def inputs(shapes_and_dtypes: Iterable[tuple[tuple[int, ...], np.dtype]]) -> list[Values]:
    """The arguments of a program, with atoms counted through."""
    found, start = [], 0
    for shape, dtype in shapes_and_dtypes:
        size = int(np.prod(shape))
        atoms = np.arange(start, start + size).reshape(shape)
        found.append(Values(atoms, np.ones(shape), np.zeros(shape), dtype))
        start += size
    return found


def evaluate(equation: JaxprEqn, values: Sequence[ArrayLike]) -> list[Any]:
    """The outputs of one equation at these values."""
    found = equation.primitive.get_bind_params(equation.params)
    # Functions inside come apart in older versions of JAX, and within the parameters in newer ones.
    functions, parameters = found if isinstance(found, tuple) else ((), found)
    outputs = equation.primitive.bind(*functions, *values, **parameters)
    return list(outputs) if equation.primitive.multiple_results else [outputs]
