"""The geometry of the states that a circuit prepares: what natural gradients and variational dynamics need."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Complex

from .arguments import check_objective
from .array_types import Key, Params
from .arrays import is_concrete
from .backend import AbstractBackend, resolve
from .cost import Budget
from .errors import BackendFailed, NotApplicable
from .estimate import ask, driven
from .estimator import AbstractPrecision
from .keys import as_key
from .matrices import Asking, MetricMethod, asked_for, directions
from .matrix_result import MatrixEstimate, assembled
from .objective import AbstractObjective, point_at
from .progress import Run
from .queries import Access, Tangents, TangentSweep


class GeometricTensor:
    """Who asks for derivatives of states; ledgers name it."""

    access: ClassVar[Access] = Access.white_box


def geometric_tensor(
    objective: AbstractObjective,
    params: Params,
    backend: AbstractBackend | None = None,
    *,
    phase_fix: bool = True,
) -> Complex[np.ndarray, "N N"]:
    r"""The quantum geometric tensor of a circuit's state by its N parameters, exactly.

    .. math:: Q_{ij} = \langle\partial_i\psi|\partial_j\psi\rangle
              - \langle\partial_i\psi|\psi\rangle\langle\psi|\partial_j\psi\rangle .

    Its real part is the Fubini-Study metric, a fourth of the quantum Fisher information, by which a natural gradient
    is preconditioned; its imaginary part is half of the Berry
    curvature up to the sign.

    Args:
        objective: an `Expectation`; its circuit and parameter map count, not its observable.
        params: parameters in the objective's structure, raveled in order into N numbers.
        backend: who answers; a simulator.
        phase_fix: whether to subtract the second term; without it the tensor depends on global phases, which
            importers leave out.

    Returns:
        Q, Hermitian and, with `phase_fix`, positive semidefinite.

    Raises:
        NotApplicable: an objective without one circuit.
        TypeError: parameters that JAX is tracing.
        AccessError, UnsupportedQuery: a backend that does not show amplitudes.
        StateTooLarge: 1 + N states that would not fit into memory.

    Cost: 1 + N gate applications a gate, 1 + N states of memory.

    Example:
        >>> import qcgrad as qg
        >>> circuit = qg.Circuit(1).ry(0, param=0).rz(0, param=1)
        >>> tensor = qg.geometric_tensor(qg.Expectation(circuit, "Z"), [0.5, 0.1])
        >>> print(tensor.real.diagonal().round(4))  # 1/4 and sin(0.5)^2 / 4
        [0.25   0.0575]

    References:
        J. P. Provost and G. Vallee, "Riemannian structure on manifolds of quantum states", Commun. Math. Phys. 76, 289
        (1980); J. Stokes et al., "Quantum natural gradient", Quantum 4, 269 (2020), arXiv:1909.02108.
    """
    return tensor_of(tangents(objective, params, backend), phase_fix)


def tensor_of(found: Tangents, phase_fix: bool) -> Complex[np.ndarray, "D D"]:
    """The tensor from overlaps of a state and its derivatives."""
    return found.gram - phase_fix * np.outer(found.overlap.conj(), found.overlap)


def tangents(
    objective: AbstractObjective,
    params: Params,
    backend: AbstractBackend | None = None,
    *,
    chosen: Sequence[int] | None = None,
) -> Tangents:
    """Overlaps of a circuit's state with its derivatives by the parameters; arguments and errors as above.

    Args:
        objective, params, backend: as for `geometric_tensor`.
        chosen: which of the N parameters, all by default.
    """
    check_objective(objective)
    if not is_concrete(params):
        raise TypeError(
            "params are being traced by JAX: the geometric tensor needs numbers, ask for it outside jax.jit"
        )
    point, params = point_at(objective, params)
    program = getattr(point.objective, "program", None)
    if program is None or not hasattr(program, "on_all"):
        raise NotApplicable(f"{type(point.objective).__name__} has no circuit of one pure state: give an Expectation")
    along = directions(point.objective, params, point.coordinates)
    along = along if chosen is None else along[list(chosen)]
    query = TangentSweep(program, np.asarray(point.coordinates), along)
    return ask(query, GeometricTensor(), resolve(backend, point.objective), None)


class MetricTensor(Asking):
    """Who asks for overlaps and covariances; ledgers name it."""


def metric_tensor(
    objective: AbstractObjective,
    params: Params,
    method: MetricMethod,
    backend: AbstractBackend | None = None,
    *,
    key: Key | int | None = None,
    budget: Budget | None = None,
    precision: AbstractPrecision | None = None,
    throw: bool = True,
    resume: BackendFailed | None = None,
) -> MatrixEstimate:
    r"""The Fubini-Study metric of a circuit's state by its parameters, a fourth of the quantum Fisher information.

    .. math:: g_{ij} = \mathrm{Re}\,\langle\partial_i\psi|\partial_j\psi\rangle
              - \langle\partial_i\psi|\psi\rangle\langle\psi|\partial_j\psi\rangle
              = -\tfrac12 \partial_i \partial_j |\langle\psi(p)|\psi(p')\rangle|^2_{p'=p} .

    Args:
        objective: an `Expectation` or an `OperatorPool`; its circuit and parameter map count, not its observable.
        params: parameters in the objective's structure, raveled in order into N numbers.
        method: how: `TangentMetric()` exactly, `OverlapShift(shots)` in full, `BlockDiagonalMetric(shots)` layer by
            layer, `QNSPSA(samples, shots)` along random directions.
        backend: who answers, by default the statevector simulator.
        key: JAX random key or integer seed, for methods that draw.
        budget, throw, resume: as for `qcgrad.estimate`; entries whose overlaps did not fit are NaN.
        precision: how precise every entry has to be, by parameters: the method then takes the shots that are proved to
            do (`method.for_accuracy`), instead of its own.

    Returns:
        A `MatrixEstimate`, `matrix` (N, N) symmetric. Estimates from few shots may have negative eigenvalues.

    Raises:
        TypeError: no method for metrics, or parameters that JAX is tracing.
        ValueError: bad parameters, a missing key.
        NotApplicable: a circuit for which the method's rule does not hold, an objective without one circuit.
        AccessError, UnsupportedQuery, StateTooLarge, BudgetExhausted, BackendFailed: as `qcgrad.estimate`.

    Cost: that of the method's queries; `qcgrad.Tracker` calls it "MetricTensor".

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> circuit = qg.Circuit(1).ry(0, param=0).rz(0, param=1)
        >>> found = qg.metric_tensor(qg.Expectation(circuit, "Z"), [0.5, 0.1], qg.OverlapShift())
        >>> print(found.matrix.diagonal().round(4), found.cost.circuit_runs)  # 1/4 and sin(0.5)^2 / 4
        [0.25   0.0575] 6

    References:
        J. Stokes et al., Quantum 4, 269 (2020), arXiv:1909.02108; A. Mari, T. R. Bromley, N. Killoran, Phys. Rev. A
        103, 012405 (2021), arXiv:2008.06517.
    """
    asked = asked_for(
        objective, params, method, backend, MetricMethod, MetricTensor, budget=budget, precision=precision, key=key
    )

    def seen(found: Run) -> MatrixEstimate:
        return assembled(found, is_vector=False)

    return driven(asked.point, asked.asker, asked.backend, as_key(key), seen, budget=budget, throw=throw, resume=resume)
