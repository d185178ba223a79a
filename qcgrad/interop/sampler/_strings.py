"""Sets of commuting Pauli strings, given or random, as circuits to measure."""

from collections.abc import Iterable

import numpy as np

from ...array_types import Key
from ...draws import generator
from ...ir import pauli
from ...ir.basis_change import BasisChange, basis_change
from ...ir.stabilizers import random_local_bases, random_stabilizer_bases
from ...memory import allowed_bytes, require
from ...queries import BasisCounts, MeasureBases, RandomizedMeasure, Snapshots
from ._plans import Plan, Run, followed


def measure_bases(query: MeasureBases) -> Plan:
    """One circuit for each set that is measured at all."""
    n, circuit = query.program.num_qubits, query.program.bound(query.angles)
    sets, width = query.x.shape
    what = f"counting all outcomes of {width} commuting strings takes"
    require(what, (sets + 1) << (width + 3), allowed_bytes(), "measure fewer qubits at once")
    changes = [basis_change(x, z, n) for x, z in zip(query.x, query.z, strict=True)]
    measured = [b for b in range(sets) if query.shots[b]]
    runs = [Run(followed(circuit, changes[b].gates), int(query.shots[b])) for b in measured]

    def read(outcomes) -> BasisCounts:
        counts = np.zeros((sets, 1 << width), np.int64)
        for b, found in zip(measured, outcomes, strict=True):
            counts[b] = np.bincount(_numbers(changes[b], found), minlength=1 << width)
        return BasisCounts(counts)

    return Plan(tuple(runs), read)


def randomized_measure(query: RandomizedMeasure, key: Key) -> Plan:
    """One circuit for all copies whose basis change turns out to be the same."""
    n, circuit = query.program.num_qubits, query.program.bound(query.angles)
    draw = random_local_bases if query.ensemble == "local" else random_stabilizer_bases
    x, z = draw(n, query.shots, generator(key))
    # Many sets generate one group, which takes one basis change; what the sets differ in is how outcomes are read.
    same_set = _grouped((*xs, *zs) for xs, zs in zip(x.tolist(), z.tolist(), strict=True))
    changes = [(basis_change(x[members[0]], z[members[0]], n), members) for members in same_set]
    same_change = [[changes[i] for i in group] for group in _grouped(change.gates for change, _ in changes)]
    copies = [np.concatenate([members for _, members in group]) for group in same_change]
    runs = [
        Run(followed(circuit, group[0][0].gates), len(held)) for group, held in zip(same_change, copies, strict=True)
    ]

    def read(outcomes) -> Snapshots:
        bits = np.zeros(query.shots, x.dtype)
        for group, found in zip(same_change, outcomes, strict=True):
            start = 0
            for change, members in group:
                bits[members] = _numbers(change, found[start : start + len(members)])
                start += len(members)
        return Snapshots(x, z, bits)

    return Plan(tuple(runs), read)


def _grouped(items: Iterable) -> list[list[int]]:
    """Positions of equal items."""
    found: dict = {}
    for position, item in enumerate(items):
        found.setdefault(item, []).append(position)
    return list(found.values())


def _numbers(change: BasisChange, outcomes):
    """(N,) outcomes of the strings: bit i belongs to string i."""
    bits = change.bits(outcomes)
    weights = pauli.mask_array([1 << i for i in range(len(change.masks))], len(change.masks))
    return bits.astype(weights.dtype) @ weights
