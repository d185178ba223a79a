"""Answers hold what was predicted, and what does not fit is refused before it is allocated."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimators.single_copy import string_statistics
from qcgrad.ir.mixture import Mixture
from qcgrad.ir.sweep_form import one_state_forms
from qcgrad.queries import (
    BellSample,
    MajorityVotes,
    MeasureBases,
    MeasureComponent,
    PointerSweep,
    RandomizedMeasure,
    ThresholdSweep,
)
from qcgrad.simulators.multicopy import symmetric

from ..peaks import peaks

KEY = jax.random.key(0)
NO_ANGLES = np.zeros(0)


def prepared(num_qubits: int):
    """A program whose state has no idle qubit."""
    circuit = qg.Circuit(num_qubits)
    for q in range(num_qubits):
        circuit = circuit.ry(q, 0.3 + 0.1 * q)
    for q in range(num_qubits - 1):
        circuit = circuit.cx(q, q + 1)
    return qg.Expectation(circuit, "Z" * num_qubits).program


def noisy(num_qubits: int, members: int):
    angles = np.linspace(0.1, 0.9, members)
    circuits = [prepared(num_qubits).circuit.ry(0, float(angle)) for angle in angles]
    return Mixture([(1 / members, circuit) for circuit in circuits])


def form(num_qubits: int, strings: int):
    """A sweep over strings of one derivative each."""
    circuit = qg.Circuit(num_qubits)
    for q in range(num_qubits):
        circuit = circuit.ry(q, 0.2 + 0.1 * q)
    for j in range(strings - 1):
        q = j % num_qubits
        circuit = (circuit.rx if j // num_qubits % 2 else circuit.ry)(q, param=j)
        circuit = circuit.cx(q, (q + 1) % num_qubits) if num_qubits > 1 else circuit
    return one_state_forms(qg.Expectation(circuit, "Z" * num_qubits).program, np.full(strings - 1, 0.1), "terms")[0]


def checks(swept, copies: int, backaction):
    order = np.arange(swept.num_components)
    # Wide margins: no check stops.
    return ThresholdSweep(swept, order, np.zeros(len(order)), copies, 3.0, np.sqrt(copies), backaction)


def fresh(make):
    """The same, with nothing remembered of the modes."""
    return lambda: (symmetric._fock.cache_clear(), make())[1]


def needed(query, max_bytes=1) -> int:
    """The bytes that a refusal names, of what is refused last: checks of states come before."""
    with pytest.raises(qg.StateTooLarge) as refusal:
        qg.Statevector(max_bytes=max_bytes).answer(query, KEY)
    return named(refusal.value)


def named(refusal) -> int:
    """The first number of bytes behind the verb of a refusal."""
    words = str(refusal).replace(" holds 6 states, ", " take ").replace(" takes ", " take ").split(" take ")[-1]
    return int(words.split()[0].replace(",", ""))


def answered(make, max_bytes=1):
    """(predicted bytes, work) of a query, made anew each time, since some of what it holds is remembered."""

    def case():
        return needed(make(), max_bytes), lambda: qg.Statevector().answer(make(), KEY)

    return case


def pairs(program, count):
    return lambda: BellSample(program, NO_ANGLES, count)


def strings(num_qubits, sets, width):
    """Sets of Z on the first `width` qubits, so of commuting strings."""
    z = np.tile(1 << np.arange(width), (sets, 1))
    program = prepared(num_qubits)
    return lambda: MeasureBases(program, NO_ANGLES, np.zeros_like(z), z, np.full(sets, 100))


def random_bases(num_qubits, ensemble, shots):
    program = prepared(num_qubits)
    return lambda: RandomizedMeasure(program, NO_ANGLES, ensemble, shots)


def votes(num_qubits):
    x, z = np.random.default_rng(0).integers(1 << num_qubits, size=(2, 40))
    program = prepared(num_qubits)
    return lambda: MajorityVotes(program, NO_ANGLES, x, z, np.ones(40), 100)


def shifted(gates):
    circuit = qg.Circuit(2)
    for j in range(gates):
        circuit = circuit.ry(j % 2, param=j)
    objective = qg.Expectation(circuit, "ZZ")

    def case():
        settings = 8 * gates * (1 + 2 * gates)
        # Copies of a slice, as studies count them.
        predicted = settings + 4 * min(settings, 32 << 20)
        return predicted, lambda: qg.estimate(objective, np.full(gates, 0.1), qg.ParameterShift()).gradient

    return case


def summed(copies):
    """The variance of an observable of many strings, from random local bases."""
    n = 6
    words = ["".join("XYZ"[j // 3**q % 3] if q in (j % n, (j + 1) % n) else "I" for q in range(n)) for j in range(60)]
    objective = qg.Expectation(prepared(n).circuit.ry(0, param=0), qg.PauliSum(dict.fromkeys(words, 1.0)))

    def case():
        sizes = []
        record = SimpleNamespace(require=lambda *arguments: sizes.append(arguments[1]))
        real, string_statistics.require = string_statistics.require, record.require
        estimate = lambda: qg.estimate(objective, [0.1], qg.LocalShadow(copies), key=0).value  # noqa: E731
        estimate()
        string_statistics.require = real
        shadow = needed(random_bases(n, "local", copies)())
        return max(sizes) + shadow // 4, estimate

    return case


CASES = {
    "Bell pairs": answered(pairs(prepared(4), 2_000_000)),
    "Bell pairs of a mixture": answered(pairs(noisy(3, 6), 2_000_000)),
    "states of a mixture": answered(pairs(noisy(18, 24), 10), max_bytes=2000),
    "a state that is voted on": answered(votes(20)),
    "outcome counts": answered(strings(16, 200, 16)),
    "single strings": answered(strings(10, 1_000_000, 1)),
    "random local bases": answered(random_bases(7, "local", 400_000)),
    "random local bases, few qubits": answered(random_bases(3, "local", 2_000_000)),
    "random stabilizer bases": answered(random_bases(7, "clifford", 300_000)),
    "random stabilizer bases, few qubits": answered(random_bases(3, "clifford", 2_000_000)),
    "outcomes of sweeps": answered(lambda: PointerSweep(form(2, 100), 100, 1.0, 50_000), max_bytes=2**17),
    "states of sweeps": answered(lambda: PointerSweep(form(19, 3), 100, 1.0)),
    "one component": answered(lambda: MeasureComponent(form(19, 3), 2, 100)),
    "exact back-action": answered(fresh(lambda: checks(form(2, 4), 18, "exact")), max_bytes=2**16),
    "Gaussian back-action": answered(lambda: checks(form(3, 1500), 10**6, "gaussian"), max_bytes=2**17),
    "Gaussian back-action, large states": answered(lambda: checks(form(15, 30), 10**6, "gaussian"), max_bytes=2**23),
    "shifted angles": shifted(3000),
}
