"""PennyLane's measurements as observables."""

from typing import Any

import jax
import numpy as np

from ..errors import ImportRefused
from ..ir.observable import PauliSum

# Beyond this the Pauli decomposition of a dense matrix (4^n terms) takes too long.
_MAX_DENSE_WIRES = 8


def pauli_sum(measurement: Any, wires: dict[Any, int], recorder) -> PauliSum:
    """The observable of one `qml.expval`.

    Args:
        measurement: PennyLane's measurement process.
        wires: qubit of each wire label.
        recorder: notes constants.

    Raises:
        ImportRefused: another measurement, a coefficient that depends on the arguments, not Hermitian.
    """
    from pennylane.measurements import ExpectationMP

    if not isinstance(measurement, ExpectationMP):
        shown = type(measurement).__name__.removesuffix("MP").lower()
        raise ImportRefused(
            f"the QNode returns {shown} ({measurement}): only qml.expval(...) can be differentiated here"
        )
    if measurement.obs is None:
        raise ImportRefused("the QNode returns the expval of a mid-circuit measurement: return qml.expval(observable)")
    terms = [(letters, labels, recorder.constant(c, "an observable")) for letters, labels, c in _terms(measurement.obs)]
    terms = terms or [("", (), np.asarray(0.0))]
    largest = max(1.0, *(abs(complex(c)) for *_, c in terms))
    for letters, _, c in terms:
        if abs(complex(c).imag) > 1e-12 * largest:
            raise ImportRefused(f"the observable {measurement.obs} is not Hermitian: {letters} has coefficient {c}")
    placed = [(letters, [wires[w] for w in labels], float(np.real(c))) for letters, labels, c in terms]
    return PauliSum.from_sparse(placed, len(wires))


def _terms(observable):
    """(letters, wire labels, coefficient) triples."""
    import pennylane as qml

    sentence: Any = observable.pauli_rep
    if sentence is None:
        if len(observable.wires) > _MAX_DENSE_WIRES:
            raise ImportRefused(
                f"observable {observable.name} on {len(observable.wires)} wires has no Pauli form: at most "
                f"{_MAX_DENSE_WIRES} wires are decomposed, write it as a sum of Pauli words"
            )
        try:
            matrix = np.asarray(qml.matrix(observable, wire_order=observable.wires))
        except jax.errors.TracerArrayConversionError as error:
            raise ImportRefused(
                f"an observable depends on the arguments: the entries of {observable.name} are among them, and only "
                "angles of gates can be differentiated; give the matrix by keyword"
            ) from error
        except Exception as error:  # each observable class fails in its own way
            raise ImportRefused(f"observable {observable.name} has no Pauli form: {error}") from error
        if np.abs(matrix - matrix.conj().T).max() > 1e-10:
            raise ImportRefused(f"the observable {observable.name} is not Hermitian")
        sentence = qml.pauli_decompose(matrix, wire_order=observable.wires, pauli=True, check_hermitian=False)
    # A list first: in two traces of the same QNode the order of terms must agree.
    return [("".join(word.values()), tuple(word), c) for word, c in sentence.items()]
