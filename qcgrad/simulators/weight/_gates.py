"""Gates as what they do to basis states of a fixed number of ones."""

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from ...errors import NotApplicable
from ...ir import rows
from ...ir.circuit import Circuit
from ...ir.gates import Gate

# A matrix is written down for each gate.
_MOST_WIRES = 6
_ROUNDING = 1e-10


class Turn(NamedTuple):
    r"""A gate on k wires, \(U(t) = V e^{-itw} V^\dagger\) for one with an angle and \(U\) for one without.

    Attributes:
        vectors: V, (2^k, 2^k), or U itself.
        levels: w, (2^k,); None without an angle.
    """

    vectors: Complex[np.ndarray, "D D"]
    levels: Float[np.ndarray, "D"] | None

    def at(self, angles: Float[np.ndarray, "B"]) -> Complex[np.ndarray, "B D D"]:
        """The matrices at these angles, radians."""
        if self.levels is None:
            return np.broadcast_to(self.vectors, (len(angles), *self.vectors.shape))
        phases = np.exp(-1j * angles[:, None] * self.levels)
        return (self.vectors * phases[:, None, :]) @ self.vectors.conj().T

    @property
    def generator(self) -> Complex[np.ndarray, "D D"]:
        """G, of a gate with an angle."""
        assert self.levels is not None
        return (self.vectors * self.levels) @ self.vectors.conj().T


def turn(gate: Gate) -> Turn:
    """What a gate does, wherever it acts.

    Raises:
        NotApplicable: it acts on too many wires.
    """
    if len(gate.wires) > _MOST_WIRES:
        raise NotApplicable(
            f"gate {gate.name} acts on {len(gate.wires)} qubits, and at most {_MOST_WIRES} are simulated in a subspace"
        )
    return _turn(replace(gate, wires=tuple(range(len(gate.wires))), param=None if gate.param is None else 0))


@lru_cache(maxsize=1024)
def _turn(gate: Gate) -> Turn:
    if gate.param is None:
        return Turn(_matrix(gate), None)
    # The eigenvectors of a turn by an angle that is too small for its phases to wrap are the generator's.
    small = 1 / (1 + sum(map(abs, getattr(gate.detail, "coefficients", ()))))
    from scipy.linalg import schur

    found: Any = schur(_matrix(replace(gate, param=None, scale=1.0, offset=small)), output="complex")
    triangular, vectors = found
    return Turn(vectors, -np.angle(np.diag(triangular)) / small)


def _matrix(gate: Gate) -> Complex[np.ndarray, "D D"]:
    circuit = Circuit(max(len(gate.wires), 1), [gate])
    bound = rows.bind(circuit.op_table, np.zeros(0))
    return rows.run(bound, np.eye(2**circuit.num_qubits, dtype=np.complex128)).T


def conserves(found: Turn) -> bool:
    """Whether a gate never changes the number of ones."""
    ones = np.bitwise_count(np.arange(len(found.vectors)))
    matrix = found.vectors if found.levels is None else found.generator
    return bool(np.abs(matrix[ones[:, None] != ones]).max(initial=0.0) < _ROUNDING)
