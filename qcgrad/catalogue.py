"""What there is: methods, activations, layers, backward rules and backends by name, read off the classes.

Nothing is listed here. What this package has is what `qcgrad.estimators`, `qcgrad.networks` and `qcgrad.simulators`
export; packages of others add methods through the entry point group "qcgrad.estimators", in their pyproject.toml:

    [project.entry-points."qcgrad.estimators"]
    my-method = "my_package:MyMethod"
"""

import difflib
import importlib.metadata
import inspect
import warnings
from collections.abc import Iterable
from functools import lru_cache
from types import ModuleType
from typing import Any, NamedTuple

from . import estimators, networks, simulators
from .arguments import check_objective
from .backend import AbstractBackend, resolve
from .cost import Cost
from .entries import REQUIRED as REQUIRED
from .entries import Entry as Entry
from .entries import Option as Option
from .entries import read_off
from .errors import QcgradError
from .estimator import AbstractEstimator
from .estimators.accuracy import checked_accuracy
from .networks import AbstractActivation, AbstractRule
from .networks.layers.layer import AbstractLayer
from .objective import AbstractObjective, Point, point_at
from .queries import Access

GROUP = "qcgrad.estimators"

KINDS = ("methods", "activations", "layers", "rules", "backends")
"""What there are entries of: functions of this module."""


class Method(Entry):
    """An estimator's class, described."""

    __slots__ = ()

    make: type[AbstractEstimator]

    @property
    def access(self) -> Access:
        """The most access to a state that it asks for."""
        return self.make.access

    @property
    def differentiates(self) -> str:
        """What it is for, "circuits" or "networks"."""
        return self.make.differentiates

    @property
    def pays_in(self) -> str:
        """The resource that grows with M, a field of `Cost`."""
        return self.make.pays_in

    @property
    def is_typical(self) -> bool:
        """Whether the class itself says that it stands for its kind; one that derives from it is another method."""
        return bool(vars(self.make).get("is_typical", False))


def methods() -> dict[str, Method]:
    """All methods by name: those of this package, then those of others.

    Warns:
        UserWarning: a package's method cannot be loaded, is no estimator, or has a name that is taken; it is left out.

    Example:
        >>> from qcgrad.catalogue import methods
        >>> shift = methods()["parameter-shift"]
        >>> shift.access.name, [(option.name, option.default) for option in shift.options]
        ('single_copy', [('shots', None), ('split', 'equal')])
    """
    return dict(_methods())


def activations() -> dict[str, Entry]:
    """All activations of `qcgrad.networks` by name."""
    return _exported(networks, AbstractActivation)


def layers() -> dict[str, Entry]:
    """All layers of `qcgrad.networks` that are no activations, by name."""
    found = _exported(networks, AbstractLayer)
    return {name: entry for name, entry in found.items() if not issubclass(entry.make, AbstractActivation)}


def rules() -> dict[str, Entry]:
    """All backward rules of `qcgrad.networks` by name."""
    return _exported(networks, AbstractRule)


def backends() -> dict[str, Entry]:
    """All backends of the package that need nothing of the user's, by name: those without a sampler to wrap."""
    return _exported(simulators, AbstractBackend) | _exported(networks, AbstractBackend)


def nearest_method(name: str, known: Iterable[str], kind: str = "method") -> str:
    """The name if it is known (a `kind` of thing), else a `ValueError` that suggests the nearest one.

    Capitals and underscores are accepted.

    Example:
        >>> from qcgrad.catalogue import methods, nearest_method
        >>> nearest_method("paramter-shift", ["adjoint", "parameter-shift"])
        Traceback (most recent call last):
        ...
        ValueError: method 'paramter-shift' is not known: did you mean 'parameter-shift'? Known: adjoint, ...
    """
    known, canonical = list(known), name.strip().lower().replace("_", "-")
    if canonical in known:
        return canonical
    near = difflib.get_close_matches(canonical, known, n=1, cutoff=0.3)
    hint = f": did you mean {near[0]!r}? Known" if near else "; known"
    raise ValueError(f"{kind} {name!r} is not known{hint}: {', '.join(known)}")


class Offer(NamedTuple):
    """What one method takes to reach an accuracy, or why it does not.

    Attributes:
        method: of the catalogue.
        estimator: its cheapest instance that does, or None.
        cost: what that costs, an upper bound for adaptive methods; None where there is no instance.
        reason: why there is none, in words; else empty.
    """

    method: Method
    estimator: AbstractEstimator | None = None
    cost: Cost | None = None
    reason: str = ""


def offers(
    objective: AbstractObjective, params: Any, epsilon: float, delta: float, backend: AbstractBackend | None = None
) -> list[Offer]:
    """What every method takes until no derivative by a coordinate is off by more than epsilon, methods of others too.

    Args:
        objective, params, backend: as for `qcgrad.estimate`; methods need no more access than the backend grants. What
            else a backend refuses, or how far off it is, is known when it answers only.
        epsilon: largest error of a derivative by a coordinate: by the angle of a gate, by a weight.
        delta: probability that any of them is further off.

    Returns:
        One offer for each method, in the catalogue's order.

    Raises:
        ValueError, TypeError: bad parameters, epsilon or delta.

    Cost: nothing is run; each method predicts the cost of its instance, adaptive ones from all that they might ask.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.catalogue import offers
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> found = {offer.method.name: offer for offer in offers(objective, [0.5], epsilon=0.1, delta=0.01)}
        >>> found["parameter-shift"].estimator.shots, found["parameter-shift"].cost.copies
        (530, 1590)
        >>> found["bell-shadow"].reason
        'BellShadow needs gradient observables that are Pauli strings of one common state, but gate ry on ...'
    """
    check_objective(objective)
    epsilon, delta = checked_accuracy(epsilon, delta)
    point, _ = point_at(objective, params)
    return offers_at(point, epsilon, delta, resolve(backend, point.objective))


def offers_at(point: Point, epsilon: float, delta: float, backend: AbstractBackend) -> list[Offer]:
    """`offers` at a point, which is not looked at again."""
    return [offer_at(method, point, epsilon, delta, backend) for method in methods().values()]


def offer_at(method: Method, point: Point, epsilon: float, delta: float, backend: AbstractBackend) -> Offer:
    """The offer of one method at a point."""
    if method.access > backend.access:
        granted = f"{type(backend).__name__} grants {backend.access.name} only"
        return Offer(method, reason=f"{method.make.__name__} needs {method.access.name} access, but {granted}")
    try:
        estimator = method.make.for_accuracy(point, epsilon, delta)
        return Offer(method, estimator, estimator.predict(point))
    except QcgradError as error:
        return Offer(method, reason=str(error))
    except Exception as error:  # whatever a foreign method raises, the others stay usable
        return Offer(method, reason=f"{type(error).__name__}: {error}")


@lru_cache(maxsize=1)
def _methods() -> dict[str, Method]:
    # Looking through all installed packages takes a while, and they do not change while a program runs.
    found = {name: Method(*entry) for name, entry in _exported(estimators, AbstractEstimator).items()}
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            method = described(entry.load())
        except Exception as error:  # whatever a foreign package raises, the others stay usable
            warnings.warn(f"method {entry.name} of {entry.value} is left out: {error}", stacklevel=3)
            continue
        if found.setdefault(method.name, method) is not method:
            warnings.warn(f"method {method.name} of {entry.value} is left out: its name is taken", stacklevel=3)
    return found


@lru_cache(maxsize=256)
def described(make: type[AbstractEstimator]) -> Method:
    """What the class of an estimator says of itself.

    Raises:
        TypeError: it is no class of an estimator, or has abstract methods left.
    """
    if not (inspect.isclass(make) and issubclass(make, AbstractEstimator)):
        raise TypeError(f"{make!r} is no class of a qcgrad.AbstractEstimator")
    if inspect.isabstract(make):
        raise TypeError(f"{make.__name__} lacks {', '.join(sorted(make.__abstractmethods__))}")
    return Method(*read_off(make))


def _exported(module: ModuleType, base: type) -> dict[str, Entry]:
    """What a package exports of a kind; classes that others of them derive from are no choice but a beginning."""
    exported = (getattr(module, name) for name in dir(module))
    found = [thing for thing in exported if inspect.isclass(thing) and issubclass(thing, base)]
    bases = {base for make in found for base in make.__mro__[1:]}
    ends = [make for make in found if make not in bases and not inspect.isabstract(make)]
    return {entry.name: entry for entry in map(read_off, ends)}
