"""QNodes that compute with their arguments in autograd's NumPy or in torch, by the autodiff of that framework."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ...array_types import Params
from ...errors import ImportRefused
from ...ir.parameter_map import ravel
from ._autodiff import Autodiff, Found
from ._host_map import HostMap
from ._objective import QNodeExpectation
from ._tapes import outline
from ._trace import Batch, trace
from .arguments import Arguments

_CHANGED = (
    "the QNode's circuit at these arguments differs from the one at the arguments that it was imported with: the "
    "circuit must be the same for all of them"
)
_RESULTS = "what the QNode's transforms do to its results depends on its arguments: apply them outside of the QNode"


def trace_foreign(
    batch_of: Callable[[Params], Batch],
    example: Params,
    device_wires: Iterable[Any] | None,
    arguments: Arguments,
    framework: Autodiff,
) -> QNodeExpectation:
    """As `trace`, with the numbers of gates computed and differentiated by the framework.

    The framework finds the numbers of gates that depend on the parameters; JAX traces what follows from these.
    """
    program = _GateNumbers(batch_of, example, framework)
    pieces, size = program.pieces, program.size

    def batch_from(flat):
        given = {key: piece.read(flat) for key, piece in pieces.items()}
        bound = []
        for tape in program.batch.tapes:
            params = tape.get_parameters(trainable_only=False)
            places = _watched(tape, framework)
            bound.append(tape.bind_new_parameters([given[id(params[k])] for k in places], places))
        return program.batch._replace(tapes=tuple(bound))

    try:
        found = trace(batch_from, np.zeros(size), device_wires, None)
    except (TypeError, AttributeError, RuntimeError) as error:
        raise ImportRefused(_RESULTS) from error
    return QNodeExpectation(
        found.circuit,
        found.program.observables,
        HostMap(program, size, found.parameter_map),  # pyright: ignore[reportArgumentType]
        example,
        is_vector=found.is_vector,
        results=found.results,
        arguments=arguments,
    )


class _Piece:
    """Where the entries of a number of a gate stand in the vector of all of them."""

    def __init__(self, start: int, shape: tuple[int, ...], is_complex: bool):
        self.start, self.shape, self.is_complex = start, shape, is_complex
        self.size = int(np.prod(shape))
        self.end = start + self.size * (2 if is_complex else 1)

    def read(self, flat: Any) -> Any:
        real = self._part(flat, self.start)
        return jax.lax.complex(real, self._part(flat, self.start + self.size)) if self.is_complex else real

    def _part(self, flat, start):
        return flat[start : start + self.size].reshape(self.shape) if self.shape else flat[start]


class _GateNumbers:
    """All numbers of gates that depend on the parameters (a `HostProgram`), and the circuit that they stand in."""

    def __init__(self, batch_of: Callable[[Params], Batch], example: Params, framework: Autodiff):
        self._batch_of = batch_of
        self._leaves, self._structure = jax.tree.flatten(example)
        self._framework = framework
        self._outlines: list[Any] | None = None
        made = []
        self._run(np.asarray(ravel(example), float), made)
        self.batch: Batch = made[0]
        self.pieces: dict[int, _Piece] = {}
        self.size = 0
        for value in _distinct(self.batch.tapes, framework):
            piece = _Piece(self.size, tuple(value.shape), framework.is_complex(value))
            self.pieces[id(value)], self.size = piece, piece.end
        self._outlines = self._described(self.batch)

    def __call__(self, x: Float[np.ndarray, "N"]) -> Found:
        return self._run(x, [])

    def _run(self, x, made):
        def numbers(x):
            parts, end = [], 0
            for leaf in self._leaves:
                start, end = end, end + np.size(leaf)
                parts.append(self._framework.shaped(x[start:end], leaf))
            batch = self._batch_of(self._structure.unflatten(parts))
            if self._outlines is not None and self._described(batch) != self._outlines:
                raise ImportRefused(_CHANGED)
            made.append(batch)
            return _distinct(batch.tapes, self._framework)

        return self._framework.run(numbers, x)

    def _described(self, batch):
        found = [outline(tape, _watched(tape, self._framework)) for tape in batch.tapes]
        if None in found:
            raise ImportRefused("circuits of this QNode cannot be compared: write its operators as gates")
        return found


def _watched(tape, framework):
    return [k for k, value in enumerate(tape.get_parameters(trainable_only=False)) if framework.watches(value)]


def _distinct(tapes, framework):
    """The watched numbers of tapes in order, each object once: circuits that share operations share these."""
    params = (value for tape in tapes for value in tape.get_parameters(trainable_only=False))
    return list({id(value): value for value in params if framework.watches(value)}.values())
