"""Circuits with inserted strings: how many there are, what they measure, and what of it is known beforehand."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.observable import qubit_wise_groups
from theory.statistics import key, normal, student, variance_ratio

MODES = ("standard", "reversed", "direct", "reversed-direct", "auto")
ANGLES = np.array([0.4, -0.9, 1.3, 0.7])


def right(objective, params):
    return np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)


def circuits_of(objective, estimator):
    """Without the one for the value; with a shot each, so that bases count."""
    return qg.predict_cost(objective, estimator).circuit_runs - len(objective.program.bases)


def layered(n, layers):
    """RY on all qubits, then CNOTs in a row, so many times."""
    circuit = qg.Circuit(n)
    for layer in range(layers):
        for q in range(n):
            circuit = circuit.ry(q, param=layer * n + q)
        for q in range(n - 1):
            circuit = circuit.cx(q, q + 1)
    return circuit


def test_counts_follow_the_papers_table():
    """M = 12 rotations in 3 layers, an observable of 3 strings in 2 bases."""
    objective = qg.Expectation(layered(4, 3), "ZZII + IIZZ + XXXX")
    counts = {mode: circuits_of(objective, qg.HadamardTest(1, mode)) for mode in MODES}
    assert counts == {"standard": 24, "reversed": 9, "direct": 48, "reversed-direct": 18, "auto": 9}
    assert circuits_of(objective, qg.LinearCombination(1)) == 24
    # One string more in the same bases makes strings at the end dear.
    several = qg.Expectation(layered(2, 4), {"ZZ": 1.0, "ZI": 1.0, "IZ": 1.0})
    assert [circuits_of(several, qg.HadamardTest(1, mode)) for mode in ("standard", "reversed", "auto")] == [8, 12, 8]


def test_each_layer_is_shared_out_by_what_is_cheaper():
    """A rotation takes one circuit of its own; an evolution of five strings shares those of a layer's string of O."""
    hamiltonian = qg.PauliSum("ZZI + ZIZ + IZZ + ZII + IZI")
    circuit = qg.Circuit(4).h(0).h(1).h(2).evolution(hamiltonian, (0, 1, 2), param=0).ry(3, param=1)
    objective = qg.Expectation(circuit, "XYXI + IIIX")
    counts = [circuits_of(objective, qg.HadamardTest(1, mode)) for mode in ("standard", "reversed", "auto")]
    assert counts == [6, 2, 2]
    three = qg.Expectation(circuit, "XYXI + YXXI + IXXI + IIIX")
    counts = [circuits_of(three, qg.HadamardTest(1, mode)) for mode in ("standard", "reversed", "auto")]
    bases = len(three.program.bases)
    assert counts == [6 * bases, 4, 4]


@pytest.mark.parametrize("mode", MODES)
def test_gates_that_no_observable_sees_take_no_circuit(mode):
    """RX(2) lies outside of the light cone, and a global phase changes nothing."""
    circuit = qg.Circuit(70).ry(0, param=0).cx(0, 69).ry(69, param=1).rx(2, param=2)
    circuit = circuit.add(qg.Gate("gphase", (), 3))
    objective = qg.Expectation(circuit, 69 * "I" + "X")
    found = qg.estimate(objective, ANGLES, qg.HadamardTest(mode=mode))
    np.testing.assert_allclose(found.gradient, right(objective, ANGLES), atol=1e-14)
    assert circuits_of(objective, qg.HadamardTest(1, mode)) == {"direct": 4, "reversed-direct": 4}.get(mode, 2)
    sampled = qg.estimate(objective, ANGLES, qg.HadamardTest(100, mode), key=0)
    assert sampled.variance[2:].tolist() == [0, 0]


@pytest.mark.parametrize("mode", MODES)
def test_a_constant_takes_no_circuit(mode):
    objective = qg.Expectation(layered(2, 2), ["3*II", {"ZI": 0.0}])
    found = qg.estimate(objective, ANGLES, qg.HadamardTest(10, mode), key=0)
    assert found.cost.circuit_runs == 0
    assert not np.any(found.gradient)
    assert not np.any(found.variance)


@pytest.mark.parametrize("mode", MODES)
def test_generators_of_a_layer_that_differ_on_a_qubit_are_measured_together(mode):
    """XX, YY and ZZ commute: one circuit for the layer behind a basis change, and all values right."""
    circuit = qg.Circuit(2).ry(0, 0.3).rx(1, 0.8)
    circuit = circuit.rxx(0, 1, param=0).ryy(0, 1, param=1).rzz(0, 1, param=2).rz(0, 0.4).p(1, param=3, scale=-2.0)
    objective = qg.Expectation(circuit, ["XZ", "YI + 0.5*II"])
    found = qg.estimate(objective, ANGLES, qg.HadamardTest(mode=mode))
    np.testing.assert_allclose(found.gradient, right(objective, ANGLES), atol=1e-14)
    single = qg.Expectation(circuit, "XZ")
    assert circuits_of(single, qg.HadamardTest(1, "reversed")) == 2
    x, z = np.array([3, 3, 0]), np.array([0, 3, 3])
    assert len(qubit_wise_groups(x, z)) == 3


def test_one_circuit_for_each_gate_whatever_its_generator():
    """Strings of a controlled rotation, a controlled phase, an evolution: 2, 3 and 4."""
    hamiltonian = qg.PauliSum("XX - 0.5*ZZ + 0.3*YI - 2.0*IZ + 7.0*II")
    circuit = qg.Circuit(3).h(0).ry(1, 0.7).cry(0, 1, param=0).cp(1, 2, param=1).h(2)
    circuit = circuit.evolution(hamiltonian, (2, 0), param=2).ry(1, param=3)
    objective = qg.Expectation(circuit, {"XIZ": 1.0, "IXI": -0.5})
    found = qg.estimate(objective, ANGLES, qg.LinearCombination())
    np.testing.assert_allclose(found.gradient, right(objective, ANGLES), atol=1e-13)
    assert (circuits_of(objective, qg.LinearCombination(1)), found.cost.qubits) == (4, 3 + 1 + 2)
    assert circuits_of(objective, qg.HadamardTest(1)) == 2 + 3 + 4 + 1
    # Both take the same copies: 2 log(2M/delta) (2 Lambda |O|)^2 / epsilon^2 for each gate.
    point, _ = qg.objective.point_at(objective, ANGLES)
    tests = [qg.LinearCombination(2).for_point(point, 0.01, 0.1), qg.HadamardTest(2).for_point(point, 0.01, 0.1)]
    one, other = (sum(e.shots[1:]) for e in tests)
    assert abs(one / other - 1) < 1e-3
    wide = qg.Circuit(4).evolution(qg.PauliSum([(w, 1.0) for w in WORDS]), (0, 1, 2, 3), param=0)
    with pytest.raises(qg.NotApplicable, match=r"gate evolution on qubits .* has 9: use"):
        qg.predict_cost(qg.Expectation(wide, "XXXX"), qg.LinearCombination())


WORDS = ["ZIII", "IZII", "IIZI", "IIIZ", "ZZII", "ZIZI", "ZIIZ", "IZZI", "IZIZ"]


@pytest.mark.statistical
def test_the_variance_of_one_gate_is_known():
    """Of N shots (1 - g^2)/N, and (1 - g^2 - c^2)/N of the shift rule: c^2 is 0.16 here, and 10 % would be found."""
    objective, angle, shots, seeds = (
        qg.Expectation(qg.Circuit(1).rx(0, 0.8).ry(0, param=0).rx(0, 0.6), "Z"),
        1.1,
        40,
        5000,
    )
    up, down = (float(qg.estimate(objective, [angle + s * np.pi / 2], qg.Adjoint()).value) for s in (1, -1))
    g, c = (up - down) / 2, (up + down) / 2
    assert abs(c) > 0.4
    for estimator, variance in ((qg.HadamardTest(shots), 1 - g**2), (qg.ParameterShift(shots // 2), 1 - g**2 - c**2)):
        found = spread_over_seeds(objective, [angle], estimator, seeds)
        # The fourth moment of 40 outcomes is close to that of a normal distribution.
        assert abs(np.mean((found.gradient - g) ** 2) * shots / variance - 1) < normal() * np.sqrt(2.2 / seeds)
        off = student(seeds - 1) * np.std(found.variance) / np.sqrt(seeds)
        assert abs(np.mean(found.variance) - variance / shots) < off


def spread_over_seeds(objective, params, estimator, seeds):
    """Estimates at many seeds, in NumPy."""
    keys = jax.random.split(key(3), seeds)
    found = jax.jit(jax.vmap(lambda key: qg.estimate(objective, np.asarray(params), estimator, key=key)))(keys)
    return jax.tree.map(np.asarray, found)


@pytest.mark.statistical
@pytest.mark.parametrize("estimator", [qg.HadamardTest(100, "reversed"), qg.CommutingBlock(100)], ids=repr)
def test_variances_of_sums_count_what_is_measured_together(estimator):
    """One parameter drives three gates of a layer; 2000 seeds find a variance that is off by 20 %.

    Without covariances it would be off by more: shown last.
    """
    circuit = qg.Circuit(3).ry(0, 0.4).ry(1, 0.9).ry(2, -0.5)
    for q, scale in ((0, 1.0), (1, 1.0), (2, -0.7)):
        circuit = circuit.rzz(q, (q + 1) % 3, param=0, scale=scale)
    objective, params, seeds = qg.Expectation(circuit.rz(0, param=1).h(0).h(1), "ZZI"), np.array([0.7, 0.3]), 2000
    found = spread_over_seeds(objective, params, estimator, seeds)
    ratio = np.mean((found.gradient - right(objective, params)) ** 2, axis=0) / np.mean(found.variance, axis=0)
    low, high = variance_ratio(seeds, 2)
    assert np.all((low < ratio) & (ratio < high))
    alone = qg.estimate(qg.Expectation(apart(circuit), "ZZI"), np.array([0.7, 0.7, -0.49, 0.3]), estimator, key=0)
    naive = alone.variance[0] + alone.variance[1] + 0.49 * alone.variance[2]
    assert not 0.8 < naive / np.mean(found.variance[:, 0]) < 1.2


def apart(circuit):
    """The same circuit with a parameter for each gate."""
    gates, count = [], 0
    for gate in circuit.rz(0, param=1).h(0).h(1).gates:
        gates.append(gate if gate.param is None else qg.Gate(gate.name, gate.wires, count))
        count += gate.param is not None
    return qg.Circuit(circuit.num_qubits, gates)


@pytest.mark.parametrize("make", [qg.HadamardTest, qg.LinearCombination, qg.CommutingBlock])
def test_each_evaluation_may_have_its_own_shots(make):
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).h(1).cry(1, 0, param=1), "ZI")
    count = circuits_of(objective, make(1))
    params = ANGLES[:2]
    shots = np.arange(1, count + 2) * 100
    found = qg.estimate(objective, params, make(shots), key=0)
    assert found.cost.shots == shots.sum() == qg.predict_cost(objective, make(tuple(shots.tolist()))).shots
    with pytest.raises(ValueError, match=rf"shots has 9 numbers, but there are {count + 1} circuit evaluations"):
        qg.estimate(objective, params, make((10,) * 9), key=0)
    single = qg.estimate(objective, params, make(1), key=0)
    assert np.all(np.isnan(single.variance))


@pytest.mark.parametrize("make", [qg.HadamardTest, qg.LinearCombination, qg.CommutingBlock])
@pytest.mark.parametrize("shots", [0, -5, 1.5, True, "many", (10, 0)])
def test_wrong_shots_are_refused(make, shots):
    with pytest.raises(ValueError, match=r"shots.*: (a boolean is no count; )?give a positive integer"):
        make(shots)


def test_wrong_modes_are_refused():
    with pytest.raises(ValueError, match="mode='reverse': give 'standard' or 'reversed' or 'direct' or"):
        qg.HadamardTest(mode="reverse")
    with pytest.raises(ValueError, match="together=1: give True or False"):
        qg.CommutingBlock(together=1)


@pytest.mark.parametrize("mode", MODES)
def test_single_precision_stays_single(mode):
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1), "IZ")
    params = np.array([0.4, 1e6], np.float32)
    found = qg.estimate(objective, params, qg.HadamardTest(mode=mode))
    assert found.gradient.dtype == np.float32
    np.testing.assert_allclose(found.gradient, right(objective, params.astype(float)), atol=2e-6)
