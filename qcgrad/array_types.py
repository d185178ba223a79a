"""Types of arrays in signatures: element type by jaxtyping, axes by name, physics by alias.

`Float[Array, "N1 N2"]` says what people and type checkers need; nothing is checked when functions are called. A shape
that many signatures share has an alias here, which is also cheaper to import than the same subscript in fifty places.
"""

import jax
import numpy as np
from jaxtyping import Complex, Float, Int, PRNGKeyArray, PyTree, Shaped
from jaxtyping import Key as Prng

Array = jax.Array | np.ndarray
"""What functions take: NumPy's arrays where the numbers are at hand, else JAX's."""

Key = PRNGKeyArray
"""A JAX random key."""

Keys = Prng[jax.Array, "B"]
"""A key for each of B settings."""

Params = PyTree
"""A user's parameters: real numbers in any nesting, radians where they are angles."""

Coordinates = PyTree
"""What estimators differentiate by: angles (A,) of a circuit, weights of a network."""

Gradient = PyTree
"""Derivatives by the coordinates: their structure, leaves with a leading axis C for the cotangents."""

CircuitParams = Float[Array, "P"]
"""The parameters of a circuit."""

Angles = Float[Array, "A"]
"""Angles of a circuit's parameterised gates, radians."""

Settings = Float[Array, "B A"]
"""Angles of B runs of a circuit, radians."""

Cotangents = Float[Array, "C K"]
"""Rows of factors on the K outputs; the gradient of each weighted sum is asked for."""

Values = Float[Array, "K"]
"""The outputs of an objective."""

Amplitudes = Complex[Array, "2**n"]
"""A pure state of n qubits."""

Masks = Shaped[np.ndarray, "D"]
"""Bit masks of D Pauli strings: int64, or Python's integers where there are too many qubits (`ir.pauli`)."""

MaskArray = Shaped[np.ndarray, "..."]
"""Masks in an array of any shape."""

AnyMasks = int | MaskArray
"""One mask, or an array of any shape."""

Coefficients = Float[np.ndarray, "D"]
"""Real factors of D Pauli strings."""

AngleGradient = Float[Array, "C A"]
"""Derivatives by a circuit's angles, one row for each cotangent."""

AngleGradients = Float[Array, "B C A"]
"""The same at B settings."""

Expectations = Float[Array, "B K"]
"""Values of K observables at B settings, or variances of their estimates."""

States = Complex[Array, "B 2**n"]
"""Pure states of n qubits at B settings."""

Shots = Int[Array, "B"]
"""Shots at each of B settings."""
