"""Functions whose derivatives under JAX are the Wirtinger pair that is stated for them."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from .._array_types import RealValues, Values, WirtingerPair


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def differentiated(
    function: Callable[[Values], RealValues | Values], wirtinger: Callable[[Values], WirtingerPair], z: Values
) -> Values:
    """function(z), differentiated as wirtinger(z) = (phi_z, phi_zbar) says.

    JAX on its own differentiates what a function is written in: halves where a maximum is tied, 0 or NaN at the origin
    of a modulus, NaN where an intermediate number overflows.
    """
    del wirtinger
    return jnp.asarray(function(z))


@differentiated.defjvp
def _differentiate(function, wirtinger, primals, tangents):
    (z,), (direction,) = primals, tangents
    value = function(z)
    holomorphic, antiholomorphic = wirtinger(z)
    tangent = holomorphic * direction
    if jnp.iscomplexobj(z):
        tangent = tangent + antiholomorphic * jnp.conj(direction)
    return value, tangent.astype(value.dtype)
