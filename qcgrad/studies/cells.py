"""Computing one cell of a study, from nothing but its description."""

import math
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from .plan import Cell

Record = dict[str, Any]
"""Plain data: `M`, `qubits`, `gradient` and `value` (the counters of a `Cost` each), `max_error`, details."""

# Below this the prediction may be wrong by its constant; the search finds its way up from here.
_START_FRACTION = 0.5


def compute(cell: Cell, notify: Callable[[str], None] = lambda message: None) -> Record:
    """Compute one cell.

    Args:
        cell: one of `cells_of`.
        notify: told what is going on inside a long cell.

    Returns:
        The record, of plain numbers.
    """
    compute_kind = {"circuit": _circuit, "hard-instance": _hard_instance, "network": _network}[cell["kind"]]
    with _hurried_compilation():
        return compute_kind(cell, notify)


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


def _circuit(cell: Cell, _notify) -> Record:
    import numpy as np

    from ..estimate import estimate
    from ..estimators import Adjoint, GentleSweep, ParameterShift
    from ..interop.library import load_circuit

    circuit = load_circuit(cell["circuit"])

    def errors(found):
        return np.abs(np.asarray(found.gradient) - circuit.gradient)

    if cell["method"] == "adjoint":
        value_estimator = Adjoint()
        found = estimate(circuit.objective, circuit.params, value_estimator)
        accuracy = {}
    else:
        angles = circuit.circuit.num_angles
        if cell["method"] == "parameter-shift":
            estimator = ParameterShift(shots=gradient_shots(angles, cell["epsilon"], cell["delta"]))
        else:
            copies = sweep_copies(circuit.objective.program, cell["epsilon"], cell["delta"])
            estimator = GentleSweep(copies, pointer_variance=1.0, batches=1)
        value_estimator = ParameterShift(shots=value_shots(cell["epsilon"], cell["delta"]))
        found = estimate(circuit.objective, circuit.params, estimator, key=cell["seed"])
        accuracy = {
            "shots_per_evaluation": getattr(estimator, "shots", ""),
            "error_over_allowed": float(np.max(errors(found) / _allowed_errors(circuit, cell["epsilon"]))),
        }
    return {
        "M": circuit.circuit.num_angles,
        "qubits": circuit.num_qubits,
        **_costs(found.cost, _value_cost(circuit.objective, value_estimator)),
        "max_error": float(np.max(errors(found))),
        **accuracy,
    }


def _allowed_errors(circuit, epsilon):
    """Epsilon in the units of each parameter's component (see `StudySpec.epsilon`)."""
    import numpy as np

    # Bases are measured independently, and so are the gates that share a parameter: ranges add in squares.
    ranges = [np.abs(basis.coefficients).sum() for basis in circuit.objective.program.bases]
    index, scale, _ = circuit.circuit.angle_map
    return epsilon * np.linalg.norm(ranges) * np.sqrt(np.bincount(index, scale**2))


def gradient_shots(components: int, epsilon: float, delta: float) -> int:
    r"""Shots per evaluation of the two-term rule: \(\ln(2M/\delta)/\epsilon^2\) (Hoeffding, union bound).

    Half of a component's \(2\ln(2M/\delta)/\epsilon^2\) goes to each of its two evaluations.

    Example:
        >>> from qcgrad.studies.cells import gradient_shots
        >>> gradient_shots(15, 0.3, 0.01)
        89
    """
    return math.ceil(math.log(2 * components / delta) / epsilon**2)


def sweep_copies(program, epsilon: float, delta: float) -> int:
    r"""Copies of one pointer sweep: \(2 V \ln(2M/\delta)/\epsilon^2\) times what the observable's sum costs.

    V = 3 is the variance of one copy at \(s^2 = 1\) where the rows of interactions add up to at most 1. Strings are
    swept one by one, so their coefficients add up linearly, but epsilon is in units of the norm over the measured
    bases (see `StudySpec.epsilon`).

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.studies.cells import sweep_copies
        >>> sweep_copies(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z").program, 0.3, 0.01)
        354
    """
    import numpy as np

    ranges = [np.abs(basis.coefficients).sum() for basis in program.bases]
    excess = (sum(ranges) / np.linalg.norm(ranges)) ** 2
    strings = int(np.sum(np.any(program.terms[2] != 0, axis=0)))
    return max(strings, math.ceil(6 * math.log(2 * program.num_angles / delta) / epsilon**2 * excess))


def value_shots(epsilon: float, delta: float) -> int:
    r"""Shots that the value alone takes to the same accuracy: \(2\ln(2/\delta)/\epsilon^2\).

    Example:
        >>> from qcgrad.studies.cells import value_shots
        >>> value_shots(0.3, 0.01)
        118
    """
    return math.ceil(2 * math.log(2 / delta) / epsilon**2)


def _hard_instance(cell: Cell, notify) -> Record:
    import numpy as np

    from ..estimate import estimate, predict_cost
    from ..estimators import Adjoint, ParameterShift
    from ..simulators.multicopy.votes import disturbance_bound
    from .hard_instance import hard_instance
    from .repeat import RecallingStatevector, trial_gradients
    from .search import Accuracy, smallest_setting

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
    if estimator.is_traceable:
        cost = predict_cost(objective, estimator, backend)  # equals the counted cost
    else:
        cost = estimate(objective, params, estimator, backend, key=cell["seed"]).cost
    idealization = 0.0
    if estimator.fidelity == "idealized":
        votes = cost.qubits // (cell["n"] + 1)  # copies held together
        idealization = disturbance_bound(truth[np.abs(truth) > epsilon], votes)
    value_cost = _value_cost(objective, ParameterShift(shots=value_shots(epsilon, delta)))
    return {
        "M": components,
        "qubits": cell["n"] + 1,
        **_costs(cost, value_cost),
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


def _network(cell: Cell, _notify) -> Record:
    import numpy as np

    from ..estimate import estimate
    from ..estimators import Backprop
    from ..networks import Loss

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
    return {"M": sum(w.size for w in weights.values()), "qubits": 0, **_costs(found.cost, loss.forward_cost(weights))}


def _perceptron(weights, x):
    import jax.numpy as jnp

    return jnp.tanh(x @ weights["in"]) @ weights["out"]


def _mean_square(outputs, y):
    return ((outputs - y) ** 2).mean()


def _value_cost(objective, estimator):
    """What the value alone costs by this method's own query."""
    import numpy as np

    from ..objective import Point

    point = Point(objective, objective.placeholder(np.dtype(np.float64)), np.eye(objective.num_outputs))
    return estimator.value_query(point).cost()


def _costs(gradient, value) -> Record:
    from dataclasses import asdict

    return {"gradient": asdict(gradient), "value": asdict(value)}
