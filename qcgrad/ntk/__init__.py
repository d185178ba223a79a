"""Neural tangent kernels, empirical and predicted, and what follows from them."""

from .cross import CrossKernel as CrossKernel
from .cross import cross as cross
from .empirical import empirical as empirical
from .gradient_flow import Flow as Flow
from .gradient_flow import gradient_flow as gradient_flow
from .real_block import real_block as real_block
from .regression import Posterior as Posterior
from .regression import regression as regression
from .spectra import alignment as alignment
from .spectra import as_matrix as as_matrix
from .spectra import drift as drift
from .spectra import eigenvalues as eigenvalues
from .spectra import target_alignment as target_alignment
from .vector_product import Product as Product
from .vector_product import product as product
