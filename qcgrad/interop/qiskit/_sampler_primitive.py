"""Qiskit's sampler primitive, answered by our backends."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np
from qiskit.primitives import BaseSamplerV2, DataBin, PrimitiveJob, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub, SamplerPubLike

from ...array_types import Angles
from ...cost import Cost
from ...estimate import ask
from ...ir import pauli
from ...ir.program import Program
from ...queries import NOISY, Access, MeasureBases
from ._known import known_circuit
from ._pubs import checked_pubs, values_of
from ._registers import Registers, registers_of
from ._running import Answering, Draws, Seed, backend_or_default, submit


class QcgradSampler(BaseSamplerV2):
    """Bitstrings of Qiskit circuits from qcgrad's engine, where any `BaseSamplerV2` is expected.

    Circuits may have any number of classical registers, which measurements at the end fill partly, in any order; bits
    that nothing is measured into are 0. What is drawn is exact: each state is simulated once, and the number of shots
    costs next to nothing. Every point of a pub, every pub and every run has shots of its own, in random order.

    Args:
        default_shots: shots where neither pub nor run say how many.
        seed: as for `QcgradEstimator`.
        backend: any qcgrad backend that answers `MeasureBases`; by default `qcgrad.Statevector()`.

    Returns (of `run(pubs, shots=None).result()`):
        For each pub one `BitArray` in `data` for each classical register, of the shape of the parameter values. The
        metadata hold "shots", "copies", "circuit_runs" and "circuit_metadata".

    Raises:
        TypeError, ValueError: when `run` is called: what is no pub; parameters unbound, too many or not finite; shots
            that are no positive integer; a circuit that measures nothing.
        ImportRefused: a circuit that is not unitary up to final measurements.

    Cost: one copy a shot, charged to open ledgers as "QcgradSampler".

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qcgrad.interop.qiskit import QcgradSampler
        >>> circuit = QuantumCircuit(2)
        >>> _ = circuit.x(0)
        >>> circuit.measure_all()
        >>> QcgradSampler(seed=0).run([circuit], shots=100).result()[0].data.meas.get_counts()
        {'01': 100}

    References:
        Qiskit, "Primitives V2", https://quantum.cloud.ibm.com/docs/api/qiskit/primitives.
    """

    access: ClassVar[Access] = Access.single_copy

    def __init__(self, *, default_shots: int = 1024, seed: Seed = None, backend: Answering | None = None) -> None:
        is_count = isinstance(default_shots, (int, np.integer)) and not isinstance(default_shots, bool)
        if not is_count or default_shots <= 0:
            raise ValueError(f"default_shots is {default_shots!r}: give a positive integer")
        self._default_shots = int(default_shots)
        self._seed = seed
        self._draws = Draws(seed)
        self._backend = backend_or_default(backend)

    @property
    def default_shots(self) -> int:
        """Shots where neither pub nor run say how many."""
        return self._default_shots

    @property
    def seed(self) -> Seed:
        """As it was given."""
        return self._seed

    def run(
        self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None
    ) -> PrimitiveJob[PrimitiveResult[SamplerPubResult]]:
        """A job; see the class for its result."""
        used = self._default_shots if shots is None else shots
        checked = checked_pubs(pubs, lambda pub: SamplerPub.coerce(pub, used))
        registers = [_registers(position, pub) for position, pub in enumerate(checked)]
        return submit(self._answer, checked, registers, self._draws.next())

    def _answer(
        self, pubs: list[SamplerPub], registers: list[Registers], draws: Draws
    ) -> PrimitiveResult[SamplerPubResult]:
        results = [self._answer_pub(pub, where, draws) for pub, where in zip(pubs, registers, strict=True)]
        return PrimitiveResult(results, metadata={"version": 2})

    def _answer_pub(self, pub: SamplerPub, registers: Registers, draws: Draws) -> SamplerPubResult:
        known = known_circuit(pub.circuit)
        shots, cost = int(pub.shots or self._default_shots), Cost()
        angles, program = known.angles(values_of(pub)), known.measured
        asked = self._measured(program, registers.qubits)
        outcomes = np.zeros((len(angles), shots), np.int64)
        for row, setting in zip(outcomes, angles, strict=True):
            query = _question(program, setting, asked, shots)
            counts = ask(query, self, self._backend, draws.key()).counts[0]
            row[:] = draws.generator.permutation(np.repeat(np.arange(len(counts)), counts))
            cost += query.cost()
        arrays = registers.bit_arrays(outcomes.reshape(*pub.shape, shots), asked)
        metadata = {
            "shots": shots,
            "copies": cost.copies,
            "circuit_runs": cost.circuit_runs,
            "circuit_metadata": pub.circuit.metadata,
        }
        return SamplerPubResult(DataBin(**arrays, shape=pub.shape), metadata=metadata)

    def _measured(self, program: Program, qubits: Sequence[int]) -> list[int]:
        """Qubits that have to be asked for: idle ones read 0, unless the backend's noise reaches them."""
        if self._backend.fidelity == NOISY:
            return list(qubits)
        busy = set(program.busy.qubits)
        return [qubit for qubit in qubits if qubit in busy] or [qubits[0]]  # a question names a string at least


def _registers(position: int, pub: SamplerPub) -> Registers:
    try:
        return registers_of(pub.circuit)
    except ValueError as error:
        raise type(error)(f"pubs[{position}]: {error}") from error


def _question(program: Program, angles: Angles, qubits: list[int], shots: int) -> MeasureBases:
    """Z on some qubits at once."""
    z = pauli.mask_array([pauli.bit(qubit, program.num_qubits) for qubit in qubits], program.num_qubits)
    return MeasureBases(program, angles, np.zeros_like(z)[None], z[None], np.array([shots]))
