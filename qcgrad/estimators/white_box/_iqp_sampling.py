"""Gradients of IQP circuits by classical sampling."""

from typing import Any, Self

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...errors import NotApplicable
from ...estimator import OneRoundEstimator
from ...ir.iqp_form import IQPForm, NotIQP, iqp_form
from ...objective import Point, Reading
from ...queries import Access, SampledSweep, SampleIQP
from .._checks import checked_count
from .._programs import check_covariances, name_of, program_at
from ..accuracy import checked_accuracy, counted, hoeffding, log_of, num_components


class IQPSampling(OneRoundEstimator):
    r"""Unbiased values and gradients of IQP circuits of any size, from uniform bitstrings and no quantum computer.

    Let gates \(e^{-i\varphi_j X^{g_j}/2}\) act on \(|0\dots0\rangle\), where \(X^g\) is X on the qubits in g. Then

    .. math:: \langle Z^a\rangle = \mathbb{E}_u\cos\Phi_a(u), \qquad
        \Phi_a(u) = \sum_{j:\,a\cdot g_j\ \mathrm{odd}} (-1)^{g_j\cdot u}\varphi_j ,

    over uniform bitstrings u, and the derivative by \(\varphi_j\) is the mean of \(-(-1)^{g_j\cdot u}\sin\Phi_a(u)\)
    where \(a\cdot g_j\) is odd, else 0. All derivatives come from the same bitstrings, so the gradient costs a constant
    times the value. Other Pauli strings of the observable get a sign and a phase of their own (see `ir.iqp_form`).
    Drawing bitstrings from such a circuit's output stays hard for a classical computer.

    Diagonal gates between two layers of H are taken too, and in general any circuit whose rotations, followed through
    its Clifford gates, turn about products of X.

    Args:
        samples: S, bitstrings. An outcome varies less than that of a shot on a quantum computer, which is +1 or -1.

    Access: white box, of the circuit alone. Unbiased; sample variances, NaN for a single sample. All components share
    their samples: where they add up in one parameter, their covariances count.

    Cost: no copies; S (2 + 4C) FLOPs for every pair of a string and a generator that anticommute. Memory does not grow
    with S.

    Raises:
        ValueError: samples that are no positive integer.
        NotApplicable: the first gate that is no rotation about a product of X.
        TooLarge: a block of bitstrings, or covariances, would not fit into memory.

    Example:
        >>> import jax, numpy as np, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> circuit = qg.Circuit(200)
        >>> for qubit in range(199):
        ...     circuit = circuit.rxx(qubit, qubit + 1, param=qubit)
        >>> objective = qg.Expectation(circuit, qg.PauliSum.from_sparse([("Z", (100,), 1.0)], 200))
        >>> e = qg.estimate(objective, np.full(199, 0.3), qg.IQPSampling(samples=20_000), key=0)
        >>> bool(abs(e.value - np.cos(0.3) ** 2) < 5 * e.value_variance**0.5), e.cost.copies
        (True, 0)

    References:
        M. Van den Nest, "Simulating quantum computers with probabilistic methods", Quantum Inf. Comput. 11, 784 (2011),
        arXiv:0911.1624; E. Recio-Armengol, S. Ahmed, J. Bowles, "Train on classical, deploy on quantum",
        arXiv:2503.02934, and "IQPopt: fast optimization of instantaneous quantum polynomial circuits in JAX",
        arXiv:2501.04776 (2025).
    """

    samples: int = eqx.field(static=True)
    access = Access.white_box
    called = "iqp-sampling"
    pays_in = "flops"
    accuracy_option = "samples"

    def __init__(self, samples: int):
        self.samples = checked_count("samples", samples)

    def plan(self, point: Point, key: Key | None) -> tuple[SampleIQP]:
        check_covariances(point, self)
        return (SampleIQP(*self._of(point), point.cotangents, self.samples, point.objective.mixes_coordinates),)

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[SampledSweep]) -> Reading:
        value, gradient, value_variance, variance, covariance = answers[0]
        freedom = {"degrees_of_freedom": self.samples - 1}
        return Reading(value, gradient, variance, value_variance, covariance=covariance, stats=freedom)

    def value_query(self, point: Point) -> SampleIQP:
        return SampleIQP(*self._of(point), np.zeros((0, len(point.cotangents[0]))), self.samples)

    def _of(self, point: Point):
        return _form_at(point, self), point.coordinates

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""By Hoeffding's inequality: samples of a derivative lie between \(-r\) and r.

        r is the sum of the |coefficients| of the strings that anticommute with a generator, and of all generators that
        one angle drives.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        form = _form_at(point, cls)
        sizes = np.abs(np.asarray(point.cotangents) @ form.coefficients)
        ranges = np.zeros((len(sizes), form.num_angles + 1))
        for j in range(form.num_generators):
            ranges[:, form.slot[j]] += abs(form.scale[j]) * (sizes @ form.noticed(slice(j, j + 1))[0])
        log = log_of(num_components(point), delta)
        return cls(max(2, counted(cls, hoeffding(np.square(ranges[:, :-1]), log, epsilon), epsilon)))


def _form_at(point: Point, who: IQPSampling | type[IQPSampling]) -> IQPForm:
    program = program_at(point, who, samples=True)
    try:
        return iqp_form(program)
    except NotIQP as error:
        raise NotApplicable(f"{name_of(who)} needs an IQP circuit, but {error}") from error
