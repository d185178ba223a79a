"""Our gradients and metrics as qiskit-machine-learning takes them, whose base classes are copies of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import Options
from qiskit_machine_learning.algorithm_job import AlgorithmJob
from qiskit_machine_learning.gradients import BaseEstimatorGradient, EstimatorGradientResult
from qiskit_machine_learning.gradients.base.base_qgt import BaseQGT
from qiskit_machine_learning.gradients.base.qgt_result import QGTResult
from qiskit_machine_learning.gradients.utils import DerivativeType

from ...array_types import Key
from ...estimator import AbstractEstimator
from ._estimator_primitive import QcgradEstimator
from ._gradient import Asked, Differentiator, asked, chosen_parameters, metrics
from ._running import Answering, Draws, backend_or_default, followed


class MachineLearningGradient(BaseEstimatorGradient):
    """Any qcgrad estimator as a gradient of qiskit-machine-learning: of `EstimatorQNN`, `TorchConnector` and the rest.

    Args, result, errors and cost are those of `EstimatorGradient`, which is the same for qiskit-algorithms; options are
    refused as a precision is there.

    Args:
        estimator: how to differentiate.
        backend: who answers.
        key: JAX random key or integer seed.
        derivative_type: REAL, IMAG or COMPLEX.

    Raises:
        TypeError, ValueError: as `EstimatorGradient`.

    Example:
        >>> import qcgrad as qg
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qiskit_machine_learning.neural_networks import EstimatorQNN
        >>> from qcgrad.interop.qiskit import MachineLearningGradient, QcgradEstimator
        >>> x, w = Parameter("x"), Parameter("w")
        >>> circuit = QuantumCircuit(1)
        >>> _ = circuit.ry(x + 2 * w, 0)
        >>> qnn = EstimatorQNN(circuit=circuit, estimator=QcgradEstimator(), input_params=[x], weight_params=[w],
        ...                    gradient=MachineLearningGradient(qg.Adjoint()), default_precision=0.0)
        >>> qnn.backward([[0.1]], [0.2])[1].round(6)  # -2 sin(0.5)
        array([[[-0.958851]]])
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
        super().__init__(QcgradEstimator(backend=backend), derivative_type=derivative_type)

    def run(
        self,
        circuits: Sequence[QuantumCircuit],
        observables: Sequence[Any],
        parameter_values: Sequence[Sequence[float]] | np.ndarray,
        parameters: Sequence[Sequence[Any] | None] | None = None,
        **options: Any,
    ) -> AlgorithmJob:
        """A job; see the class for its result."""
        if unknown := {**vars(self._default_options), **options}:
            raise ValueError(
                f"options are {unknown}: what {type(self._differentiator.estimator).__name__} spends follows from its "
                "own options, give none here"
            )
        entries = asked(BaseEstimatorGradient, circuits, observables, parameter_values, parameters)
        job = AlgorithmJob(self._answer, entries, self._differentiator.next())
        job.submit()
        return followed(job)

    def _answer(self, entries: list[Asked], draws: Draws) -> EstimatorGradientResult:
        gradients, metadata = self._differentiator.gradients(entries, self.derivative_type.value, draws)
        return EstimatorGradientResult(gradients=gradients, metadata=metadata, options=Options())

    def _run(self, circuits, observables, parameter_values, parameters, **options):
        entries = asked(BaseEstimatorGradient, circuits, observables, parameter_values, parameters)
        return self._answer(entries, self._differentiator.next())


class MachineLearningQGT(BaseQGT):
    """`TangentQGT` for qiskit-machine-learning, with the same arguments, result, errors and cost.

    Args:
        phase_fix: whether to subtract the second term.
        derivative_type: COMPLEX, REAL or IMAG.
        backend: who answers.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qcgrad.interop.qiskit import MachineLearningQGT
        >>> circuit = QuantumCircuit(1)
        >>> _ = circuit.ry(2 * Parameter("a"), 0)
        >>> print(MachineLearningQGT().run([circuit], [[0.25]]).result().qgts[0].real.round(6))
        [[1.]]
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
