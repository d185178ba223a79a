r"""Equations as MathML, written when the site is built: browsers draw it without scripts, screen readers read it aloud.

What counts as an equation: `\( \)` and `.. math::` blocks as in docstrings, `$ $` and `$$ $$` as in theory/*.md.
"""

import re
import xml.etree.ElementTree as etree

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

_DIRECTIVE = re.compile(
    r"^(?P<indent> *)\.\. math::(?P<first>.*)\n(?P<rest>(?:(?P=indent) +\S.*\n|[ ]*\n)*)", re.MULTILINE
)
_DISPLAYED = re.compile(r"^(?P<indent> *)\$\$(?P<first>[^$]+?)\$\$(?P<rest>)(?=[ ]*[.,;]?[ ]*$)", re.MULTILINE)
_INLINE = r"\\\((.+?)\\\)|\$(?![\s$])([^$]*?[^\s$\\])\$(?!\d)"
# Words are one identifier each, as read aloud, and so are functions that the converter does not know.
_REWRITTEN = (
    (re.compile(r"\\mathrm\{([A-Za-z]{2,})\}"), r"\\text{\1}"),
    (re.compile(r"\\arg(?![A-Za-z])"), r"\\text{arg}\\,"),
    (re.compile(r"\\[lL]?[bB]igg?[lr]?\s*(?=\\[lr](ceil|floor))"), ""),
)
# Behind blocks of code, which are equations of nobody (25), and before HTML is set apart (20).
_BEHIND_CODE = 22
# Behind code in backticks (190) and before backslashes are taken for escapes (180).
_BEFORE_ESCAPES = 185


class EquationError(ValueError):
    """An equation that cannot be written as MathML; the message quotes it."""


def mathml(latex: str, display: str = "inline") -> str:
    """One equation.

    Args:
        latex: without the delimiters.
        display: "inline" or "block".

    Raises:
        EquationError: a command that is not known, or braces that do not match.
    """
    braces = re.findall(r"(?<!\\)[{}]", latex)
    if braces.count("{") != braces.count("}"):
        raise EquationError(f"{latex!r} has {braces.count('{')} opening and {braces.count('}')} closing braces")
    try:
        found = convert(_rewritten(latex.strip()), display=display)
        written = "".join(etree.fromstring(found).itertext())
    except Exception as error:
        raise EquationError(f"{latex!r}: {type(error).__name__} {error}") from error
    # Unknown commands come out as their own names.
    if unknown := re.findall(r"\\[A-Za-z]+", written):
        raise EquationError(f"{latex!r} holds {', '.join(unknown)}, which cannot be written as MathML")
    return found


def _rewritten(latex: str) -> str:
    for pattern, other in _REWRITTEN:
        latex = pattern.sub(other, latex)
    # Several lines, as Sphinx takes them.
    is_aligned = ("&" in latex or r"\\" in latex) and r"\begin" not in latex
    return rf"\begin{{split}}{latex}\end{{split}}" if is_aligned else latex


class _Blocks(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join([*lines, ""])
        for pattern in (_DIRECTIVE, _DISPLAYED):
            text = pattern.sub(self._drawn, text)
        return text.split("\n")

    def _drawn(self, found: re.Match) -> str:
        latex = f"{found['first']} {found['rest']}"
        # Long ones scroll by themselves, with a keyboard too.
        html = f'<div class="equation" tabindex="0">{mathml(latex, "block")}</div>'
        return f"\n{found['indent']}{self.md.htmlStash.store(html)}\n\n"


class _Inline(InlineProcessor):
    def handleMatch(self, m: re.Match, data: str) -> tuple[str, int, int]:
        return self.md.htmlStash.store(mathml(m[1] or m[2])), m.start(0), m.end(0)


class Equations(Extension):
    """The Markdown extension."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(_Blocks(md), "equations", _BEHIND_CODE)
        md.inlinePatterns.register(_Inline(_INLINE, md), "equations", _BEFORE_ESCAPES)


def makeExtension(**options: str) -> Equations:
    """Found by Markdown."""
    return Equations(**options)
