r"""What the infinite-width recursion carries from layer to layer.

Pre-activations of a wide network are jointly Gaussian over inputs. For two inputs x, x' the recursion carries their
covariance \(K = \mathbb E[z\,\bar z']\), pseudo-covariance \(C = \mathbb E[z\,z']\), and the tangent kernels

.. math:: \Theta = \sum_p \partial_p f\,\overline{\partial_p f'},\qquad
    \tilde\Theta = \sum_p \partial_p f\,\partial_p f',

sums over real parameters of unit variance (metric "unit"; derivatives by the real and imaginary parts of a complex
weight of unit variance give twice as much).
"""

from typing import Literal, NamedTuple

import jax
from jaxtyping import Float, Inexact

from ._array_types import KernelMap

Law = Literal["data", "gaussian", "flattened", "features"]


class KernelState(NamedTuple):
    """Kernels between the inputs x1 (N1) and x2 (N2).

    Pseudo-kernels are tracked only in networks with improper weights: in all others they are zero in front of every
    activation, and zero again behind the next weights. Real networks are improper: there each equals its kernel.

    Attributes:
        nngp: K (N1, N2, *positions), complex (real for real networks).
        pseudo: C, same shape; None where it is not tracked, and then so are all other pseudo-kernels.
        ntk: Theta, same shape.
        ntk_pseudo: Theta-tilde, same shape, or None.
        ntk_rule: the limit of J J-hat^H, J-hat the Jacobian of a backward rule, same shape.
        ntk_rule_pseudo: the limit of J J-hat^T, same shape, or None.
        variance1, variance2: K of each input with itself, (N1, *positions), (N2, *positions): real unless
            positions is "all".
        pseudo1, pseudo2: C of each input with itself, same shapes, or None.
        gap: 1 - |K|/sqrt(q q'), (N1, N2), with digits that K has lost near |rho| = 1; None for images, in complex
            networks with improper weights, and while JAX traces: there kernels follow from K as it stands.
        positions: for images the pairs of pixels that are kept, with the axes that stand for them: "none" (vectors),
            "same" (H, W: both inputs at the same pixel) or "all" (F, H/m, W/m', H/m, W/m': needed before pooling).
        spacing: (m, m') where positions is "all": pairs of pixels are kept whose distance is a multiple of it along
            each axis; strided layers behind see no others. F = m m' counts the pixels that they start from: entry
            (f, u, u') is for pixels m u + f and m u' + f.
        is_complex: whether activations are complex numbers.
        law: what the entries are: "data"; "gaussian", centred Gaussians of random weights, all channels alike;
            "flattened", such Gaussians whose variances differ from entry to entry; "features", functions of them.
        nonlinear: the layer behind the last weights that is no linear map, None where all are. Behind it finitely many
            outputs are no Gaussians, and their tangent kernel stays random at every width.
        is_narrow: whether there is one random channel only, which does not become Gaussian behind further weights.
        branches: what the rule keeps of either branch of an activation's derivative (`ActivationRule.branches`).
        shapes_only: whether numbers do not matter: memory is being predicted.
    """

    nngp: jax.Array
    pseudo: jax.Array | None
    ntk: jax.Array
    ntk_pseudo: jax.Array | None
    ntk_rule: jax.Array
    ntk_rule_pseudo: jax.Array | None
    variance1: jax.Array
    variance2: jax.Array
    pseudo1: jax.Array | None
    pseudo2: jax.Array | None
    gap: jax.Array | None = None
    positions: str = "none"
    spacing: tuple[int, ...] = ()
    is_complex: bool = True
    law: Law = "data"
    nonlinear: str | None = None
    is_narrow: bool = False
    branches: tuple[float, float] = (1.0, 0.0)
    shapes_only: bool = False

    @property
    def gaussians(
        self,
    ) -> tuple[
        Float[jax.Array, "N1 1"],
        Float[jax.Array, "1 N2"],
        Inexact[jax.Array, "N1 N2"],
        Float[jax.Array, "N1 N2"] | None,
    ]:
        """(q1, q2, covariance, gap) between inputs that are vectors, shaped so that they broadcast."""
        return self.variance1[:, None], self.variance2[None], self.nngp, self.gap

    def map_arrays(self, function: KernelMap) -> "KernelState":
        """The state with `function(array, batch_axes)` for every kernel: 2 batch axes between inputs, 1 within one."""
        own = ("variance1", "variance2", "pseudo1", "pseudo2")
        arrays = {name: a for name, a in self._asdict().items() if isinstance(a, jax.Array) and name != "gap"}
        return self._replace(**{name: function(a, 1 if name in own else 2) for name, a in arrays.items()})


class Kernel(NamedTuple):
    """Infinite-width kernels of a network's output, (N1, N2), metric "unit".

    Attributes:
        nngp: K, covariance of the outputs at initialisation.
        ntk: Theta, of full Wirtinger (or real-valued) backpropagation.
        ntk_pseudo: Theta-tilde; zeros for circular weights.
        ntk_rule: the limit of the cross kernel of a backward rule, by default of `HolomorphicBranch`.
        pseudo: C, pseudo-covariance of the outputs; zeros for circular weights.
    """

    nngp: jax.Array
    ntk: jax.Array
    ntk_pseudo: jax.Array
    ntk_rule: jax.Array
    pseudo: jax.Array
