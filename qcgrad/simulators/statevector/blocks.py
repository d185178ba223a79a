"""Block fusion: neighbouring rows of an op table that act on few qubits become one small unitary.

Pure planning, NumPy only; `_sweep.py` carries the plan out. Derivation in blocks.md.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Int

from ...ir.op_table import MATRIX, OpTable
from ._register import swap_bits
from ._walk import bucket

# Wider blocks save passes over the state and cost more arithmetic in each; measured in blocks.md.
WIDTH, ACCELERATOR_WIDTH = 3, 5
_MOST_ROWS = 16

IDLE, BLOCK, WIDE = 0, 1, 2


class Plan(NamedTuple):
    """An op table as S steps: blocks of rows on k = `wires.shape[1]` qubits, and rows that are too wide for one.

    Attributes:
        kind: (S,) `BLOCK` or `WIDE`, `IDLE` where padded.
        index: (S,) which block or which wide row.
        wires: (S, k) the layout of each block: bit positions that change places with the front, see `swap_bits`.
        previous: (S, k) the layout that the state has before the step.
        final: (k,) the layout that it has at the end.
        block_rows: (number, `_MOST_ROWS`) rows of the table, -1 where padded.
        wide_rows: (number,) likewise.
        block_table: the table with masks counted within each row's block, and its matrices widened to k qubits.
        wide_table: the table with masks and wires as they stand in the layout at that step.
    """

    kind: np.ndarray
    index: np.ndarray
    wires: np.ndarray
    previous: np.ndarray
    final: np.ndarray
    block_rows: np.ndarray
    wide_rows: np.ndarray
    block_table: OpTable
    wide_table: OpTable


class Step(NamedTuple):
    """Rows to apply together, in order, and the mask of the qubits they touch."""

    rows: list[int]
    support: int
    is_wide: bool


def plan(table: OpTable, local_qubits: int, width: int = WIDTH) -> Plan:
    """Blocks of up to `width` qubits for a register whose `local_qubits` low qubits are the front's to choose from."""
    width = min(width, local_qubits)
    return _lay_out(table, group(supports(table), width), width, local_qubits)


def supports(table: OpTable) -> list[int]:
    """The mask of the qubits that each row touches."""
    matrix_wires = np.bitwise_or.reduce(1 << table.wires.astype(np.int64), axis=1)
    return np.where(table.kind == MATRIX, matrix_wires, table.x | table.z | table.controls).tolist()


def group(supports: list[int], width: int) -> list[Step]:
    """Greedy: each row joins the step that grows least, of those behind which no step touches its qubits.

    Rows change places only where they share no qubit.
    """
    steps: list[Step] = []
    latest: dict[int, int] = {}  # qubit -> last step that touches it
    spare: list[int] = []  # blocks with room for more qubits
    for row, support in enumerate(supports):
        qubits = [q for q in range(support.bit_length()) if support >> q & 1]
        barrier = max((latest.get(q, -1) for q in qubits), default=-1)
        found = None if len(qubits) > width else _join(steps, barrier, spare, support, width)
        if found is None:
            found = len(steps)
            steps.append(Step([], 0, len(qubits) > width))
        step = steps[found] = Step([*steps[found].rows, row], steps[found].support | support, steps[found].is_wide)
        spare = [s for s in spare if s != found]
        if not step.is_wide and step.support.bit_count() < width and len(step.rows) < _MOST_ROWS:
            spare.append(found)
        latest.update(dict.fromkeys(qubits, found))
    return steps


def _join(steps, barrier, spare, support, width) -> int | None:
    """The step that a row joins, None if it needs a new one."""
    choices = [s for s in spare if s > barrier]
    if barrier >= 0 and not steps[barrier].is_wide and len(steps[barrier].rows) < _MOST_ROWS:
        choices.append(barrier)
    grown = {s: (steps[s].support | support).bit_count() for s in choices}
    fitting = [s for s in choices if grown[s] <= width]
    return min(fitting, key=lambda s: (grown[s] - steps[s].support.bit_count(), s), default=None)


def _lay_out(table: OpTable, steps: list[Step], width: int, local_qubits: int) -> Plan:
    blocks, wide = ([s for s in steps if s.is_wide == kind] for kind in (False, True))
    block_rows = np.full((bucket(len(blocks), 16), _MOST_ROWS), -1)
    for number, step in enumerate(blocks):
        block_rows[number, : len(step.rows)] = step.rows
    wide_rows = np.full(bucket(len(wide), 16), -1)
    wide_rows[: len(wide)] = [step.rows[0] for step in wide]

    size = len(block_rows) + len(wide_rows)
    kind, index = np.full(size, IDLE, np.int32), np.zeros(size, np.int32)
    is_wide = np.array([step.is_wide for step in steps], bool)
    kind[: len(steps)] = np.where(is_wide, WIDE, BLOCK)
    index[: len(steps)] = np.where(is_wide, np.cumsum(is_wide), np.cumsum(~is_wide)) - 1

    front = local_qubits - 1 - np.arange(width)
    layouts = [front]
    row_layout = np.zeros((table.num_ops, width), np.int64)
    for step in steps:
        layouts.append(layouts[-1] if step.is_wide else _layout(step.support, front))
        row_layout[step.rows] = layouts[-1]
    layouts += [layouts[-1]] * (size - len(steps))
    moved = _moved(table, row_layout, local_qubits)
    return Plan(
        kind, index, np.array(layouts[1:]), np.array(layouts[:-1]), layouts[-1],
        block_rows, wide_rows, _within_block(moved, width, local_qubits), moved,
    )  # fmt: skip


def _layout(support: int, front: np.ndarray) -> np.ndarray:
    """Which qubits change places with the front: those of the block, as few as possible."""
    outside = [q for q in range(support.bit_length()) if support >> q & 1 and q not in front]
    return np.array([f if support >> int(f) & 1 or not outside else outside.pop() for f in front])


def _moved(table: OpTable, layouts: np.ndarray, local_qubits: int) -> OpTable:
    """The table with each row's masks and wires in that row's layout."""
    columns = layouts.T
    wires = np.log2(swap_bits(1 << table.wires.T.astype(np.int64), columns[:, None], local_qubits)).T
    x, z, controls = (swap_bits(mask, columns, local_qubits) for mask in (table.x, table.z, table.controls))
    return table._replace(x=x, z=z, controls=controls, wires=wires.astype(np.int32))


def _within_block(moved: OpTable, width: int, local_qubits: int) -> OpTable:
    """Masks counted from the block's lowest qubit, which stands at local_qubits - width, and matrices widened."""
    low = local_qubits - width
    is_matrix = moved.kind == MATRIX
    if not 0 < moved.matrix_wires <= width:
        matrices = np.zeros((0, 2**width, 2**width), np.complex128)
    else:
        matrices = embed(moved.matrices[moved.matrix[is_matrix]], moved.wires[is_matrix] - low, width)
    return moved._replace(
        x=moved.x >> low,
        z=moved.z >> low,
        controls=moved.controls >> low,
        matrix=np.cumsum(is_matrix) - 1,
        wires=moved.wires[:, :0],
        matrices=matrices,
    )


def embed(
    matrices: Complex[np.ndarray, "F 2**K 2**K"], wires: Int[np.ndarray, "F K"], width: int
) -> Complex[np.ndarray, "F 2**k 2**k"]:
    """(F, 2^K, 2^K) matrices on bit positions (F, K), most significant first, as (F, 2^k, 2^k) with idle qubits."""
    j = np.arange(2**width)
    digits = (j[:, None] >> wires[:, None]) & 1
    local = digits @ (1 << np.arange(wires.shape[1])[::-1])
    rest = j & ~np.sum(1 << wires, axis=1, keepdims=True)
    entries = matrices[np.arange(len(wires))[:, None, None], local[:, :, None], local[:, None]]
    return np.where(rest[:, :, None] == rest[:, None], entries, 0)
