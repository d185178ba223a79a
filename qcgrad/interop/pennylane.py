"""PennyLane's QNodes and tapes as objectives."""

import inspect
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..errors import ImportRefused
from ..ir.expectation import Expectation
from .assemble import assemble
from .pennylane_gates import Recorder, refuse_broadcasting, walk
from .pennylane_observables import pauli_sum

if TYPE_CHECKING:
    import pennylane as qml
    from pennylane.tape import QuantumScript


def from_qnode(qnode: "qml.QNode", *args, **kwargs) -> Expectation:
    """The expectation values that a QNode returns, as an objective.

    Whatever the QNode does to its arguments before they reach a gate (sums, products, `jax.numpy` or
    `qml.math` functions, reshapes) is traced by JAX, kept, and differentiated exactly.

    Args:
        qnode: returns one `qml.expval` (a scalar objective) or several (a vector-valued one).
        *args: example arguments. Their floating-point numbers and arrays are the parameters, in any nesting
            of lists, tuples and dicts; integers, booleans, strings, None, and PennyLane tensors with
            `requires_grad=False` are fixed.
        **kwargs: fixed, as in `qml.grad`.

    Returns:
        An `Expectation`. Its parameters are one flat vector (all numbers in order), or have the structure
        of the arguments: that of the argument itself if only one has parameters, else the tuple of those
        that have. In nested arguments None stands for what is fixed.

    Raises:
        ImportRefused: mid-circuit measurements, channels, broadcasting, returns other than `expval`,
            a gate without decomposition, a structure that depends on the values of the arguments.

    Example:
        >>> import pennylane as qml, qcgrad as qg
        >>> from qcgrad.interop import from_qnode
        >>> @qml.qnode(qml.device("default.qubit"))
        ... def circuit(x):
        ...     qml.RY(x["a"] * x["b"], wires=0)
        ...     return qml.expval(qml.Z(0))
        >>> point = {"a": 0.5, "b": 0.3}
        >>> found = qg.estimate(from_qnode(circuit, point), point, qg.Adjoint())
        >>> round(float(found.gradient["a"]), 6)  # -0.3 sin(0.15)
        -0.044831
    """
    import pennylane as qml
    from pennylane.workflow import construct_tape

    if not isinstance(qnode, qml.QNode):
        raise TypeError(f"qnode is {type(qnode).__name__}: give a pennylane.QNode, or use from_tape for a tape")
    _check_arguments(qnode, args, kwargs)
    parts = [_split(arg) for arg in args]
    chosen = [k for k, (dynamic, _) in enumerate(parts) if jax.tree.leaves(dynamic)]
    example = tuple(parts[k][0] for k in chosen)
    is_single = len(example) == 1

    def tape_of(dynamic):
        given = dict(zip(chosen, (dynamic,) if is_single else dynamic, strict=True))
        full = [_merge(given[k], static) if k in given else static for k, (_, static) in enumerate(parts)]
        return construct_tape(qnode, level="user")(*full, **kwargs)

    wires = qnode.device.wires if qnode.device is not None else None
    return _objective(tape_of, example[0] if is_single else example, wires)


def from_tape(tape: "QuantumScript") -> Expectation:
    """The expectation values that a PennyLane tape measures, as an objective.

    Args:
        tape: its parameters are those gate parameters that are trainable, raveled in order into one vector;
            unitary matrices, prepared states, and coefficients of observables are fixed.

    Returns:
        An `Expectation`.

    Raises:
        ImportRefused: as for `from_qnode`.

    Example:
        >>> import pennylane as qml
        >>> from qcgrad.interop import from_tape
        >>> tape = qml.tape.QuantumScript([qml.RX(0.1, 0), qml.RY(0.2, 1)], [qml.expval(qml.Z(0))])
        >>> from_tape(tape).num_parameters
        2
    """
    from pennylane.tape import QuantumScript

    if not isinstance(tape, QuantumScript):
        raise TypeError(f"tape is {type(tape).__name__}: give a pennylane.tape.QuantumScript")
    refuse_broadcasting(tape.operations)
    fixed = ("QubitUnitary", "ControlledQubitUnitary", "DiagonalQubitUnitary", "StatePrep", "BasisState", "BlockEncode")
    chosen, values = [], []
    for index in sorted(tape.trainable_params):
        info: Any = tape.par_info[index]
        value = np.asarray(tape.get_parameters(trainable_only=False)[index])
        if info["op_idx"] < len(tape.operations) and info["op"].name not in fixed and value.dtype.kind == "f":
            chosen.append(index)
            values.append(value)
    sizes = np.cumsum([v.size for v in values])

    def tape_of(flat):
        parts: Any = (
            [p.reshape(v.shape) for p, v in zip(jnp.split(flat, sizes[:-1]), values, strict=True)] if values else []
        )
        return tape.bind_new_parameters(parts, chosen)

    return _objective(tape_of, np.concatenate([v.ravel() for v in values]) if values else np.zeros(0), None)


def _objective(tape_of, example, device_wires) -> Expectation:
    recorder = Recorder()
    found: dict[str, Any] = {}

    def record(dynamic):
        tape = _refusing(tape_of, dynamic)
        found["wires"] = _wire_index(tape, device_wires)
        found["instructions"] = _instructions(tape, found["wires"], recorder)
        found["observables"], found["is_vector"] = _observables(tape, found["wires"], recorder)
        return 0.0

    # Forward-mode tracing touches only what depends on the arguments; the rest stays plain numbers.
    zeros = jax.tree.map(jnp.zeros_like, example)
    jax.jvp(record, (jax.tree.map(jnp.asarray, example),), (zeros,))
    if not jax.tree.leaves(example):
        raise ImportRefused(
            "no argument is a floating-point number, so there is nothing to differentiate: give the arguments that the "
            "QNode is called with, as floating-point numbers"
        )

    def values(dynamic):
        replay = Recorder(recorder)
        tape = _refusing(tape_of, dynamic)
        _instructions(tape, found["wires"], replay)
        dependent = [jnp.asarray(replay.values[k]) for k in recorder.dependent]
        return jnp.stack(dependent) if dependent else jnp.zeros(0)

    # Values that were read as Python numbers fail here, by name, instead of losing their gradient.
    _refusing(jax.eval_shape, values, example)
    circuit, selected = assemble(len(found["wires"]), found["instructions"], len(recorder.dependent))
    parameter_map = jax.jit(values if selected is None else lambda dynamic: selected(values(dynamic)))
    observables = found["observables"] if found["is_vector"] else found["observables"][0]
    return Expectation(circuit, observables, parameter_map, example=example)


def _instructions(tape, wires, recorder):
    refuse_broadcasting(tape.operations)
    return [i for operation in tape.operations for i in walk(operation, wires, recorder)]


def _observables(tape, wires, recorder):
    if not tape.measurements:
        raise ImportRefused("the QNode returns no measurement: return qml.expval(...)")
    return [pauli_sum(m, wires, recorder) for m in tape.measurements], len(tape.measurements) > 1


def _wire_index(tape, device_wires):
    order = list(device_wires) if device_wires is not None else list(tape.wires)
    missing = [w for w in tape.wires if w not in order]
    if missing:
        raise ImportRefused(f"wire {missing[0]!r} is not one of the device's wires {order}")
    return {label: k for k, label in enumerate(order or [0])}


def _refusing(function, *args):
    try:
        return function(*args)
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise ImportRefused(
            "the QNode uses the value of an argument outside of JAX (a NumPy or math function, float(), or a "
            "condition on it): use jax.numpy or qml.math functions, or give that argument as an integer to fix it. "
            f"JAX says: {str(error).splitlines()[0]}"
        ) from error


def _check_arguments(qnode, args, kwargs):
    try:
        inspect.signature(qnode.func).bind(*args, **kwargs)
    except TypeError as error:
        raise ImportRefused(f"give the arguments that the QNode is called with, as examples: {error}") from error


def _split(tree):
    """(parameters, the rest) of one argument, each with None in the other's places."""
    leaves, structure = jax.tree.flatten(tree, is_leaf=lambda leaf: leaf is None)
    dynamic = [_as_parameter(leaf) for leaf in leaves]
    # PennyLane's own tensors do not mix with JAX's.
    plain = [np.asarray(leaf) if hasattr(leaf, "requires_grad") else leaf for leaf in leaves]
    static = [leaf if d is None else None for leaf, d in zip(plain, dynamic, strict=True)]
    return structure.unflatten(dynamic), structure.unflatten(static)


def _as_parameter(leaf):
    if isinstance(leaf, (bool, int, str)) or leaf is None or getattr(leaf, "requires_grad", True) is False:
        return None
    dtype = getattr(leaf, "dtype", None)
    if isinstance(leaf, float):
        return np.asarray(leaf, dtype=jax.dtypes.canonicalize_dtype(float))
    if dtype is None or not jnp.issubdtype(dtype, jnp.floating):
        return None
    if isinstance(leaf, Tracer):
        raise ImportRefused("the arguments are being traced by JAX: import the QNode outside of jit and grad")
    plain = np.asarray(leaf)
    return np.array(plain, dtype=jax.dtypes.canonicalize_dtype(plain.dtype))


def _merge(dynamic, static):
    def is_none(leaf):
        return leaf is None

    return jax.tree.map(lambda d, s: s if d is None else d, dynamic, static, is_leaf=is_none)
