r"""k copies of a pure state, measured together, without storing 2^{Nk} amplitudes.

Equal copies start in the symmetric subspace Sym^k(C^d), and collective operations keep them there. It is the
space of k bosons in d modes, with one amplitude for each way to occupy the modes, C(k + d - 1, d - 1) in all:

.. math:: |\psi\rangle^{\otimes k} = \sum_{n_1 + \dots + n_d = k}
    \sqrt{\frac{k!}{n_1! \cdots n_d!}}\; \psi_1^{n_1} \cdots \psi_d^{n_d}\; |n_1 \dots n_d\rangle .

A unitary on every copy acts on the modes as W. It is a product of phases, diagonal in the occupations, and of
rotations of two modes, which keep their total m and are Wigner matrices of spin m/2. The number S of copies that a
projector accepts is the occupation of the modes it accepts, so a measurement of S alone is diagonal too. All of
this is exact up to rounding; what is measured disturbs the copies as it must.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from ...errors import StateTooLarge

DIMENSION_LIMIT = 1_000_000

# Of sorted pairs of modes: all of them can take far more than the state.
_REMEMBERED_BYTES = 256 << 20
# While occupations are listed: 16-bit numbers before, behind, and as one array.
_BYTES_PER_OCCUPATION = 6
# Amplitudes before, behind and sorted, their phases, and what sorts them.
_BYTES_PER_AMPLITUDE = 112

# Elements of a unitary below this are zeros with rounding: their rotation is skipped.
_ZERO = 1e-15

Modes = Bool[np.ndarray, "d"]
"""Which modes a string accepts."""


@dataclass(frozen=True, eq=False)
class SymmetricState:
    """A pure state of k copies in Sym^k(C^d).

    Attributes:
        copies: k.
        modes: d.
        amplitudes: (C(k + d - 1, d - 1),) complex, of norm 1, in lexicographic order of the occupations.
    """

    copies: int
    modes: int
    amplitudes: np.ndarray

    @classmethod
    def of_copies(cls, state: Complex[np.ndarray, "d"], copies: int, limit: int = DIMENSION_LIMIT) -> "SymmetricState":
        """k copies of one state (d,).

        Raises:
            StateTooLarge: more than `limit` amplitudes, or entries of the largest rotation, (k + 1)^2.
        """
        from scipy.special import gammaln, xlogy

        modes = len(state)
        check_dimension(copies, modes, limit)
        occupations = _fock(copies, modes).occupations
        possible = np.arange(copies + 1)
        logarithm = np.full(occupations.shape[1], gammaln(copies + 1) / 2, complex)
        for count, amplitude in zip(occupations, state, strict=True):
            # Magnitudes as logarithms: factorials of large counts would overflow.
            factor = xlogy(possible, np.abs(amplitude)) - gammaln(possible + 1) / 2
            logarithm += (factor + 1j * np.angle(amplitude) * possible)[count]
        return cls(copies, modes, np.exp(logarithm))

    def rotated(self, unitary: Complex[np.ndarray, "d d"]) -> "SymmetricState":
        """W applied to every copy, (d, d).

        Cost: at most d (d - 1)/2 rotations of two modes, none for elements of W that are zero; each costs about
        C(k + d - 1, d - 1) times the mean size of its blocks, 2k/d + 1.
        """
        fock = _fock(self.copies, self.modes)
        phases, rotations = _two_mode_rotations(unitary)
        angle = np.zeros(len(self.amplitudes))
        for count, phase in zip(fock.occupations, phases, strict=True):
            if phase:
                angle += phase * count
        amplitudes = self.amplitudes * np.exp(1j * angle)
        for first, second, angle, phase in rotations:
            amplitudes = _rotate(fock.pair(first, second), angle, phase, amplitudes)
        return replace(self, amplitudes=amplitudes)

    def counts(self, accepting: Modes) -> Float[np.ndarray, "k+1"]:
        """Distribution (k + 1,) of the number of copies in the accepting modes, a mask (d,)."""
        accepted = self._accepted(accepting)
        distribution = np.bincount(accepted, np.abs(self.amplitudes) ** 2, minlength=self.copies + 1)
        return distribution / distribution.sum()

    def filtered(self, accepting: Modes, factors: Float[np.ndarray, "k+1"]) -> "SymmetricState":
        """What is left after an outcome whose Kraus operator is factors[S], (k + 1,), normalised."""
        amplitudes = self.amplitudes * factors[self._accepted(accepting)]
        return replace(self, amplitudes=amplitudes / np.linalg.norm(amplitudes))

    def read_pointer(
        self, accepting: Modes, variance: float, rng: np.random.Generator
    ) -> tuple[float, "SymmetricState"]:
        """Read A = (accepting) - (not accepting) with a Gaussian pointer.

        Args:
            accepting: mask (d,) of the modes where A is +1; elsewhere it is -1.
            variance: s^2 of the pointer in units of F = (S_A - <S_A>)/sqrt(k), S_A the sum of A over the copies.

        Returns:
            The outcome as an estimate of <A>, and the state after it.
        """
        count = draw_count(self.counts(accepting), rng)
        outcome = 2 * count / self.copies - 1 + rng.normal(scale=math.sqrt(variance / self.copies))
        return outcome, self.after_pointer(accepting, variance, outcome)

    def after_pointer(self, accepting: Modes, variance: float, outcome: float) -> "SymmetricState":
        """The state after a pointer outcome; see `read_pointer`."""
        distance = outcome - (2 * np.arange(self.copies + 1) / self.copies - 1)
        exponent = -self.copies * distance**2 / (4 * variance)
        # Far outcomes of narrow pointers would underflow; the factor cancels in the norm.
        occupied = self.counts(accepting) > 0
        return self.filtered(accepting, np.exp(np.minimum(exponent - exponent[occupied].max(), 0)))

    def _accepted(self, accepting):
        return _fock(self.copies, self.modes).occupations[np.asarray(accepting, bool)].sum(axis=0, dtype=np.int64)


def check_dimension(copies: int, modes: int, limit: int = DIMENSION_LIMIT) -> None:
    """Refuse what `SymmetricState` would not hold; see `SymmetricState.of_copies`."""
    dimension = math.comb(copies + modes - 1, modes - 1)
    if max(dimension, (copies + 1) ** 2) > limit:
        raise StateTooLarge(
            f"exact back-action on k={copies} copies of a state of dimension d={modes} holds Sym^k(C^d), dimension "
            f"{dimension:,}, and rotations of up to (k + 1)^2 = {(copies + 1) ** 2:,} entries; {limit:,} are allowed: "
            "use fewer copies or qubits, or backaction='gaussian' or 'idealized'"
        )


def peak_bytes(copies: int, modes: int) -> int:
    """What a `SymmetricState` and its rotations hold at their peak."""
    dimension = math.comb(copies + modes - 1, modes - 1)
    remembered = min(_REMEMBERED_BYTES, 4 * dimension * modes * (modes - 1) // 2)
    # Of two modes only the total k occurs, of more every one up to k.
    wigner = 16 * (copies + 1) ** 2 * (1 if modes <= 2 else math.ceil((copies + 1) / 3))
    return dimension * (_BYTES_PER_OCCUPATION * modes + _BYTES_PER_AMPLITUDE) + remembered + wigner


def draw_count(distribution: Float[np.ndarray, "k+1"], rng: np.random.Generator) -> int:
    """One draw from a distribution over 0..k."""
    return int(rng.choice(len(distribution), p=distribution))


class _Pair(NamedTuple):
    """Amplitudes of two modes, sorted into blocks of equal total m.

    Attributes:
        order: the amplitudes' positions, by m, then by the second mode's occupation, then by the other modes.
        ends: (k + 1,) where the block of each m ends; the block is an array (m + 1, number of rests).
    """

    order: np.ndarray
    ends: np.ndarray


class _Fock:
    """Occupations of d modes by k bosons, (d, dimension), in lexicographic order."""

    def __init__(self, copies: int, modes: int):
        self.copies, self.modes, self._pairs = copies, modes, {}

    @cached_property
    def occupations(self) -> Int[np.ndarray, "d dimension"]:
        remaining = np.array([self.copies])
        columns = []
        for _ in range(self.modes - 1):
            sizes = remaining + 1
            parent = np.repeat(np.arange(len(sizes)), sizes)
            count = np.arange(len(parent)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            columns = [*(column[parent] for column in columns), count.astype(np.int16)]
            remaining = remaining[parent] - count
        return np.array([*columns, remaining], np.int16)

    def pair(self, first: int, second: int) -> _Pair:
        if (first, second) not in self._pairs:
            while len(self._pairs) >= max(1, _REMEMBERED_BYTES // (4 * self.occupations.shape[1])):
                del self._pairs[next(iter(self._pairs))]
            a, b = self.occupations[[first, second]].astype(np.int32)
            # A stable sort keeps the rests in the same order for every occupation of the pair.
            order = np.argsort((a + b) * (self.copies + 1) + b, kind="stable").astype(np.int32)
            self._pairs[first, second] = _Pair(order, np.cumsum(np.bincount(a + b, minlength=self.copies + 1)))
        return self._pairs[first, second]


@lru_cache(maxsize=4)
def _fock(copies: int, modes: int) -> _Fock:
    return _Fock(copies, modes)


def _two_mode_rotations(unitary):
    """Phases (d,), then (first, second, angle, phase) that make up a unitary, first one first.

    Givens elimination: rotations from the left bring W to a diagonal, so their inverses, last one first, undo it.
    """
    reduced = np.array(unitary, complex)
    found = []
    for column in range(len(reduced) - 1):
        for row in range(column + 1, len(reduced)):
            top, low = reduced[column, column], reduced[row, column]
            if abs(low) <= _ZERO:
                continue
            angle, phase = math.atan2(abs(low), abs(top)), float(np.angle(low) - np.angle(top))
            reduced[[column, row]] = _two_mode(angle, phase).conj().T @ reduced[[column, row]]
            found.append((column, row, angle, phase))
    return np.angle(np.diag(reduced)), found[::-1]


def _two_mode(angle, phase):
    """[[cos, -e^{-i phase} sin], [e^{i phase} sin, cos]]: takes (1, 0) to (cos, e^{i phase} sin)."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -np.exp(-1j * phase) * s], [np.exp(1j * phase) * s, c]])


def _rotate(pair: _Pair, angle, phase, amplitudes):
    """`_two_mode` on two modes of every copy: one Wigner matrix for each total m."""
    sorted_ = amplitudes[pair.order]
    start = 0
    for total, end in enumerate(pair.ends.tolist()):
        if total and end > start:
            turns = np.exp(1j * phase * np.arange(total + 1))
            matrix = turns[:, None] * _wigner(total, angle) * turns.conj()
            block = sorted_[start:end].reshape(total + 1, -1)
            sorted_[start:end] = (matrix @ block).reshape(-1)
        start = end
    rotated = np.empty_like(amplitudes)
    rotated[pair.order] = sorted_
    return rotated


def _wigner(total: int, angle: float) -> np.ndarray:
    r"""exp(angle K), K = b^\dagger a - a^\dagger b, on |m - j, j>, j = 0..m; real.

    With D = diag(i^j), iK = D T D^\dagger for a real tridiagonal T of eigenvalues m, m - 2, ..., -m: no recurrence, so
    no loss of digits at large m. Elements with j - l even take the cosines and the others the sines; the other
    sum vanishes by symmetry, so both are added up in one product.
    """
    vectors, signs = _ladder(total)
    turn = angle * np.arange(-total, total + 1, 2)
    return signs * ((vectors * (np.cos(turn) + np.sin(turn))) @ vectors.T)


@lru_cache(maxsize=1024)
def _ladder(total: int):
    """Eigenvectors of T, eigenvalues ascending, and the signs (-1)^floor((j - l)/2) that D leaves."""
    from scipy.linalg import eigh_tridiagonal

    j = np.arange(total + 1)
    _, vectors = eigh_tridiagonal(np.zeros(total + 1), np.sqrt((j[:-1] + 1.0) * (total - j[:-1])))
    return vectors, 1.0 - 2.0 * (((j[:, None] - j) // 2) & 1)
