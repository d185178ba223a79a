"""Everything public can be copied and sent to another process, and is the same afterwards."""

import copy
import importlib
import inspect
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property, partial
from multiprocessing import get_context

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import qcgrad as qg
from qcgrad import interop, ntk, queries
from qcgrad import networks as nn
from qcgrad.keys import KeyStream
from tests.contracts.problems import linear, mean_square
from tests.contracts.rows import ROWS
from tests.contracts.test_backends import QUERIES

CIRCUIT = qg.Circuit(2).ry(0, param=0).unitary(np.eye(2), [0]).evolution(qg.PauliSum("ZX + 0.3*XZ"), param=1)
OBJECTIVE = qg.Expectation(CIRCUIT, {"ZZ": 1.0, "XI": 0.5})
PARAMS = np.array([0.3, 0.7])
NOISE = qg.NoiseModel().add(qg.PhaseDamping(0.1), "ry").add_readout(qg.ReadoutError(0.1))
MIXTURE = qg.Mixture([(0.9, qg.Circuit(1)), (0.1, qg.Circuit(1).x(0))])
LOSS = qg.Loss(linear, mean_square, (jnp.eye(2), jnp.ones(2)), jnp.zeros(2))
ESTIMATE = qg.estimate(OBJECTIVE, [0.3, 0.7], qg.ParameterShift(shots=20), key=0)
with qg.Tracker() as LEDGER:
    qg.estimate(OBJECTIVE, [0.3, 0.7], qg.ParameterShift(shots=20), key=0)
NETWORK = nn.serial(nn.Dense(3), nn.SplitReLU(), nn.Dense(2))
POINTS = np.array([[1.0 + 1j, 0.5], [0.3, -1j]])
QASM = "OPENQASM 3.0; include 'stdgates.inc'; input float a; qubit[2] q; rx(2*a) q[0]; cp(sin(a)) q[0], q[1];"


def activations():
    names = ["Cardioid", "Erf", "Exponential", "GELU", "Identity", "ReLU", "Sine", "SplitErf", "SplitGELU", "SplitReLU"]
    return [getattr(nn, name)() for name in [*names, "SplitTanh", "Tanh", "ZReLU"]] + [nn.ModReLU(-0.5)]


def layers():
    pools = [nn.AveragePool1D((2,)), nn.AveragePool2D((2, 2)), nn.GlobalAveragePool(), nn.Flatten(), nn.LayerNorm()]
    return [
        nn.Dense(3),
        nn.Conv1D(2, (3,)),
        nn.Conv2D(2, (3, 3)),
        nn.Readout("real"),
        nn.Residual(nn.Dense(2)),
        NETWORK,
        *pools,
    ]


# What is made by hand, in the order of `qcgrad`, `networks`, `ntk` and `interop`.
OBJECTS = [
    CIRCUIT,
    CIRCUIT.gates[0],
    OBJECTIVE,
    OBJECTIVE.program,
    OBJECTIVE.program.observables[0],
    MIXTURE,
    qg.OperatorPool(qg.Circuit(2).ry(0, param=0), "ZI", ["YI"]),
    qg.OperatorPool(MIXTURE, "Z", ["Y"]).at(np.zeros(0))[0],
    LOSS,
    ESTIMATE,
    ESTIMATE.result,
    ESTIMATE.cost,
    qg.Budget(shots=3),
    qg.Statevector(),
    qg.Statevector(max_bytes=1000, engine="jax"),
    qg.Autodiff(),
    qg.HammingWeight(),
    qg.DensityMatrix(NOISE),
    qg.Trajectories(NOISE),
    NOISE,
    qg.Depolarizing(0.1),
    qg.AmplitudeDamping(0.1),
    qg.PhaseDamping(0.1),
    qg.ThermalRelaxation(50.0, 70.0, 1.0),
    qg.PauliChannel({"XY": 0.1}),
    qg.Kraus([np.eye(2)]),
    qg.OverRotation(0.1),
    qg.ReadoutError(0.1),
    qg.DeviceModel(),
    qg.Cheapest(0.1),
    qg.Precision(0.1, 0.05),
    qg.SecondOrderShift(10),
    qg.ShiftedAdjoint(),
    qg.TangentMetric(),
    qg.OverlapShift(10),
    qg.BlockDiagonalMetric(10),
    qg.QNSPSA(10, 10),
    qg.hessian(OBJECTIVE, PARAMS, qg.ShiftedAdjoint()),
    qg.natural_gradient(OBJECTIVE, PARAMS, qg.Adjoint(), qg.TangentMetric(), tikhonov=0.1),
    queries.ShiftedSettings(np.array([0.1, 0.2]), np.array([1]), np.array([0.5]), np.array([0.7])),
    interop.SampledBackend(len),
    qg.load_circuit("efficient_su2_n4_r1"),
    interop.parse_qasm(QASM),
    nn.Convention.pytorch,
    nn.FullWirtinger(),
    nn.HolomorphicBranch(),
    nn.LayerRule(),
    nn.FeedbackAlignment.init(NETWORK, (2,), jax.random.key(0)),
    nn.DirectFeedbackAlignment.init(NETWORK, (2,), jax.random.key(0)),
    nn.StochasticBackprop(0.25, 4).drawn(np.zeros(2, np.uint32)),
    LEDGER,
    NETWORK.kernel(POINTS),
    ntk.empirical(NETWORK.apply, NETWORK.init(jax.random.key(0), (2,)), POINTS),
    *[row.estimator for row in ROWS],
    *QUERIES.values(),
    queries.Fidelity("idealized"),
    *activations(),
    *layers(),
]


def same(a, b):
    """Whether two objects hold the same, part by part."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (np.ndarray, jax.Array, np.generic)):
        return a.dtype == b.dtype and np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)
    if isinstance(a, (str, int, float, complex, type(None))):
        return a == b and vars_of(a) == vars_of(b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if inspect.isroutine(a) or isinstance(a, type):
        return a is b or a.__qualname__ == b.__qualname__
    return same(vars_of(a), vars_of(b))


def vars_of(thing):
    """Attributes; what is cached follows from the others, and may point back."""
    return {name: value for name, value in getattr(thing, "__dict__", {}).items() if name not in cached_names(thing)}


def cached_names(thing):
    return {n for kind in type(thing).__mro__ for n, m in vars(kind).items() if isinstance(m, cached_property)}


def round_trips(thing):
    return [copy.copy(thing), copy.deepcopy(thing), *(pickle.loads(pickle.dumps(thing, p)) for p in (2, 5))]


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: type(thing).__name__)
def test_copies_hold_the_same(thing):
    for found in round_trips(thing):
        assert same(found, thing)


def test_what_was_used_copies_as_well():
    """What is compiled and cached at the first use is no part of what travels."""
    objective = interop.parse_qasm(QASM).expectation("ZI")
    before = qg.estimate(objective, [0.3], qg.Adjoint())
    assert objective.parameter_map is not None
    for name in cached_names(objective.parameter_map):
        getattr(objective.parameter_map, name)
    for found in round_trips(objective):
        assert same(qg.estimate(found, [0.3], qg.Adjoint()), before)


@pytest.mark.parametrize("implementation", ["threefry2x32", "rbg"])
def test_streams_of_keys_go_on_where_they_were_pickled_and_copies_share_them(implementation):
    stream = KeyStream(jax.random.key(3, impl=implementation))
    stream.next()
    bits = [jax.random.key_data(s.next()).tolist() for s in (pickle.loads(pickle.dumps(stream)), stream)]
    assert bits[0] == bits[1]
    assert jax.random.key_data(copy.deepcopy(stream).next()).tolist() not in bits


def test_every_public_class_is_among_the_objects_or_the_errors():
    public = {
        m
        for module in (qg, nn, queries)
        for m in (getattr(module, name) for name in dir(module))
        if inspect.isclass(m) and m.__module__.startswith("qcgrad") and not inspect.isabstract(m)
    }
    records = {m for m in public if issubclass(m, tuple) or getattr(m, "_is_protocol", False)}
    abstract = {m for m in public if m.__name__.startswith("Abstract")}
    # Functions of the user's, or parts of what is there.
    parts = {
        qg.Advice,  # its numbers that are not known, NaN, are equal to none
        queries.Access,
        nn.Certificate,
        nn.Dual,
        nn.Generic,
        nn.HermiteSeries,
        nn.Polynomial,
        nn.RadialProfile,
        nn.Sum,
    }
    missing = public - records - abstract - parts - {type(thing) for thing in OBJECTS} - set(errors())
    assert not missing


def errors():
    """Every exception class of the package."""
    for module in pkgutil.walk_packages(qg.__path__, "qcgrad."):
        # The native engine is no Python module, and a main module runs.
        if not module.name.endswith(("_native", "__main__")):
            importlib.import_module(module.name)
    found, left = [], [BaseException]
    while left:
        kinds = left.pop().__subclasses__()
        left += kinds
        found += [kind for kind in kinds if kind.__module__.startswith("qcgrad")]
    return sorted(set(found), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: kind.__name__)
def test_every_error_travels_with_its_message_and_what_it_holds(kind):
    arguments = [p for p in inspect.signature(kind.__init__).parameters.values() if p.name != "self"]
    needed = [p for p in arguments if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    values = {"message": "it went wrong", "estimate": ESTIMATE, "finished": 3, "total": 7, "source": "x\ny\nz"}
    error = kind(*[values.get(p.name, 2) for p in needed]) if needed else kind("it went wrong")
    for found in round_trips(error):
        assert type(found) is kind
        assert str(found) == str(error)
        assert same(vars_of(found), vars_of(error))


def test_estimates_and_refusals_come_back_from_a_pool_of_processes(monkeypatch):
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    dear = partial(qg.estimate, budget=qg.Budget(circuit_runs=1))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(qg.estimate, OBJECTIVE, [0.3, 0.7], qg.Adjoint()).result(timeout=120)
        with pytest.raises(qg.BudgetExhausted, match="circuit_runs") as caught:
            pool.submit(dear, OBJECTIVE, [0.3, 0.7], qg.ParameterShift()).result(timeout=120)
    assert same(found, qg.estimate(OBJECTIVE, [0.3, 0.7], qg.Adjoint()))
    assert caught.value.estimate.cost.circuit_runs == 1


def test_a_copied_result_keeps_its_message():
    result = qg.Result("ok", "all queries were answered")
    for found in round_trips(result):
        assert (found, found.message) == ("ok", "all queries were answered")


def test_estimates_stay_pytrees():
    assert eqx.tree_equal(copy.deepcopy(ESTIMATE), ESTIMATE)
    assert optax.tree_utils.tree_sum(ESTIMATE) == optax.tree_utils.tree_sum(copy.copy(ESTIMATE))
