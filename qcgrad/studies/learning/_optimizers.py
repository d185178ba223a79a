"""Optimisers by name: those of optax, and those of `qcgrad.optimizers` that ask for shots."""

import inspect
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import optimizers
from ...entries import options_of
from ..choices import Maker, parsed

if TYPE_CHECKING:
    import optax


def known() -> dict[str, Maker]:
    """Optimisers of optax that take a learning rate first.

    Raises:
        ValueError: optax is not installed.
    """
    return {name: Maker(name, options_of(make), _trial(make)) for name, make in _of_optax().items()}


def known_for_circuits() -> dict[str, Maker]:
    """Those and the ones that ask for shots; their curvature and learning rate may be left out."""
    shots = {name: Maker(name, _optional(make), _trial_with_shots(make)) for name, make in _asking_for_shots().items()}
    return shots | known()


def asks_for_shots(name: str) -> bool:
    """Whether an optimiser says how many shots the next gradient is to take."""
    return name in _asking_for_shots()


@lru_cache(maxsize=64)
def optimizer_of(name: str, options: str) -> "optax.GradientTransformation":
    """An optimiser of optax; the same object for the same options, so that programs are compiled once."""
    return _of_optax()[name](**parsed(options))


def shot_optimizer(name: str, options: str, curvature: Callable[[], float]) -> "optax.GradientTransformation":
    r"""An optimiser that asks for shots.

    Args:
        name, options: as `choices.instances` writes them. A learning rate that is left out is \(1/(2L)\), half of the
            step that gains most of exact derivatives, or what the optimiser itself takes by default.
        curvature: L, where the options do not say.
    """
    make, given = _asking_for_shots()[name], parsed(options)
    if "lipschitz" not in given:
        given["lipschitz"] = curvature()
    return make(**_with_rate(make, given))


def _with_rate(make: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    if "learning_rate" in given:
        return given
    accepts_none = "None" in str(inspect.signature(make).parameters["learning_rate"].annotation)
    return {"learning_rate": None if accepts_none else 0.5 / given["lipschitz"], **given}


def _asking_for_shots() -> dict[str, Callable[..., Any]]:
    found = ((name, getattr(optimizers, name)) for name in dir(optimizers))
    return {
        name.replace("_", "-"): make
        for name, make in found
        if inspect.isfunction(make) and {"learning_rate", "lipschitz"} <= inspect.signature(make).parameters.keys()
    }


def _optional(make: Callable[..., Any]):
    """Its options; those that a circuit answers for have no need to be given."""
    return tuple(
        option._replace(default=None) if option.name in ("learning_rate", "lipschitz") else option
        for option in options_of(make)
    )


@lru_cache(maxsize=1)
def _of_optax() -> dict[str, Callable[..., Any]]:
    try:
        import optax
    except ImportError as error:
        raise ValueError("optimisers need optax, which is not installed: pip install 'qcgrad[optimizers]'") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old names that optax keeps
        public = {name: getattr(optax, name) for name in dir(optax) if not name.startswith(("_", "scale_by"))}
    return {
        name.replace("_", "-"): make
        for name, make in public.items()
        if inspect.isfunction(make) and next(iter(inspect.signature(make).parameters), "") == "learning_rate"
    }


def _trial(make: Callable[..., Any]) -> Callable[..., None]:
    """What makes the optimiser and a step with it: some need more than a gradient."""

    def tried(**options: Any) -> None:
        _check_positive(options)
        optimizer, params = make(**options), np.zeros(2)
        try:
            optimizer.update(np.ones(2), optimizer.init(params), params)
        except Exception as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"it makes no step from a gradient with {options}: {reason}") from error

    return tried


def _trial_with_shots(make: Callable[..., Any]) -> Callable[..., None]:
    def tried(**options: Any) -> None:
        _check_positive(options)
        # Stands in for the curvature, which is worked out for each circuit.
        curvature = 1 / options.get("learning_rate", 1.0)
        make(**_with_rate(make, {"lipschitz": curvature, **options}))

    return tried


def _check_positive(options: dict[str, Any]) -> None:
    for name in ("learning_rate", "lipschitz"):
        value = options.get(name, 1.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < np.inf:
            raise ValueError(f"{name}={value!r}: give a positive number")
