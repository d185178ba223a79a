"""Checks of what users add: whether a backend answers rightly."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .backend import AbstractBackend
from .errors import AccessError, UnsupportedQuery
from .estimate import estimate
from .estimator import AbstractEstimator
from .estimators import (
    Adjoint,
    Backprop,
    BellShadow,
    CliffordShadow,
    DirectPauli,
    GentleSweep,
    LocalShadow,
    OnlineTomography,
    ParameterShift,
    ReverseMode,
)
from .ir import Circuit, Expectation, OperatorPool, PauliSum
from .networks import Loss
from .objective import AbstractObjective

# Standard errors that an answer may be off. A backend answers about 60 numbers with statistical errors, whose tails
# are those of t distributions with 7 degrees of freedom at worst: one run in 10^4 fails by chance.
_ERRORS = 12


class _Case(NamedTuple):
    """One thing that a backend may get wrong, and what to look at then."""

    objective: AbstractObjective
    params: np.ndarray
    hint: str


def check_backend(backend: AbstractBackend, key=0) -> tuple[str, ...]:
    """Ask a backend every kind of query on circuits that show the usual mistakes, and compare with the right answers.

    Plain gates on asymmetric qubits, scales and offsets, a shared parameter, several observables, an identity term,
    every kind of gate, float32 and float64 (where JAX's 64-bit mode is on). Exact answers must be right to rounding,
    sampled ones within 12 reported standard errors and the reported bias.

    Args:
        backend: what to check.
        key: JAX random key or integer seed.

    Returns:
        The kinds of query that it answers, at least one; all others it refuses by name.

    Raises:
        AssertionError: a wrong answer, with the query, the numbers and what to look at; or no answer at all.

    Cost: some 10^5 shots on up to 3 qubits, seconds on a simulator.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.testing import check_backend
        >>> check_backend(qg.Autodiff())
        ('Backward',)
    """
    if not isinstance(backend, AbstractBackend):
        raise TypeError(f"backend is {backend!r}: give a backend object, an instance of a qcgrad.AbstractBackend")
    answered: dict[str, None] = {}
    for estimator, cases in _plan():
        for case in cases:
            asking = _Asking(backend)
            try:
                found = estimate(case.objective, case.params, estimator, asking, key=key)
            except (AccessError, UnsupportedQuery):
                break
            _compare(case, estimator, backend, asking.kinds, found)
            answered.update(asking.kinds)
    assert answered, f"backend {type(backend).__name__} refuses every kind of query: it serves no estimator"
    return tuple(answered)


class _Asking(AbstractBackend):
    """Passes queries on and writes down which kinds were answered."""

    def __init__(self, inner: AbstractBackend):
        self.inner, self.kinds = inner, {}

    @property
    def access(self):
        return self.inner.access

    def answer(self, query, key):
        answer = self.inner.answer(query, key)
        self.kinds[type(query).__name__] = None
        return answer


def _plan() -> list[tuple[AbstractEstimator, list[_Case]]]:
    common = [_pool()]
    return [
        (ParameterShift(), [*_circuits(), _in_float32(_circuits()[1])]),
        (ParameterShift(shots=4000), _circuits()),
        (Adjoint(), _circuits()),
        (ReverseMode(), _circuits()[1:3]),
        (DirectPauli(40_000), common),
        (LocalShadow(40_000), common),
        (CliffordShadow(4000), common),
        (BellShadow(20_000), common),
        (BellShadow(20_000, "mimicking"), common),
        (GentleSweep(40_000, 1.0), _circuits()[:2]),
        (OnlineTomography(0.5, 1e-6), _circuits()[:2]),
        (Backprop(), [_network()]),
    ]


def _circuits() -> list[_Case]:
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
        _Case(
            Expectation(plain, asymmetric), angles, "plain gates: look at the order of qubits and of gates, at signs"
        ),
        _Case(
            Expectation(scaled, "Z"),
            angles[:2],
            "scales and offsets: query.angles hold them already, so run query.program.bound(angles) and not "
            "query.program.circuit",
        ),
        _Case(Expectation(shared, "ZI + YX"), angles[:2], "a shared parameter: every gate has an angle of its own"),
        _Case(
            Expectation(plain, [asymmetric, {"III": 2.0, "IIY": -1.0}]),
            angles,
            "several observables, one with an identity term: return one column for each of query.program.observables",
        ),
        _Case(Expectation(every, "ZXI + IIZ"), angles, "controlled gates, Pauli rotations, evolutions or unitaries"),
    ]


def _in_float32(case: _Case) -> _Case:
    return case._replace(params=case.params.astype(np.float32), hint="float32 parameters")


def _pool() -> _Case:
    pool = OperatorPool(Circuit(2).ry(0, param=0, scale=2.0).cx(0, 1).rx(1, param=1), "ZI + 0.5*XX", ["YI", "XZ", "IX"])
    return _Case(
        pool,
        np.array([0.3, 0.8], jax.dtypes.canonicalize_dtype(float)),
        "Pauli strings of one state: look at masks, bits and their order",
    )


def _network() -> _Case:
    x, y = jnp.array([[0.5, -1.0], [2.0, 0.3]], jnp.float32), jnp.array([1.0, -1.0], jnp.float32)
    loss = Loss(lambda w, x: jnp.tanh(x @ w), lambda out, y: jnp.mean((out - y) ** 2), (x, y))
    return _Case(loss, np.array([0.4, -0.2], np.float32), "a network's loss and its gradient by reverse mode")


def _compare(case: _Case, estimator, backend, kinds, found):
    exact = Backprop() if isinstance(case.objective, Loss) else Adjoint()
    right = estimate(case.objective, case.params, exact)
    rounding = 2e-4 if case.params.dtype == np.float32 else 1e-9
    for what, number, truth, variance, bias in (
        ("value", found.value, right.value, found.value_variance, found.value_bias_bound),
        ("gradient", found.gradient, right.gradient, found.variance, found.bias_bound),
    ):
        # No variance that a backend may claim excuses everything.
        allowed = rounding + np.minimum(_ERRORS * np.sqrt(np.asarray(variance)), 0.5) + np.asarray(bias)
        if np.shape(number) == np.shape(truth) and np.all(np.abs(number - truth) <= allowed):
            continue
        raise AssertionError(
            f"backend {type(backend).__name__} answers {', '.join(kinds)} wrongly, asked by "
            f"{type(estimator).__name__}: the {what} comes out as {np.asarray(number).tolist()}, and right is "
            f"{np.asarray(truth).tolist()} within {np.round(allowed, 6).tolist()}. What is tested: {case.hint}"
        )
