"""Equations of docstrings and texts are MathML."""

import re

import pytest

pytest.importorskip("latex2mathml", reason="of the extra `docs`")
markdown = pytest.importorskip("markdown", reason="of the extra `docs`")

from docs._build import names, repository  # noqa: E402
from docs._build.mathml import EquationError, mathml  # noqa: E402


def html(text):
    return markdown.markdown(text, extensions=["docs._build.mathml", "tables", "pymdownx.superfences"])


def test_each_way_to_write_one():
    assert html(r"a \(x^2\) b").count('display="inline"') == 1
    assert html("a $x^2$ b").count('display="inline"') == 1
    assert html("a\n\n$$x\n= y$$\n\nb").count('display="block"') == 1
    found = html("a\n\n.. math:: x\n    = y\n\nb")
    assert found.count('display="block"') == 1
    assert "<p>b</p>" in found


@pytest.mark.parametrize("text", [r"`\(x\)`", "```\n$x$\n```", "costs $5 or $ 6"])
def test_what_is_none(text):
    assert "<math" not in html(text)


def test_lines_are_aligned():
    found = mathml(r"a &= b, \\ c &= d", "block")
    assert found.count("<mtr>") == 2
    assert "&<" not in found


@pytest.mark.parametrize("latex", [r"\nosuchcommand x", r"\frac{a", r"a & b \begin{nothing}"])
def test_what_cannot_be_written_is_named(latex):
    with pytest.raises(EquationError, match=re.escape(repr(latex))):
        mathml(latex)


def test_all_texts_can_be_drawn():
    for path in repository.texts():
        assert "$$" not in re.sub(
            r"<code>.*?</code>", "", html((names.ROOT / path).read_text("utf-8")), flags=re.DOTALL
        )
