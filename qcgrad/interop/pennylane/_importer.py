"""PennyLane's QNodes and tapes as objectives."""

import copy
import warnings
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from ...arrays import is_concrete
from ...errors import ImportRefused, QcgradError
from ...ir.expectation import Expectation
from ._autodiff import Autograd, Torch
from ._foreign import trace_foreign
from ._gates import refuse_broadcasting
from ._tapes import FIXED, tape_objective
from ._trace import Batch, trace
from .arguments import Arguments, is_torch

if TYPE_CHECKING:
    import pennylane as qml
    from pennylane.tape import QuantumScript


def from_qnode(qnode: "qml.QNode", *args: Any, **kwargs: Any) -> Expectation:
    """What a QNode returns, as an objective.

    Whatever the QNode does to its arguments before they reach a gate (sums, products, `jax.numpy` or
    `qml.math` functions, reshapes, steps, JAX's loops and conditions) is traced by JAX, kept, and
    differentiated exactly; so is what transforms of the QNode do to its results. Where it calls functions that
    JAX cannot trace, `numpy`, `pennylane.numpy`, `autograd` or, with tensors among the arguments, `torch`, that
    framework's own autodiff differentiates it: then the QNode's function runs again at each point, on the host
    where JAX compiles, and has first derivatives only. The circuit itself must be the same for all arguments.

    Args:
        qnode: returns `qml.expval`, `qml.var` or `qml.probs(wires=...)` (up to 8 wires): one number gives a
            scalar objective, several a vector of all numbers in order. Its device, `diff_method` and
            `interface` play no role, its shots neither (a warning says so): estimators have their own.
        *args: example arguments. Their floating-point numbers and arrays are the parameters, in any nesting
            of lists, tuples and dicts, tensors of torch whether they require gradients or not; integers,
            booleans, strings, None, operators, and PennyLane tensors with `requires_grad=False` are fixed.
        **kwargs: fixed, as in `qml.grad`.

    Returns:
        An `Expectation`. Its parameters are one flat vector (all numbers in order), or have the structure
        of the arguments: that of the argument itself if only one has parameters, else the tuple of those
        that have. In nested arguments None stands for what is fixed. `qcgrad.as_jax` of it is called as the
        QNode is, with or without the fixed arguments. Where results are not affine in expectation values
        (variances, say), the variances of estimates are first-order bounds, and their bias is NaN, unknown.

    Raises:
        ImportRefused: mid-circuit measurements, channels, broadcasting, other returns, a gate without
            decomposition, a circuit that depends on the values of the arguments, transforms that give
            several circuits.

    Cost: one trace by JAX, about 0.1 ms for each parameterised gate. Angles that are affine in the parameters
    compile nothing; all others are one compiled function, or one run of the QNode's function by its framework for
    each point and one sweep backwards through it for each row that is pulled back.

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

    if not isinstance(qnode, qml.QNode):
        raise TypeError(f"qnode is {type(qnode).__name__}: give a pennylane.QNode, or use from_tape for a tape")
    if not is_concrete((args, kwargs)):
        raise ImportRefused("the arguments are being traced by JAX: import the QNode outside of jit and grad")
    qnode, kwargs = _without_shots(qnode, kwargs)
    _check_device(qnode.device)
    arguments = Arguments(qnode, args, kwargs)
    wires = qnode.device.wires if qnode.device is not None else None
    return _traced(lambda params: _batch(qnode, arguments.full(params), kwargs), wires, arguments, args)


def from_tape(tape: "QuantumScript") -> Expectation:
    """What a PennyLane tape measures, as an objective.

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
    if tape.shots:
        _warn_of_shots(tape.shots, "tape")
    chosen = []
    for index in sorted(tape.trainable_params):
        info: Any = tape.par_info[index]
        value = np.asarray(tape.get_parameters(trainable_only=False)[index])
        if info["op_idx"] < len(tape.operations) and info["op"].name not in FIXED and value.dtype.kind == "f":
            chosen.append(index)
    return tape_objective(tape, chosen)


def _traced(batch_of, wires, arguments, args):
    """By JAX; where the QNode calls functions that JAX cannot trace, by the framework that they are of."""
    try:
        return trace(batch_of, arguments.example, wires, arguments)
    except (ImportRefused, TypeError, AttributeError, ValueError) as error:
        # A loop or a condition on a value is JAX's to refuse: no framework would see it.
        met = error.__cause__ if isinstance(error, ImportRefused) else error
        if met is None or isinstance(met, jax.errors.ConcretizationTypeError):
            raise
        refused = error
    framework = Torch() if any(is_torch(leaf) for leaf in jax.tree.leaves(args)) else Autograd()
    try:
        return trace_foreign(batch_of, arguments.example, wires, arguments, framework)
    except QcgradError:
        raise
    except Exception as error:  # whatever the user's functions raise
        raise ImportRefused(f"{refused}. {framework.name} says: {error}") from error


def _batch(qnode, args, kwargs) -> Batch:
    from pennylane.measurements import MeasurementProcess
    from pennylane.workflow import construct_batch

    returned = []

    def function(*args, **kwargs):
        returned.append(qnode.func(*args, **kwargs))
        _check_returned(returned[-1])
        return returned[-1]

    watched = copy.copy(qnode)
    watched.func = function
    tapes, process = construct_batch(watched, level="user")(*args, **kwargs)
    return Batch(tuple(tapes), lambda results: process(results)[0], not isinstance(returned[-1], MeasurementProcess))


def _check_returned(returned):
    """What is returned must be what is measured: PennyLane measures everything that was created."""
    from pennylane import QueuingManager, pytrees
    from pennylane.measurements import MeasurementProcess
    from pennylane.tape import QuantumScript

    leaves = pytrees.flatten(returned, is_leaf=lambda leaf: isinstance(leaf, MeasurementProcess))[0]
    if not leaves or not all(isinstance(leaf, MeasurementProcess) for leaf in leaves):
        raise ImportRefused(f"the QNode returns {returned!r}, which is no measurement: return qml.expval(...)")
    measured = QuantumScript.from_queue(QueuingManager.active_context()).measurements
    if [id(m) for m in measured] != [id(leaf) for leaf in leaves]:
        raise ImportRefused(
            f"the QNode measures {measured}, but returns {leaves}: return all measurements in the order in which they "
            "are created"
        )


def _without_shots(qnode, kwargs):
    """The QNode and its keywords, analytic."""
    given = kwargs.get("shots") if not qnode._qfunc_uses_shots_arg else None
    shots = given if given is not None else qnode.shots
    kwargs = {name: value for name, value in kwargs.items() if name != "shots" or qnode._qfunc_uses_shots_arg}
    if shots:
        _warn_of_shots(shots, "QNode")
        qnode = qnode.update_shots(None)
    return qnode, kwargs


def _warn_of_shots(shots, what):
    shown = getattr(shots, "total_shots", None) or shots
    warnings.warn(
        f"the {what} has shots={shown}, which its objective does not keep: an estimator has shots of its own, for "
        f"example qcgrad.ParameterShift(shots={shown}), and is exact without",
        UserWarning,
        stacklevel=3 if what == "tape" else 4,
    )


def _check_device(device):
    """What a device does to a circuit besides running it would be lost."""
    if getattr(device, "readout_err", None):
        raise ImportRefused(f"the device has readout_prob={device.readout_err}: only noiseless devices are supported")
    if type(device).__name__ == "TransformedDevice":
        raise ImportRefused("a transform was applied to the device: apply it to the QNode, whose transforms are kept")
