"""States of a fixed number of ones, for circuits that conserve it."""

from .backend import HammingWeight as HammingWeight
