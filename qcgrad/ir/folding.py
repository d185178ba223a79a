"""Circuits that do the same with more gates, so that noise has more to act on."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..array_types import Angles, Settings
from ..arrays import namespace
from .adjoint import adjoint_gate
from .circuit import Circuit
from .gates import Gate
from .program import Program


class Folded(NamedTuple):
    r"""A program whose gates are followed by pairs that undo each other, \(G \to G\,(G^\dagger G)^k\).

    Attributes:
        program: with parameterised gates that each have an angle of their own.
        owner: (A',) which angle of the program it was made of.
        sign: (A',) whether that angle is turned back.
        scale: how many gates that are folded stand where one stood, on average.
    """

    program: Program
    owner: Int[np.ndarray, "F"]
    sign: Float[np.ndarray, "F"]
    scale: float

    def angles(self, settings: Settings | Angles) -> Settings | Angles:
        """(..., A') angles of this program from those (..., A) of the one it was made of."""
        xp = namespace(settings)
        return xp.asarray(settings)[..., self.owner] * xp.broadcast_to(
            xp.asarray(self.sign, settings.dtype), (*settings.shape[:-1], len(self.sign))
        )


@lru_cache(maxsize=64)
def folded(program: Program, scale: float, min_wires: int = 1) -> Folded:
    """The program with about `scale` times as many gates.

    Args:
        program: circuit and observables.
        scale: 1 or more. Of d gates, the whole number nearest to d (scale - 1) / 2 of pairs is added, spread evenly.
        min_wires: gates on fewer qubits are left alone.
    """
    gates = program.circuit.gates
    eligible = [i for i, gate in enumerate(gates) if len(gate.wires) >= min_wires]
    pairs = np.zeros(len(gates), np.int64)
    if eligible:
        total = round(len(eligible) * (scale - 1) / 2)
        # One more for each of the remaining ones, as far apart as can be.
        marks = np.arange(len(eligible) + 1) * total // len(eligible)
        pairs[eligible] = np.diff(marks)
    angle_of = np.cumsum([gate.param is not None for gate in gates]) - 1
    made: list[Gate] = []
    owner: list[int] = []
    sign: list[float] = []
    for i, gate in enumerate(gates):
        for copy in range(1 + 2 * int(pairs[i])):
            is_back = copy % 2 == 1
            if gate.param is not None:
                owner.append(int(angle_of[i]))
                sign.append(-1.0 if is_back else 1.0)
                made.append(replace(gate, param=len(owner) - 1, scale=1.0, offset=0.0))
            else:
                made.append(adjoint_gate(gate) if is_back else gate)
    circuit = Circuit(program.num_qubits, made, program.circuit.name)
    actual = 1 + 2 * float(pairs.sum()) / max(len(eligible), 1)
    return Folded(Program(circuit, program.observables), np.array(owner, np.int64), np.array(sign), actual)


def extrapolation(scales: Sequence[float], order: int) -> Float[np.ndarray, "S"]:
    r"""Weights (S,) of values at these scales in the value at scale 0 of the polynomial that fits them best.

    .. math:: \gamma = e_0^T V^+, \quad V_{ij} = \lambda_i^j, \; j = 0 \dots \text{order}.

    With as many scales as coefficients the polynomial goes through all values (Richardson).

    Example:
        >>> from qcgrad.ir.folding import extrapolation
        >>> print(extrapolation([1.0, 3.0], 1))
        [ 1.5 -0.5]
    """
    return np.linalg.pinv(np.vander(np.asarray(scales, float), order + 1, increasing=True))[0]
