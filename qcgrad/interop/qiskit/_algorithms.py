"""Our gradients and metrics as qiskit-algorithms takes them."""

from collections.abc import Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit_algorithms import AlgorithmJob
from qiskit_algorithms.gradients import (
    BaseEstimatorGradient,
    BaseQGT,
    DerivativeType,
    EstimatorGradientResult,
    QGTResult,
)

from ...array_types import Key
from ...estimator import AbstractEstimator
from ._estimator_primitive import QcgradEstimator
from ._gradient import Asked, Differentiator, asked, chosen_parameters, metrics
from ._running import Answering, Draws, backend_or_default, followed


class EstimatorGradient(BaseEstimatorGradient):
    r"""Any qcgrad estimator as a gradient of qiskit-algorithms: of VQE, ADAPT-VQE, VarQITE, VarQRTE and the rest.

    All circuits that a gradient takes are asked of the backend at once. Parameters may be shared and stand in any
    expressions. Where only some are asked for, methods that pay for each component leave the others out.

    Args:
        estimator: how to differentiate: `qcgrad.Adjoint()`, `qcgrad.ParameterShift(shots=1000)`,
            `qcgrad.GentleSweep(copies=10_000)` or any other.
        backend: who answers: any qcgrad backend, or a V2 primitive of Qiskit (by `QiskitBackend`), noisy ones too; by
            default `qcgrad.Statevector()`.
        key: JAX random key or integer seed. Every gradient draws anew, the same runs in the same order draw the same;
            None for draws that nobody can repeat.
        derivative_type: REAL, \(2\,\mathrm{Re}\langle\psi|O|\partial\psi\rangle\), by any method; IMAG or COMPLEX, as
            real-time evolution asks for, by exact ones that see amplitudes.

    Returns (of `run(circuits, observables, parameter_values, parameters).result()`):
        "gradients", and for each "metadata": "parameters", "value", "variance" and "bias_bound" of each component,
        "fidelity", "result" and "message" as in `qcgrad.Estimate`, and "cost", a `qcgrad.Cost`.

    Raises:
        TypeError: no estimator, or no backend.
        ValueError: a precision given to `run`: the method's own options decide it.

    Cost: the estimator's, charged to open ledgers under its name.

    Example:
        >>> import numpy as np, qcgrad as qg
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qiskit.quantum_info import SparsePauliOp
        >>> from qcgrad.interop.qiskit import EstimatorGradient
        >>> circuit = QuantumCircuit(1)
        >>> _ = circuit.ry(2 * Parameter("a"), 0)
        >>> gradient = EstimatorGradient(qg.ParameterShift())
        >>> print(gradient.run([circuit], [SparsePauliOp("Z")], [[0.25]]).result().gradients[0].round(6))  # -2 sin(0.5)
        [-0.958851]
    """

    def __init__(
        self,
        estimator: AbstractEstimator,
        backend: Answering | None = None,
        *,
        key: Key | int | None = None,
        derivative_type: DerivativeType = DerivativeType.REAL,
    ) -> None:
        self._differentiator = Differentiator(estimator, backend, key)
        # What asks the gradient for its primitive (real-time evolution, for the energy) gets exact values.
        super().__init__(QcgradEstimator(backend=backend), derivative_type=derivative_type)

    def run(
        self,
        circuits: Sequence[QuantumCircuit],
        observables: Sequence[Any],
        parameter_values: Sequence[Sequence[float]],
        parameters: Sequence[Sequence[Any] | None] | None = None,
        *,
        precision: float | Sequence[float] | None = None,
    ) -> AlgorithmJob:
        """A job; see the class for its result."""
        self._differentiator.refuse_precision(self.precision if precision is None else precision)
        entries = asked(BaseEstimatorGradient, circuits, observables, parameter_values, parameters)
        job = AlgorithmJob(self._answer, entries, self._differentiator.next())
        job._submit()
        return followed(job)

    def _answer(self, entries: list[Asked], draws: Draws) -> EstimatorGradientResult:
        gradients, metadata = self._differentiator.gradients(entries, self.derivative_type.value, draws)
        # Qiskit's own gradients leave None where no one named a precision.
        precision: Any = self.precision
        return EstimatorGradientResult(gradients=gradients, metadata=metadata, precision=precision)

    def _run(self, circuits, observables, parameter_values, parameters, *, precision):
        del precision
        entries = asked(BaseEstimatorGradient, circuits, observables, parameter_values, parameters)
        return self._answer(entries, self._differentiator.next())


class TangentQGT(BaseQGT):
    r"""The quantum geometric tensor of qiskit-algorithms, exactly, of any circuit that can be imported.

    Derivatives of the state are carried through the circuit together (`qcgrad.geometric_tensor`). Parameters may be
    shared and stand in any expressions. Give it to `QFI`, `ImaginaryMcLachlanPrinciple` or `RealMcLachlanPrinciple`.

    Args:
        phase_fix: whether to subtract \(\langle\partial_i\psi|\psi\rangle\langle\psi|\partial_j\psi\rangle\).
        derivative_type: COMPLEX, or its REAL or IMAG part.
        backend: who answers; by default `qcgrad.Statevector()`.

    Raises:
        NotApplicable: without `phase_fix`, a parameter that drives the global phase.

    Cost: as `qcgrad.geometric_tensor`, charged to open ledgers as "GeometricTensor". A precision given to `run` is
    always met.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qiskit_algorithms.gradients import QFI
        >>> from qcgrad.interop.qiskit import TangentQGT
        >>> circuit = QuantumCircuit(1)
        >>> _ = circuit.ry(2 * Parameter("a"), 0)
        >>> print(QFI(TangentQGT()).run([circuit], [[0.25]]).result().qfis[0].round(6))
        [[4.]]

    References:
        J. Stokes et al., "Quantum natural gradient", Quantum 4, 269 (2020), arXiv:1909.02108.
    """

    def __init__(
        self,
        phase_fix: bool = True,
        derivative_type: DerivativeType = DerivativeType.COMPLEX,
        *,
        backend: Answering | None = None,
    ) -> None:
        super().__init__(QcgradEstimator(backend=backend), phase_fix, derivative_type)
        self._backend = backend_or_default(backend)

    def run(
        self,
        circuits: Sequence[QuantumCircuit],
        parameter_values: Sequence[Sequence[float]],
        parameters: Sequence[Sequence[Any] | None] | None = None,
        *,
        precision: float | Sequence[float] | None = None,
    ) -> AlgorithmJob:
        """A job, whose result has "qgts"."""
        circuits = (circuits,) if isinstance(circuits, QuantumCircuit) else circuits
        chosen = chosen_parameters(circuits, parameters)
        return followed(super().run(circuits, parameter_values, chosen, precision=precision))

    def _run(self, circuits, parameter_values, parameters, *, precision):
        kind = self.derivative_type.value
        qgts, metadata = metrics(circuits, parameter_values, parameters, self._phase_fix, kind, self._backend)
        return QGTResult(qgts, self.derivative_type, metadata, precision or 0.0)
