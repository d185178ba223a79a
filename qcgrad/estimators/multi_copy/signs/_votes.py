"""Signs by coherent majority votes: of all strings on the same copies, strongest first."""

import math
from dataclasses import dataclass, replace
from typing import Self

from ....cost import Cost
from ....queries import MajorityVotes
from ....queries import Votes as VoteAnswer
from .._pauli_statistics import Signs
from ._sign_method import AbstractSignMethod, AbstractSignSearch, WantedSigns


class Votes(AbstractSignMethod):
    """Majority votes; the copies are divided so that both steps reach the same error."""

    least = 3
    least_for = "one pair and one vote"
    threshold = 1.0

    def pairs(self, strings: int) -> int:
        return (self.copies - self._voting(strings)) // 2

    def search(self, wanted: WantedSigns, copies: int) -> "VoteSearch":
        return VoteSearch(wanted, copies)

    def predicted_cost(self, num_qubits: int, preparation_gates: int, strings: int) -> Cost:
        n, pairs = num_qubits, self.copies // 2
        # Fewer strings leave more copies to the pairs.
        voting = self._voting(strings) + 1
        return Cost(
            copies=self.copies,
            shots=pairs + strings,
            circuit_runs=2,
            gates=pairs * (2 * preparation_gates + 2 * n) + voting * (preparation_gates + strings * (2 * n + 2)),
            qubits=max(2, voting) * n,
        )

    def _voting(self, strings: int) -> int:
        """k, from copies = 4 ln(2D/delta) w^2 + 2 ln(D/delta) w with w = 1/epsilon^2."""
        strings = max(strings, 1)
        quadratic, linear = 4 * math.log(2 * strings / self.delta), 2 * math.log(strings / self.delta)
        weight = (math.sqrt(linear**2 + 4 * quadratic * self.copies) - linear) / (2 * quadratic)
        return min(max(1, round(linear * weight)), self.copies - 2)


@dataclass(frozen=True, eq=False)
class VoteSearch(AbstractSignSearch):
    """All signs from one question."""

    wanted: WantedSigns
    copies: int
    signs: Signs | None = None

    def ask(self) -> tuple[MajorityVotes, ...]:
        w = self.wanted
        if self.signs is not None or not len(w.x):
            return ()
        return (MajorityVotes(w.preparation, w.angles, w.x, w.z, w.floors, self.copies),)

    def tell(self, answer: VoteAnswer) -> Self:
        return replace(self, signs=Signs(answer.signs, answer.failures))
