"""The hypothesis as a matrix-product operator of bounded bond dimension."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from ....cost import Cost
from ....errors import StateTooLarge
from ....ir.rows import Row
from ....ir.sweep_form import SweepForm
from ....memory import allowed_bytes, require
from ._hypothesis import AbstractHypothesis
from ._local import is_plain_string, touched, unitary

_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
# Position of a letter in `_PAULIS` by its bits (x, z).
_INDEX = {(0, 0): 0, (1, 0): 1, (1, 1): 2, (0, 1): 3}
# Relative weight (sum of squares) that a truncation may drop beyond what `max_bond` asks for: rounding.
_CUTOFF = 1e-28


@dataclass(frozen=True, eq=False)
class MatrixProduct(AbstractHypothesis):
    r"""\(\sigma = 2^{-N} \sum_P c_P P\) with the coefficients \(c_P\) a matrix product of N tensors.

    Gates and updates are products \(\sigma \to M \sigma M^\dagger\) with M itself a matrix product (of bond dimension
    2 for a + b P at any width), so a bond grows by the square of M's and is truncated to `max_bond` again by singular
    values. An update is \(e^{\beta A/2} \sigma e^{\beta A/2}\): matrix multiplicative weights where the strings
    commute, an approximation of it elsewhere.

    Attributes:
        form: the strings and rows.
        max_bond: largest bond dimension kept.
        step: rows un-computed so far.
        tensors: N tensors (left, 4, right).
        spent: FLOPs of making it out of the one before.

    Cost: as if all bonds were full. A gate makes them four times as large; then one QR decomposition (2 m n^2) and one
    singular value decomposition (20 m n^2, complex: times 4 each, a product: times 2) of an m x n matrix a site.

    References:
        J. Gray, "quimb: a python library for quantum information and many-body calculations", J. Open Source
        Softw. 3, 819 (2018).
    """

    form: SweepForm
    max_bond: int
    step: int
    tensors: tuple[np.ndarray, ...]
    spent: int

    @classmethod
    def start(cls, form: SweepForm, max_bond: int) -> "MatrixProduct":
        """The maximally mixed state: only the identity's coefficient is not 0.

        Raises:
            ImportError: quimb is not installed.
            StateTooLarge: bonds that would not fit into memory, were all of them full.
        """
        _quimb()
        require(
            f"hypothesis='mpo' on {form.num_qubits} qubits with max_bond={max_bond} takes",
            _bytes(form.num_qubits, max_bond),
            allowed_bytes(),
            "give a smaller max_bond",
            StateTooLarge,
        )
        one = np.array([1, 0, 0, 0], np.complex128).reshape(1, 4, 1)
        return cls(form, max_bond, 0, (one,) * form.num_qubits, 0)

    def predictions(self, order: Int[np.ndarray, "V"]) -> Float[np.ndarray, "V"]:
        tensors, step, found = self.tensors, self.step, []
        for d in order:
            tensors, step = self._carried(tensors, step, d)
            trace = _coefficient(tensors, 0, 0)
            found.append(_coefficient(tensors, int(self.form.x[d]), int(self.form.z[d])) / trace)
        # Truncated, sigma need not be positive.
        return np.clip(np.array(found), -1, 1)

    def updated(self, component: int, rate: float) -> "MatrixProduct":
        tensors, step = self._carried(self.tensors, self.step, component)
        x, z = int(self.form.x[component]), int(self.form.z[component])
        tensors = self._through(tensors, Row(x, z, 0, np.cosh(rate / 2), np.sinh(rate / 2)))
        tensors = (tensors[0] / _coefficient(tensors, 0, 0), *tensors[1:])
        spent = (step - self.step + 1) * _row_flops(self.form.num_qubits, self.max_bond)
        return replace(self, step=step, tensors=tensors, spent=spent)

    def cost(self, order: Int[np.ndarray, "V"]) -> Cost:
        carried = int(self.form.step[order[-1]]) - self.step
        flops = carried * _row_flops(self.form.num_qubits, self.max_bond)
        flops += len(order) * _string_flops(self.form.num_qubits, self.max_bond)
        return Cost(flops=self.spent + flops, peak_bytes=_bytes(self.form.num_qubits, self.max_bond))

    @staticmethod
    def largest_cost(form: SweepForm, max_bond: int) -> Cost:
        """The most that any hypothesis of the form costs a sweep."""
        n = form.num_qubits
        flops = (len(form.undo) + 1) * _row_flops(n, max_bond) + form.num_components * _string_flops(n, max_bond)
        return Cost(flops=flops, peak_bytes=_bytes(n, max_bond))

    def _carried(self, tensors, step, component):
        for row in self.form.undo[step : self.form.step[component]]:
            tensors = self._through(tensors, row)
        return tensors, int(self.form.step[component])

    def _through(self, tensors, row: Row):
        """Coefficients of M sigma M^dagger, truncated where a bond has outgrown `max_bond`."""
        first, factors = _factors(row, self.form.num_qubits)
        out = list(tensors)
        for q, factor in enumerate(factors, first):
            out[q] = _conjugated(factor, out[q])
        if max(tensor.shape[2] for tensor in out) > self.max_bond:
            out = _truncated(out, self.max_bond)
        return tuple(out)


def _conjugated(factor, tensor):
    """One site of M sigma M^dagger, from M's factor (l, r, 2, 2) and sigma's tensor (u, 4, v): (l^2 u, 4, r^2 v).

    The factor maps coefficients of letters b to those of letters a by

        T[l, m, a, r, t, b] = tr(P_a M_lr P_b M_mt^dagger) / 2,

    where (l, r) are the bonds of M and (m, t) those of its adjoint; u and v are the bonds of sigma. All that point left
    make one bond, and so do all that point right.
    """
    images = np.einsum("lrij,bjk->lrbik", factor, _PAULIS)  # (M P_b)[i, k]
    adjoints = np.einsum("mtjk,aji->mtaik", factor.conj(), _PAULIS)  # (M^dagger P_a)[k, i]
    transfer = np.einsum("lrbik,mtaik->lmartb", images, adjoints) / 2
    (left, right), (u, _, v) = factor.shape[:2], tensor.shape
    return np.einsum("lmartb,ubv->lmuartv", transfer, tensor).reshape(left**2 * u, 4, right**2 * v)


def _factors(row: Row, num_qubits: int):
    """The row as a matrix product: its first qubit, and tensors (left, right, 2, 2) from there to its last."""
    qubits = touched(row, num_qubits)
    first, last = (qubits[0], qubits[-1]) if qubits else (0, 0)
    if is_plain_string(row):
        factors = []
        for q in range(first, last + 1):
            pair = np.zeros((2, 2, 2, 2), np.complex128)
            pair[0, 0], pair[1, 1] = _PAULIS[0], _PAULIS[_letter(row.x, row.z, q, num_qubits)]
            factors.append(pair)
        factors[0] = np.einsum("l,lrij->rij", [row.a, row.b], factors[0])[None]
        factors[-1] = factors[-1].sum(axis=1, keepdims=True)
        return first, factors
    return first, _split(unitary(row, num_qubits), qubits)


def _split(matrix, qubits):
    """A matrix on some qubits as a matrix product, by singular values; qubits in between pass the bond on."""
    width, factors = len(qubits), []
    pairs = [axis for i in range(width) for axis in (i, width + i)]
    rest = matrix.reshape((2,) * (2 * width)).transpose(pairs).reshape(1, -1)
    for i, q in enumerate(qubits):
        bond = len(rest)
        if i:
            passing = np.einsum("lr,ij->lrij", np.eye(bond), np.eye(2))
            factors += [passing] * (q - qubits[i - 1] - 1)
        if i == width - 1:
            factors.append(rest.reshape(bond, 1, 2, 2))
            break
        u, s, v = np.linalg.svd(rest.reshape(bond * 4, -1), full_matrices=False)
        kept = s > 1e-14 * s[0]
        factors.append(u[:, kept].reshape(bond, 2, 2, -1).transpose(0, 3, 1, 2))
        rest = s[kept, None] * v[kept]
    return factors


def _truncated(tensors, max_bond):
    arrays = [tensors[0][0], *tensors[1:-1], tensors[-1][..., 0]]
    state = _quimb().MatrixProductState(arrays, shape="lpr")
    state.compress(max_bond=max_bond, cutoff=_CUTOFF, cutoff_mode="rsum2")
    state.permute_arrays("lpr")
    found = [np.asarray(array) for array in state.arrays]
    return [found[0][None], *found[1:-1], found[-1][..., None]]


def _coefficient(tensors, x: int, z: int) -> float:
    """c_P."""
    row = np.ones((1, 1))
    for q, tensor in enumerate(tensors):
        row = row @ tensor[:, _letter(x, z, q, len(tensors))]
    return float(row[0, 0].real)


def _letter(x: int, z: int, qubit: int, num_qubits: int) -> int:
    place = num_qubits - 1 - qubit
    return _INDEX[x >> place & 1, z >> place & 1]


def _bonds(num_qubits: int, max_bond: int) -> list[tuple[int, int]]:
    """Full bond dimensions left and right of each site; an exact bond needs no more than 4 a qubit."""
    bonds = [min(max_bond, 4**q, 4 ** (num_qubits - q)) for q in range(num_qubits + 1)]
    return list(itertools.pairwise(bonds))


def _row_flops(num_qubits: int, max_bond: int) -> int:
    sizes = [(4 * 4 * left, 4 * right) for left, right in _bonds(num_qubits, max_bond)]
    return sum(8 * (2 + 20) * m * n * min(m, n) for m, n in sizes)


def _string_flops(num_qubits: int, max_bond: int) -> int:
    # The string's coefficient and the identity's.
    return sum(2 * 8 * left * right for left, right in _bonds(num_qubits, max_bond))


def _bytes(num_qubits: int, max_bond: int) -> int:
    return sum(16 * 4 * (4 * left) * (4 * right) for left, right in _bonds(num_qubits, max_bond))


def _quimb():
    try:
        import quimb.tensor as quimb
    except ImportError as error:
        raise ImportError("hypothesis='mpo' needs quimb: pip install 'qcgrad[mpo]'") from error
    return quimb
