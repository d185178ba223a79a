"""Columns of the tables of a scaling study, and numbers as text."""

import math
from collections.abc import Callable, Iterable, Sequence

from ..fit import PowerFit
from ..summary import Column


def column(heading: str, rows: Sequence, value: Callable, shown: Callable, *, is_essential: bool = True) -> Column:
    """Numbers `value(row)`, read as `shown(row)`."""
    return Column(heading, tuple(map(shown, rows)), tuple(map(value, rows)), is_essential=is_essential)


def counts(heading: str, numbers: Sequence[float | None]) -> Column:
    """Whole numbers, or means of such."""
    shown = tuple("" if number is None else f"{number:,.0f}" for number in numbers)
    return Column(heading, shown, tuple(numbers), is_essential=False)


def epsilons(found: Sequence[float | None]) -> list[Column]:
    """A column of accuracies, if they differ."""
    if len(set(found) - {None}) < 2:
        return []
    return [Column("ε", tuple("–" if e is None else f"{e:g}" for e in found), tuple(found))]


def percent(share: float | None) -> str:
    """A share of one, or a dash.

    Example:
        >>> from qcgrad.studies.scaling._columns import percent
        >>> percent(0.954), percent(0.0123), percent(350.0), percent(None)
        ('95 %', '1.2 %', '>999 %', '–')
    """
    if share is None:
        return "–"
    if share > 9.99:
        return ">999 %"
    return f"{100 * share:.1f} %" if 5e-4 <= share < 0.0995 else f"{100 * share:.0f} %"


def times(factor: float | None) -> str:
    """A factor with three digits, or a dash."""
    if factor is None:
        return "–"
    return f"{factor:,.0f}" if factor >= 100 else f"{factor:.3g}"


def exponent(fit: PowerFit | None) -> str:
    """The exponent with its standard error, or a dash where nothing is paid.

    Example:
        >>> from qcgrad.studies.fit import PowerFit
        >>> from qcgrad.studies.scaling._columns import exponent
        >>> exponent(PowerFit(1.0, 1.128, 0.0211, 0.99)), exponent(None)
        ('1.13±0.02', '–')
    """
    if fit is None:
        return "–"
    error = "?" if math.isnan(fit.standard_error) else f"{fit.standard_error:.2f}"
    return f"{number(fit.exponent)}±{error}"


def number(value: float) -> str:
    """An exponent: one of an exact law is rounding, whose sign would say nothing."""
    return f"{0.0 if abs(value) < 5e-3 else value:.2f}"


def finite(values: Iterable[float]) -> tuple[float | None, ...]:
    """For programs: what is no number is nothing."""
    return tuple(value if math.isfinite(value) else None for value in values)
