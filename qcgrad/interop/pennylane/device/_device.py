"""The class that PennyLane finds under the name `qcgrad.statevector`."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from numpy.typing import DTypeLike
from pennylane import capture
from pennylane.devices import Device, ExecutionConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.exceptions import DeviceError
from pennylane.math import Interface
from pennylane.transforms.core import CompilePipeline

from ....array_types import Key
from ....backend import AbstractBackend
from ....keys import as_key
from ....simulators import Statevector
from .._keys import stream_of
from ._accepted import is_differentiated
from ._derivatives import jacobian, jacobian_vector, vector_jacobian
from ._execution import Engine, execute, traced
from ._preprocess import pipeline, warn_of_shifts
from ._program import Programs

_METHODS = ("best", "adjoint", "device", "backprop")
_JAX = (Interface.JAX, Interface.JAX_JIT)
_DTYPES = {np.dtype(np.complex128): np.dtype(np.float64), np.dtype(np.complex64): np.dtype(np.float32)}


@simulator_tracking
@single_tape_support
class StatevectorDevice(Device):
    """PennyLane's device `qcgrad.statevector`: state vectors on the native engine, with adjoint derivatives.

    `qml.device("qcgrad.statevector", wires=...)` makes one. Expectation values and variances of Pauli sums, samples,
    counts, probabilities, states, density matrices, entropies and classical shadows are measured; all of PennyLane's
    unitary operations run that are gates here or decompose into such. Mid-circuit measurements are deferred.

    `diff_method="adjoint"`, which is what "best" means wherever it applies, differentiates what follows from
    expectation values: `expval`, `var`, and `probs` of up to 8 wires. With the JAX interface such a QNode is a
    function that JAX traces: `jax.jit` compiles it into one call of the engine, and `jax.vmap` and second derivatives
    (`jax.hessian`) work. Everything else is differentiated by PennyLane's own transforms, as on any device.

    The structure of a circuit is kept from call to call, and a step of a training loop only fills in its angles.
    `qcgrad.Tracker` hears of all executions and derivatives: copies of tapes with shots, gates, FLOPs and bytes.

    Args:
        wires: number of wires, or their labels; None takes them from each circuit.
        shots: default number of shots of QNodes, or a shot vector (PennyLane prefers `qml.set_shots`).
        seed: integer or JAX random key: the executions of a device draw independent samples, and a new device with the
            same seed draws the same ones again. None takes one from NumPy's global generator.
        c_dtype: complex128 or complex64, the precision of amplitudes. Where JAX traces, the parameters' precision
            counts instead.
        backend: who answers, by default `qcgrad.Statevector()`; one with a limit on memory or with a mesh, for example.

    Raises:
        TypeError: a seed that is no integer and no key, a backend that is none.
        ValueError: another `c_dtype`.
        StateTooLarge: when executed, a state that would not fit into memory.
        DeviceError: when executed, channels, postselection, trainable numbers of observables, program capture,
            methods for mid-circuit measurements other than "deferred".

    Cost: as `qcgrad.Adjoint` and `qcgrad.queries.Evaluate`; PennyLane's own work for each call comes on top, except
    under `jax.jit`.

    Example:
        >>> import pennylane as qml
        >>> from pennylane import numpy as pnp
        >>> @qml.qnode(qml.device("qcgrad.statevector", wires=["a", "b"]))
        ... def circuit(x):
        ...     qml.RY(x, wires="a")
        ...     qml.CNOT(wires=["a", "b"])
        ...     return qml.expval(qml.Z("b"))
        >>> print(round(float(qml.grad(circuit)(pnp.array(0.5))), 6))
        -0.479426
    """

    name = "qcgrad.statevector"  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __init__(
        self,
        wires: int | Iterable[Any] | None = None,
        shots: Any = None,
        *,
        seed: int | Key | None = None,
        c_dtype: DTypeLike = np.complex128,
        backend: AbstractBackend | None = None,
    ):
        super().__init__(wires=wires, shots=shots)
        if backend is not None and not isinstance(backend, AbstractBackend):
            raise TypeError(f"backend is {backend!r}: give a backend object, for example qcgrad.Statevector()")
        if np.dtype(c_dtype) not in _DTYPES:
            raise ValueError(f"c_dtype is {c_dtype!r}: give numpy.complex128 or numpy.complex64")
        self._keys = stream_of(_key_of(seed))
        self._engine = Engine(backend or Statevector(), Programs(), self.wires, _DTYPES[np.dtype(c_dtype)])

    @property
    def backend(self) -> AbstractBackend:
        """Who answers."""
        return self._engine.backend

    def supports_derivatives(self, execution_config: ExecutionConfig | None = None, circuit: Any = None) -> bool:
        """Whether the adjoint method differentiates a circuit; by "backprop" it goes where JAX traces."""
        if execution_config is None:
            return True
        if execution_config.gradient_method not in _METHODS:
            return False
        if execution_config.gradient_method == "backprop" and execution_config.interface not in _JAX:
            return False
        return circuit is None or is_differentiated(circuit)

    supports_vjp = supports_derivatives  # pyright: ignore[reportAssignmentType]
    supports_jvp = supports_derivatives  # pyright: ignore[reportAssignmentType]

    def setup_execution_config(self, config: ExecutionConfig | None = None, circuit: Any = None) -> ExecutionConfig:
        """What was left open is decided."""
        config = config or ExecutionConfig()
        if capture.enabled():
            raise DeviceError(f"{self.name} does not run captured programs: call qml.capture.disable() first")
        if config.device_options:
            raise DeviceError(f"{self.name} has no device options, got {dict(config.device_options)}")
        mcm_config: Any = config.mcm_config
        warn_of_shifts(config, circuit)
        method = mcm_config.mcm_method
        if method not in (None, "deferred", "device"):
            raise DeviceError(f"mcm_method={str(method)!r} is not supported on {self.name}: use 'deferred'")
        changes: dict[str, Any] = {"mcm_config": replace(mcm_config, mcm_method="deferred")}
        if config.gradient_method in _METHODS:
            is_traced = config.interface in _JAX
            changes["gradient_method"] = "backprop" if is_traced else "adjoint"
            changes["use_device_gradient"] = True
            products = bool(config.use_device_jacobian_product) and not is_traced
            changes["use_device_jacobian_product"] = products
            if config.grad_on_execution is None:
                changes["grad_on_execution"] = not (is_traced or products)
        return replace(config, **changes)

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> CompilePipeline:
        """The steps that every circuit goes through before it is executed."""
        return pipeline(execution_config or ExecutionConfig(), self.wires, self.name)

    def execute(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Results of circuits, each with samples of its own."""
        if execution_config is not None and execution_config.gradient_method == "backprop":
            return tuple(traced(tape, self._engine) for tape in circuits)
        with _numbers_at_hand():
            return tuple(execute(tape, self._engine, self._keys.next() if tape.shots else None) for tape in circuits)

    def compute_derivatives(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Derivatives by the trainable parameters."""
        return self.execute_and_compute_derivatives(circuits, execution_config)[1]

    def execute_and_compute_derivatives(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Results and derivatives from one sweep for each expectation value."""
        with _numbers_at_hand():
            return _apart(jacobian(tape, self._engine) for tape in circuits)

    def compute_vjp(self, circuits: Any, cotangents: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Cotangents times derivatives."""
        return self.execute_and_compute_vjp(circuits, cotangents, execution_config)[1]

    def execute_and_compute_vjp(
        self, circuits: Any, cotangents: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """Results, and cotangents times derivatives, from one sweep for each cotangent."""
        with _numbers_at_hand():
            return _apart(
                vector_jacobian(tape, given, self._engine) for tape, given in zip(circuits, cotangents, strict=True)
            )

    def compute_jvp(self, circuits: Any, tangents: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Derivatives along a direction."""
        return self.execute_and_compute_jvp(circuits, tangents, execution_config)[1]

    def execute_and_compute_jvp(
        self, circuits: Any, tangents: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """Results, and derivatives along a direction."""
        with _numbers_at_hand():
            return _apart(
                jacobian_vector(tape, given, self._engine) for tape, given in zip(circuits, tangents, strict=True)
            )


@contextlib.contextmanager
def _numbers_at_hand():
    """In full precision whatever JAX is set to, and at once, also where JAX is tracing what stands around the tape."""
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        yield


def _apart(pairs):
    """Pairs as two tuples, also where there are none."""
    found = list(pairs)
    return tuple(first for first, _ in found), tuple(second for _, second in found)


def _key_of(seed) -> Key | None:
    try:
        return as_key(seed)
    except TypeError:
        raise TypeError(f"seed is {seed!r}: give an integer, a JAX random key, or None") from None
