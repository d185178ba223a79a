"""Jobs of Qiskit: threads in double precision, who answers in them, and what they draw."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2, PrimitiveJob

from ...array_types import Key
from ...backend import AbstractBackend
from ...keys import as_key
from ...simulators import Statevector
from ...tracker import started
from ._backend import QiskitBackend

Answering = AbstractBackend | BaseSamplerV2 | BaseEstimatorV2
"""Whom users name as a backend."""

Seed = int | np.random.Generator | None

_J = TypeVar("_J", bound=PrimitiveJob)


def submit(function: Callable[..., Any], *arguments: Any) -> PrimitiveJob:
    """A job that runs the function in a thread, in double precision as all of Qiskit."""

    def run():
        with jax.enable_x64(True):
            return function(*arguments)

    job = PrimitiveJob(run)
    job._submit()
    return followed(job)


def followed(job: _J) -> _J:
    """The job, for whose end the open ledgers wait."""
    if job._future is not None:
        started(job._future)
    return job


def backend_or_default(backend: Answering | None) -> AbstractBackend:
    """Who answers: the simulator where the caller names no one; a primitive by `QiskitBackend`.

    Raises:
        TypeError: what is no backend and no primitive.
    """
    if backend is None:
        return Statevector()
    if isinstance(backend, (BaseSamplerV2, BaseEstimatorV2)):
        return QiskitBackend(backend)
    if not isinstance(backend, AbstractBackend):
        raise TypeError(
            f"backend is {backend!r}: give a qcgrad backend, for example qcgrad.Statevector(), or a V2 primitive"
        )
    return backend


class Draws:
    """Random numbers of an object that runs many times: no two runs get the same, whatever runs first.

    Args:
        seed: an integer, with which the same runs in the same order draw the same; a generator, which is drawn from;
            None for numbers that nobody knows.

    Raises:
        TypeError, ValueError: another seed.
    """

    def __init__(self, seed: Seed):
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer, np.random.Generator, type(None))):
            raise TypeError(f"seed is {seed!r}: give an integer, a numpy.random.Generator, or None")
        if isinstance(seed, (int, np.integer)) and seed < 0:
            raise ValueError(f"seed is {seed}: give an integer that is not negative")
        self._generator = np.random.default_rng(seed)

    def next(self) -> "Draws":
        """What one run draws from."""
        return Draws(int(self._generator.integers(2**63)))

    def key(self) -> Key:
        """A JAX key that no one else gets."""
        return as_key(int(self._generator.integers(2**63)))  # pyright: ignore[reportReturnType]

    def __deepcopy__(self, _: dict[int, Any]) -> "Draws":
        return self  # copies of a primitive or a gradient draw from one sequence, or they would draw the same

    @property
    def generator(self) -> np.random.Generator:
        """Of what is drawn on the host."""
        return self._generator
