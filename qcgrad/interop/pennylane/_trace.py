"""From tapes, traced by JAX, to an objective."""

import itertools
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ...array_types import Params
from ...errors import ImportRefused
from ...ir.observable import PauliSum
from ...ir.parameter_map import AffineMap
from ..instructions._angle import Angle, as_angle
from ..instructions._assemble import assemble
from ._gates import refuse_broadcasting, walk
from ._indexable import indexable
from ._objective import QNodeExpectation
from ._observables import Readout, readout
from ._recorder import Recorder
from ._symbolic import CONSTANT, Values
from ._traced_map import read_map
from .arguments import Arguments


class Batch(NamedTuple):
    """What a QNode asks for at some arguments.

    Attributes:
        tapes: PennyLane's.
        process: from a tuple of their results to the QNode's.
        is_sequence: whether the QNode returns several results (or one in a list).
    """

    tapes: tuple
    process: Callable
    is_sequence: bool


class _Recorded(NamedTuple):
    batch: Batch
    wires: dict[Any, int]
    instructions: list
    readouts: list[list[Readout]]


def trace(
    batch_of: Callable[[Any], Batch], example: Params, device_wires: Iterable[Any] | None, arguments: Arguments | None
) -> QNodeExpectation:
    """The objective of the tapes that `batch_of` gives at parameters like `example`.

    What depends on the parameters is found by the flow of data: JAX traces everything that is computed
    from them, also where the derivative is zero, and evaluates everything else at once.
    """
    recorder = Recorder()
    found: list[_Recorded] = []

    def record(params):
        with jax.ensure_compile_time_eval():
            found.append(_record(batch_of(indexable(params)), device_wires, recorder))
            return [v if v.dtype.kind == "f" else v.astype(float) for v in recorder.values]

    widest = jax.dtypes.canonicalize_dtype(float)
    closed = _refusing(lambda: jax.make_jaxpr(record)(jax.tree.map(lambda leaf: np.asarray(leaf, widest), example)))
    if any(isinstance(constant, Tracer) for constant in closed.consts):
        raise ImportRefused(_INNER)
    recorded = found[-1]
    circuit, parameter_map = _circuit(closed, recorded)
    if not jax.tree.leaves(example):
        raise ImportRefused(
            "no argument is a floating-point number, so there is nothing to differentiate: give the arguments that the "
            "QNode is called with, as floating-point numbers"
        )
    observables = [o for readouts in recorded.readouts for r in readouts for o in r.observables]
    observables, results, is_vector = _refusing(lambda: _results(recorded, observables), _POST_PROCESSING)
    return QNodeExpectation(
        circuit, observables, parameter_map, example, is_vector=is_vector, results=results, arguments=arguments
    )


def _record(batch: Batch, device_wires, recorder) -> _Recorded:
    wires = _wire_index(batch.tapes, device_wires)
    instructions, readouts = [], []
    for tape in batch.tapes:
        refuse_broadcasting(tape.operations)
        instructions.append([i for operation in tape.operations for i in _walk(operation, wires, recorder)])
        if not tape.measurements:
            raise ImportRefused("the tape has no measurement: give it qml.expval(...)")
        readouts.append([readout(m, wires, recorder) for m in tape.measurements])
    return _Recorded(batch, wires, instructions, readouts)


def _walk(operation, wires, recorder):
    try:
        return walk(operation, wires, recorder)
    except jax.errors.JAXTypeError as error:
        raise ImportRefused(
            f"PennyLane decomposes {operation.name} by the values of its parameters, so no circuit holds for all of "
            "them: write it as gates, or give its parameters as fixed numbers"
        ) from error


def _wire_index(tapes, device_wires):
    used = [w for tape in tapes for w in tape.wires]
    if any(isinstance(w, Tracer) for w in used):
        raise ImportRefused(
            "a wire depends on the arguments: the circuit must be the same for all of them, so give wires as integers"
        )
    order = list(device_wires) if device_wires is not None else list(dict.fromkeys(used))
    missing = [w for w in used if w not in order]
    if missing:
        raise ImportRefused(f"wire {missing[0]!r} is not one of the device's wires {order}")
    return {label: k for k, label in enumerate(order or [0])}


def _circuit(closed, recorded: _Recorded):
    """The circuit, and the map from the parameters to its own."""
    values, atoms = read_map(closed)
    kept = [[i for i in tape if i.name not in ("gphase", "id")] for tape in recorded.instructions]
    angles = [_angle(v) for v in values]
    indices: list[Any] = [as_angle(i.angle).atom for i in kept[0]]
    used = dict.fromkeys(angles[k].atom for k in indices if k is not None)
    used.pop(None, None)
    # The circuit's parameters are the atoms in use, in order.
    index = {atom: k for k, atom in enumerate(used)}
    angles = [a if a.is_constant else replace(a, atom=index.get(a.atom, a.atom)) for a in angles]
    tapes = [[_substituted(i, angles) for i in tape] for tape in kept]
    if any(tape != tapes[0] for tape in tapes[1:]):
        raise ImportRefused(
            f"the QNode's transforms turn it into {len(tapes)} different circuits: apply them to separate QNodes, and "
            "combine the functions qcgrad.as_jax makes of them"
        )
    circuit, _ = assemble(len(recorded.wires), tapes[0], len(used))
    atoms_used = np.array(list(used), np.int64)
    return circuit, atoms.map_to(Values(atoms_used, np.ones(len(used)), np.zeros(len(used)), float))


def _substituted(instruction, angles):
    return instruction._replace(angle=as_angle(instruction.angle).substituted(angles))


def _angle(value: Values) -> Angle:
    atom, scale, offset = int(value.atom), float(value.scale), float(value.offset)
    return Angle(None, 0.0, offset) if atom == CONSTANT else Angle(atom, scale, offset)


def _results(recorded: _Recorded, observables: list[PauliSum]):
    """(observables, function, is_vector): what the QNode returns, as observables and a function where not affine."""
    shapes = []

    def process(values):
        with jax.ensure_compile_time_eval():
            rest = iter(values)
            per_tape = []
            for readouts in recorded.readouts:
                taken = [r.result(jnp.stack(list(itertools.islice(rest, len(r.observables))))) for r in readouts]
                per_tape.append(taken[0] if len(taken) == 1 else tuple(taken))
            leaves = jax.tree.leaves(recorded.batch.process(tuple(per_tape)))
            shapes.append([np.shape(leaf) for leaf in leaves])
            return jnp.concatenate([jnp.ravel(jnp.asarray(leaf)) for leaf in leaves])

    closed = jax.make_jaxpr(process)(np.zeros(len(observables), jax.dtypes.canonicalize_dtype(float)))
    (values,), atoms = read_map(closed)
    is_vector = recorded.batch.is_sequence or shapes[-1] != [()]
    found = atoms.map_to(values)
    if not isinstance(found, AffineMap):
        return observables, found, is_vector
    return _combined(found, observables), None, is_vector


def _combined(results: AffineMap, observables: list[PauliSum]) -> list[PauliSum]:
    """Affine functions of expectation values are expectation values."""
    size = observables[0].num_qubits
    sums: list[list[PauliSum]] = [[] for _ in results.offset]
    for row, column, weight in zip(results.row.tolist(), results.column.tolist(), results.weight.tolist(), strict=True):
        sums[row].append(observables[column] if weight == 1.0 else observables[column] * weight)
    for row, offset in enumerate(results.offset.tolist()):
        if offset or not sums[row]:
            sums[row].append(PauliSum.from_sparse([("", (), offset)], size))
    return [sum(parts[1:], parts[0]) for parts in sums]


_IN_QNODE = (
    "the QNode uses the value of an argument where neither JAX nor another framework sees it (a math function, float() "
    "or int(), a loop or a condition on it): use jax.numpy or qml.math functions, or those of NumPy or torch, or give "
    "that argument as an integer to fix it"
)
_INNER = "a gate stands inside of a loop or a condition of JAX (lax.scan, fori_loop, cond): write that one in Python"
_POST_PROCESSING = (
    "a transform of the QNode processes its results in a way that JAX cannot trace, or by the values of the arguments: "
    "apply qcgrad.as_jax to the QNode without the transform, and process what it returns"
)


def _refusing(function, reason=_IN_QNODE):
    # PennyLane asks JAX in a way that JAX has deprecated, once for each parameter.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "jax.core.is_concrete", DeprecationWarning)
        try:
            return function()
        except jax.errors.UnexpectedTracerError as error:
            raise ImportRefused(_INNER if reason is _IN_QNODE else reason) from error
        except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
            raise ImportRefused(f"{reason}. JAX says: {str(error).splitlines()[0]}") from error
