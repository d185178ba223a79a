r"""Signs from Bell measurements beside a classical state that mimics the strings (`mimicking_state`).

The state is learnt with signs that are measured on single copies, at most a quarter of all. Then every string averages
to \(\langle P\rangle\,\mathrm{tr}(P\sigma)\), whose second factor is known.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ....cost import Cost
from ....queries import BellOutcomes, BellSample, MajorityVotes
from .._pauli_statistics import Signs, mean_eigenvalues, noise_level
from ._mimicking_state import (
    SQUARED_ACCURACY,
    MimickingState,
    check_size,
    classical_cost,
    in_words,
    mimicking_state,
    most_updates,
)
from ._sign_method import AbstractSignMethod, AbstractSignSearch, WantedSigns


class Mimicking(AbstractSignMethod):
    """A mimicking state; one half of the copies goes to the magnitudes."""

    least = 4
    least_for = "one measurement of each kind"
    threshold = 9 / 16 * SQUARED_ACCURACY

    def check_size(self, num_qubits: int) -> None:
        check_size(num_qubits)

    def pairs(self, strings: int) -> int:
        return self.copies // 4

    def search(self, wanted: WantedSigns, copies: int) -> "MimickingSearch":
        accuracy = math.sqrt(SQUARED_ACCURACY * wanted.noise)
        mimic = mimicking_state(wanted.preparation.num_qubits, wanted.x, wanted.z, accuracy)
        return MimickingSearch(wanted, copies, self.copies // 4, self.delta, mimic)

    def predicted_cost(self, num_qubits: int, preparation_gates: int, strings: int) -> Cost:
        n, pairs = num_qubits, self.copies // 4
        rest = self.copies - 2 * pairs
        # One string has the least noise, so the most updates.
        accuracy = math.sqrt(SQUARED_ACCURACY * noise_level(pairs, 1, self.delta))
        return Cost(
            copies=self.copies,
            shots=pairs + rest,
            circuit_runs=1 + min(strings, self.copies // 4) + min(rest, 2**n),
            gates=pairs * (2 * preparation_gates + 2 * n) + rest * (preparation_gates + 2 ** (n + 1) - 2 + 2 * n),
            qubits=2 * n,
        ) + classical_cost(n, most_updates(n, accuracy))

    def report(self, stats: dict[str, Any]) -> str:
        return in_words(stats) if "updates" in stats else ""


@dataclass(frozen=True, eq=False)
class MimickingSearch(AbstractSignSearch):
    """Single signs until the state mimics all strings or their copies are spent, then all signs with its help.

    Attributes:
        wanted: the strings.
        copies: for all questions together.
        learning: most of them that single signs may take.
        delta: probability that any of these is wrong.
        mimic: the state as it is.
        spent: copies.
        signs: of all strings.
    """

    wanted: WantedSigns
    copies: int
    learning: int
    delta: float
    mimic: MimickingState
    spent: int = 0
    signs: Signs | None = None

    def ask(self) -> tuple[BellSample | MajorityVotes, ...]:
        w = self.wanted
        if self.signs is not None or not len(w.x):
            return ()
        if (vote := self._next_vote()) is None:
            pairs = self.copies - self.spent
            return (BellSample(w.preparation, w.angles, pairs, self.mimic.ensemble(), self.mimic.cost),)
        string, copies = vote
        one = slice(string, string + 1)
        return (MajorityVotes(w.preparation, w.angles, w.x[one], w.z[one], w.floors[one], copies, is_shared=False),)

    def tell(self, answer: Any) -> Self:
        if (vote := self._next_vote()) is None:
            return replace(self, signs=self._read(answer))
        string, copies = vote
        return replace(self, mimic=self.mimic.told(string, int(answer.signs[0])), spent=self.spent + copies)

    @property
    def stats(self) -> dict[str, int]:
        return self.mimic.stats

    def _next_vote(self) -> tuple[int, int] | None:
        """The string whose sign the mimicking state needs next and the copies it takes, while they last."""
        string = self.mimic.wanted
        if string is None:
            return None
        votes = min(self.mimic.limit, len(self.mimic.x))
        copies = math.ceil(2 * math.log(votes / self.delta) / self.wanted.floors[string] ** 2)
        return (string, copies) if self.spent + copies <= self.learning else None

    def _read(self, outcomes: BellOutcomes) -> Signs:
        """Signs of <P> from means of <P> tr(P sigma); a sign that is as good as guessed is none."""
        w, overlaps = self.wanted, self.mimic.overlaps
        means = mean_eigenvalues(outcomes, w.x, w.z)
        failures = np.exp(-len(outcomes.x) * np.square(w.floors * overlaps) / 2)
        return Signs(np.where(failures < 0.5, np.sign(means * overlaps), 0).astype(np.int64), failures)
