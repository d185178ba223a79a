"""Classical shadows from random stabilizer bases of all qubits."""

import numpy as np
from jaxtyping import Float

from ....ir.pull_back import PauliComponents
from ._classical_shadow import ClassicalShadow


class CliffordShadow(ClassicalShadow):
    r"""All strings of the gradient from copies measured in uniformly random stabilizer bases.

    A basis contains a given string with probability \(1/(2^n + 1)\); then its outcome \(\pm1\) counts
    \(2^n + 1\) times, else the copy says 0:

    .. math:: \hat P = \frac{2^n + 1}{N} \sum_{s:\, P \in S_s} (\pm 1)_s, \qquad
        \mathrm{Var} = \frac{2^n + 1 - \langle P\rangle^2}{N} .

    The bases are drawn before anything is known of the gradient, which costs a logarithm where
    `MutuallyUnbiasedBases` needs to know the strings: \(O(2^n \ln(M/\delta)/\epsilon^2)\) copies.

    Args:
        copies: N, one random basis each.

    Access: single copy. Unbiased. The plain mean is taken: where there are few copies for each basis, medians of
    means guard better against outliers, but they have no exact variance.

    Cost: N copies in N circuits, each with the gates of a general stabilizer basis change.

    Raises:
        ValueError: copies that are no positive integer.
        NotApplicable: a gate behind the first parameterised one is not Clifford at its angle.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), qg.PauliSum("ZI"), ["YI", "XI"])
        >>> e = qg.estimate(pool, [0.5], qg.CliffordShadow(copies=20_000), key=0)
        >>> bool(abs(e.gradient[0] - 0.9589) < 5 * e.variance[0] ** 0.5), e.cost.circuit_runs
        (True, 20000)

    References:
        H.-Y. Huang, R. Kueng, J. Preskill, "Predicting many properties of a quantum system from very few
        measurements", Nature Physics 16, 1050 (2020), arXiv:2002.08953.
    """

    ensemble = "clifford"

    @staticmethod
    def weight(components: PauliComponents) -> Float[np.ndarray, " D"]:
        return np.full(len(components.x), 2.0**components.preparation.num_qubits + 1)
