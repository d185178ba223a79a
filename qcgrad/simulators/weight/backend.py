"""The simulator of circuits that conserve the number of ones, as a backend."""

from typing import Any

import jax
import numpy as np

from ...array_types import Key
from ...backend import AbstractBackend
from ...draws import generator
from ...errors import NotApplicable
from ...ir import pauli
from ...ir.program import Program
from ...memory import allowed_bytes, require
from ...queries import AbstractQuery, Access, AdjointSweep, Evaluate, Means, Sweep
from ._prepared import flipped, means, observed, prepared
from ._subspace import dimension

# The state, its image, and what a gate gathers and mixes of it.
_STATES_HELD = 5


class HammingWeight(AbstractBackend):
    r"""Exact simulation within the basis states of a fixed number of ones, of which there are \(\binom{n}{w}\).

    Circuits that begin with x gates and go on with gates that conserve the number of ones never leave that subspace:
    beam splitters exp(-i t (XY - YX)/2) and other hopping terms, rz, phase, swap, iswap, controlled phases, evolution
    under anything that commutes with \(\sum_q Z_q\). With one particle on 60 qubits 60 amplitudes are all there is,
    which is how orthogonal layers of quantum networks are simulated.

    Observables are any Pauli sums: what leads out of the subspace has no expectation value in it. With shots, strings
    of Z are measured; others would need measurement bases in which the number of ones is not fixed.

    It answers `Evaluate` and `AdjointSweep`, in double precision, on the host. What a query costs is counted for a
    dense simulation, as for every backend, and here far more than what is spent.

    Args:
        max_bytes: refuse simulations that need more than this; by default 80 % of the memory that is free.

    Raises:
        TooLarge: when asked, with the bytes that the subspace takes.
        NotApplicable: when asked, the first gate that changes the number of ones; with shots, a string of X or Y.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> splitter, circuit = qg.PauliSum({"XY": 0.5, "YX": -0.5}), qg.Circuit(60).x(0)
        >>> for q in range(59):
        ...     circuit = circuit.evolution(splitter, [q, q + 1], param=q)
        >>> objective = qg.Expectation(circuit, "IZ" + 58 * "I")
        >>> e = qg.estimate(objective, [0.3] * 59, qg.Adjoint(), qg.HammingWeight())
        >>> print(e.gradient[:2].round(4))
        [-1.0307  0.0986]

    References:
        L. Monbroussou et al., Quantum 9, 1745 (2025), arXiv:2309.15547.
    """

    access = Access.white_box
    is_traceable = False

    def __init__(self, max_bytes: int | None = None):
        if max_bytes is not None:
            allowed_bytes(max_bytes)
        self.max_bytes = max_bytes

    def answer(self, query: AbstractQuery, key: Key | None) -> Means | Sweep:
        if isinstance(query, Evaluate):
            return self._evaluate(query, key)
        if isinstance(query, AdjointSweep):
            return self._adjoint(query)
        return self.refuse(query)

    def _evaluate(self, query: Evaluate, key: Key | None) -> Means:
        program, dtype = _program(query), query.angles.dtype
        angles = np.asarray(query.angles, float)
        found = self._prepared(program, len(angles))
        psi = found.states(angles)
        if query.shots is None:
            mean = means(program, found.subspace, psi).astype(dtype)
            return Means(mean, np.zeros_like(mean))
        values = _diagonal(program, found.subspace)
        draws = zip(psi, query.shots_per_setting, _each(key, len(psi)), strict=True)
        pairs = np.array([_drawn(state, values, shots, rng) for state, shots, rng in draws]).astype(dtype)
        return Means(pairs[:, 0], pairs[:, 1])

    def _adjoint(self, query: AdjointSweep) -> Sweep:
        program, angles = _program(query), np.asarray(query.angles, float)
        cotangents = np.asarray(query.cotangents, float)
        found = self._prepared(program, 1 + len(cotangents))
        psi = found.states(angles[None])
        value = means(program, found.subspace, psi)[0]
        seen = observed(program, found.subspace, psi, cotangents)
        gradient = found.sweep(angles, psi, seen)
        return Sweep(value.astype(query.angles.dtype), gradient.astype(query.angles.dtype))

    def _prepared(self, program: Program, states: int):
        n = program.num_qubits
        weight = flipped(program.circuit)[0].bit_count()
        size = dimension(n, weight)
        require(
            f"{program.circuit.name or 'the circuit'}: {size:,} basis states of {n} qubits with {weight} ones take",
            16 * size * (_STATES_HELD * states + n),
            allowed_bytes(self.max_bytes),
            "use fewer qubits or fewer ones",
        )
        return prepared(program.circuit)


def _program(query: Any) -> Program:
    return query.program


def _diagonal(program: Program, subspace) -> np.ndarray:
    """(K, D) values of the observables in each basis state.

    Raises:
        NotApplicable: a string is not diagonal.
    """
    x, z, coefficients = program.terms
    if np.any(x):
        raise NotApplicable(
            "strings of X or Y are measured in bases that do not conserve the number of ones: leave shots out, use "
            "strings of I and Z, or qcgrad.Statevector()"
        )
    signs = np.array([1 - 2 * (pauli.popcount(subspace.masks & zt) & 1).astype(np.int64) for zt in z.tolist()])
    return coefficients @ signs


def _each(key: Key | None, count: int):
    if key is None:
        raise ValueError("key is missing: Evaluate with shots draws, give jax.random.key(seed)")
    return (generator(jax.random.fold_in(key, i)) for i in range(count))


def _drawn(psi, values, shots, rng) -> tuple[np.ndarray, np.ndarray]:
    """Mean and its unbiased variance, (K,) each, of so many outcomes; NaN for one shot."""
    probabilities = np.abs(psi) ** 2
    counts = rng.multinomial(shots, probabilities / probabilities.sum())
    mean = values @ counts / shots
    spread = np.square(values - mean[:, None]) @ counts / shots
    return mean, spread / (shots - 1) if shots > 1 else np.full(len(mean), np.nan)
