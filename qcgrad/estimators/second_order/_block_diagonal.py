"""Metric tensors layer by layer."""

import math
from typing import Any, Self

import equinox as eqx
import numpy as np

from ...array_types import Angles, Key
from ...ir import PauliSum, Program, pauli
from ...matrices import MatrixReading, MetricMethod, Problem
from ...queries import Access, Evaluate, MeasureBases
from .._checks import checked_count
from ..accuracy import counted
from ._accuracy import allowed_spread
from ._layers import Layer, joint_basis, layers


class BlockDiagonalMetric(MetricMethod):
    r"""The metric tensor without what couples different layers: covariances of commuting generators.

    Gates \(e^{-i\theta_a K_a}\) of one layer commute, so that on the layer's input state \(\psi_l\)

    .. math:: g_{ab} = \langle K_a K_b\rangle_{\psi_l} - \langle K_a\rangle_{\psi_l} \langle K_b\rangle_{\psi_l},

    exactly the entries of the full metric. Those of two layers are set to 0, which the bias bound does not count: the
    approximation is the method. Gates go into the first layer that they can be moved to.

    Args:
        shots: shots of each layer, in the one basis that measures all of its generators together; None for exact
            expectation values.

    Access: single copy. Unbiased for the blocks: the sample covariance. Variances are unbiased ones of sample
    covariances, from fourth moments of the same outcomes, NaN for fewer than four shots; what comes out negative is cut
    off at 0, so that they are too large, by less than a half, where outcomes +1 and -1 are equally often and the
    variance falls as 1/shots^2. A single shot has no covariance: NaN.

    Cost: one circuit for each layer, and of that only the gates in front of it.

    Raises:
        ValueError: shots that are no positive integer.
        NotApplicable: with shots, an evolution under a Hamiltonian whose terms do not commute.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rz(0, param=1), "Z")
        >>> found = qg.metric_tensor(objective, [0.5, 0.1], qg.BlockDiagonalMetric(shots=10_000), key=0)
        >>> bool(abs(found.matrix[1, 1] - 0.0575) < 5 * found.standard_error[1, 1]), found.cost.circuit_runs
        (True, 2)

    References:
        J. Stokes, J. Izaac, N. Killoran, G. Carleo, "Quantum natural gradient", Quantum 4, 269 (2020),
        arXiv:1909.02108.
    """

    shots: int | None = eqx.field(static=True)
    access = Access.single_copy

    def __init__(self, shots: int | None = None):
        self.shots = None if shots is None else checked_count("shots", shots)

    def plan(self, problem: Problem, key: Key | None) -> tuple[Evaluate | MeasureBases, ...]:
        return tuple(self._query(layer, problem.point.coordinates) for layer in self._layers(problem))

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> MatrixReading:
        rows = np.asarray(problem.directions, float)
        metric, variance, bias = np.zeros((3, len(rows), len(rows)))
        for layer, answer in zip(self._layers(problem), answers, strict=True):
            along = rows[:, list(layer.angles)]
            # Layers are measured on copies of their own.
            if self.shots is None:
                covariance, off = _exact(answer.mean[0], 0 * answer.mean[0] if answer.bias is None else answer.bias[0])
                metric += along @ covariance @ along.T
                bias += np.abs(along) @ off @ np.abs(along).T
            else:
                part, spread = _sampled(answer.counts[0], layer, along)
                metric, variance = metric + part, variance + spread
        stats = {} if self.shots is None else {"degrees_of_freedom": self.shots - 1}
        return MatrixReading(metric[None], variance[None], bias[None], stats=stats)

    @classmethod
    def for_accuracy(cls, problem: Problem, epsilon: float, delta: float | None) -> Self:
        r"""Shots by Hoeffding's inequality for U-statistics, of the entries that this method estimates.

        Two outcomes x, x' of generators i and j, which lie between \(-R_i\) and \(R_i\), give
        \((x_i-x_i')(x_j-x_j')/2\) between \(\pm 2R_iR_j\), and between 0 and \(2R_i^2\) for i = j. The sample
        covariance of N outcomes is an average over such means of N/2 pairs, so that it is sub-Gaussian with
        \(8R_i^2R_j^2/N\), or \(2R_i^4/N\); layers add up.

        References:
            W. Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963), section 5a.
        """
        allowed = allowed_spread(problem, 1, epsilon, delta)
        spread = np.zeros((len(problem.directions),) * 2)
        for layer in cls._layers(problem):
            joint_basis(layer, cls.__name__)  # refuses what cannot be measured
            sizes = [np.abs(coefficients).sum() for _, _, coefficients in layer.generators]
            squares = (np.abs(problem.directions[:, list(layer.angles)]) @ sizes) ** 2
            spread += 4 * np.outer(squares, squares)
            spread[np.diag_indices(len(squares))] -= 3 * squares**2
        # Whole pairs; two of them at least have a variance.
        return cls(max(4, 2 * counted(cls, float(np.max(spread, initial=0.0)) / allowed, epsilon)))

    @staticmethod
    def _layers(problem: Problem) -> list[Layer]:
        """Those that move the state at all."""
        circuit = problem.program.circuit
        return [layer for layer in layers(circuit) if any(len(x) for x, _, _ in layer.generators)]

    def _query(self, layer: Layer, angles: Angles) -> Evaluate | MeasureBases:
        n, used = layer.before.num_qubits, angles[layer.before_angles]
        if self.shots is None:
            pairs = zip(*np.triu_indices(len(layer.generators)), strict=True)
            products = [_product(layer.generators[a], layer.generators[b], n) for a, b in pairs]
            sums = [PauliSum.from_masks(n, *_padded(*terms, n)) for terms in (*layer.generators, *products)]
            return Evaluate(Program(layer.before, sums), used[None])
        basis = joint_basis(layer, type(self).__name__)
        program = Program(layer.before, [PauliSum("I" * n)])
        return MeasureBases(program, used, basis.x[None], basis.z[None], np.array([self.shots]))


def _exact(means, biases):
    """(A_l, A_l) covariances, and bounds on their biases.

    Args:
        means: of all generators, then of the products of all pairs a <= b.
        biases: bounds on how far off these are, as a device with noise may know.
    """
    count = int((math.isqrt(9 + 8 * len(means)) - 3) // 2)
    (single, products), (off, bounds) = (_split(numbers, count) for numbers in (means, biases))
    crossed = np.outer(np.abs(single), off)
    return products - np.outer(single, single), bounds + crossed + crossed.T + np.outer(off, off)


def _split(numbers, count):
    """Those of the generators, and the symmetric matrix of those of their products."""
    products = np.zeros((count, count))
    products[np.triu_indices(count)] = numbers[count:]
    return np.asarray(numbers[:count], float), products + np.triu(products, 1).T


def _sampled(counts, layer: Layer, along):
    """Sample covariance of the generators by parameters, and its variance, from the outcomes of their common basis."""
    shots, met = int(counts.sum()), np.flatnonzero(counts)
    outcomes = joint_basis(layer, "").values(met) @ along.T
    share = counts[met] / shots
    centred = outcomes - share @ outcomes
    second = (centred.T * share) @ centred
    if shots == 1:
        return np.full_like(second, np.nan), np.full_like(second, np.nan)
    covariance = second * shots / (shots - 1)
    return covariance, _variances(second, (centred.T**2 * share) @ centred**2, shots)


def _variances(second, fourth, n):
    r"""Unbiased variances of sample covariances; NaN for fewer than four outcomes.

    Their variance is \(\kappa_{aabb}/n + (\sigma_{aa}\sigma_{bb} + \sigma_{ab}^2)/(n - 1)\), and the square of one has
    that more than \(\sigma_{ab}^2\). Moments of the sample in place of these would be off by as much as there is where
    outcomes are +1 and -1 equally often; so the cumulant is taken from Fisher's k-statistic and the square from what
    products of sample covariances are on average.

    Args:
        second, fourth: (N, N) central moments m_ab and m_aabb of the sample.
        n: how many outcomes.
    """
    if n < 4:
        return np.full_like(second, np.nan)
    sizes = np.outer(np.diag(second), np.diag(second))
    cumulant = n**2 * ((n + 1) * fourth - (n - 1) * (2 * second**2 + sizes)) / ((n - 1) * (n - 2) * (n - 3))
    squared, sizes = (part * (n / (n - 1)) ** 2 for part in (second**2, sizes))
    excess = sizes / (n - 1) + (n - 2) / (n * (n - 1)) * cumulant
    return np.maximum(squared - (n - 1) ** 2 / ((n - 2) * (n + 1)) * (squared - excess), 0)


def _product(first, second, num_qubits):
    """Terms of (K_a K_b + K_b K_a) / 2."""
    x, z, power = pauli.product(first[0][:, None], first[1][:, None], second[0], second[1])
    c = np.where(power == 0, 1.0, -1.0) * first[2][:, None] * second[2]
    real = power % 2 == 0
    return x[real], z[real], c[real]


def _padded(x, z, c, num_qubits):
    """The terms, or nothing times the identity where there are none."""
    return (x, z, c) if len(x) else (pauli.mask_array([0], num_qubits), pauli.mask_array([0], num_qubits), np.zeros(1))
