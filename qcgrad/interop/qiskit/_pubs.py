"""Pubs of both primitives, checked before anything runs."""

import re
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

_P = TypeVar("_P", EstimatorPub, SamplerPub)
_NAMES_SHOWN = 8
_ABOUT_PARAMETERS = re.compile("number of (values|parameters)|length of|could not find placement", re.IGNORECASE)


def checked_precision(name: str, precision: Any) -> float:
    """A standard error, 0 for exact values.

    Raises:
        TypeError, ValueError: anything else.
    """
    if not isinstance(precision, Real) or isinstance(precision, bool):
        raise TypeError(f"{name} is {precision!r}: give a standard error, a real number, or 0 for exact values")
    if not 0 <= float(precision) < np.inf:
        raise ValueError(f"{name} is {precision}: give a finite standard error, or 0 for exact values")
    return float(precision)


def checked_pubs(pubs: Iterable[Any], coerce: Callable[[Any], _P]) -> list[_P]:
    """Pubs in Qiskit's form; errors say which one is wrong.

    Args:
        pubs: as users give them.
        coerce: makes one of Qiskit's.

    Raises:
        TypeError, ValueError: what is no pub, or does not fit its circuit.
    """
    if isinstance(pubs, (EstimatorPub, SamplerPub, QuantumCircuit)) or not isinstance(pubs, Iterable):
        raise TypeError(f"pubs is {type(pubs).__name__}: give a list of pubs, also of a single one")
    return [_checked(f"pubs[{position}]", pub, coerce) for position, pub in enumerate(pubs)]


def values_of(pub: EstimatorPub | SamplerPub) -> Float[np.ndarray, "B P"]:
    """Values of the circuit's parameters in its order, one row for each point of the bindings' array."""
    values = pub.parameter_values.as_array(pub.circuit.parameters)
    return values.reshape(pub.parameter_values.size, values.shape[-1])


def _checked(name, pub, coerce):
    try:
        found = coerce(pub)
        values = values_of(found)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {str(error).rstrip('.')}{_hint(pub, error)}") from error
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"{name}: parameter_values hold {values[row, column]} for {found.circuit.parameters[column].name!r}: "
            "give finite numbers"
        )
    return found


def _hint(pub, error) -> str:
    """What Qiskit's words leave out: a number that was given, or which parameters a circuit still has."""
    given = pub if isinstance(pub, (tuple, list)) else ()
    for word, place in (("precision", 3), ("shots", 2)):
        if str(error).startswith(word) and len(given) > place:
            return f", and {given[place]!r} was given"
    circuit = given[0] if given else getattr(pub, "circuit", pub)
    if not isinstance(circuit, QuantumCircuit) or not _ABOUT_PARAMETERS.search(str(error)):
        return ""
    names = [parameter.name for parameter in circuit.parameters]
    shown = ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")
    return f". The circuit has {len(names)} parameter(s) {shown}".rstrip() + (
        "; compilers remove parameters on which nothing depends"
    )
