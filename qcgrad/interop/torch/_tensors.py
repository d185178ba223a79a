"""Tensors of PyTorch as arrays of JAX and back, without copies where the two can share memory."""

from typing import Any

import jax
import numpy as np

from ...arrays import as_real

try:
    import torch  # pyright: ignore[reportMissingImports]
except ImportError as error:
    raise ImportError(
        "qcgrad.interop.torch needs PyTorch, which is not installed: pip install 'qcgrad[torch]', or for the small CPU "
        "build pip install torch --index-url https://download.pytorch.org/whl/cpu"
    ) from error

_REAL = (torch.float32, torch.float64)


def to_jax(tensor: torch.Tensor) -> jax.Array:
    """The numbers of a tensor as an array of JAX.

    The array shares the tensor's memory where that is contiguous and starts at a multiple of 64 bytes, as PyTorch
    allocates it; anything else, such as a view from the middle of a tensor, is copied. So whatever reads the array has
    to be done before the tensor changes.
    """
    return jax.dlpack.from_dlpack(tensor.detach().contiguous())


def checked(name: str, tensor: torch.Tensor) -> jax.Array:
    """`to_jax` of parameters.

    Raises:
        TypeError: numbers that are no real floating-point ones, a tensor that is sparse or on another device.
        ValueError: NaN or infinity, or float64 while JAX's 64-bit mode is off.
    """
    check(name, tensor)
    as_real(name, tensor.detach().numpy())
    return to_jax(tensor)


def check(name: str, tensor: torch.Tensor) -> None:
    """Refuse what is no dense tensor of float32 or float64 on the CPU; looks at no numbers."""
    if tensor.dtype not in _REAL:
        raise TypeError(
            f"{name} has dtype {tensor.dtype}: give float32 or float64 numbers, for example {name}.double()"
        )
    if tensor.layout != torch.strided:
        raise TypeError(f"{name} has layout {tensor.layout}: give a dense tensor, {name}.to_dense()")
    if tensor.device.type != "cpu":
        raise TypeError(f"{name} is on device {tensor.device}: circuits take tensors on the CPU, {name}.cpu()")


def to_torch(array: jax.Array) -> torch.Tensor:
    """The numbers of an array as a tensor in the same memory, which nothing else may use any more."""
    return torch.from_dlpack(array)


def constant(value: Any, dtype: torch.dtype) -> torch.Tensor:
    """A number or array that stands among tensors."""
    return torch.as_tensor(np.asarray(value), dtype=dtype)
