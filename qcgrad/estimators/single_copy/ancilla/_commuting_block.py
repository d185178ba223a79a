"""Gradients of circuits made of commuting blocks."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Self

import equinox as eqx
import numpy as np

from ....ir import Gate, Program, pauli
from ....objective import Point
from ..._checks import checked_flag
from ..._programs import program_at
from ...accuracy import checked_accuracy
from ._blocks import Block, Blocks, blocks_of
from ._experiment import Experiment, Labels, commuting_groups, jointly_measured, pairs_among
from ._experiments import ExperimentEstimator, Shots, checked_shots
from ._steps import Step, assembled, rotation, steps_of


class CommutingBlock(ExperimentEstimator):
    r"""Unbiased gradients of B commuting blocks from 2B - 1 circuits, however many parameters there are.

    In a block all generators commute, and all of them commute or all anticommute with each later one. So for a
    generator P of block b and the later gates W, the gates \(\tilde W = PWP\) are W with some angles negated, the same
    ones for the whole block, and with the state \(|\psi_b\rangle\) behind the block

    .. math:: \partial_P F = \mathrm{Im}\langle\psi_b|W^\dagger (OP)\, \tilde W|\psi_b\rangle .

    From an ancilla in \(|+\rangle\), rotations by \(Z P_l\) in place of the negated ones run W and \(\tilde W\) in one
    circuit. Where P and a string O anticommute the derivative is \(\langle X\otimes(-iOP)\rangle\), else
    \(\langle Y\otimes OP\rangle\); the first kind of a block commute with each other and are measured together, and so
    are the second. Behind the last block no angle is negated, and the first kind is measured without an ancilla.

    Blocks are found in the circuit: runs of rotations that commute, split by what later rotations they anticommute
    with. A run of which nothing but single generators is left has no blocks, and is refused. Fixed Clifford gates may
    stand between, since the generators are followed through them; fixed rotations count as later ones; before the first
    parameterised gate there may be anything. Generators that are sums of strings which commute, of controlled rotations
    and evolutions, count with every string. What is measured for several strings of an observable shares circuits where
    it commutes.

    Args:
        shots: shots per circuit evaluation; None for exact expectation values. A sequence gives each evaluation its own
            number: first the value, then those of the circuits, block by block.
        together: measure both kinds of a block on the same shots. All of them commute, so that B circuits do, at the
            price of a longer basis change.

    Access: single copy, on one qubit more. Unbiased; for a Pauli observable N shots give a rotation's derivative the
    variance \((1 - g^2)/N\). Variances are sample variances; NaN where an evaluation has a single shot. Derivatives of
    a block share their shots: where they add up in one parameter, their covariances count.

    Cost: one evaluation of the value, and 2B - 1 circuits at most for each string of the observable; of one gate more
    than the circuit, and a basis change where strings measured together have different letters on a qubit.

    Raises:
        ValueError: shots that are no counts, or a sequence of wrong length; together that is no boolean.
        NotApplicable: the circuit has no such blocks, with the first gate that breaks them.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> circuit = qg.Circuit(3).h(0).ry(1, 0.4).h(2)
        >>> for parameter, word in enumerate(("ZZI", "IZZ", "ZIZ", "XXX", "XII")):
        ...     circuit = circuit.pauli_rot(word, param=parameter)
        >>> objective = qg.Expectation(circuit, "YZZ")  # blocks ZZI, ZIZ and IZZ and XXX, XII
        >>> e = qg.estimate(objective, [0.1, 0.2, 0.3, 0.4, 0.5], qg.CommutingBlock())
        >>> print(e.gradient.round(4), e.cost.circuit_runs)
        [-0.022   0.      0.7077 -0.0926 -0.1196] 4

    References:
        J. Bowles, D. Wierichs, C.-Y. Park, "Backpropagation scaling in parameterised quantum circuits",
        arXiv:2306.14962 (2023).
    """

    shots: Shots = eqx.field(static=True)
    together: bool = eqx.field(static=True)

    def __init__(self, shots: Shots = None, together: bool = False):
        self.shots = checked_shots(shots)
        self.together = checked_flag("together", together)

    def with_shots(self, shots: Shots) -> Self:
        return type(self)(shots, self.together)

    def experiments(self, program: Program, labels: Labels) -> tuple[Experiment, ...]:
        return _experiments(program, labels, self.together)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """Both ways to measure, whichever takes fewer copies, with shots by Hoeffding's inequality."""
        checked_accuracy(epsilon, delta)
        program_at(point, cls, samples=True)
        apart, together = (cls(2, flag).for_point(point, epsilon, delta) for flag in (False, True))
        return together if together.cost_at(point).copies < apart.cost_at(point).copies else apart


@lru_cache(maxsize=4)
def _experiments(program: Program, labels: Labels, together: bool) -> tuple[Experiment, ...]:
    found = blocks_of(program)
    return tuple(e for block in found.blocks for e in _of_block(program, found, block, labels, together))


def _of_block(program: Program, found: Blocks, block: Block, labels: Labels, together: bool) -> Iterator[Experiment]:
    """Experiments of one block: of each set of strings that commute, one kind after the other or both together."""
    has_ancilla = bool(block.flipped.any())
    size = program.num_qubits + has_ancilla
    gates, angles = assembled(_branches(program, found, block) if has_ancilla else _plain(program, found))
    kind, coordinate, x, z, weight = _measured(program, found, block, has_ancilla)
    for chosen in [np.flatnonzero(np.isin(kind, kinds)) for kinds in ([[0, 1]] if together else [[1], [0]])]:
        for group in (chosen[part] for part in commuting_groups(x[chosen], z[chosen])):
            rows, owner = np.unique(coordinate[group], return_inverse=True)
            weights = np.zeros((program.num_observables, len(rows), len(group)))
            weights[:, owner, np.arange(len(group))] = weight[:, group]
            pairs = pairs_among(rows.tolist(), labels)
            joint = jointly_measured(size, gates, x[group], z[group], weights, pairs)
            yield Experiment(joint, angles, np.ones(1), rows, pairs)


def _measured(program: Program, found: Blocks, block: Block, has_ancilla: bool):
    """Strings whose means give the block's derivatives: kind, coordinate, x, z (D,), and weights (K, D).

    The kind is 1 where the generator anticommutes with the observable's string. The others have no derivative where
    no later angle is negated.
    """
    rotations, members = found.rotations, block.members
    tx, tz, coefficients = program.terms
    terms = np.flatnonzero(tx | tz)
    x, z, power = pauli.product(tx[terms, None], tz[terms, None], rotations.end_x[members], rotations.end_z[members])
    kind = power % 2
    # Of O P = i^power R, where the two anticommute, -i O P = i^(power - 1) R.
    slope = np.where(power - kind == 0, 2.0, -2.0) * rotations.weight[members] * rotations.sign[members]
    kept = np.ones(kind.shape, bool) if has_ancilla else kind == 1
    t, j = np.nonzero(kept)
    x, z, kind = x[kept], z[kept], kind[kept]
    if has_ancilla:
        size = program.num_qubits + 1
        # X on the ancilla, or Y.
        x = pauli.mask_array([int(m) << 1 | 1 for m in x], size)
        z = pauli.mask_array([int(m) << 1 | int(k == 0) for m, k in zip(z, kind, strict=True)], size)
    return kind, rotations.coordinate[members][j], x, z, coefficients[:, terms[t]] * slope[kept]


def _plain(program: Program, found: Blocks) -> list[Step]:
    steps = steps_of(program)
    return [steps[i] for i in found.positions]


def _branches(program: Program, found: Blocks, block: Block) -> list[Step]:
    """The circuit with an ancilla in |+>, on whose |1> the block's angles are negated."""
    steps, n, rotations = steps_of(program), program.num_qubits, found.rotations
    negated = set(rotations.position[block.flipped].tolist())
    made = [Step(Gate("h", (n,)))]
    for i in found.positions:
        if i not in negated:
            made.append(steps[i])
            continue
        for s in np.flatnonzero(rotations.position == i).tolist():
            x, z = int(rotations.x[s]) << 1, int(rotations.z[s]) << 1 | int(block.flipped[s])
            source, angle = steps[i].source, 2 * float(rotations.weight[s])
            if source is None:
                made.append(Step(rotation(x, z, n + 1, angle)))
            else:
                made.append(Step(rotation(x, z, n + 1), source, angle))
    return made
