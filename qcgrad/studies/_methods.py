"""Which methods a study compares and on what, by what their classes declare (see `AbstractEstimator`)."""

from ..catalogue import Method, methods, nearest_method

# Trials at each step of a search, for each seed, side by side in one program or one by one.
_TRIALS_TOGETHER, _TRIALS_ALONE = 200, 100

EXACT = 1e-6, 0.5
"""Epsilon and delta that exact methods are asked for: any would do."""


def typical() -> tuple[str, ...]:
    """Methods of a study that names none."""
    return tuple(name for name in ranked() if methods()[name].is_typical)


def ranked() -> tuple[str, ...]:
    """All methods in the order of tables: typical ones first, exact ones before those that sample, networks last."""

    def rank(method: Method) -> tuple[bool | str | int, ...]:
        make = method.make
        kind = not method.is_typical, method.differentiates, samples(method), int(method.access)
        return *kind, make.needs_common_state, method.name

    return tuple(method.name for method in sorted(methods().values(), key=rank))


def known(names: tuple[str, ...]) -> tuple[str, ...]:
    """The methods of these names, once each.

    Raises:
        ValueError: an unknown name, with the nearest one.
    """
    return tuple(dict.fromkeys(nearest_method(name, ranked()) for name in names))


def samples(method: Method) -> bool:
    """Whether its accuracy is a matter of what it draws, copies or numbers of its own; others are exact."""
    return method.pays_in == "copies" or bool(method.make.accuracy_option)


def takes_any_circuit(method: Method) -> bool:
    """Whether real circuits at any angles are for it."""
    return method.differentiates == "circuits" and not method.make.needs_common_state


def is_searched(method: Method) -> bool:
    """Whether there is a setting to search for an accuracy, on the hard instance."""
    pays_copies = method.differentiates == "circuits" and method.pays_in == "copies"
    return pays_copies and bool(method.make.accuracy_option)


def searched(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names with `is_searched`."""
    return tuple(name for name in names if is_searched(methods()[name]))


def trials_of(method: Method) -> int:
    """Trials at each step of the search where a study does not say."""
    return _TRIALS_TOGETHER if method.make.is_traceable else _TRIALS_ALONE
