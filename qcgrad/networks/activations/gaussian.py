"""Correlations of Gaussian pre-activations, guarded against rounding."""

import jax.numpy as jnp


def correlation(q1, q2, covariance):
    r"""\(R = K/\sqrt{q_1q_2}\) with |R| clipped to 1, and \(\sqrt{q_1q_2}\); R = 0 where a variance is zero.

    Sums of products round to |K| slightly above \(\sqrt{q_1q_2}\), where an arccos or a square root would be NaN.
    """
    scale = jnp.sqrt(q1 * q2)
    ratio = covariance / jnp.where(scale > 0, scale, 1)
    if jnp.iscomplexobj(ratio):
        return ratio / jnp.maximum(1, jnp.abs(ratio)), scale
    return jnp.clip(ratio, -1, 1), scale


def clipped(q1, q2, covariance):
    """A real covariance cut to its bound |K| <= sqrt(q1 q2)."""
    bound = jnp.sqrt(q1 * q2)
    return jnp.clip(covariance, -bound, bound)
