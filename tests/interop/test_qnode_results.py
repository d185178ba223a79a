"""What QNodes return: transforms with post-processing, variances, probabilities."""

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

import qcgrad as qg
from qcgrad.interop import from_qnode, from_tape

pytestmark = [
    pytest.mark.filterwarnings("ignore:jax.core.is_concrete:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Casting complex values:numpy.exceptions.ComplexWarning"),
]

DEVICE = qml.device("default.qubit", wires=3)
POINT = np.array([0.3, -0.8])


def qnode(measure, *transforms):
    @qml.qnode(DEVICE)
    def circuit(x):
        qml.RY(x[0], 0)
        qml.CNOT([0, 2])
        qml.RX(x[1], 2)
        qml.CRY(x[0] * 2, [2, 1])
        return measure()

    for transform in transforms:
        circuit = transform(circuit)
    return circuit


@qml.transform
def tripled(tape):
    return (tape,), lambda results: 3 * results[0]


@qml.transform
def squared(tape):
    return (tape,), lambda results: results[0] ** 2


@qml.transform
def spectrum(tape):
    return (tape,), lambda results: jnp.stack([results[0][0] * results[0][1], jnp.sin(results[0][1]), results[0][0]])


def both():
    return qml.expval(2 * qml.Z(0) + qml.I(0) + qml.X(1) @ qml.X(2)), qml.expval(qml.Y(2) - 0.5 * qml.Z(1))


RESULTS = {
    "single terms": qnode(lambda: qml.expval(2 * qml.Z(0) + qml.I(0)), qml.transforms.split_to_single_terms),
    "non-commuting": qnode(lambda: qml.expval(2 * qml.Z(0)), qml.transforms.split_non_commuting),
    "several circuits": qnode(both, qml.transforms.split_non_commuting),
    "custom": qnode(lambda: qml.expval(qml.Z(0)), tripled),
    "one after another": qnode(both, qml.transforms.cancel_inverses, qml.transforms.split_to_single_terms),
    "squared": qnode(lambda: qml.expval(qml.Z(0)), squared),
    "squared, split": qnode(
        lambda: qml.expval(qml.Z(0) + qml.X(2)), tripled, squared, qml.transforms.split_non_commuting
    ),
    "variance": qnode(lambda: qml.var(qml.Z(0) + qml.X(1) @ qml.Z(2) - 0.3 * qml.Y(0) @ qml.Y(2))),
    "variance of a matrix": qnode(lambda: qml.var(qml.Hermitian(np.diag([1.0, 2.0, -0.5, 0.1]), [2, 0]))),
    "probabilities": qnode(lambda: qml.probs([2, 0])),
    "all probabilities": qnode(lambda: qml.probs()),
    "mixed": qnode(lambda: (qml.probs(1), qml.expval(qml.Z(0)), qml.var(qml.Z(0)))),
    "dictionary": qnode(lambda: {"b": qml.expval(qml.Z(0)), "a": qml.expval(qml.Y(2))}),
    "list of one": qnode(lambda: [qml.expval(qml.Z(0))]),
}
AFFINE = ("single terms", "non-commuting", "several circuits", "custom", "one after another", "probabilities")


def expected(circuit):
    """Value and gradient by PennyLane, all numbers in order."""

    def flat(x):
        return qml.math.concatenate([qml.math.reshape(r, (-1,)) for r in qml.pytrees.flatten(circuit(x))[0]])

    point = pnp.array(POINT, requires_grad=True)
    return flat(POINT), qml.jacobian(flat)(point)


@pytest.mark.parametrize("name", RESULTS)
def test_results(name):
    objective = from_qnode(RESULTS[name], POINT)
    found = qg.estimate(objective, POINT, qg.Adjoint())
    value, gradient = expected(RESULTS[name])
    np.testing.assert_allclose(np.ravel(found.value), value, atol=1e-10)
    np.testing.assert_allclose(found.gradient, gradient if objective.is_vector else gradient[0], atol=1e-10)
    assert not np.any(found.variance)
    assert not np.any(found.bias_bound)


def test_shapes_follow_the_qnode():
    shapes = {name: qg.estimate(from_qnode(RESULTS[name], POINT), POINT, qg.Adjoint()).value.shape for name in RESULTS}
    assert [shapes[k] for k in ("squared", "list of one", "mixed", "all probabilities")] == [(), (1,), (4,), (8,)]


def test_post_processing_of_several_results():
    objective = from_qnode(qnode(both, spectrum), POINT)
    f = qg.as_jax(objective, qg.Adjoint())
    plain = qg.as_jax(from_qnode(qnode(both), POINT), qg.Adjoint())

    def reference(x):
        a, b = plain(x)
        return jnp.stack([a * b, jnp.sin(b), a])

    x = jnp.asarray(POINT)
    np.testing.assert_allclose(f(x), reference(x), atol=1e-12)
    np.testing.assert_allclose(jax.jacrev(f)(x), jax.jacrev(reference)(x), atol=1e-12)
    np.testing.assert_allclose(
        qg.estimate(objective, POINT, qg.Adjoint()).gradient, jax.jacrev(reference)(x), atol=1e-12
    )


def test_affine_post_processing_costs_no_more_than_the_observable():
    for name in AFFINE:
        assert from_qnode(RESULTS[name], POINT).results is None
    assert from_qnode(RESULTS["several circuits"], POINT).num_outputs == 2
    tripled_cost = qg.predict_cost(from_qnode(RESULTS["custom"], POINT), qg.ParameterShift(shots=10))
    assert tripled_cost == qg.predict_cost(
        from_qnode(qnode(lambda: qml.expval(qml.Z(0))), POINT), qg.ParameterShift(shots=10)
    )


def test_variances_cover_results_that_are_not_affine():
    """E = <Z>^2 at 400 shots: the stated variance bounds the spread, and the bias is stated as unknown.

    The spread over 200 runs has a relative error of 5 % (one sigma); the bound is above the true variance, so
    the factor 1.4 on the variance fails in less than one of 10^6 runs, and catches variances that miss the
    factor (2<Z>)^2 = 3.6.
    """
    objective = from_qnode(RESULTS["squared"], POINT)
    batch = jax.jit(jax.vmap(lambda key: qg.estimate(objective, POINT, qg.ParameterShift(shots=400), key=key)))
    found = batch(jax.random.split(jax.random.key(1), 200))
    assert np.all(np.var(found.gradient[:, 0]) < 1.4 * np.mean(found.variance[:, 0]))
    assert np.var(found.value) < 1.4 * np.mean(found.value_variance)
    assert np.all(np.isnan(found.bias_bound))
    single = qg.estimate(objective, POINT, qg.ParameterShift(shots=400), key=0)
    assert "first-order bounds" in single.result.message


def test_a_result_that_is_affine_stays_unbiased_beside_others():
    found = qg.estimate(from_qnode(RESULTS["mixed"], POINT), POINT, qg.ParameterShift(shots=100), key=0)
    assert np.isnan(found.bias_bound).any(axis=1).tolist() == [False, False, False, True]


def test_tapes_return_several_kinds_too():
    tape = qml.tape.QuantumScript([qml.RY(0.4, 0)], [qml.var(qml.Z(0)), qml.probs(0)])
    found = qg.estimate(from_tape(tape), [0.4], qg.Adjoint())
    np.testing.assert_allclose(found.value, [np.sin(0.4) ** 2, np.cos(0.2) ** 2, np.sin(0.2) ** 2], atol=1e-12)
    np.testing.assert_allclose(found.gradient[:, 0], [np.sin(0.8), -np.sin(0.4) / 2, np.sin(0.4) / 2], atol=1e-12)


@qml.transform
def by_numpy(tape):
    return (tape,), lambda results: float(results[0])


@qml.transform
def shifted(tape):
    other = tape.bind_new_parameters([p + 0.1 for p in tape.get_parameters()], tape.trainable_params)
    return (tape, other), lambda results: results[0] + results[1]


@qml.transform
def scaled_by_an_angle(tape):
    angle = tape.operations[0].data[0]
    return (tape,), lambda results: angle * results[0]


def test_refusals():
    one = lambda: qml.expval(qml.Z(0))  # noqa: E731
    for transform, message in (
        (by_numpy, "a way that JAX cannot trace"),
        (scaled_by_an_angle, "by the values of the arguments"),
        (shifted, "2 different circuits"),
        (qml.gradients.param_shift, "different circuits"),
    ):
        with pytest.raises(qg.ImportRefused, match=message):
            from_qnode(qnode(one, transform), POINT)
    large = qml.QNode(lambda x: (qml.RX(x, 0), qml.probs(range(9)))[1], qml.device("default.qubit", wires=9))
    with pytest.raises(qg.ImportRefused, match="at most 8 wires"):
        from_qnode(large, 0.3)
