"""Estimators by their name on the command line."""

from .errors import UserError

NAMES = ("adjoint", "reverse-mode", "parameter-shift", "bell-shadow")


def canonical(name: str) -> str:
    """The method's name as in `NAMES`; capitals and underscores are accepted.

    Raises:
        ValueError: unknown name, suggests the nearest.
    """
    from ..studies.spec import nearest_method

    return nearest_method(name, NAMES)


def make_estimator(method: str, *, shots: str | None, copies: str | None, delta: float):
    """The estimator of that name.

    Args:
        method: one of `NAMES`.
        shots, copies: as written on the command line.
        delta: of bell-shadow.

    Raises:
        ValueError: a count that makes no sense, an option that the method does not have.
    """
    from ..estimators import Adjoint, BellShadow, ParameterShift, ReverseMode

    name = canonical(method)
    if shots is not None and name != "parameter-shift":
        hint = "use --copies" if name == "bell-shadow" else "it is exact, leave --shots out"
        raise UserError(f"--shots does not apply to {name}: {hint}")
    if copies is not None and name != "bell-shadow":
        raise UserError(f"--copies applies to bell-shadow, not to {name}")
    if name == "parameter-shift":
        return ParameterShift(shots=None if shots is None else _count("--shots", shots))
    if name == "bell-shadow":
        if copies is None:
            raise UserError("bell-shadow needs --copies, the number of copies of the state to spend")
        return BellShadow(copies=_count("--copies", copies), delta=delta)
    return Adjoint() if name == "adjoint" else ReverseMode()


def _count(option: str, text: str) -> int:
    from ..estimators.checks import checked_count

    try:
        number = float(text)
    except ValueError:
        return checked_count(option, text)
    return checked_count(option, int(number) if number.is_integer() else number)
