"""Dense simulation of mixed states."""

from .backend import DensityMatrix as DensityMatrix
