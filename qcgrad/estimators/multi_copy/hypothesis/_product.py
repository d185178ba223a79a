"""The hypothesis as a product state: mean-field."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from jaxtyping import Float, Int

from ....cost import Cost
from ....ir.rows import Row
from ....ir.sweep_form import SweepForm
from ._hypothesis import AbstractHypothesis
from ._local import is_plain_string, touched, unitary

_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
# FLOPs for each qubit of a string: one Bloch vector is turned, its factor of <P> multiplied up.
_FLOPS_PER_QUBIT = 30


@dataclass(frozen=True, eq=False)
class Product(AbstractHypothesis):
    r"""\(\sigma = \bigotimes_q (1 + r_q \cdot \vec\sigma)/2\), back to the product of its marginals after every step.

    Carried through \(M = a + bP\) (a gate, or half of an update: \(a = \cosh\tfrac\beta2\),
    \(b = \sinh\tfrac\beta2\)), with \(E_q\) the product of the other qubits' expectations of P's letters and
    \(p\) the axis of its letter at q,

    .. math:: r_\parallel \to \frac{s\,r_\parallel + 2uE_q}{s + 2uE_q r_\parallel}, \quad
        r_\perp \to \frac{(|a|^2 - |b|^2)\,r_\perp - 2vE_q\,p \times r}{s + 2uE_q r_\parallel},
        \qquad s = |a|^2 + |b|^2,\ u + iv = a^* b .

    It holds no correlations: of two strings or more letters it learns only where the other letters are known
    already. In a one-state form the ancilla of the true state has no Y component, so predictions of derivatives stay
    at 0, and the sweep finds the derivatives that are larger than the target error.

    Attributes:
        form: the strings and rows.
        step: rows un-computed so far.
        bloch: (N, 3).
        spent: FLOPs of making it out of the one before.

    Cost: 24 N bytes; about 30 FLOPs for each qubit of a string or gate, 16 8^w for a gate with controls or a matrix
    on w qubits.
    """

    form: SweepForm
    step: int
    bloch: np.ndarray
    spent: int

    @classmethod
    def start(cls, form: SweepForm) -> "Product":
        """The maximally mixed state."""
        return cls(form, 0, np.zeros((form.num_qubits, 3)), 0)

    def predictions(self, order: Int[np.ndarray, "V"]) -> Float[np.ndarray, "V"]:
        n, bloch, step, found = self.form.num_qubits, self.bloch, self.step, []
        for d in order:
            bloch, step = self._carried(bloch, step, d)
            letters = [(q, axis) for q, axis in _letters(int(self.form.x[d]), int(self.form.z[d]), n)]
            found.append(np.prod([bloch[q, axis] for q, axis in letters]))
        return np.array(found)

    def updated(self, component: int, rate: float) -> "Product":
        bloch, step = self._carried(self.bloch, self.step, component)
        x, z = int(self.form.x[component]), int(self.form.z[component])
        half = Row(x, z, 0, np.cosh(rate / 2), np.sinh(rate / 2))
        spent = self._row_flops(self.step, step) + _FLOPS_PER_QUBIT * self.form.num_qubits
        return replace(self, step=step, bloch=_through_string(bloch, half), spent=spent)

    def cost(self, order: Int[np.ndarray, "V"]) -> Cost:
        last = int(self.form.step[order[-1]])
        flops = self.spent + self._row_flops(self.step, last) + _FLOPS_PER_QUBIT * self.form.num_qubits * len(order)
        return Cost(flops=flops, peak_bytes=2 * self.bloch.nbytes)

    @staticmethod
    def largest_cost(form: SweepForm) -> Cost:
        """The most that any hypothesis of the form costs a sweep."""
        whole = Product.start(form)
        strings = _FLOPS_PER_QUBIT * form.num_qubits * (form.num_components + 1)
        flops = whole._row_flops(0, len(form.undo)) + strings
        return Cost(flops=flops, peak_bytes=2 * whole.bloch.nbytes)

    def _carried(self, bloch, step, component):
        for row in self.form.undo[step : self.form.step[component]]:
            bloch = _through_string(bloch, row) if is_plain_string(row) else _through_matrix(bloch, row)
        return bloch, int(self.form.step[component])

    def _row_flops(self, start, stop) -> int:
        total = 0
        for row in self.form.undo[start:stop]:
            width = len(touched(row, self.form.num_qubits))
            total += _FLOPS_PER_QUBIT * width if is_plain_string(row) else 16 * 8**width
        return total


def _letters(x: int, z: int, num_qubits: int):
    """(qubit, axis) of the letters that are not the identity; axis 0, 1, 2 for X, Y, Z."""
    for q in range(num_qubits):
        bits = (x >> (num_qubits - 1 - q) & 1, z >> (num_qubits - 1 - q) & 1)
        if bits != (0, 0):
            yield q, {(1, 0): 0, (1, 1): 1, (0, 1): 2}[bits]


def _through_string(bloch, row: Row):
    """Marginals of M sigma M^dagger / trace for M = a + b P."""
    letters = list(_letters(row.x, row.z, len(bloch)))
    size, difference = abs(row.a) ** 2 + abs(row.b) ** 2, abs(row.a) ** 2 - abs(row.b) ** 2
    cross = np.conj(row.a) * row.b
    along = np.array([bloch[q, axis] for q, axis in letters])
    others = [np.prod(np.delete(along, i)) for i in range(len(letters))]
    out = bloch.copy()
    for (q, axis), r, other in zip(letters, along, others, strict=True):
        turned = difference * bloch[q] - 2 * cross.imag * other * np.cross(np.eye(3)[axis], bloch[q])
        turned[axis] = size * r + 2 * cross.real * other
        out[q] = turned / (size + 2 * cross.real * other * r)
    return out


def _through_matrix(bloch, row: Row):
    """Marginals after a gate with controls or a matrix, on the qubits that it touches."""
    qubits = touched(row, len(bloch))
    matrix, width = unitary(row, len(bloch)), len(qubits)
    factors = [np.einsum("k,kij->ij", [1, *bloch[q]], _PAULIS) / 2 for q in qubits]
    density = matrix @ reduce(np.kron, factors) @ matrix.conj().T
    out = bloch.copy()
    for i, q in enumerate(qubits):
        left, right = 2**i, 2 ** (width - 1 - i)
        marginal = np.einsum("aibajb->ij", density.reshape(left, 2, right, left, 2, right))
        out[q] = np.einsum("kij,ji->k", _PAULIS[1:], marginal).real
    return out
