"""Who answers queries."""

import abc
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeVar

from .array_types import Key
from .errors import UnsupportedQuery
from .objective import AbstractObjective
from .queries import EXACT, AbstractQuery, Access, Fidelity

_DEFAULTS: dict[type[AbstractObjective], "Callable[[], AbstractBackend]"] = {}


class AbstractBackend(abc.ABC):
    """Answers queries: a simulator, a device of another library, hardware.

    A backend declares its `access`, answers the queries it can and refuses the others. One that answers `Evaluate`
    serves `ParameterShift`, and with `MeasureBases` and `RandomizedMeasure` every single-copy estimator. What a query
    asks is in its docstring; what it holds of the circuit, in `qcgrad.queries.Runnable`. **Run
    `query.program.bound(angles)`**: the angles of a query hold the scales and offsets of the gates already.
    `qcgrad.testing.check_backend` says whether the answers are right.

    Example:
        Exact expectation values by Qiskit, whose qubit 0 is the last character of a word:

        >>> import jax, numpy as np, qcgrad as qg
        >>> from qiskit.quantum_info import SparsePauliOp, Statevector
        >>> from qcgrad.interop import to_qiskit
        >>> from qcgrad.queries import Access, Evaluate, Means
        >>> jax.config.update("jax_enable_x64", True)
        >>> class QiskitStatevector(qg.AbstractBackend):
        ...     access = Access.single_copy
        ...     is_traceable = False  # Qiskit needs numbers
        ...
        ...     def answer(self, query, key):
        ...         if not isinstance(query, Evaluate) or query.shots is not None:
        ...             return self.refuse(query)
        ...         program = query.program
        ...         sums = [SparsePauliOp([w[::-1] for w in o.words], o.coefficients) for o in program.observables]
        ...         states = [Statevector(to_qiskit(program.bound(angles))) for angles in query.angles]
        ...         means = np.array([[psi.expectation_value(o).real for o in sums] for psi in states])
        ...         return Means(means, np.zeros_like(means))
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=2.0), "Z")
        >>> print(qg.estimate(objective, [0.3], qg.ParameterShift(), QiskitStatevector()).gradient.round(3))
        [-1.129]
    """

    access: ClassVar[Access]
    """The most that this backend lets anyone do with a state."""
    is_traceable: ClassVar[bool] = True
    """Whether JAX can trace through its answers; else `as_jax` calls it on the host, and no program is compiled."""

    sums_shifts: ClassVar[bool] = False
    """Whether it may answer `ShiftSums` to evaluations with weights; all others are asked for each evaluation."""

    noise: Any = None
    """What goes wrong in it, a `qcgrad.NoiseModel`; None where nothing does, or nobody knows: `fidelity` says which."""

    @property
    def fidelity(self) -> Fidelity:
        """How faithful all of its answers are at best: "exact", or "noisy" for a device whose noise nobody bounds."""
        return EXACT

    @abc.abstractmethod
    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        """The record that the query's docstring names.

        Args:
            query: what is asked.
            key: JAX random key, or None for queries that draw nothing.

        Raises:
            UnsupportedQuery: a kind of query that this backend does not answer.
        """

    def resume(self, query: AbstractQuery, key: Key | None, answered: Any) -> Any:
        """The answer to a query at which a backend failed; by default it is asked again as a whole, with a warning.

        Args:
            query, key: as they were.
            answered: of the `BackendFailed` that was raised.
        """
        warnings.warn(
            f"{type(self).__name__} cannot go on inside a question: what was answered of this {type(query).__name__} "
            "is dropped, and all of it is asked again. Resume with the backend that failed: it spends what is missing",
            stacklevel=2,
        )
        return self.answer(query, key)

    def differentiable(self) -> "AbstractBackend":
        """The same answers from programs that JAX can differentiate, for second derivatives; by default itself."""
        return self

    def refuse(self, query: AbstractQuery) -> NoReturn:
        """Raise the error for a kind of query that this backend does not answer."""
        raise UnsupportedQuery(
            f"backend {type(self).__name__} does not answer {type(query).__name__} queries: "
            "use another backend or estimator"
        )


_B = TypeVar("_B", bound=AbstractBackend)


def default_backend_for(objective_type: type[AbstractObjective]) -> Callable[[type[_B]], type[_B]]:
    """Class decorator: what to use for this kind of objective when the caller names no backend."""

    def register(backend_type: type[_B]) -> type[_B]:
        _DEFAULTS[objective_type] = backend_type
        return backend_type

    return register


def resolve(backend: AbstractBackend | None, objective: AbstractObjective) -> AbstractBackend:
    """The given backend, checked, or the default one for the objective."""
    if backend is None:
        for kind, make in _DEFAULTS.items():
            if isinstance(objective, kind):
                return make()
        raise TypeError(f"objective {type(objective).__name__} has no default backend: give backend=...")
    if not isinstance(backend, AbstractBackend):
        raise TypeError(f"backend is {backend!r}: give a backend object, for example qcgrad.Statevector()")
    return backend
