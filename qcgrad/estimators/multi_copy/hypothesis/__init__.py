"""States that predict what a sweep will find, from what it found before."""

from .base import AbstractHypothesis as AbstractHypothesis
from .dense import Dense as Dense
from .mpo import MatrixProduct as MatrixProduct
from .product import Product as Product
