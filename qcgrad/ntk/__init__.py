"""Neural tangent kernels, empirical and predicted, and what follows from them."""

from ._cross import CrossKernel as CrossKernel
from ._cross import cross as cross
from ._empirical import empirical as empirical
from ._gradient_flow import Flow as Flow
from ._gradient_flow import gradient_flow as gradient_flow
from ._real_block import real_block as real_block
from ._regression import Posterior as Posterior
from ._regression import regression as regression
from ._spectra import alignment as alignment
from ._spectra import as_matrix as as_matrix
from ._spectra import drift as drift
from ._spectra import eigenvalues as eigenvalues
from ._spectra import target_alignment as target_alignment
from ._vector_product import Product as Product
from ._vector_product import product as product
