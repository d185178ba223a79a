"""Classical backpropagation."""

from ...errors import NotApplicable
from ...estimator import OneRoundEstimator, exact
from ...networks import Loss
from ...queries import Access, Backward


class Backprop(OneRoundEstimator):
    r"""Exact gradients of a network's loss by one forward and one backward pass.

    The classical baseline: reverse-mode differentiation computes all M components at a constant factor
    over one evaluation. A network may be read while it runs, which is what a quantum state forbids.

    Access: white box. Exact up to rounding; variance zero.

    Cost: FLOPs and bytes from XLA's analysis of the compiled program; zero copies.

    Example:
        >>> import jax.numpy as jnp, qcgrad as qg
        >>> loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.sum((out - y) ** 2), (jnp.eye(2), jnp.ones(2)))
        >>> e = qg.estimate(loss, jnp.zeros(2), qg.Backprop())
        >>> print(e.gradient, e.cost.copies)
        [-2. -2.] 0

    References:
        D. E. Rumelhart, G. E. Hinton, R. J. Williams, Nature 323, 533 (1986).
    """

    access = Access.white_box

    def plan(self, point):
        return (self.value_query(point),)

    def combine(self, point, answers):
        return exact(*answers[0])

    def value_query(self, point):
        if not isinstance(point.objective, Loss):
            raise NotApplicable(
                f"Backprop differentiates networks, but the objective is a {type(point.objective).__name__}: "
                "use qcgrad.Adjoint or qcgrad.ReverseMode for circuits"
            )
        return Backward(point.objective, point.coordinates, point.cotangents)
