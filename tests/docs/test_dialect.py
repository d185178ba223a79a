"""Docstrings in the words of the site's parser."""

import pytest

griffe = pytest.importorskip("griffe", reason="of the extra `docs`")

from docs._build.dialect import Dialect, linked, translated  # noqa: E402

DOCSTRING = """First.

Access: single copy,
in two lines.

Args:
    a, b: what both are,
        in two lines.
    c: another.

Raises:
    ValueError, TypeError: bad numbers.

Example:
    >>> 1 + 1
    2

References:
    Somebody, arXiv:1.
"""


def test_sections():
    found = translated(DOCSTRING)
    assert "**Access.** single copy,\nin two lines." in found
    assert "    a: what both are,\n        in two lines.\n    b: what both are,\n        in two lines.\n    c:" in found
    assert "Raises:\n    ValueError, TypeError" in found
    assert "Examples:\n    >>> 1 + 1" in found
    assert found.endswith("**References.** Somebody, arXiv:1.")
    kinds = [section.kind.value for section in griffe.Docstring(found).parse("google")]
    assert kinds == ["text", "parameters", "raises", "examples", "text"]


def test_first_paragraphs_keep_their_colons():
    assert translated("Networks: losses.\n\nMore.") == "Networks: losses.\n\nMore."


def test_names_are_linked_where_they_are_documented():
    known = {"qcgrad.Circuit": "qcgrad.ir.Circuit"}
    assert (
        linked("`qcgrad.Circuit` or `qcgrad.none`", known) == "[`qcgrad.Circuit`][qcgrad.ir.Circuit] or `qcgrad.none`"
    )


RECORDS = """
from typing import ClassVar, NamedTuple
import equinox as eqx

class Pair(NamedTuple):
    first: int
    second: float = 0.5

class Base(eqx.Module):
    kind: ClassVar[str] = "base"
    width: int = eqx.field(static=True)

class Derived(Base):
    depth: int = eqx.field(static=True, default=3)
    _cache: int = 0

class Written(Base):
    def __init__(self, other): ...

class Plain:
    text: str
"""


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Pair", [("first", None), ("second", "0.5")]),
        ("Derived", [("width", None), ("depth", "3")]),
        ("Written", [("other", None)]),
        ("Plain", []),
    ],
)
def test_records_have_signatures(name, arguments):
    extensions = griffe.load_extensions(Dialect)
    with griffe.temporary_visited_package("records", {"__init__.py": RECORDS}, extensions=extensions) as package:
        found = [(p.name, p.default and str(p.default)) for p in package[name].parameters if p.name != "self"]
    assert found == arguments
