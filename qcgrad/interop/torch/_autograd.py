"""A program of JAX as a function of PyTorch's autograd: any derivative, and batches by `torch.vmap`."""

from typing import Any

from ...array_types import Key
from ._programs import Program, pulled_back
from ._tensors import checked, to_jax, to_torch, torch

Tensors = tuple[torch.Tensor, ...]


class Call:
    """One call of a program.

    Attributes:
        program: which.
        key: what it draws with, or None.
        wants_derivative: whether anybody may ask for one.
        pull_back: what the call left for its derivative, if anything.
    """

    def __init__(self, program: Program, key: Key | None, wants_derivative: bool):
        self.program, self.key, self.wants_derivative = program, key, wants_derivative
        self.pull_back: Any = None


def evaluate(program: Program, key: Key | None, tensors: Tensors) -> Tensors:
    """What a program gives, as tensors that know where they come from."""
    wants_derivative = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    return _Evaluation.apply(Call(program, key, wants_derivative), *tensors)  # pyright: ignore[reportReturnType]


class _Evaluation(torch.autograd.Function):
    @staticmethod
    def forward(call: Call, *tensors: torch.Tensor) -> Tensors:
        leaves = _leaves(call.program, tensors)
        if call.wants_derivative:
            found, call.pull_back = call.program.linearized(leaves, call.key)
        else:
            found = call.program.values(leaves, call.key)
        return tuple(to_torch(array) for array in found)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensors) -> None:
        ctx.call, *tensors = inputs
        # Saved even where the pull-back holds all that is needed: PyTorch then notices if they were changed in place.
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        call, tensors = ctx.call, ctx.saved_tensors
        if call.pull_back is None or torch.is_grad_enabled():
            found = evaluate(call.program.pull_back, call.key, (*cotangents, *tensors))
        else:
            found = tuple(map(to_torch, pulled_back(call.pull_back, tuple(map(to_jax, cotangents)))))
        return None, *(g if needed else None for g, needed in zip(found, ctx.needs_input_grad[1:], strict=True))

    @staticmethod
    def jvp(ctx: Any, *tangents: torch.Tensor | None) -> Tensors:
        tensors = ctx.saved_tensors
        moved = tuple(torch.zeros_like(x) if t is None else t for t, x in zip(tangents[1:], tensors, strict=True))
        return evaluate(ctx.call.program.push_forward, ctx.call.key, (*moved, *tensors))

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], call: Call, *tensors: torch.Tensor) -> tuple[Tensors, Any]:
        axes = in_dims[1:]
        if call.program.draws and call.key is not None and info.randomness == "error":
            raise RuntimeError(
                "torch.vmap met a method that draws at random: say whether entries of the batch draw apart from each "
                'other, torch.vmap(f, randomness="different"), or all the same, "same"'
            )
        apart = call.program.draws and info.randomness == "different"
        program = call.program.batched(tuple(axis is not None for axis in axes), apart)
        moved = (x if axis is None else x.movedim(axis, 0) for x, axis in zip(tensors, axes, strict=True))
        found = evaluate(program, call.key, tuple(moved))
        return found, (0,) * len(found)


def _leaves(program: Program, tensors: Tensors):
    # Derivatives come with cotangents or tangents in front of the parameters: NaN there is the caller's, and passes.
    moved = len(tensors) - len(program.names)
    params = zip(program.names, tensors[moved:], strict=True)
    return (*map(to_jax, tensors[:moved]), *(checked(name, tensor) for name, tensor in params))
