"""Computing one cell of a study, from nothing but its description."""

import math
from collections.abc import Callable
from contextlib import contextmanager

from .accuracy import value_shots
from .circuit_cells import circuit_record
from .memory import check_hard_instance, check_network
from .plan import Cell
from .records import Record, check_finite, costs, value_cost

# Below this the prediction may be wrong by its constant; the search finds its way up from here.
_START_FRACTION = 0.5


def compute(
    cell: Cell, notify: Callable[[str], None] = lambda message: None, *, max_bytes: int | None = None
) -> Record:
    """Compute one cell.

    Args:
        cell: one of `cells_of`.
        notify: told what is going on inside a long cell.
        max_bytes: memory that it may take; by default 80 % of what is free.

    Returns:
        The record, of plain numbers.

    Raises:
        StateTooLarge: it would take more, with the number of bytes and what would fit; nothing is allocated.
    """
    compute_kind = {"circuit": circuit_record, "hard-instance": _hard_instance, "network": _network}[cell["kind"]]
    with _hurried_compilation():
        record = compute_kind(cell, notify, max_bytes)
    check_finite(record)
    return record


@contextmanager
def _hurried_compilation():
    """Let XLA compile faster and run slower.

    Cells are many small programs of different sizes, each run a few times: compiling takes most of their
    time. Counted costs do not depend on it.
    """
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


def _hard_instance(cell: Cell, notify, max_bytes) -> Record:
    import numpy as np

    from ..estimate import estimate, predict_cost
    from ..estimators import Adjoint, ParameterShift
    from ..simulators.multicopy.votes import disturbance_bound
    from .hard_instance import hard_instance
    from .repeat import RecallingStatevector, trial_gradients
    from .search import Accuracy, smallest_setting

    check_hard_instance(cell, max_bytes)
    epsilon, delta, components = cell["epsilon"], cell["delta"], 4 ** cell["n"] - 1
    objective, params = hard_instance(cell["n"], cell["seed"], cell["tilt"]), np.zeros(components)
    backend = RecallingStatevector()
    truth = np.asarray(estimate(objective, params, Adjoint(), backend).gradient)
    make, expected = _makers(components, epsilon, delta)[cell["method"]]

    def errors_at(setting: int):
        # Every step of the ladder draws its own trials.
        seed = int(np.random.default_rng((cell["seed"], cell["n"], setting)).integers(2**31))
        for gradient in trial_gradients(objective, params, make(setting), backend, seed):
            yield float(np.max(np.abs(gradient - truth)))

    accuracy = Accuracy(epsilon, delta, cell["trials"])
    found = smallest_setting(errors_at, accuracy, max(3, int(_START_FRACTION * expected)), cell["ladder"], notify)
    estimator = make(found.setting)
    idealization = 0.0
    if estimator.is_traceable:
        cost, fidelity = predict_cost(objective, estimator, backend), "exact"  # equals the counted cost
    else:
        once = estimate(objective, params, estimator, backend, key=cell["seed"])
        cost, fidelity = once.cost, once.fidelity
    if fidelity == "idealized":
        votes = cost.qubits // (cell["n"] + 1)  # copies held together
        idealization = disturbance_bound(truth[np.abs(truth) > epsilon], votes)
    of_value = value_cost(objective, ParameterShift(shots=value_shots(epsilon, delta)))
    return {
        "M": components,
        "qubits": cell["n"] + 1,
        **costs(cost, of_value),
        "setting": found.setting,
        "steps": [[step.setting, step.trials, step.failures] for step in found.steps],
        "error_of_zeros": float(np.max(np.abs(truth))),
        "idealization_bound": idealization,
        "components_above_epsilon": int(np.sum(np.abs(truth) > epsilon)),
    }


def _makers(components: int, epsilon: float, delta: float):
    """For each method: the estimator of one setting (shots or copies), and the setting that theory expects."""
    from ..estimators import BellShadow, ParameterShift, ReadOnceTomography

    log = math.log(2 * components / delta)
    return {
        "parameter-shift": (lambda shots: ParameterShift(shots=shots), log / epsilon**2),
        "read-once": (
            lambda copies: ReadOnceTomography(copies, batches=1),
            2 * (1 + 2 * math.sqrt(components)) * log / epsilon**2,
        ),
        "bell-shadow": (lambda copies: BellShadow(copies=copies, delta=delta), 2 * log / epsilon**4),
    }


def _network(cell: Cell, _notify, max_bytes) -> Record:
    import numpy as np

    from ..estimate import estimate
    from ..estimators import Backprop
    from ..networks import Loss

    check_network(cell, max_bytes)
    inputs = 2 ** cell["n"]
    hidden = inputs - 1
    rng = np.random.default_rng((cell["seed"], cell["n"]))
    weights = {
        "in": rng.normal(size=(inputs, hidden)) / math.sqrt(inputs),
        "out": rng.normal(size=hidden) / math.sqrt(hidden),
    }
    batch = rng.normal(size=(cell["batch"], inputs)), rng.normal(size=cell["batch"])
    loss = Loss(_perceptron, _mean_square, batch)
    found = estimate(loss, weights, Backprop())
    return {"M": sum(w.size for w in weights.values()), "qubits": 0, **costs(found.cost, loss.forward_cost(weights))}


def _perceptron(weights, x):
    import jax.numpy as jnp

    return jnp.tanh(x @ weights["in"]) @ weights["out"]


def _mean_square(outputs, y):
    return ((outputs - y) ** 2).mean()
