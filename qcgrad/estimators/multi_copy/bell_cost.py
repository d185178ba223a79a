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


def proved_copies(strings: int, epsilon: float, delta: float) -> tuple[float, float]:
    r"""Copies for votes, and the `delta` to give, for errors of at most epsilon in all D strings but for delta.

    At \(\delta' = \delta/6\) all squares are within \(\eta\) but for \(\delta'\), and votes on
    \(k = 2\ln(D/\delta')/\eta\) copies find the signs of all strings with \(\hat u_P > 2\eta\), which come first, but
    for \(4D e^{-k\eta/2} = 4\delta'\). Those strings are off by \(\sqrt\eta\) at most, the ones without a sign by
    \(\sqrt{2\eta}\), and wrong signs of those between by
    \(\sqrt{\hat u_P} + \sqrt{\hat u_P + \eta} \le (\sqrt2 + \sqrt3)\sqrt\eta\), which is set to epsilon.
    """
    # One sixth is for counts, which are whole: that matters little below a half.
    noise, delta = min((epsilon / (math.sqrt(2) + math.sqrt(3))) ** 2, 0.5), delta / 6
    pairs = math.ceil(2 * math.log(2 * strings / delta) / noise**2)
    return 2 * pairs + math.ceil(2 * math.log(strings / delta) / noise) + 2, delta


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
