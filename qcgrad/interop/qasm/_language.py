"""Where OpenQASM 2 and 3 differ: keywords, operators, functions."""

import math
from typing import NamedTuple


class Language(NamedTuple):
    """One version.

    Attributes:
        version: 2 or 3.
        keywords: names that nothing may be called.
        ranks: binary operators from left to right; the higher binds more tightly.
        prefixes: operators in front, which bind more tightly than all of `ranks`.
        power: the operator that binds most tightly, from right to left.
        functions: name in the language to name in `instructions._angle.FUNCTIONS`.
        constants: names of numbers.
        library: the file with the standard gates.
    """

    version: int
    keywords: frozenset[str]
    ranks: dict[str, int]
    prefixes: tuple[str, ...]
    power: str
    functions: dict[str, str]
    constants: dict[str, float]
    library: str


def _ranks(*levels):
    return {operator: rank for rank, level in enumerate(levels, 1) for operator in level.split()}


# acos, asin and atan are not of the specification of version 2, but every reader knows them; Qiskit writes them and
# abs into version 3.
_INVERSE = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_COMMON = {name: name for name in ("sin", "cos", "tan", "exp", "sqrt")} | {"ln": "log"} | _INVERSE
_ONLY_3 = {name: name for name in ("arcsin", "arccos", "arctan", "log", "abs", "mod", "floor", "ceiling")}

_CONSTANTS = {"pi": math.pi, "π": math.pi, "tau": math.tau, "τ": math.tau, "euler": math.e, "ℇ": math.e}


def _words(text):
    return frozenset(text.split())


OPENQASM_2 = Language(
    version=2,
    keywords=_words("OPENQASM include qreg creg gate opaque measure reset barrier if pi") | set(_COMMON),
    ranks=_ranks("+ -", "* /"),
    prefixes=("-", "+"),
    power="^",
    functions=_COMMON,
    constants={"pi": math.pi},
    library="qelib1.inc",
)
OPENQASM_3 = Language(
    version=3,
    keywords=_words(
        """OPENQASM include defcalgrammar def cal defcal gate extern box let break continue if else end return for while
        in switch case default nop pragma input output const readonly mutable qreg qubit creg bool bit int uint float
        angle complex array void duration stretch gphase inv pow ctrl negctrl durationof delay reset measure barrier
        true false"""
    ),
    ranks=_ranks("||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %"),
    prefixes=("-", "!", "~"),
    power="**",
    functions=_COMMON | _ONLY_3,
    constants=_CONSTANTS,
    library="stdgates.inc",
)
LANGUAGES = {2: OPENQASM_2, 3: OPENQASM_3}
