"""The autodiff of frameworks that are not JAX: a function's numbers, and rows times their derivatives."""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ._numpy_boxes import known_to_numpy

Watched = Callable[[Any], list[Any]]
"""From a vector of the framework to what follows from it."""


class Found(NamedTuple):
    """The numbers (D,) of a function at x (N,), complex ones as real and imaginary parts, and what pulls rows back."""

    values: Float[np.ndarray, "D"]
    pulled_back: Callable[[Float[np.ndarray, "C D"]], Float[np.ndarray, "C N"]]


class Autodiff(abc.ABC):
    """A framework that records what is done to numbers while Python runs."""

    name: str

    @abc.abstractmethod
    def run(self, function: Watched, x: Float[np.ndarray, "N"]) -> Found:
        """All that the function returns, in one vector."""

    @abc.abstractmethod
    def watches(self, value: Any) -> bool:
        """Whether a number depends on x."""

    @abc.abstractmethod
    def shaped(self, part: Any, like: np.ndarray) -> Any:
        """A piece of the vector x in the shape and precision of an argument."""

    @abc.abstractmethod
    def is_complex(self, value: Any) -> bool: ...


class Autograd(Autodiff):
    """NumPy's autograd, which `pennylane.numpy` is made of."""

    name = "autograd"

    def run(self, function: Watched, x: Float[np.ndarray, "N"]) -> Found:
        from autograd import make_vjp
        from pennylane.numpy import tensor

        anp = _autograd_numpy()

        def flat(x):
            parts = [[anp.real(v), anp.imag(v)] if self.is_complex(v) else [v] for v in function(x)]
            parts = [anp.reshape(p, (-1,)) for part in parts for p in part]
            return anp.concatenate(parts) if parts else np.zeros(0)

        with known_to_numpy():
            pull, values = make_vjp(flat)(tensor(x, requires_grad=True))  # pyright: ignore[reportGeneralTypeIssues]

        def pulled_back(rows):
            return np.array([np.asarray(pull(row)) for row in rows], float).reshape(len(rows), len(x))

        return Found(np.asarray(values, float), pulled_back)

    def watches(self, value: Any) -> bool:
        from autograd.tracer import Box

        return isinstance(value, Box)

    def shaped(self, part: Any, like: np.ndarray) -> Any:
        return _autograd_numpy().reshape(part, np.shape(like))

    def is_complex(self, value: Any) -> bool:
        return np.iscomplexobj(value._value)


def _autograd_numpy() -> Any:
    import autograd.numpy

    return autograd.numpy  # its functions are made when it is imported, so that type checkers do not find them


class Torch(Autodiff):
    """PyTorch."""

    name = "torch"

    def run(self, function: Watched, x: Float[np.ndarray, "N"]) -> Found:
        import torch

        with torch.enable_grad():
            given = torch.tensor(x, dtype=torch.float64, requires_grad=True)
            parts = [[v.real, v.imag] if self.is_complex(v) else [v] for v in function(given)]
            parts = [p.reshape(-1).double() for part in parts for p in part]
            values = torch.cat(parts) if parts else torch.zeros(0)

        def pulled_back(rows):
            if not parts:
                return np.zeros((len(rows), len(x)))
            found = [torch.autograd.grad(values, given, torch.tensor(row), retain_graph=True)[0] for row in rows]
            return np.array([row.numpy() for row in found]).reshape(len(rows), len(x))

        return Found(values.detach().numpy(), pulled_back)

    def watches(self, value: Any) -> bool:
        import torch

        return isinstance(value, torch.Tensor) and value.requires_grad

    def shaped(self, part: Any, like: np.ndarray) -> Any:
        import torch

        return part.reshape(np.shape(like)).to(getattr(torch, str(like.dtype)))

    def is_complex(self, value: Any) -> bool:
        return value.is_complex()
