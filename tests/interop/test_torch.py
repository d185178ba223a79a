"""Objectives as functions and layers of PyTorch."""

import copy
import os
import pickle
import subprocess
import sys

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.queries import AdjointSweep, Evaluate
from tests.recorder import Recorder
from theory.statistics import normal, shifted

torch = pytest.importorskip("torch")

from qcgrad.interop.torch import TorchLayer, as_torch  # noqa: E402
from qcgrad.interop.torch._tensors import to_jax, to_torch  # noqa: E402

CIRCUIT = qg.Circuit(3).ry(0, param=0).crx(0, 1, param=1).rzz(1, 2, param=2, scale=2.0).ry(2, param=0).cx(2, 0)
SCALAR = qg.Expectation(CIRCUIT, {"ZIX": 1.0, "IZZ": 0.5})
VECTOR = qg.Expectation(CIRCUIT, ["ZII", "IZI", "XIX", "IYZ"])
OBJECTIVES = pytest.mark.parametrize("objective", [SCALAR, VECTOR], ids=["scalar", "vector"])
THETA = [0.4, 1.1, -0.7]


def theta(dtype=torch.float64):
    return torch.tensor(THETA, dtype=dtype, requires_grad=True)


def batch(size):
    rows = np.random.default_rng(0).normal(size=(size, 3))
    return torch.tensor(rows, requires_grad=True)


def truth(objective, params=THETA):
    return qg.estimate(objective, np.asarray(params), qg.Adjoint())


@OBJECTIVES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_backward_is_the_estimate_in_the_precision_of_the_parameters(objective, dtype):
    params = theta(dtype)
    value = as_torch(objective, qg.Adjoint())(params)
    weights = torch.arange(1.0, 1 + value.numel(), dtype=dtype).reshape(value.shape)
    (value * weights).sum().backward()
    exact = truth(objective)
    assert value.dtype == params.grad.dtype == dtype
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(value.detach(), exact.value, atol=tolerance)
    expected = np.tensordot(weights.numpy(), np.asarray(exact.gradient), value.ndim)
    np.testing.assert_allclose(params.grad, expected, atol=5 * tolerance)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # PyTorch's own, in jacfwd
@OBJECTIVES
def test_torch_func_has_the_same_derivatives_of_first_and_second_order(objective):
    f, params = as_torch(objective, qg.Adjoint()), theta().detach()
    np.testing.assert_allclose(torch.func.jacrev(f)(params), truth(objective).gradient, atol=1e-12)
    np.testing.assert_allclose(torch.func.jacfwd(f)(params), truth(objective).gradient, atol=1e-12)
    second = jax.hessian(lambda t: qg.as_jax(objective, qg.Adjoint())(t).sum())(jax.numpy.array(THETA))
    np.testing.assert_allclose(torch.func.hessian(lambda t: f(t).sum())(params), second, atol=1e-12)


def test_double_backward_differentiates_the_gradient_and_what_came_back():
    params, scale = theta(), torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(scale * as_torch(SCALAR, qg.Adjoint())(params), params, create_graph=True)
    gradient.sum().backward()
    second = jax.hessian(qg.as_jax(SCALAR, qg.Adjoint()))(jax.numpy.array(THETA))
    np.testing.assert_allclose(params.grad, 3 * second.sum(0), atol=1e-12)
    np.testing.assert_allclose(scale.grad, truth(SCALAR).gradient.sum(), atol=1e-12)


def test_a_second_derivative_of_a_method_that_samples_is_refused_when_it_is_asked_for():
    params = theta()
    value = as_torch(SCALAR, qg.ParameterShift(shots=10), key=0)(params)
    (gradient,) = torch.autograd.grad(value, params, create_graph=True)
    with pytest.raises(qg.NotApplicable, match=r"draws have no derivative.*qcgrad.Adjoint"):
        gradient.sum().backward()


@OBJECTIVES
def test_vmap_is_one_question_to_the_backend_and_the_same_as_a_loop(objective):
    recorder, rows = Recorder(qg.Statevector()), batch(5)
    values = torch.vmap(as_torch(objective, qg.Adjoint(), recorder))(rows)
    values.sum().backward()
    kinds = [type(query) for query in recorder.queries]
    assert kinds == ([AdjointSweep] if objective is SCALAR else [Evaluate, AdjointSweep])
    each = [truth(objective, row) for row in rows.detach().numpy()]
    np.testing.assert_allclose(values.detach(), [e.value for e in each], atol=1e-12)
    np.testing.assert_allclose(rows.grad, [e.gradient.reshape(-1, 3).sum(0) for e in each], atol=1e-12)


def test_vmap_of_grad_gives_a_gradient_for_each_entry():
    rows = batch(3).detach()
    found = torch.vmap(torch.func.grad(as_torch(SCALAR, qg.ParameterShift())))(rows)
    np.testing.assert_allclose(found, [truth(SCALAR, row).gradient for row in rows.numpy()], atol=1e-12)


def test_a_value_without_gradients_asks_for_no_gradient():
    recorder = Recorder(qg.Statevector())
    f, params = as_torch(SCALAR, qg.Adjoint(), recorder), theta()
    with torch.no_grad():
        assert not f(params).requires_grad
    assert not f(params.detach()).requires_grad
    assert {type(query) for query in recorder.queries} == {Evaluate}


def test_only_what_requires_gradients_gets_one():
    objective = qg.Expectation(
        qg.Circuit(1).ry(0, param=0).ry(0, param=1), "Z", lambda t: [t["a"], t["b"][0]], example={"a": 0.0, "b": [0.0]}
    )
    a, b = torch.tensor(0.3, dtype=torch.float64, requires_grad=True), torch.tensor(0.4, dtype=torch.float64)
    as_torch(objective, qg.Adjoint())({"b": [b], "a": a}).backward()
    assert b.grad is None
    np.testing.assert_allclose(a.grad, -np.sin(0.7), atol=1e-12)


def test_a_scalar_value_and_its_gradient_are_one_run_and_one_noise():
    shift = qg.ParameterShift(shots=20)
    f, params = as_torch(SCALAR, shift, key=1), theta()
    with qg.Tracker() as spent:
        value = f(params)
        value.backward()
    assert spent.total == qg.predict_cost(SCALAR, shift)
    key = jax.random.fold_in(jax.random.key(1), 0)
    alike = jax.jit(jax.value_and_grad(qg.as_jax(SCALAR, shift)))(jax.numpy.array(THETA), key)
    np.testing.assert_allclose(value.item(), alike[0], atol=1e-12)
    np.testing.assert_allclose(params.grad, alike[1], atol=1e-12)


@pytest.mark.statistical
def test_calls_draw_anew_a_program_that_runs_again_draws_the_same_and_copies_go_on():
    """Forty calls of 100 shots; outcomes spread by 1.5 at most, so their mean is within 0.145 of the value."""
    f = as_torch(SCALAR, qg.ParameterShift(shots=100), key=shifted(3))
    first = [f(theta().detach()).item() for _ in range(20)]
    resumed = pickle.loads(pickle.dumps(f))
    rest = [f(theta().detach()).item() for _ in range(20)]
    assert [resumed(theta().detach()).item() for _ in range(20)] == rest
    assert len(set(first + rest)) > 10
    again = as_torch(SCALAR, qg.ParameterShift(shots=100), key=shifted(3))
    assert [again(theta().detach()).item() for _ in range(20)] == first
    assert abs(np.mean(first + rest) - truth(SCALAR).value) < normal() * 1.5 / np.sqrt(40 * 100)


def test_a_key_of_ones_own_is_used_and_a_missing_one_is_named():
    f = as_torch(SCALAR, qg.ParameterShift(shots=50))
    assert f(theta(), key=4) == f(theta(), key=jax.random.key(4))
    with pytest.raises(ValueError, match="key is missing"):
        f(theta())


def test_entries_of_a_batch_draw_apart_or_alike_as_vmap_says():
    f, rows = as_torch(SCALAR, qg.ParameterShift(shots=1000), key=0), torch.tensor([THETA] * 6, dtype=torch.float64)
    assert len(set(torch.vmap(f, randomness="different")(rows).tolist())) > 1
    assert len(set(torch.vmap(f, randomness="same")(rows).tolist())) == 1
    with pytest.raises(RuntimeError, match='randomness="different"'):
        torch.vmap(f)(rows)


def test_methods_that_run_on_the_host_are_functions_of_torch_too():
    f, params = as_torch(SCALAR, qg.GentleSweep(copies=4000, batches=4), key=0), theta()
    with qg.Tracker() as spent:
        f(params).backward()
    assert spent.total.copies == 4000
    assert torch.isfinite(params.grad).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_whole_tensors_and_results_share_their_memory_and_views_are_copied(dtype):
    tensor = torch.arange(24, dtype=dtype)
    assert to_jax(tensor).unsafe_buffer_pointer() == tensor.data_ptr()
    for view in (tensor[1:], tensor[::2], torch.ones((), dtype=dtype).expand(5)):
        np.testing.assert_array_equal(to_jax(view), view)
        assert to_jax(view).unsafe_buffer_pointer() != view.data_ptr()
    array = jax.numpy.arange(5.0) * 2
    assert to_torch(array).data_ptr() == array.unsafe_buffer_pointer()


def test_parameters_changed_in_place_before_backward_are_noticed():
    params = theta()
    value = as_torch(VECTOR, qg.Adjoint())(params).sum()
    with torch.no_grad():
        params += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def test_results_may_be_changed_in_place():
    f, params = as_torch(VECTOR, qg.Adjoint()), theta().detach()
    first = f(params)
    first.zero_()
    np.testing.assert_allclose(f(params), truth(VECTOR).value, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: torch.tensor([1, 2, 3]), TypeError, r"params has dtype torch.int64: give float32 or float64"),
        (lambda: torch.ones(3, dtype=torch.complex64), TypeError, r"params has dtype torch.complex64"),
        (lambda: torch.ones(3, dtype=torch.bfloat16), TypeError, r"params has dtype torch.bfloat16"),
        (lambda: torch.ones(3, device="meta"), TypeError, r"params is on device meta.*params.cpu\(\)"),
        (lambda: torch.ones(3).to_sparse(), TypeError, r"params has layout torch.sparse_coo"),
        (lambda: torch.tensor([1.0, torch.nan, 0.0]), ValueError, r"params holds nan at index \[1\]"),
        (lambda: torch.ones(4), ValueError, r"params has shape \(4,\): the objective takes 3 parameters"),
        (lambda: torch.ones(2, 3), ValueError, r"params has shape \(2, 3\)"),
        (lambda: "abc", TypeError, "params has dtype <U3"),
    ],
    ids=["integers", "complex", "bfloat16", "device", "sparse", "nan", "length", "batch", "text"],
)
def test_what_is_no_parameters_is_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        as_torch(SCALAR, qg.Adjoint())(make())


def test_plain_numbers_and_lists_of_tensors_are_parameters_too():
    f = as_torch(SCALAR, qg.Adjoint())
    for params in (THETA, np.array(THETA), [torch.tensor(x, dtype=torch.float64) for x in THETA]):
        np.testing.assert_allclose(f(params), truth(SCALAR).value, atol=1e-6)


def test_a_nan_that_comes_back_passes_as_in_torch():
    params = theta()
    (as_torch(SCALAR, qg.Adjoint())(params) * torch.nan).backward()
    assert torch.isnan(params.grad).all()


def test_qnodes_are_called_as_qnodes():
    qml = pytest.importorskip("pennylane")

    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, w):
        qml.RX(x, 0)
        qml.RY(w[0] * x, 0)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(0))

    x, w = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.3, [0.7]))
    objective = qg.interop.from_qnode(circuit, 0.1, np.array([0.2]))
    f = as_torch(objective, qg.Adjoint())
    np.testing.assert_allclose(f(x, w).detach(), [e.detach() for e in circuit(x, w)], atol=1e-12)
    layer = TorchLayer(objective, qg.Adjoint(), inputs=0)
    assert [name for name, _ in layer.named_parameters()] == ["weights_0"]
    np.testing.assert_allclose(layer(torch.tensor([0.1, 0.3])).shape, (2, 2))


# Layers


def layer(objective=VECTOR, inputs=1, **options):
    return TorchLayer(objective, qg.Adjoint(), inputs=inputs, **options)


def test_a_layer_evaluates_inputs_and_weights_with_any_axes_in_front():
    module = layer(initial=[1.1, -0.7]).double()
    x = torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(2, 3, 1)
    found = module(x).detach()
    assert found.shape == (2, 3, 4)
    one = truth(VECTOR, [x[1, 2, 0], 1.1, -0.7])
    np.testing.assert_allclose(found[1, 2], one.value, atol=1e-6)
    np.testing.assert_allclose(module(x[1, 2]).detach(), one.value, atol=1e-6)
    assert layer(SCALAR)(x).shape == (2, 3)


def test_a_batch_of_a_layer_is_one_question():
    recorder = Recorder(qg.Statevector())
    module = TorchLayer(SCALAR, qg.Adjoint(), recorder, inputs=1)
    x = torch.zeros(7, 1, requires_grad=True)
    module(x).sum().backward()
    assert [type(query) for query in recorder.queries] == [AdjointSweep]
    assert (x.grad.shape, module.weights.grad.shape) == ((7, 1), (2,))


def test_an_empty_batch_gives_an_empty_result():
    module = layer()
    found = module(torch.zeros(0, 1))
    assert found.shape == (0, 4)
    found.sum().backward()


def test_layers_copy_pickle_convert_and_load_their_state():
    module, x = layer(), torch.ones(2, 1)
    for same in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        torch.testing.assert_close(same(x), module(x))
    other = layer()
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(x), module(x))
    assert list(module.state_dict()) == ["weights"]
    assert module.double()(x.double()).dtype == torch.float64


def test_weights_of_any_structure_have_names_of_their_own():
    circuit = qg.Circuit(1).ry(0, param=0).rx(0, param=1).ry(0, param=2)
    example = {"x": np.array(0.1), "w": {"a": np.array(0.2), "b": np.array([0.3])}}
    objective = qg.Expectation(circuit, "Z", lambda t: [t["x"], t["w"]["a"], t["w"]["b"][0]], example=example)
    module = layer(objective, inputs="x")
    assert {name: p.item() for name, p in module.named_parameters()} == pytest.approx(
        {"weights_w_a": 0.2, "weights_w_b": 0.3}
    )
    x = torch.tensor([0.1, 0.5])
    np.testing.assert_allclose(module(x)[0].item(), qg.estimate(objective, example, qg.Adjoint()).value, atol=1e-6)


def test_a_layer_without_inputs_is_called_without_any():
    module = layer(SCALAR, inputs=None, initial=THETA)
    np.testing.assert_allclose(module().item(), truth(SCALAR).value, atol=1e-6)
    module().backward()
    assert module.weights.grad.shape == (3,)


def test_a_function_fills_the_weights_and_torchs_seed_draws_them():
    assert torch.equal(layer(initial=torch.nn.init.zeros_).weights, torch.zeros(2))
    torch.manual_seed(0)
    first = layer().weights
    torch.manual_seed(0)
    assert torch.equal(layer().weights, first)


@pytest.mark.parametrize(
    ("initial", "dtype"),
    [
        (np.array([1.1, -0.7]), torch.float64),
        (torch.tensor([1.1, -0.7], dtype=torch.float64), torch.float64),
        (np.array([1.1, -0.7], np.float32), torch.float32),
        ([1.1, -0.7], torch.float32),
        (np.array([1, 2]), torch.float32),
    ],
)
def test_weights_keep_the_precision_that_they_are_given_in(initial, dtype):
    assert layer(initial=initial).weights.dtype == dtype


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layer(inputs=4), r"inputs=4: the objective takes one vector of 3 parameters"),
        (lambda: layer(inputs="x"), r"inputs='x': the objective takes one vector"),
        (lambda: layer(inputs=True), r"inputs=True"),
        (lambda: layer(initial=[1.0]), r"initial has arrays of shapes \[\(1,\)\]: give weights of shapes \[\(2,\)\]"),
        (lambda: layer()(torch.ones(5, 2)), r"inputs have shape \(5, 2\): give \(..., 1\)"),
        (lambda: layer()(), r"takes inputs of shape \(..., 1\), and got none"),
        (lambda: layer(inputs=None)(torch.ones(1)), r"takes no inputs, and got some"),
    ],
)
def test_a_layer_refuses_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_hybrid_model_learns_and_its_gradients_are_those_of_an_all_torch_model():
    """A linear layer, a circuit and a linear layer; the circuit by hand is cos(x + w)."""
    torch.manual_seed(0)
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).ry(0, param=1), ["Z"])
    ours = torch.nn.Sequential(torch.nn.Linear(2, 1), layer(objective), torch.nn.Linear(1, 1)).double()
    x, y = torch.randn(16, 2, dtype=torch.float64), torch.randn(16, 1, dtype=torch.float64)

    def by_hand():
        hidden = torch.cos(ours[0](x) + ours[1].weights)
        return ((ours[2](hidden) - y) ** 2).mean()

    expected = torch.autograd.grad(by_hand(), list(ours.parameters()))
    optimizer = torch.optim.Adam(ours.parameters(), 0.1)
    losses = []
    for step in range(20):
        optimizer.zero_grad()
        loss = ((ours(x) - y) ** 2).mean()
        loss.backward()
        if step == 0:
            for parameter, gradient in zip(ours.parameters(), expected, strict=True):
                torch.testing.assert_close(parameter.grad, gradient)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_a_compiled_model_leaves_the_circuit_to_jax():
    model, x = torch.nn.Sequential(torch.nn.Linear(3, 1), layer(SCALAR)), torch.ones(4, 3)
    torch.testing.assert_close(torch.compile(model, backend="eager")(x), model(x))


def test_float64_while_the_64_bit_mode_is_off_is_refused():
    code = (
        "import torch, qcgrad as qg\nfrom qcgrad.interop.torch import as_torch\n"
        "f = as_torch(qg.Expectation(qg.Circuit(1).ry(0, param=0), 'Z'), qg.Adjoint())\n"
        "print(f(torch.ones(1)).dtype)\nf(torch.ones(1, dtype=torch.float64))"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("JAX_ENABLE_X64", "XLA_FLAGS")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment)
    assert done.stdout.strip() == "torch.float32"
    assert "params has dtype float64, but JAX's 64-bit mode is off" in done.stderr


def test_without_pytorch_the_message_says_what_to_install():
    code = "import sys; sys.modules['torch'] = None\nimport qcgrad\nfrom qcgrad.interop.torch import as_torch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "qcgrad.interop.torch needs PyTorch, which is not installed: pip install 'qcgrad[torch]'" in done.stderr


def test_importing_the_room_loads_no_pytorch():
    code = "import sys, qcgrad.interop.torch\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False"
