"""What each method would take to reach a precision, ranked."""

from dataclasses import replace

import jax
import numpy as np

from ..arguments import check_objective
from ..array_types import Params
from ..backend import AbstractBackend, resolve
from ..estimators.accuracy import checked_accuracy
from ..ir.noise import NoiseModel
from ..objective import AbstractObjective, Point, point_at
from ..queries import Access
from ._chain import amplification
from ._device import DeviceModel
from ._growth import growth
from ._noisy_plans import with_noise
from ._plan import RANKS, Advice, Asked, Limits, Plan, plans


def advise(
    objective: AbstractObjective,
    epsilon: float,
    delta: float = 0.05,
    *,
    params: Params | None = None,
    access: "Access | str | None" = None,
    max_qubits: int | None = None,
    backend: AbstractBackend | None = None,
    rank: str = "seconds",
    device: DeviceModel | None = None,
    noise: NoiseModel | None = None,
    with_growth: bool = True,
) -> Advice:
    r"""For every method of the catalogue, what it takes until no derivative is off by more than epsilon.

    Each method is asked for the cheapest instance that is *proved* to keep all derivatives by `params` within epsilon
    with probability 1 - delta, for the worst state that its bounds allow; without noise nothing is run. Errors of
    derivatives by gate angles add up where one parameter drives several, so angles get
    \(\epsilon / \max_p \sum_a |\partial\theta_a/\partial p|\).

    With noise, methods are simulated with it and without, at expectation values, and the difference is the *bias* of
    their derivatives. It counts: an instance gets what it leaves of epsilon, and a method whose bias alone is more does
    not reach epsilon, whatever it costs. Biases are exact where density matrices take little enough, else they come
    from trajectories, with a standard error of which three count; where these take too much, the bias is "unknown" and
    the promise is that without noise. Methods that read amplitudes simulate without noise.

    Args:
        objective: what to differentiate.
        epsilon: largest error of a derivative by a parameter, in units of the observable per unit of the parameter.
        delta: probability that any derivative is further off.
        params: where, as for `qcgrad.estimate`; by default at the objective's example, or at angles that are special to
            no method: derivatives are on one common state, as some methods need, at Clifford angles only.
        access: the most that may be done with a state, a name of `qcgrad.queries.Access`; by default all that the
            backend grants.
        max_qubits: how many qubits can be held coherently; any number by default.
        backend: who would answer; the default one of the objective.
        rank: what the best plan has least of: "seconds" on the device model, or a field of `qcgrad.Cost`. Ties go to
            fewer seconds.
        device: speeds of the machines; see `DeviceModel`.
        noise: what goes wrong where circuits run; by default the noise of the backend.
        with_growth: whether to predict how costs grow with the circuit, which takes as long as all else three times.

    Returns:
        An `Advice`: print it, or look at `advice.best.estimator`.

    Raises:
        ValueError, TypeError: bad epsilon, delta, access, max_qubits, rank or params; noise on qubits that are not
            there, of a network, with access to more than single copies, or beside a backend that has its own.

    Cost: predictions only. Adaptive methods predict from all that they might ask. With noise, each method that takes
    copies is simulated at its own settings, without shots.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z")
        >>> advice = qg.advise(objective, epsilon=0.1, params=[0.5, 0.2], access="single_copy", rank="copies")
        >>> advice["parameter-shift"].cost.copies
        2195
        >>> advice["gentle-sweep"].reason
        'needs multi_copy access, and single_copy is allowed'

    References:
        A. Abbas et al., NeurIPS 2023, arXiv:2305.13362, for what backpropagation scaling is.
    """
    check_objective(objective)
    epsilon, delta = checked_accuracy(epsilon, delta)
    if rank not in RANKS:
        raise ValueError(f"rank={rank!r}: give one of {', '.join(RANKS)}")
    if device is not None and not isinstance(device, DeviceModel):
        raise TypeError(f"device is {device!r}: give a qcgrad.DeviceModel")
    limits = Limits(checked_access(access), checked_qubits(max_qubits))
    point = point_of(objective, params)
    asked = Asked(epsilon, delta, resolve(backend, point.objective), device or DeviceModel(), limits, rank)
    noisy = with_noise(asked, noise, point)
    found = plans(point, asked)
    if noisy is not None:
        found = [noisy.plan(plan) for plan in found]
    if with_growth:
        narrow = epsilon / amplification(point)
        found = [_with_growth(plan, point, narrow, delta) for plan in found]
    return Advice(asked.ranked(found), epsilon, delta, rank, asked.device, noisy and noisy.probe.noise)


def point_of(objective: AbstractObjective, params: Params | None) -> Point:
    """Where; at angles that are special to no method where there are no parameters."""
    if params is None:
        params = getattr(objective, "example", None)
    if params is None:
        params = getattr(objective, "weights_like", None)
    if params is None:
        if (count := getattr(objective, "num_parameters", None)) is None:
            raise TypeError(f"params are missing: a {type(objective).__name__} does not say what they look like")
        # Multiples of the golden ratio are spread over the circle, and none is a Clifford angle.
        turns = (np.arange(1, count + 1) * (5**0.5 - 1) / 2) % 1
        params = (np.pi * (2 * turns - 1)).astype(jax.dtypes.canonicalize_dtype(float))
    return point_at(objective, params)[0]


def _with_growth(plan: Plan, point, epsilon, delta) -> Plan:
    return plan if plan.estimator is None else replace(plan, growth=growth(plan.method.make, point, epsilon, delta))


def checked_access(access: "Access | str | None") -> Access | None:
    """A level of access by its name, or one clear error."""
    if access is None or isinstance(access, Access):
        return access
    if isinstance(access, str) and access in Access.__members__:
        return Access[access]
    raise ValueError(f"access={access!r}: give one of {', '.join(Access.__members__)}, or None")


def checked_qubits(max_qubits: int | None) -> int | None:
    """A positive number of qubits or None, or one clear error."""
    is_count = isinstance(max_qubits, (int, np.integer)) and not isinstance(max_qubits, bool) and max_qubits > 0
    if max_qubits is not None and not is_count:
        raise ValueError(f"max_qubits={max_qubits!r}: give a positive integer, or None")
    return None if max_qubits is None else int(max_qubits)
