"""Backward rules by name, read off the catalogue: whatever it has can be studied."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import jax

from ... import networks as nn
from ...array_types import Key
from ...catalogue import Entry, rules
from ...entries import Option
from ...errors import NotApplicable
from ...networks.layers.layer import AbstractLayer
from ..choices import Maker, parsed


def known() -> dict[str, Maker]:
    """All rules by name, with the options that a file can hold."""
    return {name: Maker(name, _options(entry), _trial(entry)) for name, entry in rules().items()}


def optionless() -> tuple[str, ...]:
    """Rules that need no option: what a study compares that names none."""
    return tuple(name for name, maker in known().items() if not any(option.is_required for option in maker.options))


def rule_of(name: str, options: str, network: AbstractLayer, shape: tuple[int, ...], key: Key) -> nn.AbstractRule:
    """The rule for a network with inputs of a shape; weights of its own are drawn with the key.

    Raises:
        NotApplicable: it is not for such networks.
    """
    return _made(rules()[name], network, shape, key, parsed(options))


def _made(entry: Entry, network: Any, shape: tuple[int, ...], key: Key, options: dict[str, Any]) -> nn.AbstractRule:
    init = getattr(entry.make, "init", None)
    return entry.make(**options) if init is None else init(network, shape, key, **options)


def _options(entry: Entry) -> tuple[Option, ...]:
    """Those of the class, or of the `init` that draws what the rule needs for a network; no arrays, which it draws."""
    options = entry.options
    if init := getattr(entry.make, "init", None):
        # The first three are the network, the shape of its inputs, a key.
        helps = {option.name: option.help for option in entry.options}
        options = tuple(
            Option(name, parameter.default, helps.get(name, ""), inspect.formatannotation(parameter.annotation))
            for name, parameter in list(inspect.signature(init).parameters.items())[3:]
        )
    return tuple(option for option in options if option.is_required or "Array" not in option.type)


def _trial(entry: Entry) -> Callable[..., Any]:
    """What makes the rule for a small network, to hear which options it refuses."""

    def make(**options: Any) -> None:
        network = nn.serial(nn.Dense(2), nn.SplitReLU(), nn.Dense(1))
        with contextlib.suppress(NotApplicable):  # other networks may be for it
            # Shapes alone: nothing is drawn or compiled.
            jax.eval_shape(lambda key: _made(entry, network, (2,), key, options), jax.random.key(0))

    return make
