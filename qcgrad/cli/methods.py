"""Estimators by their name on the command line."""

from .errors import UserError

NAMES = ("adjoint", "reverse-mode", "parameter-shift", "gentle-sweep", "read-once", "online-tomography", "bell-shadow")
_SPENDS_COPIES = ("gentle-sweep", "read-once", "bell-shadow")
_TAKES_DELTA = ("online-tomography", "bell-shadow")


def canonical(name: str) -> str:
    """The method's name as in `NAMES`; capitals and underscores are accepted.

    Raises:
        ValueError: unknown name, suggests the nearest.
    """
    from ..studies.spec import nearest_method

    return nearest_method(name, NAMES)


def make_estimator(method: str, *, shots: str | None, copies: str | None, epsilon: float | None, delta: float | None):
    """The estimator of that name.

    Args:
        method: one of `NAMES`.
        shots, copies: as written on the command line.
        epsilon: of online-tomography.
        delta: of bell-shadow and online-tomography.

    Raises:
        ValueError: a count that makes no sense, an option that the method does not have.
    """
    from ..estimators import (
        Adjoint,
        BellShadow,
        GentleSweep,
        OnlineTomography,
        ParameterShift,
        ReadOnceTomography,
        ReverseMode,
    )

    name = canonical(method)
    if shots is not None and name != "parameter-shift":
        hint = {"online-tomography": "use --epsilon"}.get(name, "it is exact, leave --shots out")
        hint = "use --copies" if name in _SPENDS_COPIES else hint
        raise UserError(f"--shots does not apply to {name}: {hint}")
    if copies is not None and name not in _SPENDS_COPIES:
        raise UserError(f"--copies applies to {', '.join(_SPENDS_COPIES)}, not to {name}")
    if epsilon is not None and name != "online-tomography":
        raise UserError(f"--epsilon applies to online-tomography, not to {name}")
    if delta is not None and name not in _TAKES_DELTA:
        raise UserError(f"--delta applies to {' and '.join(_TAKES_DELTA)}, not to {name}")
    delta = 0.05 if delta is None else delta
    if name == "parameter-shift":
        return ParameterShift(shots=None if shots is None else _count("--shots", shots))
    if name == "online-tomography":
        if epsilon is None:
            raise UserError("online-tomography needs --epsilon, the accuracy of every component")
        return OnlineTomography(epsilon=epsilon, delta=delta)
    if name in _SPENDS_COPIES:
        if copies is None:
            raise UserError(f"{name} needs --copies, the number of copies of the state to spend")
        spent = _count("--copies", copies)
        if name == "bell-shadow":
            return BellShadow(copies=spent, delta=delta)
        return GentleSweep(copies=spent) if name == "gentle-sweep" else ReadOnceTomography(copies=spent)
    return Adjoint() if name == "adjoint" else ReverseMode()


def _count(option: str, text: str) -> int:
    from ..estimators.checks import checked_count

    try:
        number = float(text)
    except ValueError:
        return checked_count(option, text)
    return checked_count(option, int(number) if number.is_integer() else number)
