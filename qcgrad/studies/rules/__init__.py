"""Studies of backward rules: what they cost, how they are aligned with the true gradient, what they learn."""

from ._kind import Rules

__all__ = ["Rules"]
