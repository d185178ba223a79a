"""Methods of circuits with their options, as a spec writes them."""

from ...catalogue import Method, methods
from ...estimator import AbstractEstimator
from ..choices import parsed


def of_circuits() -> dict[str, Method]:
    """Methods that differentiate circuits, by name."""
    return {name: method for name, method in methods().items() if method.differentiates == "circuits"}


def estimator_of(name: str, options: str) -> AbstractEstimator:
    """The method with these options."""
    return methods()[name].make(**parsed(options))
