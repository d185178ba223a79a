"""Studies of training: losses against the copies, FLOPs and bytes that they cost."""

from ._kind import Training

__all__ = ["Training"]
