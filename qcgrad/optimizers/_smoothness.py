"""How fast a gradient can change: what step sizes depend on."""

import jax
import numpy as np
from jaxtyping import Float, PyTree

from ..arguments import check_objective
from ..array_types import Params
from ..errors import NotApplicable
from ..ir import Expectation
from ..ir.gates import frequencies
from ..ir.parameter_map import AffineMap


def lipschitz_constant(objective: Expectation, params: Params, *, joint: bool = True) -> float:
    r"""A bound L on the curvature of an expectation value: its gradient changes by at most L times a step's length.

    Along a direction v the value is a trigonometric polynomial with frequencies up to \(\sum_p w_p |v_p|\), where
    \(w_p = \sum_a |\partial\theta_a/\partial x_p|\, \Omega_a\) and \(\Omega_a\) is the largest gap of the generator of
    the gate with angle \(\theta_a\). It stays within \(r = \sum_t |c_t|\) of the identity's coefficient, so that by
    Bernstein's inequality, twice,

    .. math:: |v^T \nabla^2 F\, v| \le r\, \Big(\sum_p w_p |v_p|\Big)^2 \le r \sum_p w_p^2 = L .

    Args:
        objective: one observable, and a parameter map that is affine, or none.
        params: parameters in its structure; the numbers do not matter.
        joint: whether the bound is for steps of all parameters at once. With False it is the largest second derivative
            by a single one, \(r \max_p w_p^2\): the L that the literature on shot-adaptive optimisers works with. It
            promises nothing for joint steps, but the true curvature is mostly below it, and a step 1/L then is longer.

    Returns:
        L, in units of the observable.

    Raises:
        NotApplicable: another objective, a map that is not affine, a gate whose spectrum is not known; give your own L.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.optimizers import lipschitz_constant
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).ry(1, param=1), {"ZZ": -1.0, "XI": 0.5})
        >>> lipschitz_constant(objective, [0.1, 0.2]), lipschitz_constant(objective, [0.1, 0.2], joint=False)
        (3.0, 1.5)

    References:
        S. N. Bernstein's inequality as in A. Zygmund, "Trigonometric Series", chapter X.
    """
    check_objective(objective)
    if not isinstance(objective, Expectation) or objective.num_outputs != 1:
        raise NotApplicable(
            f"lipschitz_constant knows expectation values of one observable, not a {type(objective).__name__} with "
            f"{objective.num_outputs} outputs: give a bound of your own"
        )
    if not (objective.parameter_map is None or isinstance(objective.parameter_map, AffineMap)):
        raise NotApplicable("the parameter map is not affine, so its curvature counts too: give a bound of your own")
    gaps = [frequencies(gate) for gate in objective.circuit.angle_gates]
    unknown = [gate.name for gate, found in zip(objective.circuit.angle_gates, gaps, strict=True) if found is None]
    if unknown:
        raise NotApplicable(f"the spectrum of gate {unknown[0]} is not known: give a bound of your own")
    largest = np.array([max(found, default=0.0) for found in gaps if found is not None])
    weights = np.abs(slopes(objective, params)).T @ largest
    x, z, coefficients = objective.program.terms
    size = np.abs(coefficients[:, (x | z) != 0]).sum()
    return float(size * (np.sum(weights**2) if joint else np.max(weights**2)))


def slopes(objective: Expectation, params: Params) -> Float[np.ndarray, "A P"]:
    """Derivatives of the coordinates by the parameters, raveled in order."""
    return raveled(jax.jacobian(objective.coordinates)(jax.tree.map(jax.numpy.asarray, objective.check(params))))


def raveled(jacobian: PyTree) -> Float[np.ndarray, "A P"]:
    """Leaves of a Jacobian of A coordinates, raveled and side by side."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(jacobian)]
    return np.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)
