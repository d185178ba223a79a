"""Tapes as objectives: which of their numbers are parameters, and what two tapes have in common."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
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

    while hasattr(value, "_value"):  # boxes of autograd, one for each derivative that is being taken
        value = value._value
    plain = isinstance(value, (float, int, np.ndarray, np.generic, jax.Array))
    return np.asarray(value if plain else math.unwrap([value])[0])


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
        varied = [operation.data[k - places.start] for k in places if k in left]
        is_open = _places_of(varied, leaves, [k - places.start for k in places if k in left], operation.data)
        if is_open is None:
            return None
        found.append((structure, [_printed(leaf) for k, leaf in enumerate(leaves) if k not in is_open]))
    leaves, structure = pytrees.flatten(tape.measurements)
    return found, structure, [_printed(leaf) for leaf in leaves], tuple(chosen)


def _places_of(varied, leaves, places, data):
    """Where among an operation's leaves these of its data stand; None where that is not clear."""
    if len(leaves) == len(data) and all(a is b for a, b in zip(leaves, data, strict=True)):
        return set(places)
    found = [[k for k, leaf in enumerate(leaves) if leaf is value] for value in varied]
    return {k for (k,) in found} if all(len(ks) == 1 for ks in found) else None


def _printed(value):
    array = as_numpy(value)
    return array.dtype.str, array.shape, array.tobytes()
