"""The errors that qcgrad raises beyond the built-in ones, each with what to do next in its message."""


class QcgradError(Exception):
    """Base class: catch it to catch everything that qcgrad refuses by name."""


class AccessError(QcgradError, PermissionError):
    """A query asks for more access to the state than its estimator declares or its backend grants."""


class UnsupportedQuery(QcgradError, TypeError):
    """A backend was asked a query of a kind that it does not answer."""


class NotApplicable(QcgradError, ValueError):
    """An estimator was given an objective for which its rule does not hold."""


class TooLarge(QcgradError, MemoryError):
    """A computation would need more bytes than it may use; raised before they are allocated."""


class StateTooLarge(TooLarge):
    """A simulation would need more bytes than the backend may use; raised before anything is allocated."""


class BudgetExhausted(QcgradError, RuntimeError):
    """The next query would exceed the budget. `estimate` holds everything computed until then."""

    def __init__(self, message, estimate):
        super().__init__(message)
        self.estimate = estimate


class ImportRefused(QcgradError, ValueError):
    """A circuit from another framework holds something that has no equivalent here."""
