r"""Pauli strings divided into as few commuting families as stabilizer bases can measure.

**Reduction.** Symplectic Gram-Schmidt writes D strings as products of m pairs \(e_k, f_k\) (each anticommutes with
its partner only) and of strings that commute with everything: string d has coordinates
\((\alpha_d, \beta_d, \gamma_d)\). Two strings commute iff \(\alpha\cdot\beta' + \beta\cdot\alpha'\) is even.

**Spread.** All \(4^m - 1\) pairs \((\alpha, \beta) \ne 0\) fall into \(2^m + 1\) families that share only 0: the
family \(\alpha = 0\), and for every s the family \(\beta = T_s\alpha\). It commutes because \(T_s\) is symmetric, and
two families meet in 0 only because \(T_s + T_t = T_{s+t}\) is invertible. Such matrices are the Hankel matrices
\((T_s)_{ij} = s_{i+j}\) of the sequences over GF(2) that obey the recurrence of an irreducible polynomial of degree m:
in terms of the field GF(2^m), \(s_k = \mathrm{tr}(a x^k)\) for one a each. The common eigenbases of the families are
\(2^m + 1\) mutually unbiased bases.

References:
    W. K. Wootters, B. D. Fields, Ann. Phys. 191, 363 (1989); S. Bandyopadhyay et al., Algorithmica 34, 512 (2002),
    arXiv:quant-ph/0103162.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ....array_types import Masks
from ....ir import pauli
from ....ir.stabilizers import parity_sign
from ....ir.strings import walsh_hadamard
from ._string_statistics import Outcomes, StringEstimates

# Irreducible polynomials over GF(2); bit k is the coefficient of x^k, index m the degree.
_POLYNOMIALS = (0b1, 0b11, 0b111, 0b1011, 0b10011, 0b100101, 0b1000011, 0b10000011, 0b100011011, 0b1000010001)
_POLYNOMIALS += (0b10000001001, 0b100000000101, 0b1000001010011)
MAX_PAIRS = len(_POLYNOMIALS) - 1
MAX_GENERATORS = 22


class Families(NamedTuple):
    """B sets of commuting strings, and where each of D strings is found.

    Attributes:
        x, z: (B, r) masks of the generators; identities fill up short sets.
        family: (D,) the set that string d belongs to.
        member: (D,) masks; string d is `sign` times the product of these generators.
        sign: (D,).
    """

    x: np.ndarray
    z: np.ndarray
    family: np.ndarray
    member: np.ndarray
    sign: np.ndarray

    def estimates(self, counts: Int[np.ndarray, "B 2**r"]) -> StringEstimates:
        """All strings from outcome counts (B, 2^r)."""
        copies = counts.sum(axis=1)
        totals = walsh_hadamard(counts.astype(float))
        mean = self.sign * totals[self.family, self.member] / copies[self.family]
        seen = np.count_nonzero(counts, axis=1) @ np.bincount(self.family, minlength=len(counts))
        return StringEstimates(mean, np.ones(len(mean)), copies[self.family], lambda: self._outcomes(counts), int(seen))

    def _outcomes(self, counts) -> Outcomes:
        import scipy.sparse as sparse

        group, bits = np.nonzero(counts)
        members = [np.flatnonzero(self.family == b) for b in range(len(counts))]
        columns = np.concatenate([members[b] for b in group])
        # One row for each outcome that came, with every string of its family.
        rows = np.repeat(np.arange(len(group)), [len(members[b]) for b in group])
        values = self.sign[columns] * parity_sign(self.member[columns], bits[rows])
        table = sparse.csr_array((values.astype(float), (rows, columns)), shape=(len(group), len(self.family)))
        return Outcomes(table, counts[group, bits], group)


def one_by_one(x: Masks, z: Masks) -> Families:
    """Every string in a family of its own."""
    ones = np.ones(len(x), np.int64)
    return Families(x[:, None], z[:, None], np.arange(len(x)), ones, ones)


def spread_families(x: Masks, z: Masks) -> Families:
    """Strings (D,) divided by a spread; at most 2^m + 1 families, only those that are needed.

    Raises:
        ValueError: more than MAX_PAIRS anticommuting pairs, or MAX_GENERATORS independent strings in a family.
    """
    basis, alpha, beta, gamma = _symplectic_coordinates(x, z)
    pairs = len(basis.e)
    if pairs > MAX_PAIRS:
        raise ValueError(f"the strings generate {pairs} anticommuting pairs, and only {MAX_PAIRS} can be divided")
    if (width := pairs + len(basis.free)) > MAX_GENERATORS:
        raise ValueError(
            f"a family of the strings has {width} independent ones, so 2^{width} outcomes, and at most "
            f"2^{MAX_GENERATORS} are counted"
        )
    matrices = _spread(pairs)
    finite = 1 << pairs
    # Family s of each (alpha, beta) with alpha != 0; the family alpha = 0 comes last.
    lookup = np.empty((finite, finite), np.int32)
    lookup[np.arange(finite), matrices] = np.arange(finite)[:, None]
    family = np.where(alpha != 0, lookup[alpha, beta], finite)
    in_last = family == finite
    # Strings that commute with everything go where something is measured anyway.
    free = (alpha | beta) == 0
    family[free] = family[~free][0] if np.any(~free) else finite
    used, family = np.unique(family, return_inverse=True)
    member = np.where(in_last, beta, alpha) | gamma.astype(np.int64) << pairs
    generators = [_generators(basis, s, matrices) for s in used.tolist()]
    gx, gz = (np.array([[g[i] for g in row] for row in generators], x.dtype) for i in (0, 1))
    return Families(gx, gz, family, member, _signs(gx[family], gz[family], member))


def joined(first: Families, second: Families) -> Families:
    """Both, one after the other."""
    width = max(first.x.shape[1], second.x.shape[1])
    padded = [[np.pad(m, ((0, 0), (0, width - m.shape[1]))) for m in (part.x, part.z)] for part in (first, second)]
    return Families(
        np.concatenate([padded[0][0], padded[1][0]]),
        np.concatenate([padded[0][1], padded[1][1]]),
        np.concatenate([first.family, len(first.x) + second.family]),
        np.concatenate([first.member, second.member]),
        np.concatenate([first.sign, second.sign]),
    )


class _Basis(NamedTuple):
    """Masks of the pairs and of the strings that commute with everything: lists of (x, z)."""

    e: list[tuple[int, int]]
    f: list[tuple[int, int]]
    free: list[tuple[int, int]]


def _symplectic_coordinates(x, z):
    """A basis of the strings' span and each string's coordinates in it: masks alpha, beta, gamma (D,)."""
    x, z = x.copy(), z.copy()
    basis = _Basis([], [], [])
    alpha, beta, gamma = np.zeros(len(x), np.int64), np.zeros(len(x), np.int64), np.zeros(len(x), x.dtype)
    while len(left := np.flatnonzero(x | z)):
        e = int(x[left[0]]), int(z[left[0]])
        against_e = ~pauli.commute(x, z, *e)
        if np.any(against_e):
            partner = np.flatnonzero(against_e)[0]
            f = int(x[partner]), int(z[partner])
            against_f = ~pauli.commute(x, z, *f)
            alpha |= against_f.astype(np.int64) << len(basis.e)
            beta |= against_e.astype(np.int64) << len(basis.e)
            with_e, with_f = against_f.astype(x.dtype), against_e.astype(x.dtype)
            x = x ^ with_e * e[0] ^ with_f * f[0]
            z = z ^ with_e * e[1] ^ with_f * f[1]
            basis.e.append(e)
            basis.f.append(f)
            continue
        # Linear elimination: after this step no string has e's lowest bit.
        pivot = (e[0] & -e[0], 0) if e[0] else (0, e[1] & -e[1])
        has = ((x & pivot[0]) | (z & pivot[1])) != 0
        gamma |= has.astype(x.dtype) << len(basis.free)
        x, z = x ^ has.astype(x.dtype) * e[0], z ^ has.astype(x.dtype) * e[1]
        basis.free.append(e)
    return basis, alpha, beta, gamma


@lru_cache(maxsize=4)
def _spread(degree: int) -> np.ndarray:
    """T_s alpha for all s and alpha, as masks: (2^m, 2^m)."""
    polynomial = _POLYNOMIALS[degree]
    unit = np.zeros((degree, degree), np.int32)  # [k, j]: column j of the Hankel matrix that starts as unit vector k
    for k in range(degree):
        sequence = [int(i == k) for i in range(degree)]
        while len(sequence) < 2 * degree:
            window = sequence[-degree:]
            sequence.append(sum(window[i] for i in range(degree) if polynomial >> i & 1) % 2)
        unit[k] = [sum(sequence[i + j] << i for i in range(degree)) for j in range(degree)]
    out = np.zeros((1, 1 << degree), np.int32)
    for k in range(degree):
        image = np.zeros(1, np.int32)
        for j in range(degree):
            image = np.concatenate([image, image ^ unit[k, j]])
        out = np.concatenate([out, out ^ image])
    return out


def _generators(basis: _Basis, s: int, matrices) -> list[tuple[int, int]]:
    pairs = len(basis.e)
    if s == 1 << pairs:
        return basis.f + basis.free
    generators = []
    for j, (x, z) in enumerate(basis.e):
        for k, (fx, fz) in enumerate(basis.f):
            if matrices[s, 1 << j] >> k & 1:
                x, z = x ^ fx, z ^ fz
        generators.append((x, z))
    return generators + basis.free


def _signs(gx, gz, member):
    """Signs of the products of the generators (D, r) in `member` (D,)."""
    x, z = (np.zeros(len(member), gx.dtype) for _ in range(2))
    power = np.zeros(len(member), np.int64)
    for i in range(gx.shape[1]):
        taken = member >> i & 1
        x, z, more = pauli.product(x, z, taken * gx[:, i], taken * gz[:, i])
        power = (power + more) % 4
    return 1 - power
