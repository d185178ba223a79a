"""The density-matrix simulator as a backend."""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex

from ...array_types import Angles, Key
from ...arrays import is_concrete, namespace, to_host, zeros_like
from ...backend import AbstractBackend
from ...errors import StateTooLarge
from ...ir import Circuit, pauli
from ...ir.mixture import Mixture
from ...ir.noise import NoiseModel
from ...ir.noise.noisy_circuit import NoisyCircuit, NoisyPart, noisy
from ...ir.program import Compact
from ...memory import allowed_bytes, in_words, require
from ...queries import (
    EXACT,
    NOISY,
    AbstractQuery,
    Access,
    BasisCounts,
    BellOutcomes,
    BellSample,
    Evaluate,
    Fidelity,
    Means,
    MeasureBases,
    RandomizedMeasure,
    ShiftedSettings,
    Snapshots,
    state_bytes,
)
from ..multicopy import _bell as bell
from ..statevector import _limits as limits
from ..statevector import _stabilizer_bases as stabilizer_bases
from ..statevector import _walk as walk
from ..statevector._engines import padded
from ..statevector._inputs import program_and_angles
from ..statevector.backend import Statevector
from . import _kernels as kernels
from . import _measured as measured
from ._kernels import DensityCircuit, Reading
from ._native import NativeDensity, native_density

# What is native numbers strings with 64 bits.
_MOST_QUBITS = 30

_Answer = Means | BasisCounts | Snapshots | BellOutcomes


class DensityMatrix(AbstractBackend):
    r"""Exact simulation of noise: all \(4^n\) entries of a density matrix.

    Every estimator of single copies runs on it unchanged, and what it costs does not depend on the noise. Gates and
    qubits that cannot change an answer are left out, and n counts those that remain: channels preserve the trace, so
    the light cone of what is measured holds with noise too. Rotations in front of a measurement have no noise; reading
    has that of the model.

    Gradients are those that a device with this noise would give. A shift rule is still the derivative of the noisy
    expectation value where the noise does not depend on the angle; with an `OverRotation` whose scale is not 0 it is an
    estimate of the derivative without noise, and not the noisy function's. How far noise moves an expectation value is
    worked out beside it, by a state vector, and is the bias of `Means`: so `bias_bound` of estimates that rest on
    `Evaluate` holds with noise, and `qcgrad.noise_bias` says what the bias is. Of outcomes of other measurements it is
    not known, and the bias of estimates is NaN.

    It answers `Evaluate`, `MeasureBases`, `RandomizedMeasure` and `BellSample`; sweeps over coherent copies need pure
    states and are refused by name. `Evaluate` works while JAX traces, and exact values can be differentiated.

    Where numbers are at hand the native engine holds the \(4^n\) real Pauli coefficients of the density matrix, and
    joins gates and channels on the same two qubits; exact values at shifts of one point take one run forwards and one
    backwards for each observable, instead of one for each shift. What JAX traces is simulated in JAX, as is all else
    without a compiler, on accelerators, and with channels or matrices on more than two qubits.

    Args:
        noise: what goes wrong; `NoiseModel()` for nothing.
        max_bytes: refuse simulations that need more than this; by default 80 % of the memory that is free.
        engine: "auto" as above, or "jax" for everything.

    Raises:
        StateTooLarge: before anything is allocated, with the number of bytes.
        ValueError: an engine that is not there; and when asked: the noise names a qubit that the circuit does not have.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> noise = qg.NoiseModel().add(qg.PhaseDamping(0.19), gates="ry")
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "X")
        >>> e = qg.estimate(objective, [0.5], qg.ParameterShift(), qg.DensityMatrix(noise))
        >>> print(e.gradient.round(4), e.fidelity, e.bias_bound.round(4))  # 0.9 cos(0.5), off by a tenth
        [0.7898] noisy [0.0878]
    """

    access = Access.multi_copy

    def __init__(self, noise: NoiseModel, max_bytes: int | None = None, engine: Literal["auto", "jax"] = "auto"):
        if not isinstance(noise, NoiseModel):
            raise TypeError(f"noise is {noise!r}: give a qcgrad.NoiseModel")
        if max_bytes is not None:
            allowed_bytes(max_bytes)
        if engine not in ("auto", "jax"):
            raise ValueError(f"DensityMatrix engine={engine!r}: give 'auto' or 'jax'")
        self.noise = noise
        self.max_bytes = max_bytes
        self.engine: Literal["auto", "jax"] = engine

    @property
    def fidelity(self) -> Fidelity:
        return EXACT if self.noise.is_noiseless else NOISY

    def answer(self, query: AbstractQuery, key: Key | None) -> _Answer:
        if isinstance(query, Evaluate):
            return self._evaluate(query, key)
        if isinstance(query, MeasureBases):
            return self._measure(query, key)
        if isinstance(query, RandomizedMeasure):
            return self._randomized(query, key)
        if isinstance(query, BellSample):
            return self._bell(query, key)
        return self.refuse(query)

    def matrix(self, circuit: Circuit, params: Angles) -> Complex[jax.Array, "2**n 2**n"]:
        """The density matrix of a circuit at its parameters (P,), radians.

        Raises:
            ValueError: a wrong number of parameters; noise on qubits that are not there.
            StateTooLarge: before anything is allocated.

        Example:
            >>> import jax, qcgrad as qg
            >>> jax.config.update("jax_enable_x64", True)
            >>> noise = qg.NoiseModel().add(qg.AmplitudeDamping(0.2))
            >>> print(qg.DensityMatrix(noise).matrix(qg.Circuit(1).x(0), []).real)
            [[0.2 0. ]
             [0.  0.8]]
        """
        program, angles = program_and_angles(circuit, params)
        part = noisy(program.circuit, self.noise).seen(range(circuit.num_qubits))
        return jnp.asarray(self._matrix(part, angles))

    def _evaluate(self, query: Evaluate, key: Any) -> Means:
        whole: Any = query.program
        angles = query.angles
        x, z, _ = whole.terms
        part = noisy(whole.circuit, self.noise).seen(whole.qubits_of(x) | whole.qubits_of(z))
        program = Compact(whole, Circuit(len(part.qubits)), part.qubits)
        native = self._native(part.circuit, (angles, key), is_read=True)
        allowed = self._check(part, angles.dtype, native)
        if query.shots is None and native is not None:
            exact = native.values(program, _selected(part, angles), allowed)
            return self._told(query, exact, zeros_like(exact), exact)
        settings = len(angles)
        count = 1 if settings == 1 else walk.bucket(settings, 2)
        reading = Reading(program, part.circuit, angles.dtype)
        if query.shots is None:
            circuit, selected = _in_jax(part, angles, count)
            exact = to_host(angles, kernels.values(circuit, reading, selected))[:settings]
            return self._told(query, exact, zeros_like(exact), exact)
        drawn = walk.bucket(max(query.shots_per_setting))
        limits.check_draws(reading.bases, angles.dtype, drawn, allowed)
        shots = np.pad(np.asarray(query.shots_per_setting, np.int32), (0, count - settings))
        if native is None:
            found = kernels.sampled(*_in_jax(part, angles, count), reading, drawn, shots, key)
        else:
            p = native.distributions(np.asarray(part.select(angles)), program.bases)
            found = kernels.drawn(padded(p, count, axis=0), reading, drawn, shots, key)
        return self._told(query, *(part[:settings] for part in to_host(angles, found)))

    def _told(self, query: Evaluate, mean, variance, exact) -> Means:
        """The answer, with what noise does to the exact one."""
        if self.noise.is_noiseless:
            return Means(mean, variance)
        still = query.angles if is_concrete(query.angles) else jax.lax.stop_gradient(jnp.asarray(query.angles))
        right: Any = Statevector(self.max_bytes).answer(replace(query, angles=still, shots=None, weights=None), None)
        xp = namespace((exact, right))
        return Means(mean, variance, xp.abs(exact - right.mean), NOISY)

    def _measure(self, query: MeasureBases, key: Any) -> BasisCounts:
        program: Any = query.program
        n = program.num_qubits
        part = noisy(program.circuit, self.noise).seen(program.qubits_of(query.x) | program.qubits_of(query.z))
        x, z = (pauli.squeezed(masks, part.qubits, n) for masks in (query.x, query.z))
        stabilizer_bases.check_counts(query, len(part.qubits), self.max_bytes)
        rho = np.asarray(self._matrix(part, query.angles))
        return measured.count(rho, replace(query, x=x, z=z), part.circuit.readout, key)

    def _randomized(self, query: RandomizedMeasure, key: Any) -> Snapshots:
        part = self._whole(query.program)
        stabilizer_bases.check_snapshots(query, query.program.num_qubits, self.max_bytes)
        rho = np.asarray(self._matrix(part, query.angles))
        return measured.snapshots(rho, query, part.circuit.readout, key)

    def _bell(self, query: BellSample, key: Any) -> BellOutcomes:
        bell.check_pairs(query.pairs, query.program.num_qubits, self.max_bytes)
        given = query.program
        members = given.programs if isinstance(given, Mixture) else (given,)
        weights = given.probabilities if isinstance(given, Mixture) else np.ones(1)
        parts = [self._whole(program) for program in members]
        rho = sum(p * np.asarray(self._matrix(part, query.angles)) for p, part in zip(weights, parts, strict=True))
        return measured.bell_sample(np.asarray(rho), query.pairs, parts[0].circuit.readout, key, query.partner)

    def _whole(self, program: Any) -> NoisyPart:
        return noisy(program.circuit, self.noise).seen(range(program.num_qubits))

    def _matrix(self, part: NoisyPart, angles: Angles):
        """The density matrix (2^m, 2^m) of a part."""
        self._check(part, angles.dtype)
        native = self._native(part.circuit, angles, is_read=False)
        if native is not None:
            return native.matrix(np.asarray(part.select(angles)))
        side = 2 ** len(part.qubits)
        circuit, selected = _in_jax(part, angles[None], 1)
        return kernels.matrix(circuit, selected[0]).reshape(side, side)

    def _native(self, circuit: NoisyCircuit, inputs: Any, is_read: bool) -> NativeDensity | None:
        """The circuit for the native engine, if it is the one to ask."""
        # Masks of what does not fit are not made: it is refused by `_check`.
        is_left = self.engine == "jax" or not is_concrete(inputs) or circuit.num_qubits > _MOST_QUBITS
        return None if is_left else _packed(circuit, is_read)

    def _check(self, part: NoisyPart, dtype: np.dtype, native: NativeDensity | None = None) -> int:
        """Refuse density matrices that do not fit; the bytes that there may be."""
        allowed = allowed_bytes(self.max_bytes, jax.devices()[0])
        count = len(part.qubits)
        one = state_bytes(2 * count, dtype)
        # Its coefficients are half as many numbers as a density matrix is made of.
        held = kernels.STATES_HELD if native is None else -(-native.held // 2)
        require(
            f"{part.circuit.name or 'the circuit'}: {count} qubits have to be simulated: a density matrix of them in "
            f"{np.result_type(dtype, np.complex64)} takes {in_words(one)} and this query holds {held} of them,",
            held * one,
            allowed,
            "use fewer qubits, float32 parameters, or qcgrad.Trajectories(noise), which holds state vectors "
            "(DensityMatrix(max_bytes=...) moves the limit)",
            StateTooLarge,
        )
        return allowed


# A circuit is planned once, though it is evaluated often.
@lru_cache(maxsize=64)
def _prepared(circuit: NoisyCircuit, dtype: np.dtype) -> DensityCircuit:
    return DensityCircuit(circuit, dtype)


@lru_cache(maxsize=64)
def _packed(circuit: NoisyCircuit, is_read: bool) -> NativeDensity | None:
    return native_density(circuit, is_read)


def _selected(part: NoisyPart, angles):
    """Settings of a part's angles, as shifts of one point where they are that."""
    return angles.on(part.angles) if isinstance(angles, ShiftedSettings) else np.asarray(part.select(angles))


def _in_jax(part: NoisyPart, angles, count: int):
    """The circuit for JAX, and settings with zeros up to numbers of angles and settings that many circuits share."""
    selected = part.select(angles)
    selected = padded(selected, walk.bucket(max(selected.shape[-1], 1), 64), axis=-1)
    return _prepared(part.circuit, np.dtype(angles.dtype)), padded(selected, count, axis=0)
