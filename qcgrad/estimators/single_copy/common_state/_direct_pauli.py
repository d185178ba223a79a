"""Every Pauli string measured on its own copies."""

import math

from ....array_types import Angles
from ....ir import Program
from ....ir.pull_back import PauliComponents
from ....queries import BasisCounts, MeasureBases
from ...accuracy import hoeffding
from ._common_state import CommonStateEstimator, Measurement, equal_shares
from ._commuting_families import one_by_one
from ._string_statistics import StringEstimates


class DirectPauli(CommonStateEstimator):
    r"""Each string of the gradient measured alone, on an equal share of the copies.

    Where the gradient observables pull back to D Pauli strings of one common state, each is measured
    qubit by qubit and its \(\pm1\) outcomes are averaged: \(\mathrm{Var} = (1 - \langle P\rangle^2)\,D/N\). For an
    accuracy \(\epsilon\) in all M components that takes \(N = 2 D \ln(2M/\delta)/\epsilon^2\) copies, linear in M: the
    cost that knows of no sharing, as `ParameterShift` does with two circuits for each component.

    Args:
        copies: N, divided equally between the strings (the first ones get what is left over).

    Access: single copy. Unbiased; sample variances, NaN where a string gets a single copy.

    Cost: N copies, D circuits, one rotation for each qubit measured in X or Y.

    Raises:
        ValueError: copies that are no positive integer, or fewer than strings.
        NotApplicable: a gate behind the first parameterised one is not Clifford at its angle.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), qg.PauliSum("ZI"), ["YI", "XI"])
        >>> e = qg.estimate(pool, [0.5], qg.DirectPauli(copies=30_000), key=0)
        >>> e.cost.circuit_runs, bool(abs(e.gradient[0] - 0.9589) < 5 * e.variance[0] ** 0.5)  # <X>, <Y> and <Z>
        (3, True)

    References:
        A. Abbas et al., "On quantum backpropagation, information reuse, and cheating measurement collapse",
        NeurIPS 2023, arXiv:2305.13362.
    """

    def measurement(self, preparation: Program, angles: Angles, components: PauliComponents) -> Measurement:
        families = one_by_one(components.x, components.z)
        shots = equal_shares(self, "Pauli strings", len(families.x))
        return Measurement(MeasureBases(preparation, angles, families.x, families.z, shots), families)

    def estimates(self, measurement: Measurement, components: PauliComponents, answer: BasisCounts) -> StringEstimates:
        return measurement.details.estimates(answer.counts)

    @classmethod
    def copies_for(cls, components: PauliComponents, log: float, epsilon: float) -> float:
        """Hoeffding's inequality, for strings that have copies of their own."""
        each = hoeffding(components.gradient.power(2).sum(axis=1), log, epsilon)
        return len(components.x) * max(1, math.ceil(each))
