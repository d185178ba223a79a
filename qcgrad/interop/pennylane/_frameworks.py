"""Numbers of PennyLane's frameworks: whose they are, and how results become theirs."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jaxtyping import Float
from pennylane import math
from pennylane.tape import QuantumScript

from ...errors import NotApplicable

_SECOND = (
    "a gradient by qcgrad in a QNode of PennyLane has no second derivative: differentiate qcgrad.as_jax of "
    "qcgrad.interop.from_qnode(qnode, ...) twice, with an exact method"
)


def is_traced(params: Sequence[Any]) -> bool:
    """Whether JAX has no numbers yet for one of them."""
    return any(isinstance(value, Tracer) for value in params)


def on_host(
    function: Callable[[QuantumScript], np.ndarray], tape: QuantumScript, shape: tuple[int, ...]
) -> Float[jax.Array, "..."]:
    """`function` of the tape once its numbers are known, as part of the program that JAX is tracing."""
    params = tape.get_parameters(trainable_only=False)
    traced = [k for k, value in enumerate(params) if isinstance(value, Tracer)]
    result = jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(float))

    def called(values):
        found = function(tape.bind_new_parameters([np.asarray(v) for v in values], traced))
        return np.asarray(found, result.dtype)

    @jax.custom_jvp
    def run(values):
        return jax.pure_callback(called, result, values, vmap_method="sequential")

    @run.defjvp
    def refuse(*_):
        raise NotApplicable(_SECOND)

    return run([params[k] for k in traced])


def finisher(params: Sequence[Any]) -> Callable[[np.ndarray], Any]:
    """What makes of an array one of the framework that the parameters are of."""
    interface = math.get_interface(*params)
    if interface == "torch":
        return _for_torch([value for value in params if math.get_interface(value) == "torch"])
    if interface == "autograd":
        from pennylane.numpy import tensor

        boxes = [value for value in params if hasattr(value, "_value")]
        if any(hasattr(box._value, "_value") for box in boxes):
            raise NotApplicable(_SECOND)
        return (lambda array: array) if boxes else (lambda array: tensor(array, requires_grad=True))
    return jax.numpy.asarray if interface == "jax" else np.asarray


def _for_torch(params):
    import torch

    class Final(torch.autograd.Function):
        """A constant that refuses to be differentiated, where torch would take its derivative for zero."""

        @staticmethod
        def forward(ctx, found, *params):
            return found

        @staticmethod
        def backward(ctx, *cotangents):
            raise NotApplicable(_SECOND)

    def finish(array):
        found = torch.as_tensor(array, device=params[0].device)
        watched = [value for value in params if value.requires_grad]
        return Final.apply(found.clone(), *watched) if watched and torch.is_grad_enabled() else found

    return finish
