"""Gradient registers small enough to hold the amplitudes of all their grid points."""

from collections.abc import Callable
from typing import cast

import numpy as np
from jaxtyping import Float

from ...array_types import Settings, Values
from ...ir import Program
from ...queries import GradientRegisters

# Qubits of all registers together, and settings of the angles that are evaluated for them.
_MOST_QUBITS = 16
_MOST_SETTINGS = 1 << 19


def fits(query: GradientRegisters) -> bool:
    """Whether all registers are held at once; the state of the circuit stands beside each of their grid points."""
    registers = query.program.num_angles * query.qubits
    if not 0 < registers <= _MOST_QUBITS or registers + query.program.dense_qubits > 20:
        return False
    return 2 * len(query.degrees) << registers <= _MOST_SETTINGS


def draw(
    query: GradientRegisters, values: Callable[[Program, Settings, int], Values], rng: np.random.Generator
) -> Float[np.ndarray, "R A"]:
    """Outcomes of all runs, from the phases of F at every grid point."""
    size, angles = 2**query.qubits, np.asarray(query.angles, float)
    shape = (size,) * len(angles)
    places = (np.arange(size) + 0.5) / size - 0.5
    points = np.stack(np.meshgrid(*[places] * len(angles), indexing="ij"), axis=-1).reshape(-1, len(angles))
    moves = query.radius * points / query.sensitivities
    phase, program = np.zeros(len(points)), cast(Program, query.program)
    for i, coefficient in enumerate(query.coefficients, start=1):
        both = values(program, np.concatenate([angles + i * moves, angles - i * moves]), query.output)
        ahead, back = np.split(np.asarray(both, float), 2)
        phase += coefficient * (ahead - back)
    phase *= 2 * np.pi * size / (4 * query.scale * query.radius)
    window = np.sin(np.pi * (np.arange(size) + 1) / (size + 1)) * np.sqrt(2 / (size + 1))
    state = np.exp(1j * phase).reshape(shape)
    for axis in range(len(shape)):
        state = state * np.expand_dims(window, [a for a in range(len(shape)) if a != axis])
    return np.stack([_measured(state, rng) for _ in range(query.repetitions)])


def _measured(state, rng):
    """One run: ramps for the dither, an inverse Fourier transform of every register, an outcome."""
    size, registers = state.shape[0], state.ndim
    dither = rng.random(registers) / size
    for axis in range(registers):
        ramp = np.exp(-2j * np.pi * np.arange(size) * dither[axis])
        state = state * np.expand_dims(ramp, [a for a in range(registers) if a != axis])
    # NumPy's forward transform has the sign of the inverse one of quantum computing.
    chances = np.abs(np.fft.fftn(state, norm="ortho")).ravel() ** 2
    found = np.unravel_index(rng.choice(len(chances), p=chances / chances.sum()), state.shape)
    turns = np.array(found) / size + dither
    return turns - np.floor(turns + 0.5)
