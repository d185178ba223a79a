"""Collective measurements with Gaussian pointers along one backward sweep."""

import math
from typing import Any, ClassVar, NamedTuple, Self, get_args

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...cost import Cost
from ...estimator import AbstractEstimator, total_cost, unknown
from ...ir.sweep_form import Encoding, SweepForm, one_state_forms
from ...objective import Point, Reading
from ...queries import Access, Evaluate, PointerSweep
from .._checks import checked_choice, checked_count, checked_flag, checked_positive
from .._programs import check_covariances, program_at
from ..accuracy import checked_accuracy, counted, log_of, num_components
from . import _pointer_statistics as statistics
from ._pointer_accuracy import best_width, expected_copies, fewest_copies
from ._pointer_statistics import BatchedMeans

# Share of the copies that finds the pointer variance where it is not given.
_PILOT = 8


class GentleSweep(AbstractEstimator):
    r"""Every derivative from one backward sweep over k copies, each read by a weak collective measurement.

    The copies of \(|\Psi\rangle\) (see `qcgrad.ir.sweep_form`) are un-computed gate by gate. Before each gate a
    Gaussian pointer of variance \(s^2\) reads the mean of the next string \(A_j\) over all k copies. A wide pointer
    adds noise but disturbs little:

    .. math:: \mathrm{Var}_j \approx \frac1k\Big(1 - \langle A_j\rangle^2 + s^2
        + \frac1{s^2}\sum_{i<j}\Omega_{ij}^2\Big), \qquad \Omega_{ij} = \mathrm{Im}\langle A_i A_j\rangle,

    smallest at \(s^2 = \sqrt R\) with R the sum over i. On hardware-efficient circuits R stays below 1 while M is
    small against \(2^{n+3}\), so k does not grow with M there; circuits that scramble have \(R \approx M/2^{n+3}\) on
    average, and alternating X and Y on one qubit \(R \propto M\) at once: then k grows as \(\sqrt M\). Each
    earlier measurement also dephases every copy, a bias of about \(M/(4 s^2 k)\) that does not average out: choose k
    well above \(M/(4 s^2 \epsilon)\).

    Args:
        copies: total number of copies, divided over the sweeps in proportion to the coefficients that they read, and
            over the batches.
        pointer_variance: \(s^2\), in units of one copy's variance. None: an eighth of the copies sweeps at
            \(s^2 = 1\) first, only to find the mean of R over the strings from the spread of its batches, and how many
            copies an encoding leaves out.
        interactions: R, if it is known, instead of `pointer_variance`.
        batches: independent sweeps that share the copies. Their spread is the reported variance
            (`batches` - 1 degrees of freedom; NaN for one). More batches mean fewer copies in each and a larger bias.
        encoding: "block", one sweep for each observable, whose strings are read together; "terms", one for each
            string, which takes more copies, fewer gates each, and serves several observables at once; "none", refuse
            observables of several strings.
        extrapolate: sweep half of the copies at twice the pointer variance and extrapolate linearly to
            \(1/s^2 = 0\): the bias becomes second order, the variance about ten times as large.

    **Sums of strings.** A block encoding holds all strings in superposition, commuting ones by half the range R of
    their sum, and spoils copies, which are found out at once and left out (`qcgrad.ir.sweep_form`). With
    \(\Lambda = \sum R\) over groups and strings, one copy adds \((\Lambda + \sqrt{\langle O^2\rangle})^2/4\), without a
    pilot \((\Lambda^2 + \langle O^2\rangle)/2\), where strings one by one add \((\sum_t|c_t|)^2\).

    Access: multi copy; `cost.qubits` is k (n + 1) and a pointer, the price for the few copies; an encoding of P groups
    and strings adds up to log2(P) + 2 to each copy's.

    Statistics: `bias_bound` is rigorous, \(j (1 - e^{-1/(2 s^2 k)})\) for the j-th string read; where it exceeds the
    norm of the gradient, a `BiasWarning` and the result's message say which copies or pointer variance would do.
    Fidelity "exact": the distribution of each string's outcome is exact; simulated strings of one sweep are otherwise
    independent, which is not exact for components that add up several strings (controlled gates, shared parameters).

    Cost: `copies` copies (less what does not divide), O(M) gates a copy, known in advance.

    Raises:
        ValueError: counts that are no positive integers, a pointer variance that is not positive, or too few copies
            for one in each sweep.
        NotApplicable: encoding="none" for an observable of several strings.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ")
        >>> e = qg.estimate(objective, [0.5, 0.3], qg.GentleSweep(copies=8_000, pointer_variance=1.0), key=0)
        >>> error = abs(e.gradient - qg.estimate(objective, [0.5, 0.3], qg.Adjoint()).gradient)
        >>> e.cost.copies, bool(all(error < 0.1))  # standard error about 0.025
        (8000, True)

    References:
        Derived in theory/quantum_backprop/gentle_sweep.md and sums_of_strings.md; noisy collective measurements for
        shadow tomography: P. Sinha, arXiv:2411.01420; the one-state form: A. Abbas et al., NeurIPS 2023,
        arXiv:2305.13362.
    """

    copies: int = eqx.field(static=True)
    pointer_variance: float | None = eqx.field(static=True)
    batches: int = eqx.field(static=True)
    encoding: Encoding = eqx.field(static=True)
    extrapolate: bool = eqx.field(static=True)
    access = Access.multi_copy
    is_typical = True
    is_traceable: ClassVar[bool] = False

    def __init__(
        self,
        copies: int,
        pointer_variance: float | None = None,
        *,
        interactions: float | None = None,
        batches: int = 8,
        encoding: Encoding = "block",
        extrapolate: bool = False,
    ):
        self.copies = checked_count("copies", copies)
        self.batches = checked_count("batches", batches)
        self.encoding = checked_choice("encoding", encoding, get_args(Encoding))
        if pointer_variance is not None and interactions is not None:
            raise ValueError("give pointer_variance or interactions, not both: s^2 = sqrt(interactions)")
        if interactions is not None:
            pointer_variance = math.sqrt(checked_positive("interactions", interactions))
        if pointer_variance is not None:
            pointer_variance = checked_positive("pointer_variance", pointer_variance)
        elif self.batches < 2:
            raise ValueError("batches=1 leaves no spread to find the pointer variance from: give pointer_variance too")
        self.pointer_variance = pointer_variance
        self.extrapolate = checked_flag("extrapolate", extrapolate)

    def init(self, point: Point, key: Key | None) -> "_State":
        check_covariances(point, self)
        program = program_at(point, self, samples=True)
        forms = one_state_forms(program, np.asarray(point.coordinates, float), self.encoding, discards=True)
        sets = 2 if self.extrapolate else 1
        statistics.check_copies(self.copies, len(forms) * (sets + self._has_pilot), self.batches)
        pilots = max(self.batches * len(forms), self.copies // _PILOT) if self._has_pilot else 0
        return _State(
            point,
            program.constants,
            forms,
            statistics.copies_a_sweep(forms, pilots, self.batches) if pilots else [],
            statistics.copies_a_sweep(forms, self.copies - pilots, sets * self.batches),
        )

    def ask(self, state: "_State") -> tuple[PointerSweep, ...]:
        done = len(state.rounds)
        if self._has_pilot and done == 0:
            return self._pilot(state)
        return self._main(state) if done == int(self._has_pilot) else ()

    def tell(self, state: "_State", answers: tuple) -> "_State":
        asked = self.ask(state)
        found = [BatchedMeans.of(query, answer) for query, answer in zip(asked, answers, strict=True)]
        return state._replace(rounds=(*state.rounds, found))

    def read(self, state: "_State") -> Reading:
        if state.forms and len(state.rounds) <= int(self._has_pilot):
            return unknown(state.point)
        main = state.rounds[-1] if state.forms else []
        if self.extrapolate:
            combinations = [statistics.extrapolated(*main[f : f + 2]) for f in range(0, len(main), 2)]
        else:
            combinations = [statistics.plain(found) for found in main]
        return statistics.reading(combinations, state.point, state.constants)

    def report(self, stats: dict[str, Any]) -> str:
        return statistics.in_words(stats)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """The worst state makes all strings interact: the pointer variance and the copies that are then best."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        program, log = program_at(point, cls, samples=True), log_of(num_components(point), delta)

        def one_width(forms):
            return [best_width(forms, log, epsilon)] * len(forms)

        needed, encoding, widths = fewest_copies(point, program, log, epsilon, one_width)
        return cls(counted(cls, needed, epsilon), widths[0] if widths else 1.0, batches=1, encoding=encoding)

    @classmethod
    def expected_for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """V = 3 at s^2 = 1, where rows of interactions add up to at most 1 and M is small against k."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        log = log_of(num_components(point), delta)
        needed = expected_copies(point, program_at(point, cls, samples=True), 3, log, epsilon)
        return cls(counted(cls, needed, epsilon), pointer_variance=1.0, batches=1)

    @property
    def _has_pilot(self):
        return self.pointer_variance is None

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    def predict(self, point: Point) -> Cost:
        """Exact: the pointer variance changes no cost."""
        state = self.init(point, None)
        main = self._sweeps(state, [(form, 1.0) for form in state.forms])
        return total_cost(self._pilot(state) + main if self._has_pilot else main)

    def _pilot(self, state):
        return tuple(
            PointerSweep(form, copies, 1.0, self.batches)
            for form, copies in zip(state.forms, state.pilot_copies, strict=True)
        )

    def _main(self, state):
        if self.pointer_variance is None:
            return self._sweeps(state, [statistics.tuned(found) for found in state.rounds[0]])
        return self._sweeps(state, [(form, self.pointer_variance) for form in state.forms])

    def _sweeps(self, state, chosen):
        asked = []
        for (form, width), copies in zip(chosen, state.copies, strict=True):
            asked.append(PointerSweep(form, copies, width, self.batches))
            if self.extrapolate:
                asked.append(PointerSweep(form, copies, 2 * width, self.batches))
        return tuple(asked)


class _State(NamedTuple):
    point: Point
    constants: np.ndarray
    forms: list[SweepForm]
    pilot_copies: list[int]
    copies: list[int]
    rounds: tuple[list[BatchedMeans], ...] = ()
