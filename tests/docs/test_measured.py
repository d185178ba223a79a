"""What was measured for the pages of methods, as it is committed, and how it is drawn."""

import json
import re

import pytest

from docs._build import figures, measured, study
from qcgrad.catalogue import methods
from qcgrad.studies.summary import Column, Curve, Figure, Panel, Table


def test_every_method_was_asked_and_measured_or_has_refused():
    found = study.read()
    own = {name for name, method in methods().items() if method.make.__module__.startswith("qcgrad.")}
    measured_ = {cell.data["method"] for cell, _ in found.records}
    refused = {cell.data["method"] for cell, _ in found.refusals}
    assert own <= measured_ | refused
    assert len(measured_ & own) > len(own) / 2


def test_a_method_that_is_newer_than_the_study_says_so(monkeypatch):
    method = methods()["adjoint"]._replace(name="brand-new")
    text = "\n".join(measured.sections(method))
    assert "older than the method" in text
    assert study.COMMAND in text
    assert measured.row(method)["M^"] == "–"


def test_the_page_of_a_method_has_its_exponent_and_its_refusals():
    known = methods()
    row = measured.row(known["parameter-shift"])
    assert float(row["M^"].partition("±")[0]) == pytest.approx(1, abs=0.3)
    assert row["backprop. scaling"] == "no"
    text = "\n".join(measured.sections(known["commuting-block"]))
    assert "## Where it does not apply" in text
    assert "finds no commuting blocks" in text


def test_cells_that_have_got_fields_since_have_their_defaults(tmp_path):
    data = json.loads(study.FILE.read_text("utf-8"))
    data["rows"] = [row for row in data["rows"] if row["cell"]["kind"] == "circuit"][:1]
    path = tmp_path / "methods.json"
    path.write_text(json.dumps(data))
    ((cell, record),) = study.read(path).records
    assert cell.data == data["rows"][0]["cell"]
    assert record == data["rows"][0]["end"]
    data["rows"][0]["cell"]["of_other_versions"] = 1
    path.write_text(json.dumps(data))
    assert study.read(path).records[0][0] == cell


def curve(*y):
    return Curve("a & b", (1.0, 2.0), y, marker="m")


def test_figures_follow_the_page_and_stand_alone():
    panels = (Panel("first", "x", "y", (curve(1.0, 2.0),)), Panel("nothing", "x", "y", (curve(0.0, 0.0),)))
    (html,) = figures.drawn(Figure("f", panels), "caption <b>")
    assert 'role="img"' in html
    assert "caption &lt;b&gt;: first" in html
    assert "#000000" not in html
    assert "#ffffff" not in html
    assert "\n\n" not in html
    # No width of its own, and nothing that would be there twice on a page.
    assert not re.search(r'<svg[^>]* (width|height)="', html)
    assert not re.search(r'id="(figure|axes)_1"', html)


def test_tables_leave_out_what_the_page_says():
    columns = (Column("method", ("a", "a"), is_text=True), Column("x|\ny", ("1", "2_3")))
    shown = figures.table(Table("t", columns, ("how | to",)), ("a",))
    assert shown.startswith("| x\\| y |\n|--:|\n| 1 |\n| 2\\_3 |\n")
    assert '??? note "How to read this"' in shown
