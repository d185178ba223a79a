r"""Mimicking states: classical states with large expectations of the strings whose signs are wanted.

Given strings P with \(|\langle P\rangle| \ge \epsilon/2\), matrix multiplicative weights finds a mixed state

.. math:: \sigma \propto \exp\Big(\beta \sum_t s_t P_t\Big), \qquad |\mathrm{tr}(P\sigma)| \ge \epsilon/4
    \text{ for all of them,}

where \(P_t\) is any string that \(\sigma\) does not mimic yet and \(s_t\) the sign of \(\langle P_t\rangle\), measured
on single copies, once for each string that turns up. Each update gains at least \(\epsilon/2 - \epsilon/4\) over the
unknown state, while the regret of T updates at \(\beta = \sqrt{n/T}\) is at most \(2\sqrt{nT}\): so there are no more
than \(64 n/\epsilon^2\). Bell measurements of \(\rho \otimes \sigma\) then average to
\(\langle P\rangle\,\mathrm{tr}(P\sigma)\), whose second factor is known: all signs from pairs of states.

A sign measured wrongly makes \(\sigma\) a worse mimic, never the signs read with its help.

References:
    R. King, D. Gosset, R. Kothari, R. Babbush, "Triply efficient shadow tomography", arXiv:2404.19211.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ....array_types import Masks
from ....cost import Cost
from ....errors import StateTooLarge
from ....ir.pauli import popcount
from ....ir.strings import expectations
from ....memory import in_words as bytes_in_words
from ....queries import Ensemble
from ....readable import counted

# An update takes 8^n operations and there may be thousands: at 10 qubits each takes about a second.
MAX_QUBITS = 10

SQUARED_ACCURACY = 16 / 5
"""epsilon^2 in units of eta. With errors of at most eta in every square, strings that measure (3 epsilon/4)^2 or more
have at least (epsilon/2)^2, and all that have epsilon^2 are among them."""


@dataclass(frozen=True, eq=False)
class MimickingState:
    """A state on its way to mimic S strings.

    Attributes:
        x, z: (S,) masks of the strings, strongest first.
        target: epsilon / 4.
        limit: most updates that there may be.
        rate: beta.
        exponent: (2^n, 2^n), beta sum_t s_t P_t.
        overlaps: (S,) tr(P sigma).
        signs: (S,) measured signs, 0 where not measured.
        updates: made so far.
    """

    x: np.ndarray
    z: np.ndarray
    target: float
    limit: int
    rate: float
    exponent: np.ndarray
    overlaps: np.ndarray
    signs: np.ndarray
    updates: int = 0

    @property
    def wanted(self) -> int | None:
        """The strongest string that is not mimicked because its sign is not known; None if there is none."""
        missing = np.flatnonzero((np.abs(self.overlaps) < self.target) & (self.signs == 0))
        return int(missing[0]) if len(missing) and self.updates < self.limit else None

    def told(self, string: int, sign: int) -> "MimickingState":
        """The state after one more measured sign, updated until it mimics all strings of known sign."""
        signs = self.signs.copy()
        signs[string] = sign
        state = replace(self, signs=signs)
        while state.updates < state.limit:
            missing = np.flatnonzero((np.abs(state.overlaps) < state.target) & (signs != 0))
            if not len(missing):
                break
            state = state._updated(missing[0])
        return state

    def ensemble(self) -> Ensemble:
        """Eigenvectors of sigma and their probabilities."""
        levels, vectors = np.linalg.eigh(self.exponent)
        weights = np.exp(levels - levels[-1])
        return Ensemble(weights / weights.sum(), vectors.T)

    @property
    def num_qubits(self) -> int:
        return len(self.exponent).bit_length() - 1

    @property
    def cost(self) -> Cost:
        """Classical work of all updates and the last diagonalization."""
        return classical_cost(self.num_qubits, self.updates)

    @property
    def stats(self) -> dict[str, int]:
        """What came out."""
        return {
            "updates": self.updates,
            "max_updates": self.limit,
            "measured_signs": int(np.count_nonzero(self.signs)),
            "not_mimicked": int(np.sum(np.abs(self.overlaps) < self.target)),
        }

    def _updated(self, string) -> "MimickingState":
        x, z = int(self.x[string]), int(self.z[string])
        column = np.arange(len(self.exponent))
        exponent = self.exponent.copy()
        # P|b> = i^{|x & z|} (-1)^{z.b} |b XOR x>
        phase = 1j ** int(popcount(x & z)) * (1 - 2 * (popcount(column & z) & 1))
        exponent[column ^ x, column] += self.rate * self.signs[string] * phase
        state = replace(self, exponent=exponent, updates=self.updates + 1)
        weights, vectors = state.ensemble()
        sigma = (vectors.T * weights) @ vectors.conj()
        overlaps = expectations(lambda masks: sigma[column, column ^ masks[:, None]], len(sigma), self.x, self.z)
        return replace(state, overlaps=overlaps)


def in_words(stats: dict[str, int]) -> str:
    """`MimickingState.stats` of a state that was to mimic the "resolved" strings."""
    return (
        f"mimicking state after {stats['updates']} updates of at most {stats['max_updates']}, "
        f"{stats['measured_signs']} measured signs, {stats['not_mimicked']} of {stats['resolved']} strings not mimicked"
    )


def mimicking_state(num_qubits: int, x: Masks, z: Masks, epsilon: float) -> MimickingState:
    """Start from the maximally mixed state, which mimics nothing.

    Args:
        num_qubits: n.
        x, z: (S,) masks of the strings to mimic, strongest first.
        epsilon: each has an expectation of at least epsilon/2 in magnitude.

    Raises:
        StateTooLarge: more than 10 qubits.
    """
    check_size(num_qubits)
    limit = most_updates(num_qubits, epsilon)
    exponent = np.zeros((2**num_qubits, 2**num_qubits), np.complex128)
    zeros = np.zeros(len(x))
    return MimickingState(
        x, z, epsilon / 4, limit, math.sqrt(num_qubits / limit), exponent, zeros, zeros.astype(np.int64)
    )


def check_size(num_qubits: int) -> None:
    """Refuse states whose updates would take too long.

    Raises:
        StateTooLarge: more than 10 qubits.
    """
    if num_qubits > MAX_QUBITS:
        cost = classical_cost(num_qubits, 1)
        raise StateTooLarge(
            f"a mimicking state of {num_qubits} qubits takes {bytes_in_words(cost.peak_bytes)} and "
            f"{counted(cost.flops)} FLOPs an update; at most {MAX_QUBITS} qubits are supported: use signs='votes'"
        )


def most_updates(num_qubits: int, epsilon: float) -> int:
    r"""\(T = \lceil 64 n/\epsilon^2\rceil + 1\)."""
    return math.ceil(64 * num_qubits / epsilon**2) + 1


def classical_cost(num_qubits: int, updates: int) -> Cost:
    """Eigenvectors (about 100 d^3 FLOPs), sigma (8 d^3) and its transform (4 d^2 log d); five d x d matrices."""
    d = 2**num_qubits
    return Cost(flops=(updates + 1) * (108 * d**3 + 4 * num_qubits * d**2), peak_bytes=5 * 16 * d**2)
