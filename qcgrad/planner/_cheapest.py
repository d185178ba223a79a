"""The method that a planner picks, as a method."""

from typing import Any, NamedTuple, Self

import equinox as eqx
import jax

from ..array_types import Key
from ..backend import AbstractBackend, resolve
from ..cost import Cost
from ..errors import NotApplicable
from ..estimator import AbstractEstimator
from ..estimators.accuracy import checked_accuracy
from ..objective import Point, Reading
from ..queries import NOISY, AbstractQuery, Access
from ._advise import checked_access, checked_qubits
from ._device import DeviceModel
from ._noisy_plans import NoisyPlans, with_noise
from ._plan import RANKS, Advice, Asked, Limits, Plan, plans


class Cheapest(AbstractEstimator):
    """Whichever method of the catalogue reaches a precision with the least cost, at the point where it is asked.

    What `qcgrad.advise` recommends on the backend is run: an instance that is proved to keep all derivatives by the
    parameters within epsilon with probability 1 - delta, the bias by a backend's noise included where that can be
    simulated.

    Args:
        epsilon: largest error of a derivative by a parameter.
        delta: probability that any derivative is further off.
        access: the most that may be done with a state, as for `qcgrad.advise`; all by default, and then a simulator's
            exact methods win.
        max_qubits: how many qubits can be held coherently; any number by default.
        rank: what is to be small, as for `qcgrad.advise`.
        device: speeds of the machines, as for `qcgrad.advise`.

    Raises:
        ValueError: arguments that are no such thing.
        NotApplicable: when asked, no method does; the reason of each is in the message.

    Cost: that of the method picked, which `result.message` and `stats["method"]` name; all others are predicted only.
    On a backend with noise the cheapest ones are simulated, until one reaches epsilon.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> cheapest = qg.Cheapest(epsilon=0.1, delta=0.05, access="single_copy", rank="copies")
        >>> e = qg.estimate(objective, [0.5], cheapest, key=0)
        >>> bool(abs(e.gradient[0] + 0.4794) < 0.1)
        True
    """

    epsilon: float = eqx.field(static=True)
    delta: float = eqx.field(static=True)
    most: Access | None = eqx.field(static=True)
    max_qubits: int | None = eqx.field(static=True)
    rank: str = eqx.field(static=True)
    device: DeviceModel = eqx.field(static=True)
    backend: AbstractBackend | None
    is_traceable = False
    is_random = True

    def __init__(
        self,
        epsilon: float,
        delta: float = 0.05,
        *,
        access: Access | str | None = None,
        max_qubits: int | None = None,
        rank: str = "seconds",
        device: DeviceModel | None = None,
    ):
        self.epsilon, self.delta = checked_accuracy(epsilon, delta)
        self.most, self.max_qubits = checked_access(access), checked_qubits(max_qubits)
        if rank not in RANKS:
            raise ValueError(f"rank={rank!r}: give one of {', '.join(RANKS)}")
        if device is not None and not isinstance(device, DeviceModel):
            raise TypeError(f"device is {device!r}: give a qcgrad.DeviceModel")
        self.rank, self.device, self.backend = rank, device or DeviceModel(), None

    def on(self, backend: AbstractBackend) -> Self:
        """The method for what this backend grants, and for its noise."""
        return eqx.tree_at(lambda c: c.backend, self, backend, is_leaf=lambda leaf: leaf is None)

    @property
    def access(self) -> Access:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The most that whatever is picked may ask for."""
        return max(Access) if self.most is None else self.most

    def init(self, point: Point, key: Key | None) -> "_Picked":
        best = self._pick(point)
        return _Picked(best, best.init(point, key if best.is_random else None))

    def ask(self, state: "_Picked") -> tuple[AbstractQuery, ...]:
        return state.method.ask(state.inner)

    def tell(self, state: "_Picked", answers: tuple) -> "_Picked":
        return state._replace(inner=state.method.tell(state.inner, answers))

    def read(self, state: "_Picked") -> Reading:
        reading = state.method.read(state.inner)
        said = state.method.report(reading.stats) if reading.stats else ""
        return reading._replace(stats={**reading.stats, "method": Words(repr(state.method)), "said": Words(said)})

    def report(self, stats: dict[str, Any]) -> str:
        """Which method was picked, and what that one says."""
        return "; ".join(filter(None, (f"picked {stats['method']}", stats["said"])))

    def _pick(self, point):
        backend = resolve(self.backend, point.objective)
        limits = Limits(self.most, self.max_qubits)
        asked = Asked(self.epsilon, self.delta, backend, self.device, limits, self.rank)
        noisy = with_noise(asked, None, point)
        found = asked.ranked(plans(point, asked))
        if noisy is not None:
            found = _with_noise_where_it_counts(found, noisy)
        best = Advice(found, self.epsilon, self.delta, self.rank, self.device).best.estimator
        assert best is not None  # or it would have raised
        return best

    def value_query(self, point: Point) -> AbstractQuery:
        return self._pick(point).value_query(point)

    def predict(self, point: Point) -> Cost:
        """That of the method picked, an upper bound where it is adaptive.

        Raises:
            NotApplicable: on a backend with noise, where nobody says the parameters that its bias depends on.
        """
        backend = resolve(self.backend, point.objective)
        if point.params is None and backend.noise is not None and backend.fidelity == NOISY:
            raise NotApplicable(
                "params are missing: how far noise moves a derivative depends on them; look at "
                "qcgrad.advise(objective, epsilon, params=..., backend=...)"
            )
        return self._pick(point).predict(point)


def _with_noise_where_it_counts(found: tuple[Plan, ...], noisy: NoisyPlans) -> tuple[Plan, ...]:
    """The plans with the best one on top, noise included, though only that of some has been simulated.

    Noise makes plans dearer, never cheaper: one that is the best with its own is the best of all.
    """
    while found and found[0].cost is not None and found[0].bias is None:
        found = noisy.asked.ranked((noisy.plan(found[0]), *found[1:]))
    return found


@jax.tree_util.register_static
class Words(str):
    """Text among stats; no leaf of a tree of arrays."""

    __slots__ = ()


class _Picked(NamedTuple):
    method: AbstractEstimator
    inner: Any
