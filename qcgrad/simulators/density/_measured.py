"""Measurements of stabilizer bases, random bases and Bell pairs of a mixed state whose qubits are read with errors."""

import jax
import numpy as np
from jaxtyping import Complex

from ...array_types import Key
from ...draws import generator
from ...ir import pauli, rows
from ...ir.basis_change import BasisChange, basis_change
from ...ir.circuit import Circuit
from ...queries import BasisCounts, BellOutcomes, Ensemble, MeasureBases, RandomizedMeasure, Snapshots
from ..multicopy import _bell as bell
from ..statevector import _stabilizer_bases as stabilizer_bases
from ._readout import Errors, confused, misread

Density = Complex[np.ndarray, "2**n 2**n"]
"""A density matrix."""


def count(rho: Density, query: MeasureBases, errors: Errors, key: Key) -> BasisCounts:
    """Outcome counts of each set of strings, on the n qubits of the state."""
    if not any(errors):
        return stabilizer_bases.count(rho, query, key)
    rng, n, width = generator(key), len(errors), query.x.shape[1]
    counts = np.zeros((len(query.x), 1 << width), np.int64)
    every = pauli.mask_array(np.arange(2**n), n)
    for i, (x, z, shots) in enumerate(zip(query.x, query.z, query.shots, strict=True)):
        change = basis_change(x, z, n)
        p = np.maximum(confused(_read_probabilities(rho, change, n), errors), 0)
        found = rng.multinomial(shots, p / p.sum())
        place = change.bits(every) @ (1 << np.arange(width))
        counts[i] = np.bincount(place.astype(np.int64), found, 1 << width)
    return BasisCounts(counts)


def snapshots(rho: Density, query: RandomizedMeasure, errors: Errors, key: Key) -> Snapshots:
    """One outcome in a fresh random basis for each shot."""
    n = len(errors)
    found = stabilizer_bases.snapshots(rho, query, range(n), key)
    return found if not any(errors) else misread_snapshots(found, query.ensemble, errors, key)


def misread_snapshots(found: Snapshots, ensemble: str, errors: Errors, key: Key) -> Snapshots:
    """Snapshots without errors of reading, read with them."""
    rng, n = generator(jax.random.fold_in(key, 2)), len(errors)
    if ensemble == "local":
        # String q is bit q of an outcome, which is what qubit q was read as.
        return found._replace(bits=misread(found.bits, errors[::-1], rng))
    bits = np.empty_like(found.bits)
    for s, (x, z) in enumerate(zip(found.x, found.z, strict=True)):
        change = basis_change(x, z, n)
        outcome = outcome_of(change, int(found.bits[s]))
        read = misread(pauli.mask_array([outcome], n), errors, rng)
        bits[s] = int(change.bits(read)[0] @ (1 << np.arange(n)))
    return found._replace(bits=bits)


def bell_outcomes(found: BellOutcomes, errors: Errors, key: Key) -> BellOutcomes:
    """Bell outcomes read with errors: z is read off the first copy's qubits, x off those of the other."""
    rng = generator(jax.random.fold_in(key, 3))
    return BellOutcomes(x=misread(found.x, errors, rng), z=misread(found.z, errors, rng))


def bell_sample(rho: Density, pairs: int, errors: Errors, key: Key, partner: Ensemble | None) -> BellOutcomes:
    """Bell measurements of pairs of copies, each a vector drawn from the eigenvectors of the state."""
    weights, vectors = np.linalg.eigh(rho)
    kept = weights > 1e-15 * weights[-1]
    ensemble = Ensemble(weights[kept] / weights[kept].sum(), vectors.T[kept])
    return bell_outcomes(bell.sample(ensemble, pairs, key, partner), errors, key)


def _read_probabilities(rho: Density, change: BasisChange, n: int) -> np.ndarray:
    """Probabilities of all outcomes behind a basis change."""
    gates = rows.bind(Circuit(n, change.gates).op_table, np.zeros(0))
    half = rows.run(gates, rho.T).T
    return np.real(np.diagonal(rows.run(gates, half.conj()).conj()))


def outcome_of(change: BasisChange, bits: int) -> int:
    """The outcome of all qubits that gives n independent strings these bits: the solution of a system over GF(2)."""
    reduced: dict[int, int] = {}
    for i, (mask, sign) in enumerate(zip(change.masks.tolist(), change.signs.tolist(), strict=True)):
        row = int(mask) << 1 | ((bits >> i & 1) ^ (sign < 0))
        while (leading := row.bit_length() - 2) in reduced:
            row ^= reduced[leading]
        reduced[leading] = row
    outcome = 0
    for leading, row in sorted(reduced.items()):
        odd = (row & 1) ^ ((row >> 1 & outcome).bit_count() & 1)
        outcome |= odd << leading
    return outcome
