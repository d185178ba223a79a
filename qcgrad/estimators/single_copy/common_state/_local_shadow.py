"""Classical shadows from random letters on each qubit."""

import numpy as np
from jaxtyping import Float

from ....ir import pauli
from ....ir.pull_back import PauliComponents
from ._classical_shadow import ClassicalShadow


class LocalShadow(ClassicalShadow):
    r"""All strings of the gradient from copies measured in X, Y or Z at random on each qubit.

    The letters of a string of weight w are met with probability \(3^{-w}\); then the product of its
    outcomes counts \(3^w\) times, else the copy says 0:

    .. math:: \hat P = \frac{3^w}{N} \sum_{s \text{ matches } P} (\pm 1)_s, \qquad
        \mathrm{Var} = \frac{3^w - \langle P\rangle^2}{N} .

    \(O(3^w \ln(M/\delta)/\epsilon^2)\) copies: for strings on few qubits hardly more than one string takes,
    whatever M; for long ones worse than measuring each alone.

    Args:
        copies: N, one random basis each.

    Access: single copy. Unbiased. The plain mean is taken: where there are few copies for each basis, medians of
    means guard better against outliers, but they have no exact variance.

    Cost: N copies in N circuits, each with one gate more for every qubit.

    Raises:
        ValueError: copies that are no positive integer.
        NotApplicable: a gate behind the first parameterised one is not Clifford at its angle.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), qg.PauliSum("ZI"), ["YI", "XI"])
        >>> e = qg.estimate(pool, [0.5], qg.LocalShadow(copies=20_000), key=0)
        >>> bool(abs(e.gradient[0] - 0.9589) < 5 * e.variance[0] ** 0.5), e.cost.circuit_runs
        (True, 20000)

    References:
        H.-Y. Huang, R. Kueng, J. Preskill, "Predicting many properties of a quantum system from very few
        measurements", Nature Physics 16, 1050 (2020), arXiv:2002.08953.
    """

    ensemble = "local"

    @staticmethod
    def weight(components: PauliComponents) -> Float[np.ndarray, " D"]:
        return 3.0 ** pauli.popcount(components.x | components.z)
