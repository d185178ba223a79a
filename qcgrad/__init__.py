"""qcgrad: what does a gradient cost, and what is the cheapest honest way to get it?"""

from .backend import AbstractBackend as AbstractBackend
from .cost import Budget as Budget
from .cost import Cost as Cost
from .differentiable import as_jax as as_jax
from .errors import AccessError as AccessError
from .errors import BudgetExhausted as BudgetExhausted
from .errors import ImportRefused as ImportRefused
from .errors import NotApplicable as NotApplicable
from .errors import QcgradError as QcgradError
from .errors import StateTooLarge as StateTooLarge
from .errors import UnsupportedQuery as UnsupportedQuery
from .estimate import Estimate as Estimate
from .estimate import Result as Result
from .estimate import estimate as estimate
from .estimate import predict_cost as predict_cost
from .estimator import AbstractEstimator as AbstractEstimator
from .estimators import Adjoint as Adjoint
from .estimators import ParameterShift as ParameterShift
from .estimators import ReverseMode as ReverseMode
from .ir import Circuit as Circuit
from .ir import Expectation as Expectation
from .ir import Gate as Gate
from .ir import PauliSum as PauliSum
from .simulators import Statevector as Statevector
