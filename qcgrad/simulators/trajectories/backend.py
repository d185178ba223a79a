"""The trajectory simulator as a backend."""

from typing import Any

import jax
import numpy as np

from ...array_types import Key
from ...arrays import is_concrete
from ...backend import AbstractBackend
from ...errors import StateTooLarge, UnsupportedQuery
from ...ir import Circuit
from ...ir.noise import NoiseModel
from ...ir.noise.noisy_circuit import NoisyPart, noisy
from ...ir.program import Compact
from ...memory import allowed_bytes, in_words, require
from ...queries import (
    EXACT,
    NOISY,
    AbstractQuery,
    Access,
    BasisCounts,
    Evaluate,
    Fidelity,
    Means,
    MeasureBases,
    RandomizedMeasure,
    Snapshots,
    state_bytes,
)
from ..statevector import _limits as limits
from ..statevector import _stabilizer_bases as stabilizer_bases
from ..statevector import _walk as walk
from ..statevector._engines import padded
from . import _kernels as kernels
from . import _measured as measured
from ._kernels import Draws, Reading
from ._layout import padded_angles
from ._prepared import prepared

# The trajectories that are held side by side: before, behind, and what is drawn from them.
_STATES_HELD = 4


class Trajectories(AbstractBackend):
    r"""Noise by quantum trajectories: pure states of \(2^n\) amplitudes that jump at random.

    In each run every channel picks one of its Kraus operators by the probability that the state gives it. An outcome
    of a run has exactly the distribution of the noisy device, so with one run a shot nothing here is an approximation.
    Where all channels are mixtures of Pauli strings (`Depolarizing`, `PhaseDamping`, `PauliChannel`), errors do not
    depend on the state, and the runs are settings of one circuit, which is faster. Costs, light cones and what
    gradients mean are as on `DensityMatrix`.

    It answers `Evaluate` with shots, `MeasureBases` and `RandomizedMeasure`. Exact expectation values are refused,
    since trajectories only estimate them. How far noise moves an answer is unknown to it: biases are NaN; see
    `qcgrad.noise_bias`.

    Args:
        noise: what goes wrong; `NoiseModel()` for nothing.
        trajectories: runs of each setting in each basis, whose outcomes are drawn from their final states. Variances
            are those of independent runs, so they stay right where there are fewer runs than shots: then they are
            larger than a device's. By default a run for every shot.
        max_bytes: refuse simulations that need more than this; by default 80 % of the memory that is free.

    Raises:
        ValueError: a number of trajectories that is none.
        StateTooLarge: before anything is allocated, with the number of bytes.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> noise = qg.NoiseModel().add(qg.Depolarizing(0.1, 2))
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), "IZ")
        >>> e = qg.estimate(objective, [0.5], qg.ParameterShift(shots=4000), qg.Trajectories(noise), key=0)
        >>> exact = qg.estimate(objective, [0.5], qg.ParameterShift(), qg.DensityMatrix(noise))
        >>> bool(abs(e.gradient[0] - exact.gradient[0]) < 5 * e.standard_error[0]), e.cost.shots
        (True, 12000)
    """

    access = Access.single_copy

    def __init__(self, noise: NoiseModel, trajectories: int | None = None, max_bytes: int | None = None):
        if not isinstance(noise, NoiseModel):
            raise TypeError(f"noise is {noise!r}: give a qcgrad.NoiseModel")
        is_count = isinstance(trajectories, (int, np.integer)) and not isinstance(trajectories, bool)
        if trajectories is not None and not (is_count and trajectories > 0):
            raise ValueError(f"Trajectories trajectories={trajectories!r}: give a positive integer, or None")
        if max_bytes is not None:
            allowed_bytes(max_bytes)
        self.noise = noise
        self.trajectories = trajectories
        self.max_bytes = max_bytes

    @property
    def fidelity(self) -> Fidelity:
        return EXACT if self.noise.is_noiseless else NOISY

    def answer(self, query: AbstractQuery, key: Key | None) -> Means | BasisCounts | Snapshots:
        if isinstance(query, Evaluate):
            return self._evaluate(query, key)
        if isinstance(query, MeasureBases):
            return self._measure(query, key)
        if isinstance(query, RandomizedMeasure):
            return self._randomized(query, key)
        return self.refuse(query)

    def _evaluate(self, query: Evaluate, key: Any) -> Means:
        if query.shots is None:
            raise UnsupportedQuery(
                "backend Trajectories does not answer exact expectation values: give the method shots, or use "
                "qcgrad.DensityMatrix(noise)"
            )
        whole: Any = query.program
        angles, settings = query.angles, len(query.angles)
        x, z, _ = whole.terms
        part = noisy(whole.circuit, self.noise).seen(whole.qubits_of(x) | whole.qubits_of(z))
        program = Compact(whole, Circuit(len(part.qubits)), part.qubits)
        allowed = self._check(part, angles.dtype)
        reading = Reading(program, part.circuit, angles.dtype)
        shots = np.asarray(query.shots_per_setting, np.int32)
        used = shots if self.trajectories is None else np.minimum(shots, self.trajectories)
        draws = _draws(int(used.max()), int(np.max(-(-shots // np.maximum(used, 1)))), program.num_qubits)
        limits.check_draws(reading.bases, angles.dtype, draws.trajectories * draws.outcomes, allowed)
        count = 1 if settings == 1 else walk.bucket(settings, 2)
        selected = padded(self._padded(part, angles), count, axis=0)
        # What is padded is one shot each, and is thrown away.
        shots, used = (np.pad(each, (0, count - settings), constant_values=1) for each in (shots, used))
        found = kernels.sampled(prepared(part.circuit, angles.dtype), reading, draws, selected, shots, used, key)
        mean, variance = jax.tree.map(np.asarray, found) if is_concrete((angles, found)) else found
        return Means(mean[:settings], variance[:settings])

    def _measure(self, query: MeasureBases, key: Any) -> BasisCounts:
        program: Any = query.program
        part = noisy(program.circuit, self.noise).seen(program.qubits_of(query.x) | program.qubits_of(query.z))
        stabilizer_bases.check_counts(query, len(part.qubits), self.max_bytes)
        self._check(part, query.angles.dtype)
        return measured.count(part, query, key)

    def _randomized(self, query: RandomizedMeasure, key: Any) -> Snapshots:
        program: Any = query.program
        part = noisy(program.circuit, self.noise).seen(range(program.num_qubits))
        stabilizer_bases.check_snapshots(query, program.num_qubits, self.max_bytes)
        self._check(part, query.angles.dtype)
        return measured.snapshots(part, query, key)

    def _padded(self, part: NoisyPart, angles):
        return padded(part.select(angles), padded_angles(part.circuit), axis=-1)

    def _check(self, part: NoisyPart, dtype: np.dtype) -> int:
        """Refuse states that do not fit; the bytes that there may be."""
        allowed, count = allowed_bytes(self.max_bytes, jax.devices()[0]), len(part.qubits)
        one = state_bytes(count, dtype)
        require(
            f"{part.circuit.name or 'the circuit'}: {count} qubits have to be simulated: a trajectory in "
            f"{np.result_type(dtype, np.complex64)} takes {in_words(one)} and this query holds {_STATES_HELD} of them,",
            _STATES_HELD * one,
            allowed,
            "use fewer qubits or float32 parameters (Trajectories(max_bytes=...) moves the limit)",
            StateTooLarge,
        )
        return allowed


def _draws(trajectories: int, outcomes: int, num_qubits: int) -> Draws:
    """Neighbouring numbers share a compiled program."""
    count = walk.bucket(trajectories, 2)
    side_by_side = max(1, kernels.CHUNK_AMPLITUDES >> num_qubits)
    return Draws(count, walk.bucket(outcomes, 1), min(count, side_by_side))
