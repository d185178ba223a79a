"""What is read from the outputs of a complex network."""

from typing import TYPE_CHECKING, Literal

import equinox as eqx
import jax.numpy as jnp

from ...array_types import Key
from ...errors import NotApplicable
from .._array_types import Batch, Outputs
from .._gap import gaps_of_parts
from ..kernel_state import KernelState
from .layer import AbstractLayer

if TYPE_CHECKING:
    from ..rules._activation_rule import ActivationRule


class Readout(AbstractLayer):
    r"""What is read from complex outputs f: f itself, its real part, or its modulus.

    Kernels of the real part are \(\tfrac12\mathrm{Re}(K + C)\) and \(\tfrac12\mathrm{Re}(\Theta + \tilde\Theta)\). The
    modulus has none: |f| is not Gaussian, and its tangent kernel \(\tfrac12\mathrm{Re}(\bar u\,\Theta\,u' +
    \bar u\,\tilde\Theta\,\bar u')\), u = f/|f|, depends on the random phases of f at initialisation at every width.

    Args:
        kind: "complex", "real" or "modulus".

    Raises:
        ValueError: another kind.
        NotApplicable: the infinite-width kernel is asked for of a modulus, or of a real part in front of all weights or
            directly behind an activation.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn
        >>> nn.Readout("modulus").apply((), jnp.array([[3.0 + 4.0j]])).tolist()
        [[5.0]]
    """

    kind: Literal["complex", "real", "modulus"] = eqx.field(static=True, default="complex")

    def __check_init__(self) -> None:
        if self.kind not in ("complex", "real", "modulus"):
            raise ValueError(f'Readout: kind must be "complex", "real" or "modulus", but {self.kind!r} was given.')

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[()]:
        return ()

    def apply(self, params: tuple[()], x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        if self.kind == "complex":
            return jnp.asarray(x)
        return jnp.real(x) if self.kind == "real" else jnp.abs(x)

    def propagate(self, state: KernelState) -> KernelState:
        if self.kind == "modulus":
            raise NotApplicable(
                'Readout("modulus") has no infinite-width kernel: |f| is not Gaussian, and its tangent kernel depends '
                'on the random phases of f. The network in front has one: ask for it with Readout("complex"), or '
                "compute the empirical kernel of this one."
            )
        if self.kind == "complex" or not state.is_complex:
            return state
        if state.pseudo is None and state.law in ("data", "features"):
            raise NotApplicable(
                'Readout("real") has no infinite-width kernel here: what goes in need not be circular. Put a Dense or '
                "Conv layer in front of it; of data, take the real part before."
            )

        def real_part(kernel, pseudo):
            return jnp.real(kernel if pseudo is None else kernel + pseudo) / 2

        nngp, ntk = real_part(state.nngp, state.pseudo), real_part(state.ntk, state.ntk_pseudo)
        ntk_rule = real_part(state.ntk_rule, state.ntk_rule_pseudo)
        variance1, variance2 = real_part(state.variance1, state.pseudo1), real_part(state.variance2, state.pseudo2)
        # Of real numbers, every pseudo-kernel equals its kernel.
        return state._replace(
            nngp=nngp,
            pseudo=nngp,
            ntk=ntk,
            ntk_pseudo=ntk,
            ntk_rule=ntk_rule,
            ntk_rule_pseudo=ntk_rule,
            variance1=variance1,
            variance2=variance2,
            pseudo1=variance1,
            pseudo2=variance2,
            gap=None if state.gap is None else gaps_of_parts(state.nngp, state.gap)[0],
            is_complex=False,
        )
