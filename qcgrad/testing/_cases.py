"""Circuits that show the usual mistakes, and what is right for them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..backend import AbstractBackend
from ..estimate import estimate
from ..estimators import Adjoint, Backprop, ParameterShift
from ..ir import Circuit, Expectation, OperatorPool, PauliSum
from ..networks import Loss
from ..objective import AbstractObjective
from ..result import Estimate

# Standard errors that an answer may be off. Some 100 numbers with statistical errors are compared, whose tails are
# those of t distributions with 7 degrees of freedom at worst: one run in 10^4 fails by chance.
_ERRORS = 12


class Case(NamedTuple):
    """One thing that may go wrong, and what to look at then."""

    objective: AbstractObjective
    params: np.ndarray
    hint: str


def circuits() -> list[Case]:
    plain = Circuit(3).ry(0, param=0).cx(0, 2).rx(1, param=1).cz(1, 2).rz(2, param=2).h(2)
    asymmetric = "ZIX + 0.5*YZI"
    scaled = Circuit(1).ry(0, param=0, scale=2.0).rx(0, param=1, scale=-0.5, offset=0.3)
    shared = Circuit(2).ry(0, param=1).cx(0, 1).rx(1, param=0).ry(0, param=1, scale=-1.5)
    every = (
        Circuit(3).h(0).unitary(np.array([[0.6, 0.8j], [0.8j, 0.6]]), [2]).crx(0, 2, param=0).cp(2, 1, param=1)
        .pauli_rot("XZ", (1, 0), param=2).evolution(PauliSum("ZX + 0.3*XZ"), (2, 1), param=0).swap(0, 1).t(1).cy(1, 2)
    )  # fmt: skip
    angles = np.array([0.4, -0.9, 1.3], jax.dtypes.canonicalize_dtype(float))
    return [
        Case(Expectation(plain, asymmetric), angles, "plain gates: look at the order of qubits and of gates, at signs"),
        Case(
            Expectation(scaled, "Z"),
            angles[:2],
            "scales and offsets: query.angles hold them already, so run query.program.bound(angles) and not "
            "query.program.circuit",
        ),
        Case(Expectation(shared, "ZI + YX"), angles[:2], "a shared parameter: every gate has an angle of its own"),
        Case(
            Expectation(plain, [asymmetric, {"III": 2.0, "IIY": -1.0}]),
            angles,
            "several observables, one with an identity term: return one column for each of query.program.observables",
        ),
        Case(Expectation(every, "ZXI + IIZ"), angles, "controlled gates, Pauli rotations, evolutions or unitaries"),
    ]


def in_float32(case: Case) -> Case:
    return case._replace(params=case.params.astype(np.float32), hint="float32 parameters")


def pool() -> Case:
    circuit = Circuit(2).ry(0, param=0, scale=2.0).cx(0, 1).rx(1, param=1)
    objective = OperatorPool(circuit, "ZI + 0.5*XX", ["YI", "XZ", "IX"])
    return Case(
        objective,
        np.array([0.3, 0.8], jax.dtypes.canonicalize_dtype(float)),
        "Pauli strings of one state: look at masks, bits and their order",
    )


def commuting() -> Case:
    """A circuit for methods that take circuits of one family only: all generators are products of X."""
    circuit = Circuit(3).rx(0, param=0, scale=2.0).rxx(0, 2, param=1, offset=0.3).pauli_rot("XXX", param=2)
    objective = Expectation(circuit.rx(1, param=0, scale=-0.5), ["ZIZ + 0.5*IZI", {"III": 2.0, "YZI": -1.0}])
    angles = np.array([0.4, -0.9, 1.3], jax.dtypes.canonicalize_dtype(float))
    return Case(objective, angles, "commuting generators with scales, offsets, a shared parameter, two observables")


def network() -> Case:
    x, y = jnp.array([[0.5, -1.0], [2.0, 0.3]], jnp.float32), jnp.array([1.0, -1.0], jnp.float32)
    weights = np.array([0.4, -0.2], np.float32)
    loss = Loss(lambda w, x: jnp.tanh(x @ w), lambda out, y: jnp.mean((out - y) ** 2), (x, y), weights)
    return Case(loss, weights, "a network's loss and its gradient by reverse mode")


def wrong_numbers(case: Case, found: Estimate, like: AbstractBackend | None = None) -> str | None:
    """What of an estimate is wrong, in words; None where value and gradient are right.

    Right is within rounding, 12 standard errors (a half at most: no variance excuses everything) and the bias bound. A
    bias that nobody knows excuses nothing, and none does where a backend with the same noise, `like`, says what is
    right.
    """
    if like is not None:
        right = estimate(case.objective, case.params, ParameterShift(), like)
    else:
        right = estimate(case.objective, case.params, Backprop() if isinstance(case.objective, Loss) else Adjoint())
    rounding = 2e-4 if case.params.dtype == np.float32 else 1e-9
    for what, number, truth, variance, bias in (
        ("value", found.value, right.value, found.value_variance, found.value_bias_bound),
        ("gradient", found.gradient, right.gradient, found.variance, found.bias_bound),
    ):
        allowed = rounding + np.minimum(_ERRORS * np.sqrt(np.asarray(variance)), 0.5)
        if like is None:
            allowed = allowed + np.nan_to_num(np.asarray(bias))
        if np.shape(number) != np.shape(truth) or not np.all(np.abs(number - truth) <= allowed):
            return (
                f"the {what} comes out as {np.asarray(number).tolist()}, and right is {np.asarray(truth).tolist()} "
                f"within {np.round(allowed, 6).tolist()}. What is tested: {case.hint}"
            )
    return None
