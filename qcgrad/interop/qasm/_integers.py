"""Integers of OpenQASM 3: exact, as wide as a machine's, and divided as integers.

The specification divides `int` by `int` as integers and leaves open how a negative quotient rounds (towards zero in C,
down in Qiskit's importer), so that case is refused. A quotient that loses a remainder leaves a note, since 1/2 is 0.
"""

import operator

from ...errors import ImportRefused
from .limits import INTEGER_BITS
from .notes import Notes

_OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip


def bounded(value: int) -> int:
    """An integer that a machine can hold.

    Raises:
        ImportRefused: it is wider.
    """
    if value.bit_length() > INTEGER_BITS:
        raise ImportRefused(f"an integer of more than {INTEGER_BITS} bits: write it with a point, as a real number")
    return value


def binary(sign: str, left: int, right: int, notes: Notes) -> int:
    """The value of an operator on integers."""
    return bounded(_value(sign, left, right, notes))


def _value(sign, left, right, notes):
    if sign in ("/", "%"):
        return divided(sign, left, right, notes)
    if sign in ("<<", ">>"):
        if not 0 <= right <= INTEGER_BITS:
            raise ImportRefused(f"{left} {sign} {right}: shift by 0 to {INTEGER_BITS} bits")
        return left << right if sign == "<<" else left >> right
    return _OPERATORS[sign](left, right)


def divided(sign: str, left: int, right: int, notes: Notes) -> int:
    """Quotient (`/`) or remainder (`%`)."""
    if right == 0:
        raise ImportRefused(f"{left} {sign} 0 has no value")
    quotient, remainder = divmod(left, right)
    if remainder and (left < 0 or right < 0):
        # Rounded down or towards zero: the specification does not say.
        raise ImportRefused(
            f"{left} {sign} {right} divides integers, and OpenQASM does not say how the quotient rounds: "
            f"write {left}.0 {sign} {right}"
        )
    if remainder and sign == "/":
        notes.add(
            "division", f"{left}/{right} divides integers, which gives {quotient}; the quotient is {left}.0/{right}"
        )
    return quotient if sign == "/" else remainder


def power(base: int, exponent: int) -> int:
    """base ** exponent."""
    if exponent < 0:
        raise ImportRefused(f"{base} ** {exponent} is no integer: write {base}.0 ** {exponent}")
    # Looked at first: the value itself may not fit into memory.
    if abs(base) > 1 and exponent > INTEGER_BITS:
        raise ImportRefused(f"{base} ** {exponent} has more than {INTEGER_BITS} bits: write {base}.0 ** {exponent}")
    return bounded(base**exponent)
