"""Which unravelling a noisy circuit has."""

from functools import lru_cache

import numpy as np

from ...errors import UnsupportedQuery
from ...ir.noise.noisy_circuit import NoisyCircuit
from ._drawn import DrawnErrors
from ._jumps import Jumps
from ._kernels import Unravelling
from ._native_jumps import native_jumps

# Kraus operators that depend on the state are chosen on matrices of a whole block.
_MOST_WIRES = 6


def prepared(circuit: NoisyCircuit, dtype: np.dtype) -> Unravelling:
    """The circuit for trajectories in the real precision `dtype`.

    Raises:
        UnsupportedQuery: a dense gate that is too wide to stand beside channels that depend on the state.
    """
    return _prepared(circuit, np.dtype(dtype))


# A circuit is planned once, though it is evaluated often.
@lru_cache(maxsize=64)
def _prepared(circuit: NoisyCircuit, dtype: np.dtype) -> Unravelling:
    if all(step.channel.pauli_mixture is not None for step in circuit.channels):
        return DrawnErrors(circuit, dtype)
    if (native := native_jumps(circuit)) is not None:
        return native
    if (wide := circuit.matrix_wires) > _MOST_WIRES:
        raise UnsupportedQuery(
            f"Trajectories does not simulate a dense gate on {wide} qubits beside channels that depend on the state, "
            f"at most {_MOST_WIRES} are possible: use qcgrad.DensityMatrix(noise), or channels of Pauli strings"
        )
    return Jumps(circuit, dtype)
