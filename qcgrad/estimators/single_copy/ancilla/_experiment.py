"""Circuits made from the one that is differentiated, whose outcomes give derivatives."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ....array_types import Angles as CircuitAngles
from ....array_types import Array, Coefficients, Masks
from ....arrays import namespace
from ....ir import Circuit, Gate, PauliSum, Program, pauli
from ....ir.basis_change import basis_change
from ....ir.observable import qubit_wise_groups
from ....queries import Evaluate, Means
from ._steps import Angles

Labels = tuple[int, ...] | None
"""(A,) coordinates with the same label add up in one parameter, so that their covariances count; None for none."""

NO_PAIRS = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, eq=False)
class Experiment:
    r"""A circuit at B settings: \(\partial_{a_l} F_k\) gets \(\sum_b f_b\) times the mean of observable (k, l).

    Attributes:
        program: the circuit; its observables are K rows of L, then K rows of one for each pair.
        angles: how its A' angles follow from the coordinates.
        factors: (B,) f.
        gates: (L,) the coordinates a_l.
        pairs: (P, 2) positions among these whose errors matter together. The observable of a pair is the sum of both,
            so that variances from the same shots give the covariance.
    """

    program: Program
    angles: Angles
    factors: np.ndarray
    gates: np.ndarray
    pairs: np.ndarray

    @property
    def num_settings(self) -> int:
        """B."""
        return len(self.factors)

    @cached_property
    def ranges(self) -> Float[np.ndarray, "B K L"]:
        """Root of the sum over bases of squared ranges: what one shot in each basis adds is sub-Gaussian with it."""
        rows, size = self.program.num_observables, len(self.gates)
        squares = sum((np.square(np.abs(b.coefficients).sum(axis=1)) for b in self.program.bases), np.zeros(rows))
        outputs = rows // (size + len(self.pairs))
        return np.abs(self.factors)[:, None, None] * np.sqrt(squares[: outputs * size]).reshape(outputs, size)

    def query(self, coordinates: CircuitAngles, shots: tuple[int, ...] | None) -> Evaluate:
        """The question at the coordinates (A,)."""
        return Evaluate(self.program, self.angles.at(coordinates), shots)

    def derivatives(self, answer: Means) -> Float[Array, "K L"]:
        """What the answer adds to the derivatives."""
        return self._rows(self.factors, answer.mean)[0]

    def variances(self, answer: Means) -> tuple[Float[Array, "K L"], Float[Array, "K P"]]:
        """Variances of these, and covariances of the pairs."""
        xp = namespace(answer)
        single, sums = self._rows(self.factors**2, answer.variance)
        # NaN minus NaN where a single shot says nothing.
        one, other = (xp.take(single, self.pairs[:, i], axis=1) for i in (0, 1))
        return single, (sums - one - other) / 2

    def biases(self, answer: Means) -> Float[Array, "K L"]:
        """Bounds on how far off these are on average, of an answer with a bias."""
        return self._rows(np.abs(self.factors), answer.bias)[0]

    def _rows(self, factors, columns: Any):
        size, both = len(self.gates), len(self.gates) + len(self.pairs)
        total = factors.astype(columns.dtype) @ columns
        outputs = len(total) // both
        return total[: outputs * size].reshape(outputs, size), total[outputs * size :].reshape(outputs, -1)


def pairs_among(gates: Sequence[int], labels: Labels) -> Int[np.ndarray, "P 2"]:
    """Positions of gates with the same label, two by two."""
    count = range(len(gates))
    found = [(i, j) for i in count for j in count[i + 1 :] if labels and labels[gates[i]] == labels[gates[j]]]
    return np.array(found, np.int64).reshape(-1, 2)


def jointly_measured(
    num_qubits: int,
    gates: Sequence[Gate],
    x: Masks,
    z: Masks,
    weights: Float[np.ndarray, "K L D"],
    pairs: Int[np.ndarray, "P 2"],
) -> Program:
    """The gates, then one measurement of D commuting strings: behind a basis change of its own where letters differ.

    Args:
        num_qubits: n.
        gates: of the circuit.
        x, z: (D,) masks.
        weights: what each string adds to each observable (k, l).
        pairs: positions l of which there are sums too.
    """
    signs = np.ones(len(x))
    if len(qubit_wise_groups(x, z)) > 1:
        change = basis_change(x, z, num_qubits)
        gates, x, z, signs = (*gates, *change.gates), np.zeros_like(x), change.masks, change.signs.astype(float)
    rows = list(weights.reshape(-1, len(x)) * signs)
    rows += [(output[i] + output[j]) * signs for output in weights for i, j in pairs]
    return Program(Circuit(num_qubits, gates), [_sum(num_qubits, x, z, row) for row in rows])


def _sum(num_qubits: int, x: Masks, z: Masks, row: Coefficients) -> PauliSum:
    if not len(row):
        return PauliSum.from_masks(num_qubits, [0], [0], [0.0])
    return PauliSum.from_masks(num_qubits, x, z, row)


def commuting_groups(x: Masks, z: Masks) -> list[Int[np.ndarray, "group"]]:
    """Strings split into groups that commute, first fit in the order given."""
    groups: list[list[int]] = []
    for t in range(len(x)):
        fits = (group for group in groups if np.all(pauli.commute(x[group], z[group], x[t], z[t])))
        group = next(fits, None)
        if group is None:
            groups.append([t])
        else:
            group.append(t)
    return [np.array(group) for group in groups]
