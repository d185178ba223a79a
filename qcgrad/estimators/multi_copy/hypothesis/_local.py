"""A row of a circuit on the qubits that it touches alone."""

import numpy as np
from jaxtyping import Complex

from ....errors import NotApplicable
from ....ir import rows
from ....ir.rows import Row

# Dense 2^w x 2^w matrices of one row, and 4^w of its density matrix; wider rows of this kind are rare.
_MAX_DENSE_QUBITS = 6


def touched(row: Row, num_qubits: int) -> list[int]:
    """Qubits that the row acts on, ascending."""
    return [q for q in range(num_qubits) if row.touched >> (num_qubits - 1 - q) & 1]


def is_plain_string(row: Row) -> bool:
    """Whether the row is a + b P without controls, so that closed forms hold at any width."""
    return row.matrix is None and not row.controls


def unitary(row: Row, num_qubits: int) -> Complex[np.ndarray, "2**w 2**w"]:
    """(2^w, 2^w) on the w qubits that it touches, the lowest-numbered one most significant.

    Raises:
        NotApplicable: the row touches too many qubits.
    """
    qubits = touched(row, num_qubits)
    if len(qubits) > _MAX_DENSE_QUBITS:
        raise NotApplicable(
            f"a gate with controls or a matrix acts on {len(qubits)} qubits, and hypothesis='product' and 'mpo' "
            f"take at most {_MAX_DENSE_QUBITS}: use hypothesis='dense', or write it as smaller gates"
        )
    return rows.apply(row.on(qubits, num_qubits), np.eye(2 ** len(qubits), dtype=np.complex128)).T
