r"""Backward sweeps with Gaussian pointers: exact outcome distributions for any number of copies.

A pointer of variance s^2 reads \(F = \sum_i (A_i - \langle A\rangle)/\sqrt k\) with the Kraus operators
\(K_y \propto e^{-(y - F)^2/(4 s^2)}\). What it leaves behind, forgetting y, is

.. math:: \int K_y \rho K_y^\dagger\,dy = \int e^{i\xi F} \rho\, e^{-i\xi F}\, p(\xi)\,d\xi ,
    \qquad \xi \sim \mathcal N\!\big(0, \tfrac{1}{4 s^2}\big),

because both sides multiply the element between eigenvalues F, F' by \(e^{-(F - F')^2/(8 s^2)}\). F is a sum over
copies, so for every \(\xi\) the copies stay a product of equal pure states: one state vector stands for all k.

Copies that the form leaves out are not turned, and are left out of the state and of the counts alike.

So each trial draws the \(\xi\) of its sweep, evolves one state, and reads every string from a binomial count of k
copies plus pointer noise. The distribution of *each* outcome is exact. What is lost is how the outcomes of one sweep
depend on each other.
"""

import numpy as np

from ...array_types import Key
from ...draws import generator
from ...errors import StateTooLarge
from ...ir import rows
from ...ir.sweep_form import SweepForm
from ...memory import allowed_bytes, require, require_count
from ...queries import Means, MeasureComponent, PointerOutcomes, PointerSweep, Sweepable
from . import _pointer_circuit as pointer_circuit

# Amplitudes evolved at a time: a few tens of MiB.
_CHUNK_AMPLITUDES = 1 << 20
# Measured: a state, its image under a string, what is made of both, a string and its phases.
STATES_HELD = 6
# Of each string in each sweep: a kick, its noise, an outcome, and the outcomes of all sweeps together.
_NUMBERS_HELD = 4


def sweep(query: PointerSweep, key: Key, max_bytes: int | None = None) -> PointerOutcomes:
    """Outcomes of `batches` independent sweeps; O(batches (rows + D) 2^N).

    Raises:
        StateTooLarge: before anything is allocated, with the number of bytes.
    """
    rng = generator(key)
    allowed = allowed_bytes(max_bytes)
    form = as_sweep_form(query.form, allowed)
    together = max(1, _CHUNK_AMPLITUDES >> form.num_qubits)
    require_count(
        f"sweeps over {form.num_components:,} strings",
        query.batches,
        lambda batches: (
            8 * _NUMBERS_HELD * form.num_components * batches + STATES_HELD * form.state_bytes * min(together, batches)
        ),
        allowed,
        "give fewer batches",
        StateTooLarge,
    )
    means, accepted = zip(
        *(
            _sweep(form, query.copies, query.pointer_variance, min(together, query.batches - start), rng)
            for start in range(0, query.batches, together)
        ),
        strict=True,
    )
    return PointerOutcomes(np.concatenate(means), np.concatenate(accepted))


def measure_component(query: MeasureComponent, key: Key, max_bytes: int | None = None) -> Means:
    """Mean of one string over fresh copies, and its unbiased variance (NaN for one shot)."""
    form = as_sweep_form(query.form, max_bytes)
    state = rows.run(form.undo[: form.step[query.component]], form.state)
    expectation = rows.expectation(int(form.x[query.component]), int(form.z[query.component]), state)
    rng = generator(key)
    counting = rng.binomial(query.shots, min(form.acceptance, 1.0))
    mean = _sum_of_signs(counting, expectation, rng) / query.shots
    variance = (counting / query.shots - mean**2) / (query.shots - 1) if query.shots > 1 else np.nan
    return Means(mean, variance)


def _sweep(form, copies, pointer_variance, batches, rng):
    strings = form.num_components
    # One copy turns by xi / sqrt(k).
    kicks = rng.normal(scale=0.5 / np.sqrt(pointer_variance * copies), size=(batches, strings))
    noise = rng.normal(scale=np.sqrt(pointer_variance / copies), size=(batches, strings))
    run = pointer_circuit.expectations if pointer_circuit.is_possible(form) else _expectations
    # Which copies count is settled once for all strings of a sweep, and nothing that is read changes it.
    counting = rng.binomial(copies, min(form.acceptance, 1.0), size=(batches, 1))
    # No state depends on what is read, so all strings are read at once.
    return _sum_of_signs(counting, run(form, kicks), rng) / copies + noise, counting[:, 0] / copies


def _sum_of_signs(copies, expectation, rng):
    """The sum of what some copies say, each +1 or -1."""
    return 2 * rng.binomial(copies, np.clip((1 + expectation) / 2, 0, 1)) - copies


def _expectations(form, kicks):
    """`_pointer_circuit.expectations` without the native engine."""
    batches, strings = kicks.shape
    states = np.broadcast_to(form.state, (batches, 2**form.num_qubits))
    found = np.empty((batches, strings))
    undone = 0
    for d, (x, z, step) in enumerate(zip(form.x.tolist(), form.z.tolist(), form.step.tolist(), strict=True)):
        states = rows.run(form.undo[undone:step], states)
        undone = step
        image = rows.apply_pauli(x, z, states)
        found[:, d] = np.real(np.sum(states.conj() * image, axis=-1))
        states = np.cos(kicks[:, d, None]) * states + 1j * np.sin(kicks[:, d, None]) * image
    return found


def as_sweep_form(form: Sweepable, max_bytes: int | None = None) -> SweepForm:
    """The form of a query, which a simulator needs in full, on the qubits that have to be simulated.

    Args:
        form: of the query.
        max_bytes: refuse forms whose states need more; by default 80 % of the memory that is free.

    Raises:
        StateTooLarge: before anything is allocated, with the number of bytes.
    """
    if not isinstance(form, SweepForm):
        raise TypeError(f"a sweep over {type(form).__name__} cannot be simulated: give an ir.sweep_form.SweepForm")
    busy = form.busy
    require(
        f"a sweep over {form.num_qubits} qubits, of which {busy.num_qubits} are not idle, holds {STATES_HELD} states,",
        STATES_HELD * busy.state_bytes,
        allowed_bytes(max_bytes),
        "use fewer qubits or another method",
        StateTooLarge,
    )
    return busy
