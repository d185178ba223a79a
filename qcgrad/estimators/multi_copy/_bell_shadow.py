"""Pauli shadows from Bell measurements of two copies, with signs by majority votes or a mimicking state."""

import math
from typing import Any, ClassVar, Literal, NamedTuple, Self

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...cost import Cost
from ...estimator import AbstractEstimator, unknown
from ...ir.mixed_expectation import MixedExpectation
from ...ir.mixture import Mixture
from ...ir.program import Program
from ...ir.pull_back import PauliComponents
from ...objective import Point, Reading
from ...queries import AbstractQuery, Access, BellOutcomes, BellSample, Evaluate
from .._checks import checked_choice, checked_count, checked_fraction
from .._pauli_components import fixed_gates, most_strings, pauli_components
from .._programs import check_covariances, check_scale, program_at
from ..accuracy import checked_accuracy, counted, log_of, num_components
from . import _pauli_statistics as statistics
from .signs import SIGN_METHODS, AbstractSignMethod, AbstractSignSearch, NothingWanted, WantedSigns


class BellShadow(AbstractEstimator):
    r"""All Pauli-expectation components of one state from two-copy measurements, in log M copies.

    Wherever the gradient observables pull back to Pauli strings of one common state (operator pools
    i<[H, P]>, circuits that are Clifford behind the first parameterised gate, the all-Pauli hard
    instance), one set of samples serves every component:

    1. Bell-measure N pairs of copies. Each string's eigenvalue under P (x) P averages to
       \(u_P = \langle P\rangle^2\), so \(|\langle P\rangle| = \sqrt{u_P}\), for all strings at once, with an
       error of at most \(\eta = \sqrt{2\ln(2D/\delta)/N}\) in every \(u_P\).
    2. Strings whose \(\hat u_P\) stands out of this noise get a sign; the others are reported as 0.

    **signs="votes"** (all strings with \(\hat u_P > \eta\)): coherent majority votes, strongest string first, all on
    the same k copies. The j-th sign is wrong with probability at most \(4\sum_{i \le j} e^{-k p_i^2/2}\),
    \(p_i^2 = \hat u_i - \eta\), so weak strings do not spoil the bounds of strong ones. Fresh copies for later votes
    would not help: with fewer copies for each vote, every term of the sum grows.

    **signs="mimicking"** (\(\hat u_P \ge (3\epsilon/4)^2\) at \(\epsilon^2 = 16\eta/5\)): a classical state
    \(\sigma\) with \(|\mathrm{tr}(P\sigma)| \ge \epsilon/4\) for these strings (`mimicking_state`) is learnt with signs
    measured on single copies, at most a quarter of all. Bell measurements of the remaining copies, each beside a
    \(\sigma\), average to \(\langle P\rangle\,\mathrm{tr}(P\sigma)\) and give all signs; sign j is wrong with
    probability at most \(e^{-N' p_j^2 \mathrm{tr}(P_j\sigma)^2/2}\). Where that is above 1/2 the string stays at 0.

    Args:
        copies: total number of copies of the unknown state. For votes divided so that both steps reach the same error:
            \(4\ln(2D/\delta)/\epsilon^4 + 2\ln(D/\delta)/\epsilon^2 = \) `copies` defines
            \(\epsilon = \sqrt\eta\); for mimicking one half goes to step 1.
        signs: "votes" or "mimicking".
        delta: probability that any of the D strings misses its bound.

    Access: multi copy. Step 1 and mimicking hold 2 copies (2n qubits) coherently, votes hold k.

    Statistics: `variance` is the first-order (delta-method) variance of the components that were
    resolved; unresolved strings add nothing to it but \(\sqrt{\hat u + \eta}\) times their coefficient to
    `bias_bound`, which holds with probability 1 - delta and contains what wrong signs would do.
    Simulated votes are "idealized", drawn as if on fresh copies; all else is "exact".

    Cost: at most `copies` copies for any number of components (nothing is spent on signs where nothing is
    resolved). \(\sigma\) is no copy of the unknown state: its preparation is charged in gates, and what it takes to
    find it in FLOPs and bytes. Evaluating N samples takes \(O(DN)\) operations, or \(O(2^n (N + n 2^n))\) where
    that is less.

    Raises:
        ValueError: copies that are no positive integer or too few for one measurement of each kind.
        NotApplicable: a gate behind the first parameterised one is not Clifford at its angle.
        StateTooLarge: a mimicking state of more than 10 qubits.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), qg.PauliSum("ZI"), ["YI", "XI"])
        >>> e = qg.estimate(pool, [0.5], qg.BellShadow(copies=20_000), key=0)
        >>> e.cost.copies, bool(abs(e.gradient[0] - 0.9589) < 5 * e.variance[0] ** 0.5)
        (20000, True)

    References:
        H.-Y. Huang, R. Kueng, J. Preskill, Phys. Rev. Lett. 126, 190505 (2021), arXiv:2101.02464;
        R. King, D. Gosset, R. Kothari, R. Babbush, "Triply efficient shadow tomography", arXiv:2404.19211;
        A. Abbas et al., NeurIPS 2023, arXiv:2305.13362.
    """

    copies: int = eqx.field(static=True)
    signs: Literal["votes", "mimicking"] = eqx.field(static=True)
    delta: float = eqx.field(static=True)
    access = Access.multi_copy
    accuracy_option = "copies"
    needs_common_state = True
    is_typical = True
    is_traceable: ClassVar[bool] = False

    def __init__(self, copies: int, signs: Literal["votes", "mimicking"] = "votes", delta: float = 0.05):
        self.copies = checked_count("copies", copies)
        self.signs = checked_choice("signs", signs, tuple(SIGN_METHODS))
        method = SIGN_METHODS[self.signs]
        if self.copies < method.least:
            raise ValueError(f"copies={copies}: give at least {method.least}, for {method.least_for}")
        self.delta = checked_fraction("delta", delta)

    def init(self, point: Point, key: Key | None) -> "_State":
        check_covariances(point, self)
        program, source = _program(point, self)
        # A mixed state is prepared before the circuit starts, so it is the common state.
        components = pauli_components(program, point.coordinates, self, to_start=source is not None)
        method = self._method
        method.check_size(program.num_qubits)
        if not len(components.x):
            return _Signs(point, components, statistics.no_magnitudes(), NothingWanted())
        common = source or components.preparation
        return _Magnitudes(point, components, common, method, method.pairs(len(components.x)))

    def ask(self, state: "_State") -> tuple[AbstractQuery, ...]:
        return state.ask()

    def tell(self, state: "_State", answers: tuple) -> "_State":
        return state.tell(answers[0])

    def read(self, state: "_State") -> Reading:
        return state.read()

    def report(self, stats: dict[str, Any]) -> str:
        return self._method.report(stats)

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    def predict(self, point: Point) -> Cost:
        """Upper bound: every string that the pull-back could give, of full weight, gets a sign."""
        program, source = _program(point, self)
        if not program.bases:  # constant observables
            return Cost()
        gates = fixed_gates(program) if source is None else source.num_gates
        return self._method.predicted_cost(program.num_qubits, gates, most_strings(program))

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Copies for votes; of D strings none is off by more than \((\sqrt2 + \sqrt3)\sqrt\eta\).

        At a `delta` of \(\delta' = \delta/6\) all squares are within \(\eta\) but for \(\delta'\), and votes on
        \(k = 2\ln(D/\delta')/\eta\) copies find the signs of all strings with \(\hat u_P > 2\eta\), which come first,
        but for \(4D e^{-k\eta/2} = 4\delta'\). Those strings are off by \(\sqrt\eta\) at most, the ones without a sign
        by \(\sqrt{2\eta}\), and wrong signs of those between by \(\sqrt{\hat u_P} + \sqrt{\hat u_P + \eta}\).
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program, source = _program(point, cls)
        components = pauli_components(program, point.coordinates, cls, to_start=source is not None)
        size = float(np.max(abs(components.gradient).sum(axis=1), initial=0.0))
        if not size:
            return cls(3, delta=delta)
        # One sixth is for counts, which are whole: that matters little below a half.
        noise, delta = min((epsilon / size / (math.sqrt(2) + math.sqrt(3))) ** 2, 0.5), delta / 6
        strings = len(components.x)
        pairs = math.ceil(2 * math.log(2 * strings / delta) / noise**2)
        needed = 2 * pairs + math.ceil(2 * math.log(strings / delta) / noise) + 2
        return cls(counted(cls, needed, epsilon), delta=delta)

    @classmethod
    def expected_for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""\(2\ln(2M/\delta)/\epsilon^4\) copies for strings of weight 1, few of which are near the noise."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        program, source = _program(point, cls)
        components = pauli_components(program, point.coordinates, cls, to_start=source is not None)
        size = float(np.max(abs(components.gradient).sum(axis=1), initial=0.0))
        needed = 2 * log_of(num_components(point), delta) * (size / epsilon) ** 4
        return cls(max(3, counted(cls, needed, epsilon)), delta=delta)

    @property
    def _method(self) -> AbstractSignMethod:
        return SIGN_METHODS[self.signs](self.copies, self.delta)


class _Magnitudes(NamedTuple):
    """Step 1, asked or to be asked."""

    point: Point
    components: PauliComponents
    preparation: Any  # queries name programs, and take mixtures too
    method: AbstractSignMethod
    pairs: int

    def ask(self) -> tuple[BellSample]:
        return (BellSample(self.preparation, self._angles, self.pairs),)

    def tell(self, answer: BellOutcomes) -> "_Signs":
        method, (x, z) = self.method, (self.components.x, self.components.z)
        found = statistics.magnitudes(answer, self.components, method.delta, method.threshold)
        strings = x[found.resolved], z[found.resolved]
        wanted = WantedSigns(self.preparation, self._angles, *strings, found.floors, found.noise)
        left = method.copies - 2 * self.pairs
        return _Signs(self.point, self.components, found, method.search(wanted, left))

    def read(self) -> Reading:
        return unknown(self.point)

    @property
    def _angles(self):
        return np.zeros(0, self.point.coordinates.dtype)


class _Signs(NamedTuple):
    """Step 2, until the search has nothing more to ask."""

    point: Point
    components: PauliComponents
    magnitudes: statistics.Magnitudes
    search: AbstractSignSearch

    def ask(self) -> tuple[AbstractQuery, ...]:
        return self.search.ask()

    def tell(self, answer: Any) -> "_Signs":
        return self._replace(search=self.search.tell(answer))

    def read(self) -> Reading:
        found = statistics.reading(self.components, self.magnitudes, self.search.signs, self.point)
        return found._replace(stats=found.stats | self.search.stats)


_State = _Magnitudes | _Signs


def _program(point: Point, estimator) -> tuple[Program, Mixture | None]:
    """The program that is differentiated, and the mixed state it starts from, if any."""
    if isinstance(point.objective, MixedExpectation):
        program = point.objective.expectation.program
        check_scale(program, point.coordinates.dtype, samples=True)
        return program, point.objective.source
    return program_at(point, estimator, samples=True), None
