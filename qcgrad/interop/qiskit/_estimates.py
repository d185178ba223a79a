"""Expectation values by Estimators: exact ones, and from a number of shots that is asked for as a precision."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...array_types import Key
from ...ir import pauli
from ...ir.program import MeasurementBasis
from ...queries import Evaluate, Means
from ..sampler._bitstrings import Unusable
from ..sampler._jobs import Job, done
from . import _primitives as primitives
from ._pubs import Template, templates

if TYPE_CHECKING:
    from ._backend import QiskitBackend


def exact(backend: "QiskitBackend", query: Evaluate, before: Any) -> Means:
    """Expectation values of an Estimator that draws no shots."""
    program = query.program
    x, z, coefficients = program.terms
    measured = (x | z) != 0
    observables = _operators(x[measured], z[measured], coefficients[:, measured], program.num_qubits)
    runner = primitives.without_trajectories(backend.primitive, backend.device)

    def jobs(places):
        if not observables:
            return [Job(tuple(places), lambda: list(np.tile(program.constants, (len(places), 1))))]
        circuits = [program.bound(query.angles[place]) for place in places]
        found = templates(places, circuits, [None] * len(places))
        return _jobs(backend, found, lambda label: observables, 0.0, None, read, runner)

    def read(result, template):
        rows = np.tile(program.constants, (len(template.places), 1))
        values, errors = _values(result, template, observables)
        if np.any(errors != 0):
            raise Unusable(f"standard errors of up to {errors.max()} came back where exact values were asked")
        rows[:, list(observables)] += values
        return rows

    return backend.exact_means(query, jobs, before)


def sampled(backend: "QiskitBackend", query: Evaluate, key: Key | None, before: Any) -> Means:
    """Means of shots, one pub for each basis and number of shots: strings of one basis are then measured together."""
    program, bases, shots = query.program, query.program.bases, query.shots_per_setting
    observables = [_of_basis(basis, program.num_qubits) for basis in bases]
    places, outputs = len(shots) * len(bases), program.num_observables

    def jobs(left):
        circuits = [program.bound(query.angles[place // len(bases)]) for place in left]
        found = templates(left, circuits, [(place % len(bases), shots[place // len(bases)]) for place in left])
        made = []
        for count in dict.fromkeys(template.label[1] for template in found):
            some = [template for template in found if template.label[1] == count]
            precision = 1 / np.sqrt(count - 0.5)
            made += _jobs(backend, some, lambda label: observables[label[0]], precision, key, read)
        return made

    def read(result, template):
        basis, count = template.label
        taken = (result.metadata or {}).get("shots")
        if taken != count:
            raise Unusable(
                f"the Estimator says that it took {taken} shots where {count} were asked: give a Sampler, which takes "
                "the number that it is told"
            )
        values, errors = _values(result, template, observables[basis])
        rows = np.zeros((len(template.places), 2, outputs))
        rows[:, 0, list(observables[basis])] = values
        # Worked out from the same shots, so that one degree of freedom is missing; of one shot nothing is known.
        rows[:, 1, list(observables[basis])] = errors**2 * count / (count - 1) if count > 1 else np.nan
        return list(rows)

    def means(rows) -> Means:
        sums = np.sum(np.reshape(rows, (-1, len(bases), 2, outputs)), axis=1)
        dtype = query.angles.dtype
        return Means((sums[:, 0] + program.constants).astype(dtype), sums[:, 1].astype(dtype))

    def known(rows) -> Means | None:
        first = next((i for i, row in enumerate(rows) if row is None), len(rows))
        complete = first - first % len(bases)
        return backend._said(means(rows[:complete])) if complete else None

    if not bases:
        constant = np.tile(program.constants, (len(shots), 1)).astype(query.angles.dtype)
        return Means(constant, np.zeros_like(constant))
    return means(done(type(backend).__name__, ("sampled", shots), jobs, places, backend.retries, before, known))


def _jobs(backend, found: list[Template], observables, precision, key, read, primitive=None):
    """Jobs of pubs with the observables of each label along the first axis and settings along the second."""
    pubs = backend.pubs(found, is_measured=False)
    laid_out = [
        [[_laid_out(operator, pub.circuit)] for operator in observables(pub.template.label).values()] for pub in pubs
    ]
    given = [(pub.circuit, asked, pub.values, precision) for pub, asked in zip(pubs, laid_out, strict=True)]
    return backend.in_jobs(given, [pub.template for pub in pubs], key, read, primitive)


def _laid_out(operator, circuit):
    return operator if circuit.layout is None else operator.apply_layout(circuit.layout)


def _values(result, template, observables) -> tuple[np.ndarray, np.ndarray]:
    """(S, K') expectation values and standard errors."""
    shape = (len(observables), len(template.places))
    values, errors = (np.asarray(part, float) for part in (result.data.evs, result.data.stds))
    if values.size != np.prod(shape) or errors.shape != values.shape:
        raise Unusable(f"values of shape {values.shape} came back where {shape} were asked")
    if not (np.isfinite(values).all() and np.isfinite(errors).all()):
        raise Unusable("expectation values or standard errors came back that are not finite")
    return values.reshape(shape).T, errors.reshape(shape).T


def _of_basis(basis: MeasurementBasis, n: int) -> dict[int, Any]:
    return _operators(basis.x & basis.supports, basis.z & basis.supports, basis.coefficients, n)


def _operators(x, z, coefficients, n: int) -> dict[int, Any]:
    """A Qiskit operator for each observable that any of the strings belongs to."""
    from qiskit.quantum_info import SparsePauliOp

    labels = [pauli.word(int(a), int(b), n)[::-1] for a, b in zip(x, z, strict=True)]
    found = {}
    for k, row in enumerate(coefficients):
        terms = [(label, c) for label, c in zip(labels, row.tolist(), strict=True) if c]
        if terms:
            found[k] = SparsePauliOp.from_list(terms)
    return found
