"""The report as a reader has it: in a browser, without a network, whatever names users choose."""

import base64
import csv
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from qcgrad.studies.render._plots import plotted
from qcgrad.studies.render.html import Report, write_html
from qcgrad.studies.render.latex import latex
from qcgrad.studies.status import Status
from qcgrad.studies.summary import Column, Curve, Figure, Panel, Summary, Table

pytest.importorskip("plotly")

HOSTILE = "<!--<script></script><img src=x onerror=\"document.title='broken'\">"
RUN = {"began": 1.7e9, "provenance": {"host": HOSTILE, "qcgrad": "0.1", "packages": {"jax": "1"}, "engine": {}}}


def report(name: str = "adjoint") -> Report:
    columns = (
        Column("method", (name, "shift", "none"), is_text=True),
        Column("copies", ("1,000", "20", "–"), (1000, 20, None)),
        Column("scaling", ("yes", "no", "not enough range"), is_text=True, verdicts=True),
    )
    curve = Curve(name, (1.0, 10.0), (2.0, 3.0), (0.1, 0.1), colour=name, marker=name, line="solid")
    fit = Curve("", (1.0, 10.0), (2.0, 3.0), colour=name, line="dashed", band=((1.8, 2.7), (2.2, 3.3)))
    panel = Panel(name, f"M, {name}", "copies", (curve, fit))
    summary = Summary(name, (Table(name, columns, (name,)),), (Figure("scaling", (panel,), (name,)),), (name,))
    failure = {"cell": name, "verdict": "failed", "message": name, "traceback": name}
    status = Status({"title": name, "total": 3, "finished": 2, "by_kind": {}, "failures": [failure], "runs": [RUN]})
    return Report(name, (summary,), status, name, (("cells.csv", b"a\n1\n"),))


def written(path: Path, name: str = "adjoint") -> str:
    write_html(report(name), path)
    return path.read_text("utf-8")


def without_scripts(text: str) -> str:
    return re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)


def test_a_report_stands_alone_and_has_everything(tmp_path):
    page = without_scripts(written(tmp_path / "report.html"))
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", page)
    for expected in (
        "2 of 3 cells are finished",
        "1,000",
        "cells.csv",
        "preparations of the state",
        "not enough range",
    ):
        assert expected in page


def test_bands_are_drawn_and_have_no_entry_in_the_legend():
    curve = Curve("a", (1.0, 2.0), (3.0, 4.0), band=((2.0, 3.0), (4.0, 5.0)), line="solid")
    panel = Panel("p", "x", "y", (curve,))
    area, line = plotted(Figure("f", (panel,)), panel)["data"]
    assert (area["x"], area["y"], area["fill"]) == ((1.0, 2.0, 2.0, 1.0), (4.0, 5.0, 3.0, 2.0), "toself")
    assert (area["showlegend"], line["name"], line["y"]) == (False, "a", (3.0, 4.0))


def test_names_are_text(tmp_path):
    page = written(tmp_path / "report.html", HOSTILE)
    assert "<img src=x" not in page
    assert html.escape(HOSTILE, quote=True).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page


def test_latex_tables_are_escaped():
    table = Table("T", (Column("50 % of_a & b", (r"\input{x}",), is_text=True), Column("ε", ("1e-3 ± 2",))))
    text = latex(table)
    assert r"50 \% of\_a \& b & $\varepsilon$ \\" in text
    assert r"\textbackslash{}input\{x\} & 1e-3 $\pm$ 2 \\" in text


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# What a reader does, and what is seen then.
ACTIONS = """
<script>
addEventListener("load", () => {
  document.querySelector("#t0-0-rows").closest("table").querySelectorAll("th button")[1].click();
  const first = document.querySelector("#t0-0-rows td").textContent;
  const last = [...document.querySelectorAll("#t0-0-rows tr")].at(-1).cells[0].textContent;
  const input = document.querySelector("[data-filter='t0-0-rows']");
  input.value = "sHift NO";
  input.dispatchEvent(new Event("input"));
  const shown = [...document.querySelectorAll("#t0-0-rows tr")].filter((row) => !row.hidden).length;
  const points = document.querySelectorAll(".plot .point").length;
  const wide = document.documentElement.scrollWidth > innerWidth;
  document.body.dataset.seen = [first, last, shown, points, wide, document.title].join("|");
});
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("name", ["adjoint", HOSTILE])
@pytest.mark.parametrize("width", [500, 1600])
def test_in_a_browser_it_draws_sorts_and_filters_without_errors(tmp_path, name, width):
    path = tmp_path / "report.html"
    text = written(path, name)
    path.write_text(text.replace("</body>", f"{ACTIONS}</body>"), "utf-8")
    assert BROWSER is not None
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000")
    window = f"--window-size={width},2000"
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [BROWSER, *flags, window, profile, "--dump-dom", path.as_uri()]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "CONSOLE" not in found.stderr, found.stderr
    (seen,) = re.findall(r'data-seen="([^"]*)"', found.stdout)
    assert html.unescape(seen) == "|".join(["shift", "none", "1", "2", "false", name])


def downloaded(page: str, name: str) -> str:
    (data,) = re.findall(f'download="{name}" href="data:[^,]*,([^"]*)"', page)
    return base64.b64decode(data).decode()


def test_data_can_be_read_back(tmp_path):
    page = written(tmp_path / "report.html")
    assert list(csv.reader(downloaded(page, "cells.csv").splitlines())) == [["a"], ["1"]]


def test_what_is_shown_can_be_had_as_data(tmp_path):
    (shown,) = json.loads(downloaded(written(tmp_path / "report.html"), "summary.json"))
    assert shown["tables"][0]["columns"][1]["values"] == [1000, 20, None]
    points, fit = shown["figures"][0]["panels"][0]["curves"]
    assert (points["y"], points["error"], fit["band"]) == ([2, 3], [0.1, 0.1], [[1.8, 2.7], [2.2, 3.3]])
