"""Second derivatives of expectation values."""

import numpy as np

from .array_types import Key, Params
from .backend import AbstractBackend
from .matrices import Asking, HessianMethod, MatrixEstimate, assembled, measured
from .objective import AbstractObjective, Reading
from .readings import estimate_of


class Hessian(Asking):
    """Who asks for second derivatives; ledgers name it."""


def hessian(
    objective: AbstractObjective,
    params: Params,
    method: HessianMethod,
    backend: AbstractBackend | None = None,
    *,
    key: Key | int | None = None,
) -> MatrixEstimate:
    r"""Second derivatives by all pairs of parameters, with value and gradient from the same evaluations.

    With \(J\) the derivatives of the gate angles by the parameters, the exact chain rule of second order is

    .. math:: \frac{\partial^2 F}{\partial p_i \partial p_j} = \sum_{ab} J_{ai} H_{ab} J_{bj}
              + \sum_a \frac{\partial F}{\partial\theta_a} \frac{\partial^2\theta_a}{\partial p_i \partial p_j} .

    Args:
        objective: an `Expectation` or an `OperatorPool`.
        params: parameters in the objective's structure, raveled in order into N numbers.
        method: how, for example `SecondOrderShift(shots=1000)` or `ShiftedAdjoint()`.
        backend: who answers, by default the statevector simulator.
        key: JAX random key or integer seed, for methods that sample.

    Returns:
        A `MatrixEstimate`: `matrix` (N, N), or (K, N, N) for a sequence of K observables, symmetric, in units of the
        observable over those of two parameters; `first_order` is an `Estimate` in the structure of `params`.

    Raises:
        TypeError: no method for Hessians, or parameters that JAX is tracing.
        ValueError: bad parameters, a missing key.
        NotApplicable: a gate without a shift rule, an objective without one circuit.
        AccessError, UnsupportedQuery, StateTooLarge, BackendFailed: as `qcgrad.estimate`.

    Cost: that of the method's queries; `qcgrad.Tracker` calls it "Hessian".

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z")  # cos(p0) cos(p1)
        >>> found = qg.hessian(objective, [0.5, 0.3], qg.SecondOrderShift())
        >>> print(found.matrix.round(4), found.cost.circuit_runs)  # 1 + 2 + 2 + 4
        [[-0.8384  0.1417]
         [ 0.1417 -0.8384]] 9

    References:
        A. Mari, T. R. Bromley, N. Killoran, "Estimating the gradient and higher-order derivatives on quantum hardware",
        Phys. Rev. A 103, 012405 (2021), arXiv:2008.06517.
    """
    found, objective, params, asker = measured(objective, params, method, backend, key, HessianMethod, Hessian)
    first: Reading = found.reading.stats["first_order"]
    # Only a run whose biases nobody knows says of a matrix's value that its bias is NaN.
    off = found.reading.value_bias_bound
    if off is not None and np.isnan(off).any():
        unknown = np.full_like(first.gradient, np.nan)
        first = first._replace(bias_bound=unknown, value_bias_bound=np.full_like(first.value, np.nan))
    first_order = estimate_of(objective, params, asker, found._replace(reading=first))
    return assembled(found, objective.is_vector, first_order)
