"""qcgrad: what does a gradient cost, and what is the cheapest honest way to get it?"""

import importlib
from typing import TYPE_CHECKING, Any

from . import estimators as estimators
from .backend import AbstractBackend as AbstractBackend
from .bias import NoiseBias as NoiseBias
from .bias import noise_bias as noise_bias
from .cost import Budget as Budget
from .cost import Cost as Cost
from .curvature import hessian as hessian
from .differentiable import as_jax as as_jax
from .errors import AccessError as AccessError
from .errors import BackendFailed as BackendFailed
from .errors import BiasWarning as BiasWarning
from .errors import BudgetExhausted as BudgetExhausted
from .errors import ImportRefused as ImportRefused
from .errors import NotApplicable as NotApplicable
from .errors import QcgradError as QcgradError
from .errors import StateTooLarge as StateTooLarge
from .errors import TooLarge as TooLarge
from .errors import UnsupportedQuery as UnsupportedQuery
from .estimate import estimate as estimate
from .estimate import predict_cost as predict_cost
from .estimator import AbstractEstimator as AbstractEstimator
from .geometry import geometric_tensor as geometric_tensor
from .geometry import metric_tensor as metric_tensor
from .ir import Circuit as Circuit
from .ir import Expectation as Expectation
from .ir import Gate as Gate
from .ir import Mixture as Mixture
from .ir import OperatorPool as OperatorPool
from .ir import PauliSum as PauliSum
from .ir.noise import AmplitudeDamping as AmplitudeDamping
from .ir.noise import Depolarizing as Depolarizing
from .ir.noise import Kraus as Kraus
from .ir.noise import NoiseModel as NoiseModel
from .ir.noise import OverRotation as OverRotation
from .ir.noise import PauliChannel as PauliChannel
from .ir.noise import PhaseDamping as PhaseDamping
from .ir.noise import ReadoutError as ReadoutError
from .ir.noise import ThermalRelaxation as ThermalRelaxation
from .library import load_circuit as load_circuit
from .matrix_result import MatrixEstimate as MatrixEstimate
from .natural import NaturalGradient as NaturalGradient
from .natural import natural_gradient as natural_gradient
from .networks import Autodiff as Autodiff
from .networks import Loss as Loss
from .result import Estimate as Estimate
from .result import Result as Result
from .simulators import DensityMatrix as DensityMatrix
from .simulators import HammingWeight as HammingWeight
from .simulators import Statevector as Statevector
from .simulators import Trajectories as Trajectories
from .simulators import set_num_threads as set_num_threads
from .tracker import Charge as Charge
from .tracker import Tracker as Tracker
from .version import __version__ as __version__

if TYPE_CHECKING:
    from .estimators import *  # noqa: F403 - all methods are exported here, and named there
    from .planner import Advice as Advice
    from .planner import Cheapest as Cheapest
    from .planner import DeviceModel as DeviceModel
    from .planner import advise as advise


_PACKAGES = ("interop", "library", "ntk", "optimizers", "planner", "studies", "testing")
_PLANNING = ("Advice", "Cheapest", "DeviceModel", "advise")


def __getattr__(name: str) -> Any:
    """Methods for gradients and packages, which are imported when they are first used."""
    if name in dir(estimators):
        return getattr(estimators, name)
    if name in _PLANNING:
        return getattr(importlib.import_module("qcgrad.planner"), name)
    if name in _PACKAGES:
        return importlib.import_module(f"qcgrad.{name}")
    raise AttributeError(f"module 'qcgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(estimators), *_PACKAGES, *_PLANNING})
