"""Stabilizer bases and random bases, measured on one trajectory a shot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...array_types import Key, Masks
from ...draws import generator
from ...ir import pauli
from ...ir.basis_change import basis_change
from ...ir.gates import Gate
from ...ir.noise.noisy_circuit import GateStep, NoisyCircuit, NoisyPart
from ...ir.stabilizers import random_local_bases, random_stabilizer_bases
from ...queries import BasisCounts, MeasureBases, RandomizedMeasure, Snapshots
from ..density import _measured as measured
from ..statevector import _stabilizer_bases as stabilizer_bases
from ..statevector import _walk as walk
from ..statevector._engines import padded
from . import _kernels as kernels
from ._layout import measuring_turns, padded_angles
from ._prepared import prepared


def count(part: NoisyPart, query: MeasureBases, key: Key) -> BasisCounts:
    """Outcome counts of each set of strings."""
    n, width = len(part.qubits), query.x.shape[1]
    counts = np.zeros((len(query.x), 1 << width), np.int64)
    x, z = (pauli.squeezed(masks, part.qubits, query.program.num_qubits) for masks in (query.x, query.z))
    for i, shots in enumerate(query.shots.tolist()):
        change = basis_change(x[i], z[i], n)
        is_local = np.array_equal(change.masks, x[i] | z[i])
        all_x, all_z = (int(np.bitwise_or.reduce(masks[i], initial=0)) for masks in (x, z))
        turns = measuring_turns(all_x, all_z, n) if is_local else np.zeros(2 * n)
        circuit = part.circuit if is_local else _followed(part.circuit, change.gates)
        angles = part.select(query.angles)
        read = _outcomes(circuit, angles, np.broadcast_to(turns, (shots, 2 * n)), jax.random.fold_in(key, i))
        bits = change.bits(read) @ (1 << np.arange(width))
        counts[i] = np.bincount(bits.astype(np.int64), minlength=1 << width)
    return BasisCounts(counts)


def snapshots(part: NoisyPart, query: RandomizedMeasure, key: Key) -> Snapshots:
    """One outcome in a fresh random basis for each shot."""
    rng, n, shots = generator(key), len(part.qubits), query.shots
    angles = part.select(query.angles)
    if query.ensemble == "local":
        x, z = random_local_bases(n, shots, rng)
        # Bit q of an outcome belongs to string q, so they count from the other end than masks do.
        turns = np.array([measuring_turns(*_union(x[s], z[s]), n) for s in range(shots)]).reshape(shots, 2 * n)
        read = _outcomes(part.circuit, angles, turns, jax.random.fold_in(key, 1))
        return Snapshots(x, z, pauli.squeezed(read, range(n)[::-1], n))
    x, z = random_stabilizer_bases(n, shots, rng)
    bits = np.empty(shots, np.int64)
    start = 0
    for psi in _states(part.circuit, angles, shots, jax.random.fold_in(key, 1)):
        for state in psi:
            one = slice(start, start + 1)
            bits[one] = stabilizer_bases.drawn_bits(state, x[one], z[one], rng)
            start += 1
    found = Snapshots(x, z, bits)
    return measured.misread_snapshots(found, "clifford", part.circuit.readout, key)


def _union(x: Masks, z: Masks) -> tuple[int, int]:
    return int(np.bitwise_or.reduce(x)), int(np.bitwise_or.reduce(z))


def _followed(circuit: NoisyCircuit, gates: Sequence[Gate]) -> NoisyCircuit:
    return replace(circuit, steps=(*circuit.steps, *map(GateStep, gates)))


def _outcomes(circuit: NoisyCircuit, angles: Any, turns: Float[np.ndarray, "N 2n"], key: Key) -> Masks:
    """(N,) outcomes of all qubits, as they are written down."""
    dtype = angles.dtype
    run, flips = prepared(circuit, dtype), kernels.flip_probabilities(circuit).astype(dtype)
    gates = padded(jnp.asarray(angles), padded_angles(circuit), axis=-1)
    found = [np.zeros(0, np.int64)]
    for part, keys in _chunks(circuit, len(turns), key):
        filled = np.zeros((len(keys), turns.shape[1]), dtype)
        filled[: len(turns[part])] = turns[part]
        found.append(np.asarray(kernels.outcomes(run, flips, gates, filled, keys))[: len(turns[part])])
    return pauli.mask_array(np.concatenate(found), circuit.num_qubits)


def _states(circuit: NoisyCircuit, angles: Any, count: int, key: Key) -> Iterator[np.ndarray]:
    """States of `count` trajectories, some at a time."""
    run = prepared(circuit, angles.dtype)
    gates = padded(jnp.asarray(angles), padded_angles(circuit), axis=-1)
    for part, keys in _chunks(circuit, count, key):
        yield np.asarray(kernels.states(run, gates, keys))[: min(part.stop, count) - part.start]


def _chunks(circuit: NoisyCircuit, count: int, key: Key) -> Iterator[tuple[slice, Any]]:
    """Slices of `count` trajectories with a key for each, all of one length so that they share a program."""
    size = min(walk.bucket(count, 2), max(1, kernels.CHUNK_AMPLITUDES >> circuit.num_qubits))
    for number, start in enumerate(range(0, count, size)):
        yield slice(start, start + size), jax.random.split(jax.random.fold_in(key, number), size)
