"""What a V2 primitive of Qiskit says of itself: its device, its noise, whether its answers are exact, its seed."""

import copy
from numbers import Integral
from typing import Any

from ...backend import AbstractBackend
from ...errors import UnsupportedQuery
from ...queries import NOISY
from ..sampler._measuring import MeasuringBackend


def checked_primitive(primitive: Any) -> bool:
    """Whether a primitive is a Sampler (else an Estimator), or one clear error for what is no V2 primitive."""
    from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
    from qiskit.providers import BackendV2

    if isinstance(primitive, BaseSamplerV2):
        return True
    if isinstance(primitive, BaseEstimatorV2):
        return False
    hint = "give an instance of a V2 primitive, such as qiskit.primitives.StatevectorSampler()"
    if isinstance(primitive, BackendV2):
        hint = "give qiskit.primitives.BackendSamplerV2(backend=...) of this backend"
    raise TypeError(f"primitive is {primitive!r}: {hint}")


def device_of(primitive: Any) -> Any:
    """The `BackendV2` that a primitive runs on; None for one that simulates by itself, or does not say."""
    from qiskit.providers import BackendV2

    # Runtime primitives have a method, Qiskit's a property; Aer's keep it to themselves.
    for name in ("backend", "_backend"):
        found = getattr(primitive, name, None)
        found = found() if callable(found) and not isinstance(found, BackendV2) else found
        if isinstance(found, BackendV2):
            return found
    return None


def may_be_noisy(primitive: Any, device: Any) -> bool:
    """Whether nothing says that circuits run without noise."""
    if simulates_by_itself(primitive):
        return False
    if (ours := _answered_by(primitive)) is not None:
        return ours.fidelity == NOISY
    if _is_from(device, "qiskit_aer"):
        return not _is_ideal(_aer_option(primitive, device, "noise_model"))
    return True


def is_exact(primitive: Any) -> bool:
    """Whether an Estimator knows expectation values, and draws no shots."""
    ours = _answered_by(primitive)
    if isinstance(ours, MeasuringBackend):
        raise UnsupportedQuery(
            f"{type(primitive).__name__} asks {type(ours).__name__}, whose outcomes it averages: give that one itself"
        )
    return ours is not None or _is_from(primitive, "qiskit.primitives.statevector_estimator", "qiskit_aer")


def binds_parameters(primitive: Any) -> bool:
    """Whether circuits may be given with values of parameters: Aer loses those of some gates without a word."""
    return not _is_from(primitive, "qiskit_aer")


def without_trajectories(primitive: Any, device: Any) -> Any:
    """An exact Estimator that stays exact with noise: Aer averages drawn trajectories where it holds no density matrix.

    Raises:
        UnsupportedQuery: a method was chosen that does.
    """
    if not _is_from(primitive, "qiskit_aer") or not may_be_noisy(primitive, device):
        return primitive
    method = _aer_option(primitive, device, "method")
    if method == "density_matrix":
        return primitive
    if method not in (None, "automatic"):
        raise UnsupportedQuery(
            f"AerSimulator with noise and method={method!r} averages trajectories that it draws, so it has no exact "
            "expectation values: choose method='density_matrix', or give shots to the method and a Sampler here"
        )
    own = copy.deepcopy(device)
    own.set_options(method="density_matrix")
    return type(primitive).from_backend(own, options={"run_options": dict(primitive.options.run_options)})


def simulates_by_itself(primitive: Any) -> bool:
    """Whether it is Qiskit's own simulator of state vectors, which needs no device."""
    return _is_from(primitive, "qiskit.primitives.statevector")


def seed_of(primitive: Any, device: Any) -> int | None:
    """The integer seed from which a primitive starts anew in every run; None where it does not."""
    own = getattr(primitive, "options", None)
    if not hasattr(primitive, "seed") and not hasattr(own, "seed_simulator"):
        return None  # whatever the device's seed is, this primitive cannot be given another
    found = getattr(primitive, "seed", None)
    for options in (own, getattr(device, "options", None)):
        if found is None:
            found = getattr(options, "seed_simulator", None)
        if found is None:
            found = (getattr(options, "run_options", None) or {}).get("seed_simulator")
    return int(found) if isinstance(found, Integral) else None


def reseeded(primitive: Any, seed: int, drawn: int) -> Any:
    """The same primitive with a seed made of its own and a drawn one.

    From one seed Qiskit's simulators draw the same numbers in every run, its own even for every circuit: what is taken
    for independent would be one draw.
    """
    from numpy.random import default_rng

    if simulates_by_itself(primitive):
        # A generator goes on from circuit to circuit, a number starts anew.
        return type(primitive)(default_shots=primitive.default_shots, seed=default_rng([seed, drawn]))
    if (ours := _answered_by(primitive)) is not None:
        return type(primitive)(default_shots=primitive.default_shots, seed=default_rng([seed, drawn]), backend=ours)
    other, own = copy.copy(primitive), (seed + drawn) % 2**31
    if hasattr(primitive, "seed"):
        other._seed = own
        return other
    other._options = copy.copy(primitive.options)
    other._options.seed_simulator = own
    return other


def _answered_by(primitive) -> AbstractBackend | None:
    """Who answers in a primitive of our own."""
    found = getattr(primitive, "_backend", None)
    return found if isinstance(found, AbstractBackend) else None


def _aer_option(primitive, device, name):
    run_options = getattr(getattr(primitive, "options", None), "run_options", None) or {}
    return run_options.get(name, getattr(device.options, name, None))


def _is_ideal(noise_model) -> bool:
    return noise_model is None or noise_model.is_ideal()


def _is_from(found, *modules: str) -> bool:
    return type(found).__module__.startswith(modules)
