r"""Formulas of docstrings as text for terminals: LaTeX in, Unicode on one line out.

It knows the LaTeX that docstrings use. Fractions, roots and scripts are bracketed where a line would be ambiguous
without: converters that only exchange symbols make a+b/c of a fraction.
"""

import re
import unicodedata
from collections.abc import Iterator

_WIDE = "\u2003"  # survives joining of spaces
_NAMES = {
    "ell": "ℓ", "partial": "∂", "nabla": "∇", "varphi": "φ", "infty": "∞", "dagger": "†", "sum": "Σ", "prod": "Π",
    "int": "∫", "langle": "⟨", "rangle": "⟩", "lVert": "‖", "rVert": "‖", "dots": "...", "cdot": "·", "otimes": "⊗",
    "odot": "⊙", "pm": "±", "mp": "∓", "times": "×", "le": " ≤ ", "ge": " ≥ ", "ne": " ≠ ", "approx": " ≈ ",
    "to": " → ", "in": " ∈ ", "propto": " ∝ ", "sim": " ~ ", "quad": _WIDE, "qquad": _WIDE,
    ",": " ", ";": " ", " ": " ", "!": "", "{": "{", "}": "}", "\\": "\n",
    "big": "", "Big": "", "left": "", "right": "", "bigl": "", "bigr": "",
}  # fmt: skip
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho - sigma tau upsilon"
for _place, _name in enumerate(f"{_GREEK} phi chi psi omega".split(" ")):  # "-": Unicode has two forms of sigma
    _NAMES |= {_name: chr(0x3B1 + _place), _name.capitalize(): chr(0x391 + _place)}
_FUNCTIONS = {"sin", "cos", "arcsin", "arccos", "sinh", "cosh", "exp", "ln", "log", "max", "min"}
_WORDS = {"mathrm", "text", "operatorname", "mathbb", "mathcal", "mathbf", "boldsymbol"}
_FRACTIONS = ("\\frac", "\\tfrac", "\\dfrac")
_MARKS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304", "tilde": "\u0303"}
_SPELLED = {"hat": "hat", "widehat": "hat", "bar": "conj", "overline": "conj", "tilde": "tilde"}
_RAISED = dict(zip("0123456789+-=()abcdefghijklmnoprstuvwxyzT†*",
                   "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ†*", strict=True))  # fmt: skip
_LOWERED = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_BETWEEN = {"cdot", "otimes", "odot", "pm", "mp", "times"}
_VULGAR = {"1/2": "½", "1/3": "⅓", "1/4": "¼"}
_TOKEN = re.compile(r"\\[A-Za-z]+\s*|\\.|\s+|.", re.DOTALL)


def in_unicode(formula: str) -> str:
    r"""A formula as text.

    Args:
        formula: LaTeX, without delimiters.

    Returns:
        One line, or one for each that `\\` ends.

    Example:
        >>> from qcgrad.formulas import in_unicode
        >>> print(in_unicode(r"\hat g_a = \frac{M}{k}\,d_a + \tfrac12\sqrt{\Gamma} \le e^{-k p_i^2/2}"))
        ĝₐ = (M/k) dₐ + ½√Γ ≤ e^(-k pᵢ²/2)
    """
    # Letters with a mark are one character where there is one.
    lines = unicodedata.normalize("NFC", "".join(_Reader(formula).pieces())).split("\n")
    return "\n".join(re.sub(r" ?\u2003[ \u2003]*", "   ", re.sub(" +", " ", line)).strip() for line in lines)


def readable(text: str) -> str:
    r"""Text of a docstring without the marks of code, emphasis and inline formulas, which become Unicode.

    Example:
        >>> from qcgrad.formulas import readable
        >>> readable(r"about \(2\sqrt{\Gamma}\) states, see `Adjoint`")
        'about 2√Γ states, see Adjoint'
    """
    text = re.sub(r"\\\((.*?)\\\)", lambda found: in_unicode(found[1]), text, flags=re.DOTALL)
    return re.sub(r"\*\*(\S(?:[^*]*\S)?)\*\*", r"\1", text).replace("`", "")


class _Reader:
    """From left to right; what stands in braces is read by the same rules."""

    def __init__(self, formula: str):
        self._tokens = _TOKEN.findall(" ".join(formula.split()))
        self._at = 0
        self._swallowed = False  # a space behind the last command, which ends its name

    def pieces(self) -> list[str]:
        """All until a closing brace or the end."""
        found = [""]
        while (token := self._next()) not in ("", "}"):
            if token in "^_":
                found.append(self._spaced(_script(token, self._argument())))
            elif token[1:] in _FUNCTIONS and found[-1][-1:].isalnum():  # 2 ln 2
                found += [" ", *self._read(token)]
            elif token[1:] in _BETWEEN and found[-1] == " " and self._swallowed:
                found += [_NAMES[token[1:]], " "]
            else:
                found += self._read(token)
        return found

    def _read(self, token: str) -> Iterator[str]:
        if token in _FRACTIONS:
            yield self._fraction()
        elif token == "\\sqrt":
            yield f"√{_bracketed(self._argument(), is_factor=True)}"
        elif token == "\\binom":
            yield f"C({self._argument()}, {self._argument()})"
        elif token[1:] in _MARKS and token[0] == "\\":
            yield _marked(token[1:], self._argument())
        elif token[1:] in _WORDS and token[0] == "\\":
            yield self._argument()
            yield self._gap()
        elif token[1:] in _FUNCTIONS and token[0] == "\\":
            yield token[1:]
            if self._peek() in _FRACTIONS:
                self._next()
                yield f"({self._fraction(is_closed=True)})"
            yield self._gap()
        elif token[0] == "\\":
            yield _NAMES.get(token[1:], token[1:])
            if self._swallowed and self._peek()[:1] in ("=", "+", "-", "<", ">", "&"):
                yield " "
        elif token == "{":
            yield "".join(self.pieces())
        elif token != "&":
            yield token

    def _next(self) -> str:
        if self._at == len(self._tokens):
            return ""
        self._at += 1
        token = self._tokens[self._at - 1]
        name = token.rstrip() if token[0] == "\\" and token[1:2].isalpha() else token
        self._swallowed = name != token
        return name

    def _peek(self) -> str:
        return self._tokens[self._at].rstrip() if self._at < len(self._tokens) else ""

    def _argument(self) -> str:
        """One token, or what stands in braces."""
        while self._peek() == "" and self._at < len(self._tokens):
            self._at += 1
        return "".join(self._read(token)).strip() if (token := self._next()) else ""

    def _spaced(self, script: str) -> str:
        """With a space behind where a letter that follows would seem to belong to it."""
        following = self._peek()
        is_letter = following[:1].isalpha() or (following[1:2].isalpha() and following not in ("\\rangle", "\\rVert"))
        return f"{script} " if is_letter and script[0] in "^_†" else script

    def _gap(self) -> str:
        """A space behind a word if a letter or number follows: ln 2, but ln(2)."""
        following = self._peek()
        is_factor = following[1:] in _NAMES or following[1:] in _FUNCTIONS or following in ("\\frac", "\\sqrt")
        return " " if following[:1].isalnum() or is_factor else ""

    def _fraction(self, is_closed: bool = False) -> str:
        above, below = self._argument(), self._argument()
        text = f"{_bracketed(above)}/{_bracketed(below, is_factor=True)}"
        if text in _VULGAR:
            return _VULGAR[text]
        # A factor behind it would seem to stand below.
        rest = re.sub(r"^(\s|\\[,;!]|\\[bB]ig[lr]?\b)*", "", "".join(self._tokens[self._at :]))
        is_factor = re.match(r"[\w(\[{|]|\\(?!q?quad|text|le|ge|ne|to|approx|propto|\\)[A-Za-z]", rest)
        return f"({text})" if is_factor and not is_closed else text


def _bracketed(text: str, *, is_factor: bool = False) -> str:
    """In brackets where it would fall apart: a sum, as a factor also a product."""
    if re.fullmatch(r"\((?:[^()]|\([^()]*\))*\)", text) or len(text) <= 1:
        return text
    if is_factor:
        # A number, a letter with what stands on it, an angle bracket.
        is_one = re.fullmatch(r"\d+|\w['′\u0302-\u0304⁰-₟ᵃ-ᶻᵢ-ᵥⱼ²³¹]*|⟨[^⟨⟩ ]*⟩|√(\w|\((?:[^()]|\([^()]*\))*\))", text)
        return text if is_one else f"({text})"
    return f"({text})" if re.search(r"(?<!^)[+-]", re.sub(r"[(⟨|][^)⟩|]*[)⟩|]", "", text)) else text


def _script(kind: str, text: str) -> str:
    table = _RAISED if kind == "^" else _LOWERED
    if text and all(letter in table for letter in text):
        return "".join(table[letter] for letter in text)
    return f"{kind}{text}" if len(text) == 1 else f"{kind}({text})"


def _marked(name: str, text: str) -> str:
    return f"{text}{_MARKS[name]}" if len(text) == 1 else f"{_SPELLED[name]}({text})"
