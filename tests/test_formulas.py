"""Formulas in terminals: Unicode, unambiguous, and nothing of LaTeX left on any page of the catalogue."""

import re

import pytest

from qcgrad import catalogue
from qcgrad.cli._pages import lines, page
from qcgrad.formulas import in_unicode, readable

ENTRIES = {(kind, name): entry for kind in catalogue.KINDS for name, entry in getattr(catalogue, kind)().items()}


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\frac{a}{b c}", "a/(b c)"),
        (r"\frac a{b + c}\,d", "(a/(b + c)) d"),
        (r"\tfrac12 + \tfrac{1}{4}x", "½ + ¼x"),
        (r"\sqrt{a b}", "√(a b)"),
        (r"\sqrt{2\ln(2D/\delta)/N}", "√(2 ln(2D/δ)/N)"),
        (r"x_i^2", "xᵢ²"),
        (r"\sigma_b^2 + e^{-k p_i/2}", "σ_b² + e^(-k pᵢ/2)"),
        (r"x^{2R}", "x^(2R)"),
        (r"\hat g_a = \bar X + \overline{a b}", "ĝₐ = X̄ + conj(a b)"),
        (r"\ln2 + \cos\theta", "ln 2 + cos θ"),
        (r"\eta = \pm1", "η = ±1"),
        (r"a\otimes b, A \otimes B", "a⊗b, A ⊗ B"),
        (r"\binom{n}{w}\qquad\text{for } n", "C(n, w)   for n"),
        (r"a &= b, \\ c &= d", "a = b,\nc = d"),
        (r"\arcsin\frac{a}{b}", "arcsin(a/b)"),
        (r"\unknown{x}", "unknownx"),
        ("", ""),
        (r"\frac", "/"),
        ("}", ""),
        ("^", "^()"),
    ],
)
def test_formulas_stay_unambiguous_on_one_line(formula, text):
    assert in_unicode(formula) == text


def test_marks_of_code_and_emphasis_go():
    assert readable(r"**Sums.** `Adjoint` takes \(2 \times 3\), 2 * 3 and a ** b") == (
        "Sums. Adjoint takes 2 × 3, 2 * 3 and a ** b"
    )


@pytest.mark.parametrize("kind", catalogue.KINDS)
def test_every_page_is_plain_text(kind):
    for (of_kind, name), entry in ENTRIES.items():
        if of_kind != kind:
            continue
        about = page(entry, kind)
        text = "\n".join(lines(about, 100))
        assert not re.search(r"\\|\.\. math|`", text.replace("\\n", "")), name
        assert max(map(len, text.splitlines())) <= 120, name
        assert about["summary"] in " ".join(text.split()), name
        assert all(option["help"] in " ".join(text.split()) for option in about["options"]), name


def test_a_page_of_a_method_has_all_its_parts():
    for (kind, name), entry in ENTRIES.items():
        if kind == "methods":
            about = page(entry, kind)
            assert about["example"], name
            assert about["cost"], name
            assert about["pays_in"], name
    sweep = page(ENTRIES["methods", "gentle-sweep"], "methods")
    assert any("Varⱼ ≈ (1/k)(1 - ⟨Aⱼ⟩² + s²" in text for text in sweep["description"])
    assert "NotApplicable" in sweep["refusals"]
    assert "arXiv:2305.13362" in sweep["references"]
    batches = next(option for option in sweep["options"] if option["name"] == "batches")
    assert (batches["flag"], batches["default"], batches["required"]) == ("--option batches=...", 8, False)
    assert sweep["example"][-1] == "# (8000, True)"
