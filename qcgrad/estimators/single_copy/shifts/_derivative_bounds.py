r"""How large an expectation value's derivatives can be, and how much evaluations of it fluctuate, at worst.

In one gate angle an expectation value is \(\sum_\omega a_\omega e^{i\omega\theta}\) with \(|\omega| \le \Omega_a\), the
spread of the generator's eigenvalues; along a line \(\theta + t v\) its frequencies are at most
\(\Omega_v = \sum_a |v_a|\,\Omega_a\). Less the observable's identity it lies between -R and R, R the sum of the other
|coefficients|. So by Bernstein's inequality, whatever the frequencies in between,

.. math:: |\partial_t^m F| \le \Omega_v^m\, R .

References:
    S. Bernstein, Mem. Acad. R. Belg. 4, 1 (1912); R. P. Boas, "Entire Functions" (1954), theorem 11.1.2.
"""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from ....array_types import Array
from ....arrays import namespace
from ....ir import Program
from ....ir.gates import Gate, frequencies


@lru_cache(maxsize=32)
def bandwidths(gates: tuple[Gate, ...]) -> Float[np.ndarray, "A"]:
    """(A,) the fastest frequency in the angle of each parameterised gate."""
    return np.array([_bandwidth(gate) for gate in gates], float)


def ranges(program: Program) -> Float[np.ndarray, "K"]:
    """(K,) R of each observable."""
    x, z, coefficients = program.terms
    return np.abs(coefficients[:, (x | z) != 0]).sum(axis=1)


def ranges_along(program: Program, cotangents: Float[Array, "C K"]) -> Float[Array, "C"]:
    """(C,) R of each combination of observables."""
    x, z, coefficients = program.terms
    return abs(namespace(cotangents).asarray(cotangents) @ coefficients[:, (x | z) != 0]).sum(axis=1)


def spreads(program: Program) -> Float[np.ndarray, "K"]:
    """(K,) the largest variance of one shot in every basis: the sum of squared ranges of the bases."""
    found = [np.abs(basis.coefficients).sum(axis=1) ** 2 for basis in program.bases]
    return np.sum(found, axis=0) if found else np.zeros(program.num_observables)


def spread_along(program: Program, cotangents: Float[np.ndarray, "C K"]) -> float:
    """The largest of that for any of the combinations."""
    each = [np.abs(cotangents @ basis.coefficients).sum(axis=1) ** 2 for basis in program.bases]
    return float(np.max(np.sum(each, axis=0))) if each else 0.0


def relative_spread(program: Program) -> float:
    """Spread over squared range, for the worst observable: at most 1, and 1 where there is one basis."""
    size = ranges(program)
    return float(np.max(spreads(program)[size > 0] / size[size > 0] ** 2, initial=0.0))


def relative_rounding(program: Program, dtype: np.dtype) -> float:
    """How far rounding moves an exact expectation value, to first order, in units of the sum of |coefficients|.

    Each gate is off by a few roundings of the state's norm.
    """
    return 4 * (program.num_gates + 4) * float(np.finfo(dtype).eps)


def rounding_over_range(program: Program, dtype: np.dtype) -> float:
    """The same in units of R, for the worst observable."""
    size = ranges(program)
    whole = np.abs(program.terms[2]).sum(axis=1)
    worst = float(np.max(whole[size > 0] / size[size > 0], initial=1.0))
    return relative_rounding(program, dtype) * worst


def _bandwidth(gate: Gate) -> float:
    gaps = frequencies(gate)
    if gaps is not None:
        return gaps[-1] if gaps else 0.0
    # The eigenvalues of a sum of Pauli strings lie between plus and minus the sum of |coefficients|.
    return 2 * math.fsum(
        abs(c) for w, c in zip(gate.detail.words, gate.detail.coefficients, strict=True) if set(w) - {"I"}
    )
