"""Adjoint differentiation."""

from ...array_types import Key
from ...objective import Point
from ...queries import AdjointSweep
from .._programs import program_at
from ._exact_sweep import ExactSweep


class Adjoint(ExactSweep):
    r"""Exact gradients in one forward and one backward pass with constant memory.

    With \(|\lambda\rangle = O|\psi\rangle\) carried backwards beside the un-computed state,

    .. math:: \partial_t F = 2\,\mathrm{Im}\,\langle\lambda|G|\psi\rangle, \qquad U = e^{-itG}.

    For K observables one adjoint state is carried for each cotangent.

    Access: white box. Exact up to rounding; variance zero.

    Cost: (2 + C) gate applications a gate, where a run takes one: cost(gradient)/cost(value) is
    constant in M, so it has backpropagation scaling, on a simulator. Memory: 2 + C states.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> e = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [0.5], qg.Adjoint())
        >>> print(e.gradient, e.cost.gates)
        [-0.47942554] 3

    References:
        T. Jones, J. Gacon, "Efficient calculation of gradients in classical simulations of variational
        quantum algorithms", 2020, arXiv:2009.02823.
    """

    is_typical = True

    def plan(self, point: Point, key: Key | None) -> tuple[AdjointSweep]:
        program = program_at(point, self)
        return (AdjointSweep(program, point.coordinates, point.cotangents),)
