"""What simulations hold, compared with what they may before anything is allocated."""

import jax
import numpy as np

from ...errors import StateTooLarge
from ...ir import Program
from ...memory import allowed_bytes, in_words, require, require_count
from ...queries import state_bytes
from ._native_sampling import NativeBases
from ._sample import Bases


def allowed_on_device(max_bytes: int | None, mesh: jax.sharding.Mesh | None) -> int:
    """Bytes that states may take, on each device of a mesh."""
    return allowed_bytes(max_bytes, jax.devices()[0] if mesh is None else mesh.local_devices[0])


def check_states(program: Program, dtype: np.dtype, states: int, allowed: int, mesh: jax.sharding.Mesh | None) -> None:
    """Refuse a program whose states would not fit.

    Args:
        program: the part of a circuit that has to be simulated.
        dtype: of its angles.
        states: how many state vectors are held at a time.
        allowed: bytes on each device (`allowed_on_device`).
        mesh: as for `Statevector`.

    Raises:
        StateTooLarge: with the number of bytes.
    """
    devices = 1 if mesh is None else mesh.size
    one = state_bytes(program.num_qubits, dtype)
    each = "" if devices == 1 else f" on each of {devices} devices"
    require(
        f"{program.remaining} have to be simulated: a state of {program.num_qubits} qubits in "
        f"{np.result_type(dtype, np.complex64)} takes {in_words(one)} and this query holds {states} of them{each},",
        states * one // devices,
        allowed,
        "use fewer qubits, float32 parameters, or another method (Statevector(max_bytes=...) moves the limit)",
        StateTooLarge,
    )


def check_draws(bases: Bases | NativeBases, dtype: np.dtype, shots: int, allowed: int) -> None:
    """Refuse random numbers of one setting that would not fit.

    Args:
        bases: `_sample.Bases` or `NativeBases`.
        dtype: of the angles.
        shots: draws in each basis.
        allowed: bytes on each device.

    Raises:
        StateTooLarge: with how many would fit.
    """
    require_count(
        "draws",
        shots,
        lambda shots: shots * bases.numbers_per_shot * np.dtype(dtype).itemsize,
        allowed,
        "give fewer shots and average several estimates",
        StateTooLarge,
    )
