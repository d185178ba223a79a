"""What came out of measured circuits, in the forms that people write it in, as masks of all qubits."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from jaxtyping import Int

from ...array_types import Masks
from ...ir import pauli

Bitstrings = Iterable[str] | Mapping[str, int] | Int[np.ndarray, "shots n"]
"""One string of 0 and 1 for each shot, a mapping from strings to counts, or an array (shots, n) of 0 and 1; character
or column q belongs to qubit q."""


class Unusable(ValueError):
    """What came back cannot be read."""


def outcomes(found: Bitstrings, num_qubits: int, shots: int, rng: np.random.Generator) -> Masks:
    """(shots,) masks, checked; those of counts in random order, since counts have forgotten theirs.

    Raises:
        Unusable: another number of outcomes, or of qubits, or anything that is no bitstring.
    """
    masks, length = masks_of(found, num_qubits)
    if len(masks) != shots:
        raise Unusable(f"{len(masks)} outcomes came back for {shots} shots: return one bitstring for each shot")
    if length != num_qubits:
        raise Unusable(f"bitstrings of {length} bits came back for {num_qubits} qubits: measure all of them, once")
    return rng.permutation(masks) if isinstance(found, Mapping) else masks


def masks_of(found: Bitstrings, num_qubits: int = 0) -> tuple[Masks, int]:
    """Outcomes with qubit 0 as the most significant bit, and how many bits each has.

    Args:
        found: what came back.
        num_qubits: what is said to be measured where nothing came back.

    Raises:
        Unusable: anything that is no bitstring, counts that are no counts.
    """
    if isinstance(found, np.ndarray) and found.ndim == 2:
        return _of_array(found)
    if isinstance(found, (str, bytes)) or not isinstance(found, Iterable):
        raise Unusable(f"{found!r} came back: give one bitstring for each shot, or counts of bitstrings")
    strings: Any = found if isinstance(found, Mapping) else list(found)
    distinct = dict.fromkeys(strings)
    if not distinct:
        return pauli.mask_array([], num_qubits), num_qubits
    _check_strings(distinct)
    length = len(next(iter(distinct)))
    value = {bits: int(bits, 2) for bits in distinct}
    if isinstance(strings, Mapping):
        if wrong := [n for n in strings.values() if not isinstance(n, Integral) or isinstance(n, bool) or n < 0]:
            raise Unusable(f"a count is {wrong[0]!r}: give how often each bitstring came, not a share of the shots")
        each = pauli.mask_array(list(value.values()), length)
        return np.repeat(each, [int(n) for n in strings.values()]), length  # pyright: ignore[reportAttributeAccessIssue]
    return pauli.mask_array([value[bits] for bits in strings], length), length


def _of_array(bits) -> tuple[Masks, int]:
    if bits.size and not np.isin(bits, (0, 1)).all():
        raise Unusable(f"an array holds {bits[~np.isin(bits, (0, 1))][0]}: give 0 and 1")
    length = bits.shape[1]
    weights = pauli.mask_array([pauli.bit(q, length) for q in range(length)], length)
    return bits.astype(weights.dtype) @ weights, length


def _check_strings(distinct) -> None:
    if all(isinstance(bits, str) and set(bits) <= {"0", "1"} and bits for bits in distinct):
        if len({len(bits) for bits in distinct}) == 1:
            return
        hint = ""
    elif any(isinstance(bits, str) and " " in bits for bits in distinct):
        hint = "; a space stands between registers: join the parts in the order of qubits, or measure into one register"
    elif not all(isinstance(bits, str) for bits in distinct) or any("x" in bits for bits in distinct):
        hint = "; of a number write all bits, format(outcome, f'0{num_qubits}b')"
    else:
        hint = ""
    shown = sorted(distinct, key=str)[:3]
    raise Unusable(f"bitstrings hold {shown}: give strings of 0 and 1, all of the same length{hint}")
