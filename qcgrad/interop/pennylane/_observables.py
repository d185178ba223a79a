"""PennyLane's measurements as observables, and their results from expectation values."""

import itertools
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from ...array_types import Array, Values
from ...errors import ImportRefused
from ...ir.observable import PauliSum
from ._recorder import Recorder

# Beyond this the Pauli decomposition of a dense matrix (4^n terms) takes too long.
MAX_DENSE_WIRES = 8
# 2^k probabilities are 2^k observables of 2^k terms each.
MAX_PROBS_WIRES = 8


class Readout(NamedTuple):
    """The observables of one measurement.

    Attributes:
        kind: "expval"; "var", from the expectation values of O and of its square; or "probs".
        observables: whose expectation values are needed.
    """

    kind: str
    observables: list[PauliSum]

    def result(self, values: Values) -> Float[Array, "..."]:
        """What PennyLane's measurement returns, from the expectation values of its observables."""
        if self.kind == "expval":
            return values[0]
        return values[1] - values[0] ** 2 if self.kind == "var" else values


def readout(measurement: Any, wires: dict[Any, int], recorder: Recorder) -> Readout:
    """One `qml.expval`, `qml.var` or `qml.probs`.

    Args:
        measurement: PennyLane's measurement process.
        wires: qubit of each wire label.
        recorder: refuses what depends on the arguments.

    Raises:
        ImportRefused: another measurement, a coefficient that depends on the arguments, not Hermitian.
    """
    from pennylane.measurements import ExpectationMP, ProbabilityMP, VarianceMP

    if isinstance(measurement, ProbabilityMP):
        return Readout("probs", _projectors(measurement, wires))
    if not isinstance(measurement, (ExpectationMP, VarianceMP)):
        shown = type(measurement).__name__.removesuffix("MP").lower()
        raise ImportRefused(
            f"the QNode returns {shown} ({measurement}): only qml.expval(...), qml.var(...) and qml.probs(wires=...) "
            "can be differentiated here"
        )
    kind = "expval" if isinstance(measurement, ExpectationMP) else "var"
    if measurement.obs is None:
        raise ImportRefused(f"the QNode returns the {kind} of a mid-circuit measurement: return qml.{kind}(observable)")
    found = pauli_sum(measurement.obs, wires, recorder)
    return Readout(kind, [found] if kind == "expval" else [found, _square(found)])


def pauli_sum(observable: Any, wires: dict[Any, int], recorder: Recorder) -> PauliSum:
    """A Hermitian operator with fixed coefficients."""
    terms = [(letters, labels, recorder.constant(c, "an observable")) for letters, labels, c in pauli_terms(observable)]
    terms = terms or [("", (), np.asarray(0.0))]
    largest = max(1.0, *(abs(complex(c)) for *_, c in terms))
    for letters, _, c in terms:
        if abs(complex(c).imag) > 1e-12 * largest:
            raise ImportRefused(f"the observable {observable} is not Hermitian: {letters} has coefficient {c}")
    placed = [(letters, [wires[w] for w in labels], float(np.real(c))) for letters, labels, c in terms]
    return PauliSum.from_sparse(placed, len(wires))


def pauli_terms(observable: Any) -> list[tuple[str, tuple, Any]]:
    """An operator as (letters, wire labels, coefficient) triples."""
    import pennylane as qml

    sentence: Any = observable.pauli_rep
    if sentence is None:
        if len(observable.wires) > MAX_DENSE_WIRES:
            raise ImportRefused(
                f"operator {observable.name} on {len(observable.wires)} wires has no Pauli form: at most "
                f"{MAX_DENSE_WIRES} wires are decomposed, write it as a sum of Pauli words"
            )
        try:
            matrix = np.asarray(qml.matrix(observable, wire_order=observable.wires))
        except jax.errors.TracerArrayConversionError as error:
            raise ImportRefused(
                f"an observable depends on the arguments: the entries of {observable.name} are among them, and only "
                "angles of gates can be differentiated; give the matrix by keyword"
            ) from error
        except Exception as error:  # each observable class fails in its own way
            raise ImportRefused(f"operator {observable.name} has no Pauli form: {error}") from error
        if not np.all(np.isfinite(matrix)):
            raise ImportRefused(f"the operator {observable.name} has entries that are no finite numbers")
        # By its entries, and up to rounding of the largest; what is left of that is no coefficient.
        adjoint = matrix.conj().T
        if np.abs(matrix - adjoint).max() > 1e-10 * max(1.0, np.abs(matrix).max()):
            raise ImportRefused(f"the operator {observable.name} is not Hermitian")
        matrix = (matrix + adjoint) / 2
        sentence = qml.pauli_decompose(matrix, wire_order=observable.wires, pauli=True, check_hermitian=False)
    return [("".join(word.values()), tuple(word), c) for word, c in sentence.items()]


def _square(observable: PauliSum) -> PauliSum:
    """O^2: products of terms that anticommute cancel."""
    from pennylane.pauli import PauliSentence, PauliWord

    qubits = range(observable.num_qubits)
    words = [PauliWord(dict(zip(qubits, word, strict=True))) for word in observable.words]
    sentence = PauliSentence(dict(zip(words, observable.coefficients.tolist(), strict=True)))
    product = sentence @ sentence
    terms = [("".join(w.values()), tuple(w), float(np.real(c))) for w, c in product.items()]
    return PauliSum.from_sparse(terms, observable.num_qubits)


def _projectors(measurement, wires) -> list[PauliSum]:
    """|b><b| on the measured wires for every outcome b, in PennyLane's order: a mean of signed Z strings."""
    if measurement.obs is not None or measurement.mv is not None:
        raise ImportRefused(f"the QNode returns {measurement}: only qml.probs(wires=...) is differentiated here")
    qubits = [wires[w] for w in measurement.wires] or list(range(len(wires)))
    if len(qubits) > MAX_PROBS_WIRES:
        raise ImportRefused(
            f"the QNode returns qml.probs of {len(qubits)} wires, {2 ** len(qubits)} numbers: at most "
            f"{MAX_PROBS_WIRES} wires are differentiated; return expectation values instead"
        )
    subsets = [s for r in range(len(qubits) + 1) for s in itertools.combinations(range(len(qubits)), r)]
    placed = [("Z" * len(s), [qubits[k] for k in s]) for s in subsets]
    found = []
    for outcome in itertools.product((0, 1), repeat=len(qubits)):
        signs = [(-1.0) ** sum(outcome[k] for k in s) / 2 ** len(qubits) for s in subsets]
        terms = [(*where, sign) for where, sign in zip(placed, signs, strict=True)]
        found.append(PauliSum.from_sparse(terms, len(wires)))
    return found
