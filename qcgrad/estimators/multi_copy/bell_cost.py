"""How `BellShadow` divides its copies, and the most that it can cost."""

import math
from typing import TYPE_CHECKING

from ...cost import Cost
from ...ir.mixture import Mixture
from ...ir.program import Program
from ..pauli_components import fixed_gates, most_strings
from . import mimicking
from .pauli_statistics import noise_level

if TYPE_CHECKING:
    from .bell_shadow import BellShadow


def vote_copies(copies: int, strings: int, delta: float) -> int:
    """k, from copies = 4 ln(2D/delta) w^2 + 2 ln(D/delta) w with w = 1/epsilon^2."""
    strings = max(strings, 1)
    quadratic, linear = 4 * math.log(2 * strings / delta), 2 * math.log(strings / delta)
    weight = (math.sqrt(linear**2 + 4 * quadratic * copies) - linear) / (2 * quadratic)
    return min(max(1, round(linear * weight)), copies - 2)


def predicted_cost(estimator: "BellShadow", program: Program, source: Mixture | None) -> Cost:
    """Upper bound; each counter takes its own worst case."""
    if not program.bases:  # constant observables
        return Cost()
    n, copies = program.num_qubits, estimator.copies
    preparation = fixed_gates(program) if source is None else source.num_gates
    strings = most_strings(program)
    pair_gates = 2 * preparation + 2 * n
    if estimator.signs == "votes":
        # Fewer strings leave more copies to the pairs.
        votes = vote_copies(copies, strings, estimator.delta) + 1
        return Cost(
            copies=copies,
            shots=copies // 2 + strings,
            circuit_runs=2,
            gates=copies // 2 * pair_gates + votes * (preparation + strings * (2 * n + 2)),
            qubits=max(2, votes) * n,
        )
    pairs = copies // 4
    rest = copies - 2 * pairs
    # One string has the least noise, so the most updates.
    accuracy = math.sqrt(mimicking.SQUARED_ACCURACY * noise_level(pairs, 1, estimator.delta))
    return Cost(
        copies=copies,
        shots=pairs + rest,
        circuit_runs=1 + min(strings, copies // 4) + min(rest, 2**n),
        gates=pairs * pair_gates + rest * (preparation + 2 ** (n + 1) - 2 + 2 * n),
        qubits=2 * n,
    ) + mimicking.classical_cost(n, mimicking.most_updates(n, accuracy))
