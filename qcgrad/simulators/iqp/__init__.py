"""IQP circuits without a state: means over bitstrings that a classical computer draws."""

from .sampling import answer as answer
