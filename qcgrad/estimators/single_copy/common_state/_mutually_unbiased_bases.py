"""Pauli strings measured together in mutually unbiased bases."""

import math

import numpy as np

from ....array_types import Angles
from ....errors import NotApplicable
from ....ir import Program
from ....ir.pull_back import PauliComponents
from ....queries import BasisCounts, MeasureBases
from ...accuracy import hoeffding
from ._common_state import CommonStateEstimator, Measurement, equal_shares
from ._commuting_families import Families, joined, spread_families
from ._string_statistics import StringEstimates


class MutuallyUnbiasedBases(CommonStateEstimator):
    r"""All strings of the gradient from at most \(2^m + 1\) stabilizer bases, the best that single copies can do.

    Where the gradient observables pull back to D Pauli strings of one common state, they are divided into
    commuting families by a symplectic spread over GF(2^m), with 2m the rank of the strings' commutation
    relations (m = n for all \(4^n - 1\) strings), and each family is measured in its common eigenbasis. Every copy
    thus tells up to \(2^m - 1\) strings. For an accuracy \(\epsilon\) in all M components that takes
    \(N = 2 (2^n + 1) \ln(2M/\delta)/\epsilon^2\) copies: the square root of M, as the lower bound for single copies.

    Args:
        copies: N, divided equally between the bases that are needed (the first ones get what is left over).
            Strings that only the value needs have bases of their own.

    Access: single copy. Unbiased; sample variances, NaN where a basis gets a single copy.

    Cost: N copies, one circuit for each basis, and a stabilizer basis change on every copy.

    Raises:
        ValueError: copies that are no positive integer, or fewer than bases.
        NotApplicable: a gate behind the first parameterised one is not Clifford at its angle, or m > 12.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> words = ["XX", "YY", "ZZ", "XI", "YI", "XZ", "YX", "XY"]
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), qg.PauliSum("ZI"), words)
        >>> e = qg.estimate(pool, [0.5], qg.MutuallyUnbiasedBases(copies=30_000), key=0)
        >>> direct = qg.estimate(pool, [0.5], qg.DirectPauli(copies=30_000), key=0)
        >>> e.cost.circuit_runs, direct.cost.circuit_runs, bool(abs(e.gradient[4] - 0.9589) < 5 * e.variance[4] ** 0.5)
        (5, 8, True)

    References:
        W. K. Wootters, B. D. Fields, Ann. Phys. 191, 363 (1989); S. Bandyopadhyay et al., Algorithmica 34, 512
        (2002), arXiv:quant-ph/0103162.
    """

    def measurement(self, preparation: Program, angles: Angles, components: PauliComponents) -> Measurement:
        families = _families(components)
        shots = equal_shares(self, "bases", len(families.x))
        return Measurement(MeasureBases(preparation, angles, families.x, families.z, shots), families)

    def estimates(self, measurement: Measurement, components: PauliComponents, answer: BasisCounts) -> StringEstimates:
        return measurement.details.estimates(answer.counts)

    @classmethod
    def copies_for(cls, components: PauliComponents, log: float, epsilon: float) -> float:
        """Hoeffding's inequality: strings of one basis come from the same outcomes, those of others do not."""
        import scipy.sparse as sparse

        if not len(components.x):
            return 1
        families = _families(components)
        strings, bases = np.arange(len(components.x)), len(families.x)
        belongs = sparse.csr_array((np.ones(len(strings)), (strings, families.family)), shape=(len(strings), bases))
        each = hoeffding((abs(components.gradient) @ belongs).power(2).sum(axis=1), log, epsilon)
        return bases * max(1, math.ceil(each))


def _families(components: PauliComponents) -> Families:
    """The gradient's strings first: those that only the value needs could double the number of their bases."""
    x, z, in_gradient = components.x, components.z, np.diff(components.gradient.tocsc().indptr) > 0
    order = np.argsort(~in_gradient, kind="stable")
    count = int(in_gradient.sum())
    try:
        parts = [spread_families(x[part], z[part]) for part in (order[:count], order[count:]) if len(part)]
    except ValueError as error:
        raise NotApplicable(f"MutuallyUnbiasedBases: {error}; use DirectPauli or LocalShadow") from error
    families = parts[0] if len(parts) == 1 else joined(*parts)
    back = np.argsort(order)
    return families._replace(family=families.family[back], member=families.member[back], sign=families.sign[back])
