"""Accuracy studies: error and cost of methods with their options on circuits."""

from ._kind import Gradients
from ._methods import estimator_of, of_circuits

__all__ = ["Gradients", "estimator_of", "of_circuits"]
