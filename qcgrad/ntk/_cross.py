"""The cross-tangent kernel of a backward rule, and whether training with the rule descends."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Num, PyTree

from ..array_types import Array
from ..networks.rules import NetworkRule
from ..networks.rules.rule import Apply
from ._empirical import empirical
from ._matrices import EIGENVALUES, require_matrices
from ._spectra import as_matrix
from .blockwise import as_kind


class CrossKernel(NamedTuple):
    r"""The kernel of training with a backward rule.

    Attributes:
        kernel: \(J\hat J^H\), (N, N) or (N, N, O, O): the true Jacobian against the rule's.
        pseudo: the same without the conjugate.
        descent: smallest eigenvalue of the Hermitian part of `kernel`.
        real_descent: half of `descent` where `pseudo` is zero, in general the smallest eigenvalue of the symmetric part
            of the kernel of (Re f, Im f); of f alone for real outputs. Not negative: no errors exist for which a small
            step of the rule raises the squared loss.
    """

    kernel: jax.Array
    pseudo: jax.Array
    descent: jax.Array
    real_descent: jax.Array


def cross(
    apply: Apply,
    params: PyTree,
    x: Num[Array, "N *shape"],
    rule: NetworkRule | Apply,
    method: Literal["auto", "structured", "jacobian", "vector_product"] = "auto",
    param_metric: Literal["unit", "reim"] = "unit",
    batch_size: int | None = None,
    progress: bool = False,
    max_bytes: int | None = None,
) -> CrossKernel:
    r"""\(J\hat J^H\) for any backward rule, with its descent diagnostic.

    A step against the rule's gradient of \(\tfrac12\sum|f - y|^2\) moves the outputs by
    \(\dot f = -\tfrac12(J\hat J^H e + J\hat J^T\bar e)\), e = f - y. The loss falls for every e if the symmetric part
    of this real-linear map is positive.

    Args:
        apply, params, method, param_metric, batch_size, progress, max_bytes: as for `empirical`.
        x: inputs (N, *shape).
        rule: a `networks.ActivationRule` or `LayerRule`, or a function (params, x) with the values of apply and other
            derivatives (straight-through and the like).

    Returns:
        A `CrossKernel`.

    Raises:
        TypeError: no rule; others as for `empirical`.

    Cost: that of `empirical` without symmetry, and (N O)^3 for the eigenvalues.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> def flipped(w, x):  # the values of x @ w, the derivatives of -x @ w
        ...     return 2 * jax.lax.stop_gradient(x @ w) - x @ w
        >>> found = ntk.cross(lambda w, x: x @ w, jnp.ones(2), jnp.eye(2), flipped)
        >>> print(found.kernel, found.descent)
        [[-1.  0.]
         [ 0. -1.]] -1.0

    References:
        T. P. Lillicrap et al., "Random synaptic feedback weights support error backpropagation for deep learning",
        Nature Communications 7, 13276 (2016).
    """
    if rule is None:
        raise TypeError("rule is missing: give a backward rule, or use ntk.empirical for the true kernel")
    theta, pseudo = empirical(
        apply,
        params,
        x,
        kind="augmented",
        rule=rule,
        method=method,
        param_metric=param_metric,
        batch_size=batch_size,
        progress=progress,
        max_bytes=max_bytes,
    )
    side = theta.shape[0] * (theta.shape[2] if theta.ndim == 4 else 1) * (2 if jnp.iscomplexobj(theta) else 1)
    require_matrices("the spectrum", side, theta.real.dtype, EIGENVALUES, max_bytes)
    descent = _smallest(theta)
    if not jnp.iscomplexobj(theta):
        return CrossKernel(theta, pseudo, descent, descent)
    full = [k if k.ndim == 4 else k[..., None, None] for k in (theta, pseudo)]
    return CrossKernel(theta, pseudo, descent, _smallest(*as_kind(full[0], full[1], "real_block")))


def _smallest(kernel):
    matrix = as_matrix(kernel)
    return jnp.linalg.eigvalsh((matrix + matrix.conj().T) / 2)[0]
