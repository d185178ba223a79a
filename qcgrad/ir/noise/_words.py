"""Noise models written in a few words, for command lines and specs."""

from collections.abc import Iterable
from typing import Any

from ...entries import Entry, read_off
from ._channels import Depolarizing
from ._errors import OverRotation, ReadoutError
from ._model import NoiseModel
from ._relaxation import AmplitudeDamping, PhaseDamping, ThermalRelaxation

KINDS: dict[str, Entry] = {
    entry.name: entry
    for entry in map(
        read_off, (Depolarizing, AmplitudeDamping, PhaseDamping, ThermalRelaxation, OverRotation, ReadoutError)
    )
}
"""What can be written as NAME=NUMBERS, with what its numbers mean."""


def noise_in_words(words: Iterable[str]) -> NoiseModel:
    r"""A noise model from texts such as "depolarizing=0.01,2@cx".

    Each is `NAME=NUMBERS`, the name of an error in kebab case and its arguments in order, of which the last ones may be
    left out. `@GATES` says which gates it belongs to, separated by commas, and every one that it fits where there is no
    such part; `readout-error` belongs to qubits, `@0,2`.

    Args:
        words: the texts, one for each rule of the model, in order.

    Returns:
        The model, as `NoiseModel.add` and `add_readout` make it.

    Raises:
        ValueError: a text that is none, an unknown name, and all that these refuse; the text is in the message.

    Example:
        >>> from qcgrad.ir.noise import noise_in_words
        >>> noise_in_words(["depolarizing=0.01,2@cx,cz", "amplitude-damping=0.002", "readout-error=0.02,0.05@0"])
        NoiseModel(
            Depolarizing(probability=0.01, num_qubits=2) after cx, cz
            AmplitudeDamping(gamma=0.002, excited_population=0.0) after every gate
            ReadoutError(one_given_zero=0.02, zero_given_one=0.05) on qubit 0
        )
    """
    model = NoiseModel()
    for text in words:
        try:
            model = _with(model, *_parts(text))
        except (TypeError, ValueError) as error:
            raise ValueError(f"noise {text!r}: {error}") from error
    return model


def _with(model: NoiseModel, make: Any, numbers: list[float], where: list[str]) -> NoiseModel:
    error = make(*numbers)
    if isinstance(error, ReadoutError):
        return model.add_readout(error, [_whole(part) for part in where] or None)
    return model.add(error, where or None)


def _parts(text: str) -> tuple[Any, list[float], list[str]]:
    what, _, where = text.partition("@")
    name, sign, numbers = what.partition("=")
    name = name.strip().lower().replace("_", "-")
    if name not in KINDS:
        raise ValueError(f"{name!r} is not known; write one of {', '.join(map(_pattern, KINDS))}")
    given = [part.strip() for part in numbers.split(",")] if sign else []
    options = KINDS[name].options
    least = sum(option.is_required for option in options)
    if not max(least, 1) <= len(given) <= len(options):
        raise ValueError(f"{len(given)} numbers are given; write {_pattern(name)}")
    return KINDS[name].make, [_number(part) for part in given], [p.strip() for p in where.split(",") if p.strip()]


def _pattern(name: str) -> str:
    return f"{name}={','.join(option.name.upper() for option in KINDS[name].options)}"


def _number(text: str) -> float:
    try:
        # How many qubits there are is an integer, and no float.
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no qubit: give integers of 0 or more")
    return int(text)
