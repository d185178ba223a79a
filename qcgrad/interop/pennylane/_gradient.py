"""Every estimator as a gradient method of PennyLane's QNodes."""

from typing import TYPE_CHECKING

from ...array_types import Key
from ...backend import AbstractBackend
from ...errors import NotApplicable
from ...estimator import AbstractEstimator
from ...keys import as_key

if TYPE_CHECKING:
    from pennylane.transforms.core import Transform


def gradient(
    estimator: AbstractEstimator, backend: AbstractBackend | None = None, key: Key | int | None = None
) -> "Transform":
    r"""The gradient transform of PennyLane that estimates Jacobians by a method of qcgrad.

    For the gate parameters \(\theta\) of a circuit and what it measures, \(F_k(\theta)\), it gives
    \(\partial F_k / \partial \theta_j\) as the estimator finds it, in the nesting of PennyLane's own gradient
    transforms: as `diff_method` of a QNode under NumPy's autograd, JAX, `jax.jit` and torch; applied to a QNode, whose
    Jacobian it then returns; and applied to tapes, which gives no tapes and a function that works the Jacobian out.

    Values come from the QNode's device, with the shots of the QNode. **The device plays no part in the gradient**: the
    `backend` answers what the estimator asks, and shots are those of the estimator. Where the QNode has shots a warning
    says so, once. For a shot vector each of its entries gets an estimate of its own, from fresh samples, all with the
    settings of the estimator. Methods that hold several copies of a state say once who simulates them, and how
    faithfully. Gradients are worked out in double precision, whatever JAX's 64-bit mode is.

    Args:
        estimator: how, for example `qcgrad.GentleSweep(copies=1000)`.
        backend: who answers; by default the statevector simulator.
        key: JAX random key or integer seed of all draws. Each run takes a new part of it, so that no noise comes
            twice; a new transform with the same key repeats the sequence. By default a seed is drawn from NumPy's
            global generator, as PennyLane's devices do.

    Returns:
        A transform. Its attribute `estimates` is the list of the `qcgrad.Estimate`s of the latest circuit, with
        variances and costs by gate parameters: one, or one for each entry of a shot vector and of a batch. Its
        argument `argnum` is that of `qml.gradients.param_shift`.

    Raises:
        TypeError: no estimator, no backend, no key.
        ImportRefused: when a gradient is worked out: mid-circuit measurements, channels, states, samples and entropies,
            trainable states, matrices and observables (coefficients under `qml.expval` are fine where a framework
            differentiates them).
        NotImplementedError: trainable parameters with a batch axis, as in PennyLane.
        NotApplicable: the method's rule does not hold for the circuit; a second derivative.

    Cost: that of `qcgrad.estimate` for all numbers that the circuit measures, which `qcgrad.Tracker` adds up. The
    circuit is read once, about 0.1 ms for each gate, and kept as long as only trainable parameters change.

    Example:
        >>> import pennylane as qml, qcgrad as qg
        >>> from pennylane import numpy as np
        >>> from qcgrad.interop.pennylane import gradient
        >>> @qml.qnode(qml.device("default.qubit"), diff_method=gradient(qg.Adjoint()))
        ... def circuit(x):
        ...     qml.RY(x[0], wires="a")
        ...     qml.CRX(x[0] * x[1], wires=["a", "b"])
        ...     return qml.expval(qml.Z("b"))
        >>> print(qml.grad(circuit)(np.array([0.4, 0.3])).round(6))
        [-0.002818 -0.00189 ]

    References:
        V. Bergholm et al., "PennyLane: Automatic differentiation of hybrid quantum-classical computations",
        arXiv:1811.04968.
    """
    if isinstance(estimator, type) or not isinstance(estimator, AbstractEstimator):
        raise TypeError(f"estimator is {estimator!r}: give an estimator object, for example qcgrad.ParameterShift()")
    if backend is not None and not isinstance(backend, AbstractBackend):
        raise TypeError(f"backend is {backend!r}: give a backend object, for example qcgrad.Statevector()")
    if estimator.differentiates != "circuits" or estimator.stateful:
        raise NotApplicable(f"{type(estimator).__name__} differentiates no circuits: give a method of circuits")
    from ._tape_gradient import TapeGradient, as_transform  # loads PennyLane

    return as_transform(TapeGradient(estimator, backend, as_key(key)))
