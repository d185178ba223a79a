"""Pauli shadows from Bell measurements of two copies, with signs by majority votes or a mimicking state."""

import math
from typing import Any, ClassVar, Literal, NamedTuple, Self

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ...array_types import Key, Masks
from ...cost import Cost
from ...estimator import AbstractEstimator, unknown
from ...ir.mixed_expectation import MixedExpectation
from ...ir.mixture import Mixture
from ...ir.program import Program
from ...ir.pull_back import PauliComponents
from ...objective import Point, Reading
from ...queries import Access, BellSample, Evaluate, MajorityVotes
from ..accuracy import checked_accuracy, counted, log_of, num_components
from ..checks import checked_choice, checked_count, checked_fraction
from ..pauli_components import pauli_components
from ..programs import check_covariances, check_scale, program_at
from . import mimicking
from . import pauli_statistics as statistics
from .bell_cost import predicted_cost, proved_copies, vote_copies


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
    \(\sigma\) with \(|\mathrm{tr}(P\sigma)| \ge \epsilon/4\) for these strings (`mimicking`) is learnt with signs
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
        self.signs = checked_choice("signs", signs, ("votes", "mimicking"))
        least = {"votes": "3, for one pair and one vote", "mimicking": "4, for one measurement of each kind"}[signs]
        if self.copies < int(least[0]):
            raise ValueError(f"copies={copies}: give at least {least}")
        self.delta = checked_fraction("delta", delta)

    def init(self, point: Point, key: Key | None) -> "_State":
        check_covariances(point, self)
        components, source = _strings(point, self)
        if self.signs == "mimicking":
            mimicking.check_size(components.preparation.num_qubits)
        # Where there are no strings, all of them are known.
        known = None if len(components.x) else statistics.no_magnitudes()
        return _State(point, source or components.preparation, components, self._pairs(len(components.x)), known)

    def ask(self, state: "_State") -> tuple[BellSample | MajorityVotes, ...]:
        common: Any = state.preparation  # queries name programs, and take mixtures too
        angles = np.zeros(0, state.point.coordinates.dtype)
        if state.magnitudes is None:
            return (BellSample(common, angles, state.pairs),)
        if state.signs is not None or not len(state.magnitudes.resolved):
            return ()
        x, z, floors = state.resolved
        left = self.copies - 2 * state.pairs - state.spent
        if self.signs == "votes":
            return (MajorityVotes(common, angles, x, z, floors, left),)
        mimic = state.mimic
        assert mimic is not None  # it comes with the magnitudes
        if (chosen := self._next_vote(state)) is not None:
            string, copies = chosen
            one = slice(string, string + 1)
            return (MajorityVotes(common, angles, x[one], z[one], floors[one], copies, is_shared=False),)
        return (BellSample(common, angles, left, mimic.ensemble(), mimic.cost),)

    def tell(self, state: "_State", answers: tuple) -> "_State":
        asked, (answer,) = self.ask(state)[0], answers
        if state.magnitudes is None:
            threshold = 1.0 if self.signs == "votes" else 9 / 16 * mimicking.SQUARED_ACCURACY
            found = statistics.magnitudes(answer, state.components, self.delta, threshold)
            state = state._replace(magnitudes=found)
            if self.signs == "votes":
                return state
            accuracy = math.sqrt(mimicking.SQUARED_ACCURACY * found.noise)
            x, z, _ = state.resolved
            n = state.preparation.num_qubits
            return state._replace(mimic=mimicking.mimicking_state(n, x, z, accuracy))
        if self.signs == "votes":
            return state._replace(signs=statistics.Signs(answer.signs, answer.failures))
        mimic = state.mimic
        assert mimic is not None
        if isinstance(asked, MajorityVotes):
            string = mimic.wanted
            assert string is not None
            return state._replace(mimic=mimic.told(string, int(answer.signs[0])), spent=state.spent + asked.copies)
        x, z, floors = state.resolved
        means = statistics.mean_eigenvalues(answer, x, z)
        return state._replace(signs=_partner_signs(means, mimic.overlaps, floors, asked.pairs))

    def read(self, state: "_State") -> Reading:
        if state.magnitudes is None:
            return unknown(state.point)
        found = statistics.reading(state.components, state.magnitudes, state.signs, state.point)
        return found if state.mimic is None else found._replace(stats=found.stats | state.mimic.stats)

    def report(self, stats: dict[str, Any]) -> str:
        return mimicking.in_words(stats) if "updates" in stats else ""

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    def predict(self, point: Point) -> Cost:
        """Upper bound: every string that the pull-back could give, of full weight, gets a sign."""
        return predicted_cost(self, *_program(point, self))

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """Copies for votes by `proved_copies`."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        components, _ = _strings(point, cls)
        size = float(np.max(abs(components.gradient).sum(axis=1), initial=0.0))
        if not size:
            return cls(3, delta=delta)
        needed, delta = proved_copies(len(components.x), epsilon / size, delta)
        return cls(counted(cls, needed, epsilon), delta=delta)

    @classmethod
    def expected_for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""\(2\ln(2M/\delta)/\epsilon^4\) copies for strings of weight 1, few of which are near the noise."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        components, _ = _strings(point, cls)
        size = float(np.max(abs(components.gradient).sum(axis=1), initial=0.0))
        needed = 2 * log_of(num_components(point), delta) * (size / epsilon) ** 4
        return cls(max(3, counted(cls, needed, epsilon)), delta=delta)

    def _pairs(self, strings) -> int:
        """Pairs of step 1."""
        if self.signs == "mimicking":
            return self.copies // 4
        return (self.copies - vote_copies(self.copies, strings, self.delta)) // 2

    def _next_vote(self, state) -> tuple[int, int] | None:
        """The string whose sign the mimicking state needs next and the copies it takes, while they last."""
        string = state.mimic.wanted
        if string is None:
            return None
        votes = min(state.mimic.limit, len(state.mimic.x))
        copies = math.ceil(2 * math.log(votes / self.delta) / state.magnitudes.floors[string] ** 2)
        return (string, copies) if state.spent + copies <= self.copies // 4 else None


class _State(NamedTuple):
    point: Point
    preparation: Program | Mixture
    components: PauliComponents
    pairs: int
    magnitudes: "statistics.Magnitudes | None" = None
    mimic: "mimicking.MimickingState | None" = None
    spent: int = 0
    signs: "statistics.Signs | None" = None

    @property
    def resolved(self) -> tuple[Masks, Masks, Float[np.ndarray, "D"]]:
        """Masks of the resolved strings and lower bounds on their magnitudes, strongest first."""
        found = self.magnitudes
        assert found is not None
        return self.components.x[found.resolved], self.components.z[found.resolved], found.floors


def _program(point: Point, estimator) -> tuple[Program, Mixture | None]:
    """The program that is differentiated, and the mixed state it starts from, if any."""
    if isinstance(point.objective, MixedExpectation):
        program = point.objective.expectation.program
        check_scale(program, point.coordinates.dtype, samples=True)
        return program, point.objective.source
    return program_at(point, estimator, samples=True), None


def _strings(point: Point, who) -> tuple[PauliComponents, Mixture | None]:
    """The common state's strings, and the mixed state that it is, if any: that is prepared before the circuit."""
    program, source = _program(point, who)
    return pauli_components(program, point.coordinates, who, to_start=source is not None), source


def _partner_signs(means, overlaps, floors, pairs) -> "statistics.Signs":
    """Signs of <P> from means of <P> tr(P sigma); a sign that is as good as guessed is none."""
    failures = np.exp(-pairs * np.square(floors * overlaps) / 2)
    return statistics.Signs(np.where(failures < 0.5, np.sign(means * overlaps), 0).astype(np.int64), failures)
