"""States that predict what a sweep will find, from what it found before."""

from ._dense import Dense as Dense
from ._hypothesis import AbstractHypothesis as AbstractHypothesis
from ._mpo import MatrixProduct as MatrixProduct
from ._product import Product as Product
