"""Accuracy studies: error and cost of methods with their options on circuits."""

from ._kind import Gradients

__all__ = ["Gradients"]
