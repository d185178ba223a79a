"""Expectations of Pauli strings from classical shadows."""

import math

import numpy as np
from jaxtyping import Float

from ....ir import pauli
from ....ir.pull_back import PauliComponents
from ....ir.stabilizers import group_elements, parity_sign
from ....queries import Snapshots
from ...accuracy import bernstein
from ._string_statistics import Outcomes, StringEstimates

# Products of measured strings looked at at a time.
_CHUNK = 1 << 21


def estimates(components: PauliComponents, shadow: Snapshots, weight: Float[np.ndarray, "D"]) -> StringEstimates:
    """Means of weight * (+-1) where a string was measured, of 0 where it was not.

    Args:
        weight: (D,) one over the probability that a random basis contains each string, which is also the
            second moment of what one copy says.
    """
    strings, copies = len(weight), len(shadow.bits)
    total = np.zeros(strings)
    for _, column, sign in _hits(components, shadow):
        total += np.bincount(column, sign, strings)
    return StringEstimates(
        mean=weight * total / copies,
        second_moment=weight,
        copies=np.full(strings, copies),
        outcomes=lambda: _outcomes(components, shadow, weight),
        told=math.ceil(copies * np.sum(1 / weight)),
    )


def copies_for(components: PauliComponents, weight: Float[np.ndarray, " D"], log: float, epsilon: float) -> float:
    r"""Bernstein's inequality: what one copy says of a string has a mean square of `weight`, and is no larger.

    Of sums the root mean squares add up at most. `weight` as for `estimates`, `log` and `epsilon` as for `bernstein`.
    """
    sizes = abs(components.gradient)
    return bernstein(np.square(sizes @ np.sqrt(weight)), sizes @ (weight + 1), log, epsilon)


def _outcomes(components, shadow, weight):
    import scipy.sparse as sparse

    row, column, sign = (np.concatenate(part) for part in zip(*_hits(components, shadow), strict=True))
    copies = len(shadow.bits)
    table = sparse.csr_array((weight[column] * sign, (row, column)), shape=(copies, len(weight)))
    return Outcomes(table, np.ones(copies), np.zeros(copies, np.int64))


def _hits(components, shadow):
    """Which copies measured which strings: (copy, string, +-1), a part of them at a time."""
    is_local = pauli.popcount(shadow.x | shadow.z).max() == 1
    if is_local and len(components.x) < 2 ** shadow.x.shape[1]:
        return _hits_by_string(components, shadow)
    return _hits_by_copy(components, shadow)


def _hits_by_string(components, shadow):
    """Bases of single letters: a string was measured where all of its letters were."""
    qubits = shadow.x.shape[1]
    letters_x, letters_z = (np.bitwise_or.reduce(masks, axis=1) for masks in (shadow.x, shadow.z))
    # String q of a basis acts on qubit q, and masks count from the other end.
    outcome = pauli.squeezed(shadow.bits, range(qubits - 1, -1, -1), qubits)
    for string, (x, z) in enumerate(zip(components.x, components.z, strict=True)):
        support = x | z
        row = np.flatnonzero(((letters_x & support) == x) & ((letters_z & support) == z))
        yield row, np.full(len(row), string), 1 - 2 * (pauli.popcount(outcome[row] & support) & 1)


def _hits_by_copy(components, shadow):
    """All products of a copy's strings, looked up among the strings that are asked for."""
    count, qubits = shadow.x.shape
    # Two masks side by side: wide ones need Python's integers.
    wide = pauli.mask_array(0, 2 * qubits).dtype
    keys = components.x.astype(wide) << qubits | components.z
    order = np.argsort(keys)
    ordered = keys[order]
    step = max(1, _CHUNK >> qubits)
    for start in range(0, count, step):
        part = slice(start, start + step)
        x, z, sign = group_elements(shadow.x[part], shadow.z[part])
        sought = x.astype(wide) << qubits | z
        place = np.minimum(np.searchsorted(ordered, sought), len(ordered) - 1)
        row, member = np.nonzero(ordered[place] == sought)
        eigenvalue = sign[row, member] * parity_sign(member, shadow.bits[part][row])
        yield start + row, order[place[row, member]], eigenvalue
