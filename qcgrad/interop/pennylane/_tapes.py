"""Tapes as objectives: which of their numbers are parameters, and what two tapes have in common."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...array_types import Array
from ._objective import QNodeExpectation
from ._trace import Batch, trace

if TYPE_CHECKING:
    from pennylane.tape import QuantumScript

# Their numbers are no angles: matrices and states, which are imported as they stand.
FIXED = frozenset(
    ("QubitUnitary", "ControlledQubitUnitary", "DiagonalQubitUnitary", "StatePrep", "BasisState", "BlockEncode")
)


def tape_objective(tape: "QuantumScript", chosen: Sequence[int]) -> QNodeExpectation:
    """What a tape measures, as a function of the numbers of its parameters `chosen`, raveled in order.

    Raises:
        ImportRefused: as for `from_qnode`.
    """
    values = numbers(tape, chosen)
    sizes = np.cumsum([v.size for v in values])

    def batch_of(flat):
        parts: Any = (
            [p.reshape(v.shape) for p, v in zip(jnp.split(flat, sizes[:-1]), values, strict=True)] if values else []
        )
        return Batch((tape.bind_new_parameters(parts, chosen),), lambda results: results[0], len(tape.measurements) > 1)

    return trace(batch_of, raveled(values), None, None)


def numbers(tape: "QuantumScript", chosen: Sequence[int]) -> list[np.ndarray]:
    """The chosen parameters of a tape as arrays, whatever framework they are of."""
    given = tape.get_parameters(trainable_only=False)
    return [as_numpy(given[k]) for k in chosen]


def as_numpy(value: Any) -> np.ndarray:
    """The numbers of a parameter, whatever framework it is of and whoever watches it."""
    from pennylane import math

    return np.asarray(value if isinstance(value, (float, int, np.ndarray)) else math.unwrap([value])[0])


def raveled(values: Sequence[np.ndarray]) -> Float[Array, "N"]:
    """All numbers in order, in one vector."""
    return np.concatenate([np.ravel(v) for v in values]) if values else np.zeros(0)


def outline(tape: "QuantumScript", chosen: Sequence[int]) -> tuple[Any, ...] | None:
    """All that a tape holds but the values of its parameters `chosen`, equal for equal circuits; None if unknown."""
    from pennylane import pytrees

    left, found, place = set(chosen), [], 0
    for operation in tape.operations:
        leaves, structure = pytrees.flatten(operation)
        places = range(place, place := place + len(operation.data))
        varied = [k in left for k in places]
        if any(varied) and not _are_same(leaves, operation.data):
            return None
        found.append(
            (structure, [_printed(leaf) for k, leaf in enumerate(leaves) if k >= len(varied) or not varied[k]])
        )
    leaves, structure = pytrees.flatten(tape.measurements)
    return found, structure, [_printed(leaf) for leaf in leaves], tuple(chosen)


def _are_same(some, others):
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _printed(value):
    array = as_numpy(value)
    return array.dtype.str, array.shape, array.tobytes()
