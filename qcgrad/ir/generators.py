"""What the rows of an op table generate, as Pauli sums."""

import numpy as np

from ..array_types import Coefficients, Masks
from . import pauli
from .op_table import OpTable


def generator(table: OpTable, row: int) -> tuple[Masks, Masks, Coefficients]:
    """Masks and coefficients of scale * C (P - kappa)/2, with C the projector on all controls being 1."""
    x, z = int(table.x[row]), int(table.z[row])
    scale = float(table.scale[row])
    terms = [(x, z, scale / 2)] + ([(0, 0, -scale / 2)] if table.kappa[row] else [])
    controls = int(table.controls[row])
    while controls:
        lowest = controls & -controls
        controls ^= lowest
        # (1 - Z)/2 on each control qubit
        terms = [(tx, tz ^ flip, c * sign / 2) for tx, tz, c in terms for flip, sign in ((0, 1), (lowest, -1))]
    kept = [term for term in terms if term[0] | term[1]]
    xs, zs, cs = zip(*kept, strict=True) if kept else ((), (), ())
    return pauli.mask_array(xs, table.num_qubits), pauli.mask_array(zs, table.num_qubits), np.array(cs, float)
