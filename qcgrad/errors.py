"""The errors that qcgrad raises beyond the built-in ones, each with what to do next in its message."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # estimates are made of what is here
    from .matrix_result import MatrixEstimate
    from .natural import NaturalGradient
    from .result import Estimate

    Found = Estimate | MatrixEstimate | NaturalGradient


class QcgradError(Exception):
    """Base class: catch it to catch everything that qcgrad refuses by name."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Python would call the class with `args` alone, which hold the message and nothing else.
        return _rebuilt, (type(self), self.args, self.__dict__)


class AccessError(QcgradError, PermissionError):
    """A query asks for more access to the state than its estimator declares or its backend grants."""


class UnsupportedQuery(QcgradError, TypeError):
    """A backend was asked a query of a kind that it does not answer."""


class NotApplicable(QcgradError, ValueError):
    """An estimator was given an objective for which its rule does not hold."""


class TooLarge(MemoryError, QcgradError):
    """A computation would need more bytes than it may use; raised before they are allocated."""

    # In this order, because `MemoryError.__new__` refuses classes that it is not the first base of.


class StateTooLarge(TooLarge):
    """A simulation would need more bytes than the backend may use; raised before anything is allocated."""


class BudgetExhausted(QcgradError, RuntimeError):
    """The next query would exceed the budget. `estimate` holds everything computed until then."""

    def __init__(self, message: str, estimate: "Found"):
        super().__init__(message)
        self.estimate = estimate


class BackendFailed(QcgradError, RuntimeError):
    """A backend failed half-way: a job was lost, or what came back cannot be used. What was answered before is kept.

    Give the error back, `qcgrad.estimate(..., resume=error)` with otherwise the same arguments, and only what is
    missing is asked. It can be pickled, so that this may happen in another process.

    Attributes:
        answered: what the backend had of the query at which it failed, in its own terms (`AbstractBackend.resume`).
        known: the answer to the first parts of that query, where it is divisible and some were complete, else None.
        estimate: everything computed until then, with NaN for what is missing; its cost counts what was answered in
            full. None where the backend was not asked by `qcgrad.estimate`.
        progress: where `estimate` goes on.
        before: the method that had ended before in the same call, and what it found: the gradient of a natural gradient
            whose metric failed.
    """

    def __init__(self, message: str, answered: Any = None, known: Any = None):
        super().__init__(message)
        self.answered = answered
        self.known = known
        self.estimate: Found | None = None
        self.progress: Any = None
        self.before: tuple[Any, Any] | None = None


class BiasWarning(UserWarning):
    """A bound on the bias of a gradient is larger than the gradient; the message says what would lower it."""


class ImportRefused(QcgradError, ValueError):
    """A circuit from another framework holds something that has no equivalent here."""


def _rebuilt(kind: type[QcgradError], args: tuple, attributes: dict) -> QcgradError:
    """An error with the same message and attributes, however its class is called."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error
