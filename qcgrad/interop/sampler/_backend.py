"""Any function that runs circuits and returns bitstrings, as a backend."""

from collections.abc import Callable, Sequence

from ...array_types import Key
from ...ir.circuit import Circuit
from ._bitstrings import Bitstrings
from ._jobs import Job
from ._measuring import MeasuringBackend, checked, slices
from ._plans import Run

Sampler = Callable[[list[tuple[Circuit, int]]], Sequence[Bitstrings]]
"""Takes pairs of a circuit without parameters and a number of shots, measures all qubits of each, and returns what came
out of each, in this order."""


class SampledBackend(MeasuringBackend):
    """Any device or simulator that runs circuits and returns bitstrings.

    It answers `Evaluate` with shots, `MeasureBases`, `RandomizedMeasure`, `BellSample` on 2n qubits, and
    `MajorityVotes` on one copy after another (`signs="mimicking"`): all that methods ask of single copies with shots,
    and of pairs. Exact expectation values, and copies that stay coherent between measurements, are refused by name.
    All circuits of a question are handed over together, so that they can be one job; copies of a random measurement
    whose basis happens to be the same share a circuit. No gate that costs count is left out.

    Bits come in the order of qubits, qubit 0 first. Nothing can tell that results came back in another order than the
    circuits, unless their shots or numbers of qubits differ.

    Args:
        sampler: function of a list of pairs (circuit without parameters, shots), which measures all qubits of each and
            returns one result for each: a bitstring for each shot, counts, or an array (shots, n) of 0 and 1.
        is_noisy: whether expectation values may be off on average. Nobody knows by how much, so the biases of estimates
            are then NaN, and their fidelity is "noisy"; say False for a simulator without noise.
        max_circuits: the most that are handed over in one call.
        retries: how often a call that raises is made again before `BackendFailed` keeps what was answered.

    Raises:
        TypeError, ValueError: no function; numbers that are no counts.
        BackendFailed: when asked: the sampler raised, or returned too few outcomes or anything that is no bitstring.

    Example:
        >>> import jax, numpy as np, qcgrad as qg
        >>> from qiskit import transpile
        >>> from qiskit.primitives import StatevectorSampler
        >>> from qcgrad.interop import SampledBackend, to_qiskit
        >>> jax.config.update("jax_enable_x64", True)
        >>> device = StatevectorSampler(seed=np.random.default_rng(1))  # a number would draw the same for every circuit
        >>> def sampler(pairs):
        ...     circuits = transpile([to_qiskit(circuit) for circuit, _ in pairs], basis_gates=["cx", "u"])
        ...     pubs = [(c.measure_all(inplace=False), None, shots) for c, (_, shots) in zip(circuits, pairs)]
        ...     strings = [found.data.meas.get_bitstrings() for found in device.run(pubs).result()]
        ...     return [[bits[::-1] for bits in each] for each in strings]  # Qiskit puts qubit 0 last
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> e = qg.estimate(objective, [0.5], qg.ParameterShift(shots=4000), SampledBackend(sampler), key=0)
        >>> bool(abs(e.gradient[0] + 0.4794) < 5 * e.variance[0] ** 0.5), e.fidelity, e.bias_bound[0]
        (True, 'noisy', Array(nan, dtype=float64))
    """

    def __init__(self, sampler: Sampler, is_noisy: bool = True, max_circuits: int | None = None, retries: int = 0):
        if not callable(sampler):
            raise TypeError(f"sampler is {sampler!r}: give a function of a list of pairs (circuit, shots)")
        super().__init__(is_noisy, retries)
        self.sampler = sampler
        self.max_circuits = None if max_circuits is None else checked("max_circuits", max_circuits, 1)

    def jobs(self, runs: Sequence[Run], places: list[int], key: Key) -> list[Job]:
        """Calls of the sampler."""

        def job(part):
            return Job(part, lambda: self.sampler([(runs[place].circuit, runs[place].shots) for place in part]))

        return [job(part) for part in slices(places, self.max_circuits)]
