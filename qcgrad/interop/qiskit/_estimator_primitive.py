"""Qiskit's estimator primitive, answered by our backends."""

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int
from qiskit.primitives import BaseEstimatorV2, DataBin, PrimitiveJob, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub, EstimatorPubLike

from ...queries import EXACT, Access
from ._expectations import Elements, Expectations, exact_values, sampled_values
from ._known import KnownCircuit, known_circuit, known_sum
from ._pubs import checked_precision, checked_pubs, values_of
from ._running import Answering, Draws, Seed, backend_or_default, submit


class QcgradEstimator(BaseEstimatorV2):
    r"""Expectation values of Qiskit circuits on qcgrad's engine, where any `BaseEstimatorV2` is expected.

    All parameter values of a pub run as one native batch, and a circuit that is given again is not read again. With a
    precision, outcomes are drawn, and the standard error of each value is the precision at most, **whatever the state
    and however its terms are correlated**: an observable whose terms have coefficients \(c_t\) is measured in product
    bases b, each with

    .. math:: N_b = \lceil \textstyle r_b \sum_{b'} r_{b'} / \mathrm{precision}^2 \rceil, \qquad
        r_b \le \sum_{t \in b} |c_t|,

    shots, where outcomes lie in an interval of length \(2 r_b\), and one or two more for the sample variance. Every
    element of every pub, and every run, has shots of its own.

    Args:
        default_precision: standard error where neither pub nor run name one; 0 for exact values.
        seed: an integer, with which the same runs in the same order draw the same outcomes; a NumPy generator, which is
            drawn from; None for outcomes that nobody can repeat.
        backend: any qcgrad backend that answers `Evaluate`; by default `qcgrad.Statevector()`.

    Returns (of `run(pubs, precision=None).result()`):
        For each pub `data.evs` and `data.stds`, of the shape to which observables and parameter values broadcast:
        values, and standard errors from the sample variances (0 where exact). The metadata hold "target_precision",
        "shots" (in all bases) and "bases" of each observable, "copies" and "circuit_runs" of the pub, "notes" on what
        the import left out and "circuit_metadata"; "bias_bounds" and "fidelity" where the backend states them.

    Raises:
        TypeError, ValueError: when `run` is called: what is no pub; parameters unbound, too many or not finite;
            observables that are not Hermitian or act on other qubits; a precision that is none.
        ImportRefused: when the result is asked for: a circuit that is not unitary up to final measurements.

    Cost: what the queries cost, charged to open ledgers as "QcgradEstimator".

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qcgrad.interop.qiskit import QcgradEstimator
        >>> circuit = QuantumCircuit(2)
        >>> _ = circuit.ry(Parameter("a"), 1)
        >>> estimator = QcgradEstimator(seed=0)
        >>> print(estimator.run([(circuit, [["ZI"], ["IZ"]], [[0.0], [0.5]])]).result()[0].data.evs.round(4))
        [[1.     0.8776]
         [1.     1.    ]]
        >>> found = estimator.run([(circuit, {"ZI": 30, "XI": 40}, [0.5])], precision=0.5).result()[0]
        >>> bool(found.data.stds <= 0.5), found.metadata["copies"]  # in 2 bases, (30 + 40)^2 / 0.5^2
        (True, 19604)

    References:
        Qiskit, "Primitives V2", https://quantum.cloud.ibm.com/docs/api/qiskit/primitives.
    """

    access: ClassVar[Access] = Access.single_copy

    def __init__(self, *, default_precision: float = 0.0, seed: Seed = None, backend: Answering | None = None) -> None:
        self._default_precision = checked_precision("default_precision", default_precision)
        self._seed = seed
        self._draws = Draws(seed)
        self._backend = backend_or_default(backend)

    @property
    def default_precision(self) -> float:
        """Standard error where neither pub nor run name one."""
        return self._default_precision

    @property
    def seed(self) -> Seed:
        """As it was given."""
        return self._seed

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> PrimitiveJob[PrimitiveResult[PubResult]]:
        """A job; see the class for its result."""
        used = self._default_precision if precision is None else checked_precision("precision", precision)
        checked = checked_pubs(pubs, lambda pub: _coerced(pub, used))
        return submit(self._answer, checked, self._draws.next())

    def _answer(self, pubs: list[EstimatorPub], draws: Draws) -> PrimitiveResult[PubResult]:
        return PrimitiveResult([self._answer_pub(pub, draws) for pub in pubs], metadata={"version": 2})

    def _answer_pub(self, pub: EstimatorPub, draws: Draws) -> PubResult:
        known = known_circuit(pub.circuit)
        elements, which = _elements(pub, known)
        if pub.precision:
            found = sampled_values(elements, float(pub.precision), self, self._backend, draws)
        else:
            found = exact_values(elements, self, self._backend)
        return _result(pub, found, which, known.found.notes)


def _coerced(pub: Any, precision: float) -> EstimatorPub:
    found = EstimatorPub.coerce(pub, precision)
    checked_precision("precision", found.precision)
    return found


def _elements(pub: EstimatorPub, known: KnownCircuit) -> tuple[Elements, Int[np.ndarray, "..."]]:
    """What a pub asks for, equal observables once, and which of them stands where in the array of observables."""
    observables = pub.observables.sparse_observables_array()
    places: dict[Any, int] = {}
    which = np.zeros(observables.shape, np.int64)
    for place, observable in np.ndenumerate(observables):
        which[place] = places.setdefault(known_sum(observable, pub.circuit), len(places))
    values = values_of(pub)
    settings = np.arange(len(values)).reshape(pub.parameter_values.shape)
    elements = Elements(
        tuple(places),
        lambda sums: known.objective(sums).program,
        known.angles(values),
        np.broadcast_to(settings, pub.shape).ravel(),
        np.broadcast_to(which, pub.shape).ravel(),
    )
    return elements, which


def _result(pub: EstimatorPub, found: Expectations, which: Int[np.ndarray, "..."], notes: tuple[str, ...]) -> PubResult:
    def shaped(array):
        return array.reshape(pub.shape)

    metadata = {
        "target_precision": pub.precision,
        "shots": found.shots[which],
        "bases": found.bases[which],
        "copies": found.cost.copies,
        "circuit_runs": found.cost.circuit_runs,
        "notes": notes,
        "circuit_metadata": pub.circuit.metadata,
    }
    if found.bias is not None:
        metadata["bias_bounds"] = shaped(found.bias)
    if found.fidelity != EXACT:
        metadata["fidelity"] = str(found.fidelity)
    data = DataBin(evs=shaped(found.mean), stds=shaped(np.sqrt(found.variance)), shape=pub.shape)
    return PubResult(data, metadata=metadata)
