"""How far the `count` components of a sampled estimate may lie from the truth, by what their errors come from.

All are called with the problem, the queries that were answered, reported variances and bias bounds.
"""

import numpy as np

import qcgrad as qg
from theory.statistics import empirical_bernstein, normal, student


def shots(problem, queries, variance, bias, count):
    """Settings sampled one by one; an outcome counts at most 0.61 times (the four-term rule) the scale of its gate."""
    gates = (abs(gate.scale) for gate in problem.objective.circuit.gates if gate.param is not None)
    largest = 2 * 0.61 * max(1.0, *gates) * _size(problem)
    return empirical_bernstein(variance, largest, min(queries[0].shots_per_setting), count)


def groups(problem, queries, variance, bias, count):
    """The same with each setting measured in groups of strings, each by a question of its own."""
    gates = (abs(gate.scale) for gate in problem.objective.circuit.gates if gate.param is not None)
    largest = 2 * 0.61 * max(1.0, *gates) * _size(problem)
    samples = min(min(query.shots_per_setting) for query in queries)
    return empirical_bernstein(variance, largest, samples, count)


def terms(problem, queries, variance, bias, count):
    """The same with the shots of all bases together, each of which counts the size of the observable at most."""
    gates = (abs(gate.scale) for gate in problem.objective.circuit.gates if gate.param is not None)
    largest = 2 * 0.61 * max(1.0, *gates) * _size(problem)
    samples = sum(np.bincount(query.rows, query.shots_per_setting, 1)[0] for query in queries)
    return empirical_bernstein(variance, largest, int(samples), count)


def samples(problem, queries, variance, bias, count):
    """Bitstrings, each of which gives all components."""
    return empirical_bernstein(variance, 2 * max(_size(problem), _slope(problem)), queries[0].samples, count)


def experiments(problem, queries, variance, bias, count):
    """Derivatives from circuits of their own; an outcome counts the slope of its parameter at most."""
    shots = min(min(query.shots_per_setting) for query in queries)
    return empirical_bernstein(variance, 2 * max(1.0, _slope(problem)), shots, count)


def bases(problem, queries, variance, bias, count):
    """Strings measured in bases of their own copies."""
    return empirical_bernstein(variance, 2 * _slope(problem), int(np.min(queries[0].shots)), count)


def snapshots(problem, queries, variance, bias, count):
    """Shadows: a string is seldom measured, and then counts as much as that is seldom."""
    query = queries[0]
    n = query.program.num_qubits
    weight = 3.0**n if query.ensemble == "local" else 2.0**n + 1
    return empirical_bernstein(variance, (weight + 1) * _slope(problem), query.shots, count)


def square_roots(problem, queries, variance, bias, count):
    """Bell measurements: the root's slope between <P>^2 and its estimate is at most twice the one at the estimate."""
    return 2 * normal(count) * np.sqrt(variance) + bias


def batches(problem, queries, variance, bias, count):
    """Sweeps, whose standard errors come from the spread of their batches."""
    return student(queries[-1].batches - 1, count) * np.sqrt(variance) + bias


def differences(problem, queries, variance, bias, count):
    """Finite differences: shots as in `shots`, of outcomes divided by the step, and the bias."""
    gates = (abs(gate.scale) for gate in problem.objective.circuit.gates if gate.param is not None)
    query = queries[0]
    step = np.max(np.abs(query.angles[1:] - query.angles[:1]), axis=1).min()
    largest = max(1.0, *gates) * _size(problem) / step
    return empirical_bernstein(variance, largest, min(query.shots_per_setting), count) + bias


def directions(problem, queries, variance, bias, count):
    """Means over hundreds of random directions, whose standard errors come from their spread."""
    return student(len(queries[0].directions) - 1, count) * np.sqrt(variance) + bias


def guarantee(problem, queries, variance, bias, count):
    """Methods that keep to their bounds but for a probability that they were given."""
    return normal(count) * np.sqrt(variance) + bias


def _slope(problem) -> float:
    """Largest derivative: i[H, P] is at most twice as large as H, for a rotation half of that."""
    if isinstance(problem.objective, qg.OperatorPool):
        return 2 * _size(problem)
    driven = np.zeros(problem.objective.num_parameters)
    for gate in problem.objective.circuit.gates:
        if gate.param is not None:
            driven[gate.param] += abs(gate.scale)
    return float(driven.max()) * _size(problem)


def _size(problem) -> float:
    """Sum of the absolute coefficients of the observable."""
    objective = problem.objective
    pool = isinstance(objective, qg.OperatorPool)
    observable = objective.observable if pool else objective.program.observables[0]
    return float(np.abs(observable.coefficients).sum())
