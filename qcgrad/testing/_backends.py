"""Whether a backend answers rightly."""

from typing import Any

from ..array_types import Key
from ..backend import AbstractBackend
from ..errors import AccessError, UnsupportedQuery
from ..estimate import estimate
from ..estimator import AbstractEstimator
from ..estimators import (
    Adjoint,
    AmplitudeEstimation,
    Backprop,
    BellShadow,
    CliffordShadow,
    DirectPauli,
    GentleSweep,
    LocalShadow,
    OnlineTomography,
    ParameterShift,
    QuantumGradient,
    ReverseMode,
)
from ..queries import AbstractQuery, Access
from ._cases import Case, circuits, in_float32, network, pool, wrong_numbers


def check_backend(backend: AbstractBackend, key: Key | int = 0, like: AbstractBackend | None = None) -> tuple[str, ...]:
    """Ask a backend every kind of query on circuits that show the usual mistakes, and compare with the right answers.

    Plain gates on asymmetric qubits, scales and offsets, a shared parameter, several observables, an identity term,
    every kind of gate, float32 and float64 (where JAX's 64-bit mode is on). Exact answers must be right to rounding,
    sampled ones within 12 reported standard errors and the reported bias. A device with noise whose bias is unknown has
    to pass as if it had none: check it without its noise, or against `like`.

    Args:
        backend: what to check.
        key: JAX random key or integer seed.
        like: a backend with the same noise that answers exactly, such as `DensityMatrix` for `Trajectories`: what it
            answers is right then, and no bias excuses another number. Pools of operators append Pauli rotations, so the
            noise must be that of named gates other than these.

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
    if like is not None and not isinstance(like, AbstractBackend):
        raise TypeError(f"like is {like!r}: give a backend object with the same noise, or None")
    answered: dict[str, None] = {}
    for estimator, cases in _plan():
        for case in cases:
            asking = _Asking(backend)
            try:
                found = estimate(case.objective, case.params, estimator, asking, key=key)
            except (AccessError, UnsupportedQuery):
                break
            wrong = wrong_numbers(case, found, like)
            assert wrong is None, (
                f"backend {type(backend).__name__} answers {', '.join(asking.kinds)} wrongly, asked by "
                f"{type(estimator).__name__}: {wrong}"
            )
            answered.update(asking.kinds)
    assert answered, f"backend {type(backend).__name__} refuses every kind of query: it serves no estimator"
    return tuple(answered)


class _Asking(AbstractBackend):
    """Passes queries on and writes down which kinds were answered."""

    def __init__(self, inner: AbstractBackend):
        self.inner, self.kinds = inner, {}

    @property
    def access(self) -> Access:
        return self.inner.access

    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        answer = self.inner.answer(query, key)
        self.kinds[type(query).__name__] = None
        return answer


def _plan() -> list[tuple[AbstractEstimator, list[Case]]]:
    common = [pool()]
    return [
        (ParameterShift(), [*circuits(), in_float32(circuits()[1])]),
        (ParameterShift(shots=4000), circuits()),
        (Adjoint(), circuits()),
        (ReverseMode(), circuits()[1:3]),
        (DirectPauli(40_000), common),
        (LocalShadow(40_000), common),
        (CliffordShadow(4000), common),
        (BellShadow(20_000), common),
        (BellShadow(20_000, "mimicking"), common),
        (GentleSweep(40_000, 1.0), circuits()[:2]),
        (OnlineTomography(0.5, 1e-6), circuits()[:2]),
        # Medians, so that errors of many standard errors are as rare as those of means; every observable is asked for.
        (AmplitudeEstimation(8, 51), circuits()),
        (QuantumGradient(8, 51), circuits()),
        (Backprop(), [network()]),
    ]
