"""States that predict what a sweep will find, from what it found before."""

from .dense import Dense as Dense
from .hypothesis import AbstractHypothesis as AbstractHypothesis
from .mpo import MatrixProduct as MatrixProduct
from .product import Product as Product
