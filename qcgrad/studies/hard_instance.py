r"""The all-Pauli hard instance: a gradient whose components are all Pauli expectations of one state.

An ancilla in |0> sits beside n qubits in a state phi, and one gate follows for each of the M = 4^n - 1
non-identity strings P_j,

.. math:: U(\theta) = \prod_j e^{-i\theta_j X \otimes P_j / 2}, \qquad F(\theta) = \langle Y \otimes 1\rangle .

At theta = 0 every product of gates is the identity, so with X Y - Y X = 2iZ

.. math:: \partial_j F = \tfrac{i}{2}\langle [X \otimes P_j,\, Y \otimes 1] \rangle
        = -\langle Z \otimes P_j \rangle = -\langle P_j\rangle_\phi ,

because Z = 1 on the ancilla. One gradient is thus full Pauli tomography of phi, which is why single-copy
methods cannot have backpropagation scaling on it.

**Which phi.** A Haar random state is no test: all its expectations are about 2^{-n/2}, so beyond small n
an estimator that returns zeros is within epsilon. Here two qubits are tilted by RY and a random Clifford
circuit scrambles all n, which permutes the strings and their signs. Up to the sign, 2^{n-2} strings each have
the expectations 1, cos, cos, sin, sin, cos^2, cos sin, cos sin and sin^2 (1 counts the identity), the others
have 0. The number of tilted qubits is fixed, so the *values* are the same at every n and only their number
grows: copies as a function of M then show M alone, not a changing distance between the values and epsilon.

References:
    A. Abbas et al., "On quantum backpropagation, information reuse, and cheating measurement collapse",
    NeurIPS 2023, arXiv:2305.13362.
"""

from itertools import pairwise, product

import numpy as np

from ..ir import Circuit, Expectation, Gate, PauliSum

TILTED_QUBITS = 2
TILT = 0.5
"""Radians. cos = 0.88, sin = 0.48: all non-zero expectations but sin^2 = 0.23 are larger than epsilon = 0.3."""

_CLIFFORD_LAYERS = 6
_SINGLE_QUBIT = ((), ("h",), ("s",), ("h", "s"), ("s", "h"), ("h", "s", "h"))
_SIGNS = ((), ("x",), ("y",), ("z",))


def hard_instance(num_qubits: int, seed: int = 0, tilt: float = TILT) -> Expectation:
    """The all-Pauli hard instance on `num_qubits` + 1 qubits; differentiate it at zeros(4^n - 1).

    Args:
        num_qubits: n of the state phi, at least 2. Qubit 0 of the circuit is the ancilla.
        seed: chooses the Clifford circuit and with it which string has which value and sign.
        tilt: RY angle of the tilted qubits in radians.

    Returns:
        The objective, with M = 4^n - 1 parameters; component j belongs to `all_pauli_words(n)[j]` and is
        minus its expectation value in phi.

    Raises:
        ValueError: fewer than 2 qubits.

    Example:
        >>> import jax, numpy as np, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> from qcgrad.studies.hard_instance import hard_instance
        >>> gradient = qg.estimate(hard_instance(2), np.zeros(15), qg.Adjoint()).gradient
        >>> int(np.sum(np.abs(gradient) > 0.3)), int(np.sum(np.abs(gradient) < 1e-9))
        (7, 7)
    """
    if num_qubits < TILTED_QUBITS:
        raise ValueError(f"hard_instance num_qubits={num_qubits}: give at least {TILTED_QUBITS}")
    wires = tuple(range(num_qubits + 1))
    gates = preparation_gates(num_qubits, seed, tilt)
    gates += [
        Gate("pauli_rot", wires, param=j, detail="X" + word) for j, word in enumerate(all_pauli_words(num_qubits))
    ]
    return Expectation(Circuit(num_qubits + 1, gates), PauliSum({"Y" + "I" * num_qubits: 1.0}))


def all_pauli_words(num_qubits: int) -> list[str]:
    """All 4^n - 1 Pauli words but the identity, in lexicographic order.

    Example:
        >>> from qcgrad.studies.hard_instance import all_pauli_words
        >>> all_pauli_words(1)
        ['X', 'Y', 'Z']
    """
    return ["".join(letters) for letters in product("IXYZ", repeat=num_qubits)][1:]


def preparation_gates(num_qubits: int, seed: int, tilt: float) -> list[Gate]:
    """Gates that prepare phi on qubits 1..n."""
    rng = np.random.default_rng((seed, num_qubits))
    gates = [Gate("ry", (1 + q,), offset=tilt) for q in range(TILTED_QUBITS)]
    for _ in range(_CLIFFORD_LAYERS):
        for qubit in range(1, num_qubits + 1):
            gates += [Gate(name, (qubit,)) for name in _SINGLE_QUBIT[rng.integers(len(_SINGLE_QUBIT))]]
        order = 1 + rng.permutation(num_qubits)
        gates += [Gate("cx", (int(a), int(b))) for a, b in pairwise(order)]
    for qubit in range(1, num_qubits + 1):
        gates += [Gate(name, (qubit,)) for name in _SIGNS[rng.integers(len(_SIGNS))]]
    return gates
