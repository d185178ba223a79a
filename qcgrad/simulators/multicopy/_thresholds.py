"""Sweeps of threshold checks on k copies, with the back-action that the query asks for."""

import numpy as np
from jaxtyping import Bool, Complex

from ...array_types import Key
from ...draws import generator
from ...errors import StateTooLarge
from ...ir import rows
from ...ir.sweep_form import SweepForm
from ...memory import allowed_bytes, require
from ...queries import Fidelity, SweepStop, ThresholdSweep
from . import moments
from ._pointers import as_sweep_form
from .checks import Check, disturbance
from .gaussian import GaussianModel
from .symmetric import SymmetricState, check_dimension, draw_count, peak_bytes

# Unitaries (d, d) of one copy: the basis before and behind, what is un-computed, and what these are made of.
_MATRICES_HELD = 8
# Of each pair of strings: the products as they are remembered and in the sweep's order, covariances and what becomes
# of them at a check.
_GAUSSIAN_BYTES = 16 + 16 + 8 * 8


def run(query: ThresholdSweep, key: Key, max_bytes: int | None = None) -> SweepStop:
    r"""Check string after string on the same k copies; stop at the first that is off.

    - `backaction="exact"`: the copies live in the symmetric subspace (`symmetric.py`). Nothing is approximated.
    - "gaussian": they are a Gaussian state (`gaussian.py`, which says how far that is right): an error of
      O(1/sqrt k), more where checks stop often. No bound is reported, `disturbance` is 0. O(V^2) a check, after
      O(D^2 2^N) once for each form.
    - "idealized": each check sees fresh copies, S ~ Binomial; `disturbance` bounds what that changes
      (`checks.disturbance`). O(V) in all, after O(D 2^N) once for each form.

    Raises:
        ValueError: a form that leaves copies out; an order that goes back although the form un-computes; noise below
            0.01 copies.
        StateTooLarge: "exact" above the dimension limit; what needs more than `max_bytes`, by default 80 % of the
            memory that is free.
    """
    form = as_sweep_form(query.form, max_bytes)
    if form.applied is not None:
        raise ValueError("ThresholdSweep form: it leaves copies out, which only pointers do; build it without discards")
    if np.any(np.diff(form.step[query.order]) < 0):
        raise ValueError("ThresholdSweep order: its strings are not in the order of the sweep; sort it ascending")
    if not query.noise >= 0.01:
        raise ValueError(f"ThresholdSweep noise={query.noise}: give a mean of at least 0.01 copies")
    _check_memory(form, query, allowed_bytes(max_bytes))
    simulate = {"exact": _exact, "gaussian": _gaussian, "idealized": _idealized}[query.backaction]
    stop = simulate(form, query, Check.of(query), generator(key))
    return stop._replace(fidelity=Fidelity(query.backaction))


def eigenbasis(x: int, z: int, dimension: int) -> tuple[Complex[np.ndarray, "d d"], Bool[np.ndarray, "d"]]:
    """A unitary that makes the string of masks x, z diagonal, and the mask of its +1 eigenvectors.

    Pairs j, j XOR x combine to one eigenvector of each sign, so most elements are zero.
    """
    index = np.arange(dimension)
    images = rows.apply_pauli(x, z, np.eye(dimension, dtype=complex))
    if not x:
        return np.eye(dimension, dtype=complex), np.real(np.diag(images)) > 0
    accepting = index & (1 << (x.bit_length() - 1)) == 0
    plus = np.where(accepting, index, index ^ x)
    sign = np.where(accepting, 1.0, -1.0)[:, None]
    return (np.eye(dimension)[plus] + sign * images[plus]).conj() / np.sqrt(2), accepting


def _exact(form: SweepForm, query, check, rng):
    dimension, undone = 2**form.num_qubits, 0
    basis, copies = np.eye(dimension, dtype=complex), None
    for v, d in enumerate(np.asarray(query.order).tolist()):
        step = int(form.step[d])
        # Rows act on rows of a matrix, so this is the transpose of what is un-computed.
        undo = rows.run(form.undo[undone:step], np.eye(dimension, dtype=complex)).T
        undone = step
        target, accepting = eigenbasis(int(form.x[d]), int(form.z[d]), dimension)
        turn = target @ undo @ basis.conj().T
        basis = target
        copies = copies.rotated(turn) if copies else SymmetricState.of_copies(turn @ form.state, query.copies)
        count = draw_count(copies.counts(accepting), rng)
        side = int(check[v].draw(count, rng))
        if side:
            return SweepStop(v, side)
        copies = copies.filtered(accepting, np.sqrt(check[v].passing(np.arange(query.copies + 1))))
    return SweepStop(None, 0)


def _check_memory(form: SweepForm, query, allowed):
    if query.backaction == "exact":
        dimension = 2**form.num_qubits
        check_dimension(query.copies, dimension)
        require(
            f"exact back-action on k={query.copies} copies of a state of dimension d={dimension} takes",
            peak_bytes(query.copies, dimension) + _MATRICES_HELD * 16 * dimension**2,
            allowed,
            "use fewer copies or qubits, or backaction='gaussian' or 'idealized'",
            StateTooLarge,
        )
    elif query.backaction == "gaussian":
        require(
            f"a Gaussian model of {form.num_components:,} strings on {form.num_qubits} qubits takes",
            max(moments.products_bytes(form), _GAUSSIAN_BYTES * form.num_components**2),
            allowed,
            "use backaction='idealized', or an objective with fewer parameterised gates",
            StateTooLarge,
        )


def _gaussian(form: SweepForm, query, check, rng):
    model = GaussianModel.of_form(form, query.copies, np.asarray(query.order))
    for v in range(len(query.order)):
        side, model = model.check(v, check[v], rng)
        if side:
            return SweepStop(v, side)
    return SweepStop(None, 0)


def _idealized(form: SweepForm, query, check, rng):
    accept = np.clip((1 + moments.expectations(form)[query.order]) / 2, 0, 1)
    sides = check.draw(rng.binomial(query.copies, accept), rng)
    budget = disturbance(query.copies, accept, check)
    stopped = np.flatnonzero(sides)
    if not len(stopped):
        return SweepStop(None, 0, budget)
    return SweepStop(int(stopped[0]), int(sides[stopped[0]]), budget)
