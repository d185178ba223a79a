r"""First and second moments of a form's strings, each moved back to the state that is prepared.

String d is measured after `step[d]` rows \(U_d\) were un-computed, so on \(|\Psi\rangle\) it is the operator
\(U_d^\dagger A_d U_d\); its moments are those of the un-computed states.
"""

from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Complex, Float

from ...ir import rows
from ...ir.sweep_form import SweepForm

# Amplitudes of A_i|Psi> carried along at a time: a quarter of a GiB.
_CARRIED_AMPLITUDES = 1 << 24
# Measured: these before and behind a row, their images under its string, and a product.
_COPIES_OF_CARRIED = 6


def _once_per_form(function: Callable[[SweepForm], np.ndarray]) -> Callable[[SweepForm], np.ndarray]:
    """Many sweeps ask of the same form: remember its answer for as long as the form lives."""
    found: WeakKeyDictionary[SweepForm, np.ndarray] = WeakKeyDictionary()

    def remembered(form: SweepForm) -> np.ndarray:
        if form not in found:
            found[form] = function(form)
            found[form].flags.writeable = False
        return found[form]

    remembered.__doc__ = function.__doc__
    return remembered


@_once_per_form
def expectations(form: SweepForm) -> Float[np.ndarray, "D"]:
    """<A_d> for every string, (D,); O((rows + D) 2^N), once for each form."""
    return np.array([rows.expectation(*_masks(form, d), states[0]) for d, states in _carried(form, form.state[None])])


@_once_per_form
def products(form: SweepForm) -> Complex[np.ndarray, "D D"]:
    r"""\(\langle A_i A_j\rangle\), (D, D) Hermitian: real part Re, imaginary part Omega_ij.

    Every vector A_i|Psi> travels along with the state, so each string asks one product with each of those before
    it. Cost: O((rows + D) D 2^N), and D 2^N amplitudes, or 2^24 with one more pass for each as many; once a form.
    """
    count, dimension = form.num_components, 2**form.num_qubits
    together = max(1, _CARRIED_AMPLITUDES // dimension)
    gram = np.zeros((count, count), complex)
    for start in range(0, count, together):
        stop = min(start + together, count)
        vectors = np.zeros((1 + stop - start, dimension), complex)
        vectors[0] = form.state
        for d, carried in _carried(form, vectors):
            if d < start:
                continue
            image = rows.apply_pauli(*_masks(form, d), carried[0])
            known = min(d, stop)
            gram[start:known, d] = carried[1 : 1 + known - start].conj() @ image
            if d < stop:
                carried[1 + d - start] = image
    # Only the part above the diagonal is filled so far.
    gram += gram.conj().T
    np.fill_diagonal(gram, 1)
    return gram


def products_bytes(form: SweepForm) -> int:
    """What `products` holds at its peak."""
    count = form.num_components
    carried = 1 + min(count, max(1, _CARRIED_AMPLITUDES >> form.num_qubits))
    return 2 * 16 * count**2 + _COPIES_OF_CARRIED * form.state_bytes * carried


def _carried(form: SweepForm, states: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each string with the states (..., 2^N) un-computed up to it; writing to them lasts."""
    undone = 0
    for d, step in enumerate(form.step.tolist()):
        states = rows.run(form.undo[undone:step], states)
        undone = step
        yield d, states


def _masks(form, d):
    return int(form.x[d]), int(form.z[d])
