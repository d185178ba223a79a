"""Who answers queries."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

from .errors import UnsupportedQuery
from .objective import AbstractObjective
from .queries import AbstractQuery, Access

_DEFAULTS: dict[type[AbstractObjective], "Callable[[], AbstractBackend]"] = {}


class AbstractBackend(abc.ABC):
    """Answers queries: a simulator, a device of another library, hardware.

    Anything that can answer `Evaluate` with shots serves every single-copy estimator.
    """

    access: ClassVar[Access]
    """The most that this backend lets anyone do with a state."""

    @abc.abstractmethod
    def answer(self, query: AbstractQuery, key) -> Any:
        """The record that the query's docstring names.

        Args:
            query: what is asked.
            key: JAX random key, or None for queries that draw nothing.

        Raises:
            UnsupportedQuery: a kind of query that this backend does not answer.
        """

    def refuse(self, query: AbstractQuery):
        """Raise the error for a kind of query that this backend does not answer."""
        raise UnsupportedQuery(
            f"backend {type(self).__name__} does not answer {type(query).__name__} queries: "
            "use another backend or estimator"
        )


def default_backend_for(objective_type: type[AbstractObjective]):
    """Class decorator: what to use for this kind of objective when the caller names no backend."""

    def register(backend_type):
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
