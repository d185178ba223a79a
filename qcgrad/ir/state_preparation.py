r"""Any state from Pauli rotations.

Qubit q is turned by an RY whose angle depends on the qubits before it, and a diagonal sets the phases. Both
are exponentials of commuting Pauli strings, whose angles are Walsh-Hadamard transforms:

.. math:: \sum_j |j\rangle\langle j| \otimes RY(\theta_j) = \prod_s e^{-i \hat\theta_s Z^s \otimes Y/2}, \qquad
    \theta_j = \sum_s (-1)^{s \cdot j}\, \hat\theta_s .

That takes \(2^{n+1} - 2\) rotations.

References:
    V. V. Shende, S. S. Bullock, I. L. Markov, "Synthesis of quantum logic circuits", IEEE Transactions on
    Computer-Aided Design 25, 1000 (2006), arXiv:quant-ph/0406176.
"""

import numpy as np

from ..array_types import Amplitudes
from . import pauli
from .circuit import Circuit
from .gates import Gate
from .strings import walsh_hadamard


def prepare(vector: Amplitudes) -> Circuit:
    """The circuit that prepares a state vector (2^n,), up to its norm and a global phase."""
    vector = np.asarray(vector, np.complex128)
    n = len(vector).bit_length() - 1
    weights = np.abs(vector) ** 2
    gates = []
    for q in range(n):
        left, right = weights.reshape(2**q, 2, -1).sum(axis=2).T
        angles = walsh_hadamard(2 * np.arctan2(np.sqrt(right), np.sqrt(left))) / 2**q
        gates += [_rotation(pauli.word(0, s, q) + "Y", angle) for s, angle in enumerate(angles)]
    # exp(i phase_b) = prod_s exp(-i t_s (-1)^{s.b} / 2); s = 0 is a global phase.
    phases = walsh_hadamard(-2 * np.angle(vector)) / 2**n
    gates += [_rotation(pauli.word(0, s, n), angle) for s, angle in enumerate(phases) if s]
    return Circuit(n, gates)


def _rotation(word, angle):
    return Gate("pauli_rot", tuple(range(len(word))), None, 1.0, float(angle), word)
