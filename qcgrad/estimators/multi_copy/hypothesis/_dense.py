"""The hypothesis as a density matrix, updated by exact matrix multiplicative weights."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from ....cost import Cost
from ....errors import StateTooLarge
from ....ir import rows
from ....ir.sweep_form import SweepForm
from ....memory import allowed_bytes, require
from ._hypothesis import AbstractHypothesis

# Strings held beside the D pulled-back ones: exponent, state, eigenvectors, one to work in.
_WORKSPACE = 4


@dataclass(frozen=True, eq=False)
class Dense(AbstractHypothesis):
    r"""\(\sigma \propto \exp(\sum_t \beta_t A_t)\), all strings pulled back to the frame of the prepared state.

    Pulled back once, the strings make a prediction one matrix-vector product, however many gates lie between. Forms
    of one program share them; each is charged as if it had its own.

    Attributes:
        strings: (D, 2 * 4^N) real and imaginary parts of \(W_d^\dagger A_d W_d\), with \(W_d\) the rows
            un-computed before string d.
        exponent: (2^N, 2^N), \(\sum_t \beta_t A_t\).
        state: (2^N, 2^N).
        spent: FLOPs of making it out of the one before.

    Cost: 16 (D + 4) 4^N bytes; a start 8 D 8^N + 28 R 4^N FLOPs for R rows, a prediction 4 4^N for each string, an
    update 44 8^N (36 m^3 for the eigenvectors of a Hermitian m x m matrix, 8 m^3 for a product).
    """

    strings: np.ndarray
    exponent: np.ndarray
    state: np.ndarray
    spent: int

    @classmethod
    def start(cls, form: SweepForm) -> "Dense":
        """The maximally mixed state.

        Raises:
            StateTooLarge: before anything is allocated, with the number of bytes.
        """
        require(
            f"hypothesis='dense' on {form.num_qubits} qubits with {form.num_components} strings takes",
            _bytes(form),
            allowed_bytes(),
            "use hypothesis='mpo' (bounded bond dimension) or 'product'",
            StateTooLarge,
        )
        dimension = 2**form.num_qubits
        strings = np.empty((form.num_components, dimension, dimension), np.complex128)
        carried, done = np.eye(dimension, dtype=np.complex128), 0  # row i is W|i>
        for d in range(form.num_components):
            carried, done = rows.run(form.undo[done : form.step[d]], carried), int(form.step[d])
            image = rows.apply_pauli(int(form.x[d]), int(form.z[d]), carried)
            np.matmul(carried.conj(), image.T, out=strings[d])
        flat = strings.reshape(len(strings), -1).view(np.float64)
        zero = np.zeros((dimension, dimension), np.complex128)
        return cls(flat, zero, np.eye(dimension, dtype=np.complex128) / dimension, _start_flops(form))

    def predictions(self, order: Int[np.ndarray, "V"]) -> Float[np.ndarray, "V"]:
        # tr(A sigma) of two Hermitian matrices is the dot product of their real and imaginary parts.
        return np.clip(self.strings[order] @ self.state.reshape(-1).view(np.float64), -1, 1)

    def updated(self, component: int, rate: float) -> "Dense":
        string = self.strings[component].view(np.complex128).reshape(self.state.shape)
        exponent = self.exponent + rate * string
        energies, vectors = np.linalg.eigh(exponent)
        weights = np.exp(energies - energies[-1])
        state = (vectors * (weights / weights.sum())) @ vectors.conj().T
        return replace(self, exponent=exponent, state=state, spent=_update_flops(len(state)))

    def cost(self, order: Int[np.ndarray, "V"]) -> Cost:
        flops = self.spent + 2 * self.strings.shape[1] * len(order)
        return Cost(flops=flops, peak_bytes=self.strings.nbytes + _WORKSPACE * self.state.nbytes)

    @staticmethod
    def largest_cost(form: SweepForm) -> Cost:
        """The most that any hypothesis of the form costs a sweep."""
        dimension = 2**form.num_qubits
        making = max(_start_flops(form), _update_flops(dimension))
        return Cost(flops=making + 4 * dimension**2 * form.num_components, peak_bytes=_bytes(form))


def _bytes(form) -> int:
    return 16 * (form.num_components + _WORKSPACE) * 4**form.num_qubits


def _start_flops(form) -> int:
    return 8 * form.num_components * 8**form.num_qubits + 28 * len(form.undo) * 4**form.num_qubits


def _update_flops(dimension) -> int:
    return 44 * dimension**3
