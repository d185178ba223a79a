"""Which distribution answers which question about coherent runs."""

from collections.abc import Callable
from typing import cast

import numpy as np
from jaxtyping import Float

from ...array_types import Angles, Gradient, Key, Settings, Values
from ...draws import generator
from ...errors import StateTooLarge
from ...ir import Program, rows
from ...ir.sweep_form import SweepForm
from ...memory import allowed_bytes, require_count
from ...queries import EstimatePhases, Fidelity, GradientRegisters, PhaseOutcomes, RegisterOutcomes
from ..multicopy._pointers import as_sweep_form
from . import _errors as errors
from . import _grid as grid

# Measured: of each outcome its sign, error and sum, what puts it on the circle, and a copy for whoever takes medians.
NUMBERS_HELD = 6

QUESTIONS = EstimatePhases | GradientRegisters
"""What `answer` takes."""

Answer = PhaseOutcomes | RegisterOutcomes
"""What it gives."""


def answer(
    query: QUESTIONS,
    key: Key | None,
    values: Callable[[Program, Settings, int], Values],
    slopes: Callable[[Program, Angles, int], Gradient],
    max_bytes: int | None = None,
) -> Answer:
    """The record that the query's docstring names.

    Args:
        query: what is asked.
        key: JAX random key.
        values: one output of a program at settings (B, A).
        slopes: its derivatives by all angles (A,).
        max_bytes: refuse states that need more.

    Raises:
        ValueError: there is no key.
        StateTooLarge: before anything is allocated, with the number of bytes.
    """
    if key is None:
        raise ValueError(f"key is missing: {type(query).__name__} draws, give jax.random.key(seed)")
    rng = generator(key)
    phases = len(query.strings) if isinstance(query, EstimatePhases) else query.program.num_angles
    require_count(
        f"outcomes of {type(query).__name__}",
        query.repetitions * phases,
        lambda outcomes: 8 * NUMBERS_HELD * outcomes,
        allowed_bytes(max_bytes),
        "give fewer repetitions",
        StateTooLarge,
    )
    if isinstance(query, EstimatePhases):
        return _phases(query, rng, max_bytes)
    if grid.fits(query):
        turns = grid.draw(query, values, rng)
        # The phases are those of F itself; what is left out is how far the truncated series are from them.
        return RegisterOutcomes(turns, query.polynomial_deviation)
    linear = np.asarray(slopes(cast(Program, query.program), query.angles, query.output)) / (
        4 * query.scale * query.sensitivities
    )
    turns = linear + errors.draw(query.qubits, (query.repetitions, len(linear)), rng)
    return RegisterOutcomes(_on_circle(turns), query.deviation, Fidelity("idealized"))


def _phases(query, rng, max_bytes):
    form = as_sweep_form(query.form, max_bytes)
    cosines = np.clip(expectations(form)[query.strings], -1, 1)
    shape = query.repetitions, len(query.strings)
    signs = rng.choice([-1.0, 1.0], shape)
    return PhaseOutcomes(_on_circle(signs * np.arccos(cosines) / (2 * np.pi) + errors.draw(query.qubits, shape, rng)))


def expectations(form: SweepForm) -> Float[np.ndarray, "D"]:
    """<A> of every string of a form, by one backward sweep."""
    state, undone, found = form.state, 0, np.empty(form.num_components)
    for d, (x, z, step) in enumerate(zip(form.x.tolist(), form.z.tolist(), form.step.tolist(), strict=True)):
        state = rows.run(form.undo[undone:step], state)
        undone, found[d] = step, rows.expectation(x, z, state)
    return found


def _on_circle(turns):
    return turns - np.floor(turns + 0.5)
