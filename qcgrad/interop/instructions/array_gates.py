"""Gates that are given by an array of numbers, whose decomposition grows with it."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ImportRefused

MAX_ENTRIES = 2**16
"""Of a matrix on 8 qubits, or of a diagonal or a state on 16: about as many gates follow from them."""


def check_entries(name: str, wires: Sequence[Any], numbers: Iterable[ArrayLike]) -> None:
    """Refuse a gate whose decomposition would not end in reasonable time and memory, before it begins.

    Args:
        name: of the gate, for the message.
        wires: that it acts on.
        numbers: its parameters, scalars or arrays.

    Raises:
        ImportRefused: they hold more than `MAX_ENTRIES` numbers.

    Example:
        >>> import numpy as np
        >>> from qcgrad.interop.instructions.array_gates import check_entries
        >>> check_entries("unitary", range(9), [np.eye(512)])
        Traceback (most recent call last):
        ...
        qcgrad.errors.ImportRefused: unitary on 9 qubits is given by 262,144 numbers, and would become about as many
        gates: at most 65,536 are accepted; write it as smaller gates
    """
    entries = sum(np.size(number) for number in numbers)
    if entries > MAX_ENTRIES:
        raise ImportRefused(
            f"{name} on {len(wires)} qubits is given by {entries:,} numbers, and would become about as many gates: at "
            f"most {MAX_ENTRIES:,} are accepted; write it as smaller gates"
        )
