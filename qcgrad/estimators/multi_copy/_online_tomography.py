"""Online shadow tomography with gentle threshold search."""

from typing import Any, ClassVar, Literal, NamedTuple, Self, get_args

import equinox as eqx
import jax
import numpy as np

from ...array_types import Key
from ...cost import Cost
from ...errors import NotApplicable
from ...estimator import AbstractEstimator
from ...ir.pull_back import NotClifford, pull_back
from ...ir.sweep_form import Encoding, SweepForm, common_state_form, one_state_forms
from ...objective import Point, Reading
from ...queries import AbstractQuery, Access, Evaluate
from .._checks import checked_choice, checked_count, checked_fraction
from .._programs import check_covariances, program_at
from ..accuracy import checked_accuracy
from . import _online_run as online_run
from ._online_reading import in_words, reading
from ._online_run import Backaction, FormRun
from .hypothesis import AbstractHypothesis, Dense, MatrixProduct, Product
from .online_plan import accuracies, largest_common_form, sweep_plan

_LEAST_ACCURATE = 1 - 1e-9


class OnlineTomography(AbstractEstimator):
    r"""All derivatives to a given accuracy, in copies that grow as log^2 M: the general upper bound of Abbas et al.

    A hypothesis state \(\sigma\), maximally mixed at first, predicts every string of the backward sweep
    (`ir.sweep_form`). k copies are un-computed gate by gate, and at each string a gentle check asks only whether the
    prediction \(p\) is wrong:

    .. math:: S + X > k\,(1 + p + m)/2 \quad\text{or}\quad k - S + X' > k\,(1 - p + m)/2,

    S the number of copies that would say +1, \(X, X'\) exponential noise of mean \(\sqrt k\). Where all pass, the
    predictions are the answers. Where one fails, the string is measured on fresh copies, \(\sigma\) takes a step of
    matrix multiplicative weights, \(\sigma \propto \exp(\sum_t \beta_t A_t)\), and the sweep goes on behind the string
    with a fresh batch. With \(\ell = \ln(6 D F/\delta)\) for D strings in each of F forms and e a string's share of
    the error,

    .. math:: k = \big(5(\ell + \sqrt{2\ell})/e\big)^2, \quad m = e - \sqrt{2\ell/k}, \quad
        \text{stops} \le 2N\ln2/(0.4\,e)^2 < 8.7\,N/e^2

    on N qubits (derivation: online_tomography.md). More stops than that, which only an approximate hypothesis or bad
    luck brings, end the sweeps: the strings left are measured one by one, and the result's message says so.

    Args:
        epsilon: largest error of the value and of every derivative by gate angle, in units of the observable. Each
            form gets the share that makes the copies about minimal.
        delta: probability that any of them is further off.
        hypothesis: "dense" (a density matrix); "mpo" (a matrix-product operator) or "product" (mean-field), which
            only approximate the update: the checks guarantee the answers all the same, more stops are the price.
        backaction: how a simulator treats copies that passed a check: "idealized" (as fresh), "gaussian" (large-k
            model) or "exact" (symmetric subspace, few copies only).
        encoding: of observables that are not a single string: "terms" (string by string), "block" (block encoding:
            far fewer copies, on a few more qubits), or "none" (refuse them).
        order: "circuit", or "random" where all derivatives are Pauli expectations of one state, so that the order is
            free: the strings are shuffled anew in each estimate.
        max_bond: bond dimension of "mpo".
        copies: k of each batch, in place of the proof's. Fewer void the guarantee, and `bias_bound` then says
            nothing about predictions.

    Access: multi copy (k copies held coherently).

    Statistics: `variance` is that of measured strings; predictions have none. `bias_bound` holds with probability
    1 - delta: e for each prediction, and the bound on the probability that idealized back-action changed its sweep
    times the largest error it could then have. Simulated answers have the fidelity `backaction`.

    Cost: k copies a sweep, at most one sweep more than stops, \(200\,\ell/e^2\) copies a stop; FLOPs and bytes of the
    hypothesis. The prediction is an upper bound. At moderate sizes the constants lose to `ParameterShift` by far.

    Raises:
        ValueError: an argument out of range.
        NotApplicable: encoding="none" and an observable of several strings; order="random" and derivatives that are
            no Pauli expectations of one state.
        StateTooLarge: a dense hypothesis that does not fit into memory.
        ImportError: hypothesis="mpo" without quimb.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ")
        >>> method = qg.OnlineTomography(epsilon=0.3, delta=0.05)
        >>> e = qg.estimate(objective, [0.5, 1.1], method, key=0)
        >>> truth = qg.estimate(objective, [0.5, 1.1], qg.Adjoint()).gradient
        >>> bool(abs(e.gradient - truth).max() < 0.3), e.cost.copies <= qg.predict_cost(objective, method).copies
        (True, True)

    References:
        A. Abbas et al., "On quantum backpropagation, information reuse, and cheating measurement collapse",
        NeurIPS 2023, arXiv:2305.13362; C. Badescu, R. O'Donnell, "Improved quantum data analysis", STOC 2021,
        arXiv:2011.10908; S. Aaronson et al., "Online learning of quantum states", NeurIPS 2018, arXiv:1802.09025.
    """

    epsilon: float = eqx.field(static=True)
    delta: float = eqx.field(static=True)
    hypothesis: Literal["dense", "product", "mpo"] = eqx.field(static=True)
    backaction: Backaction = eqx.field(static=True)
    encoding: Encoding = eqx.field(static=True)
    order: Literal["circuit", "random"] = eqx.field(static=True)
    max_bond: int = eqx.field(static=True)
    copies: int | None = eqx.field(static=True)
    access = Access.multi_copy
    is_traceable: ClassVar[bool] = False

    def __init__(
        self,
        epsilon: float,
        delta: float = 0.05,
        hypothesis: Literal["dense", "product", "mpo"] = "dense",
        backaction: Backaction = "idealized",
        encoding: Encoding = "terms",
        order: Literal["circuit", "random"] = "circuit",
        max_bond: int = 32,
        copies: int | None = None,
    ):
        self.epsilon = checked_fraction("epsilon", epsilon)
        self.delta = checked_fraction("delta", delta)
        self.hypothesis = checked_choice("hypothesis", hypothesis, ("dense", "product", "mpo"))
        self.backaction = checked_choice("backaction", backaction, ("exact", "gaussian", "idealized"))
        self.encoding = checked_choice("encoding", encoding, get_args(Encoding))
        self.order = checked_choice("order", order, ("circuit", "random"))
        self.max_bond = checked_count("max_bond", max_bond)
        self.copies = None if copies is None else checked_count("copies", copies)

    @property
    def is_random(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.order == "random"

    def init(self, point: Point, key: Key | None) -> "_State":
        check_covariances(point, self)
        program = program_at(point, self, samples=True)
        forms = self._forms(program, np.asarray(point.coordinates, float))
        starts: dict[int, AbstractHypothesis] = {}
        runs = []
        for form, plan in zip(forms, self._plans(forms), strict=True):
            # Forms of one program differ in their preparation only, and a start knows nothing of that.
            if form.num_qubits not in starts:
                starts[form.num_qubits] = self._start(form)
            visited = np.arange(form.num_components)
            if key is not None:
                visited = np.asarray(jax.random.permutation(key, form.num_components))
            runs.append(online_run.start(form, plan, self.backaction, starts[form.num_qubits], visited))
        return _State(point, tuple(runs))

    def ask(self, state: "_State") -> tuple[AbstractQuery, ...]:
        return tuple(query for run in state.runs for query in run.queries)

    def tell(self, state: "_State", answers: tuple) -> "_State":
        left = iter(answers)
        runs = [run.told(tuple(next(left) for _ in run.queries)) if run.queries else run for run in state.runs]
        return state._replace(runs=tuple(runs))

    def read(self, state: "_State") -> Reading:
        program = program_at(state.point, self, samples=True)
        # A common state's form holds the identity's part itself, if there is one.
        held = self.order == "random" and len(state.runs) > 0
        constants = np.zeros(program.num_observables) if held else program.constants
        return reading(state.point, state.runs, constants)

    def report(self, stats: dict[str, Any]) -> str:
        return in_words(stats)

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    def predict(self, point: Point) -> Cost:
        """Upper bound: as many stops as the bound allows, or as there are strings."""
        program = program_at(point, self, samples=True)
        if self.order == "random" and program.bases:
            forms = [largest_common_form(program)]
        else:
            forms = self._forms(program, np.asarray(point.coordinates, float))
        total = Cost()
        for form, plan in zip(forms, self._plans(forms), strict=True):
            total += online_run.largest_cost(form, plan, self.backaction, self._largest_hypothesis_cost(form))
        return total

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """What its arguments say, with the encoding that takes fewer copies; the value is as accurate.

        Copies that passed a check are taken to be as good as fresh ones, as online_tomography.md derives.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        # An error of 1 is the largest that its arguments allow.
        found = [cls(min(epsilon, _LEAST_ACCURATE), delta, encoding=encoding) for encoding in ("terms", "block")]
        return min(found, key=lambda method: method.predict(point).copies)

    def _forms(self, program, angles) -> list[SweepForm]:
        if not program.bases:  # constant observables
            return []
        if self.order == "circuit":
            try:
                return one_state_forms(program, angles, self.encoding)
            except ValueError as error:
                raise NotApplicable(f"OnlineTomography: {error}") from error
        try:
            return [common_state_form(pull_back(program, angles), program.num_observables)]
        except NotClifford as error:
            raise NotApplicable(
                f"OnlineTomography(order='random') needs derivatives that are Pauli expectations of one common state, "
                f"but {error}. Use order='circuit'"
            ) from error

    def _plans(self, forms):
        shares = accuracies(forms, self.epsilon)
        return [sweep_plan(f, e, self.delta / len(forms), self.copies) for f, e in zip(forms, shares, strict=True)]

    def _start(self, form) -> AbstractHypothesis:
        if self.hypothesis == "mpo":
            return MatrixProduct.start(form, self.max_bond)
        return {"dense": Dense, "product": Product}[self.hypothesis].start(form)

    def _largest_hypothesis_cost(self, form) -> Cost:
        if self.hypothesis == "mpo":
            return MatrixProduct.largest_cost(form, self.max_bond)
        return {"dense": Dense, "product": Product}[self.hypothesis].largest_cost(form)


class _State(NamedTuple):
    point: Point
    runs: tuple[FormRun, ...]
