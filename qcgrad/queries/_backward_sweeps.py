"""Questions that carry copies of a state backwards through its circuit, with a measurement between gates."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from ..cost import Cost
from ._query import EXACT, AbstractQuery, Access, Fidelity, Sweepable


class PointerOutcomes(NamedTuple):
    """Answer of `PointerSweep`.

    Attributes:
        means: (B, D), estimates of <A>, one row for each sweep.
        accepted: (B,) fraction of the copies that counted; 1 where the form leaves none out.
    """

    means: np.ndarray
    accepted: np.ndarray | float = 1.0


@dataclass(frozen=True, eq=False)
class PointerSweep(AbstractQuery):
    r"""One backward sweep that reads every string with a Gaussian pointer. Answer: `PointerOutcomes`.

    String A of k copies has the collective operator \(F = \sum_i (A_i - \langle A\rangle)/\sqrt k\) of
    variance at most 1. A pointer in a Gaussian state of variance s^2 is shifted by F and read: its mean is
    right, and it disturbs the copies the less, the wider it is.

    Attributes:
        form: the state and its strings.
        copies: k of each sweep.
        pointer_variance: s^2, in units of F^2 (dimensionless).
        batches: independent sweeps.
        held: "copies", all k together and one pointer at a time; or "pointers", one pointer for each string
            and one copy at a time, which gives the same outcomes (the interactions commute across copies).

    Copies that the form leaves out shift no pointer.

    Cost: k copies a sweep, those left out included. Every string costs its basis change and back on every copy and one
    controlled shift, and copies that are left out are charged as if they went on: how many is not known before. A
    pointer takes the bits of 2k + 1 values and two more for its fraction.
    """

    form: Sweepable
    copies: int
    pointer_variance: float
    batches: int = 1
    held: Literal["copies", "pointers"] = "copies"
    access: ClassVar[Access] = Access.multi_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        form, total = self.form, self.batches * self.copies
        pointer = (2 * self.copies).bit_length() + 2
        per_copy = form.preparation_gates + form.gates_until(form.num_components - 1)
        by_copies = self.copies * form.num_qubits + pointer
        by_pointers = form.num_qubits + form.num_components * pointer
        return Cost(
            copies=total,
            shots=self.batches * form.num_components,
            circuit_runs=self.batches,
            gates=total * (per_copy + int(2 * form.weights.sum()) + form.num_components),
            qubits=by_copies if self.held == "copies" else by_pointers,
        )


class SweepStop(NamedTuple):
    """Answer of `ThresholdSweep`.

    Attributes:
        position: index into `order` of the check that stopped the sweep, or None if all passed.
        side: +1 for "above", -1 for "below", 0 if all passed.
        disturbance: bound on the probability that idealized back-action changed the answer; 0 where exact.
        fidelity: "exact", or how a simulation treated the copies that went on.
    """

    position: int | None
    side: int
    disturbance: float = 0.0
    fidelity: Fidelity = EXACT


@dataclass(frozen=True, eq=False)
class ThresholdSweep(AbstractQuery):
    r"""One backward sweep that stops where a prediction is wrong. Answer: `SweepStop`.

    At each string A the number S of copies that would say +1 is compared, without being read, with the
    predicted one: with independent X, X' ~ Exp of the given mean, the sweep stops "above" where
    \(S + X > k(1 + p + m)/2\), "below" where \(k - S + X' > k(1 - p + m)/2\), and goes on otherwise
    ("above" where both hold). The noise X hides S so well that going on hardly disturbs the copies.

    Attributes:
        form: the state and its strings.
        order: strings to visit, (V,); ascending, unless the form leaves the order free.
        predictions: p, (V,), what <A> should be.
        copies: k, held together.
        margin: m, how far off <A> may be.
        noise: mean of X, in copies.
        backaction: how a simulator treats the copies that went on: "exact", "gaussian" or "idealized". Hardware has
            no choice; the answer's `fidelity` says what was done.
        hypothesis: classical FLOPs and bytes of the predictions, charged with the question they belong to.

    Cost: k copies and the gates of the whole sweep, also where it stops early (how far it gets is not known when
    it is asked); each check costs its basis change and back and two gates to count, on every copy.
    """

    form: Sweepable
    order: np.ndarray
    predictions: np.ndarray
    copies: int
    margin: float
    noise: float
    backaction: Literal["exact", "gaussian", "idealized"]
    hypothesis: Cost | None = None
    access: ClassVar[Access] = Access.multi_copy

    @property
    def is_random(self) -> bool:
        return True

    def cost(self) -> Cost:
        form = self.form
        checks = int(2 * form.weights[self.order].sum()) + 2 * len(self.order)
        per_copy = form.preparation_gates + form.gates_until(int(self.order[-1])) + checks
        count = Cost(
            copies=self.copies,
            shots=len(self.order),
            circuit_runs=1,
            gates=self.copies * per_copy,
            # The counter, the noise and the comparison stand beside the copies.
            qubits=self.copies * form.num_qubits + 2 * self.copies.bit_length(),
        )
        return count + (self.hypothesis or Cost())
