"""Every tutorial runs from top to bottom, shows what its text says, and draws; its page is made of that."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from docs._build.executed import cells, render  # noqa: E402 - found in the checkout
from docs._build.tutorials import KEPT  # noqa: E402

SCRIPTS = sorted((ROOT / "docs" / "tutorials").glob("[!_]*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_tutorial_holds_what_it_says_and_becomes_a_page(script):
    page = render(script, KEPT)  # the site is built of the same pages
    assert page.markdown.startswith("# ")
    assert page.figures
    assert all(len(drawn) > 10_000 for drawn in page.figures.values())
    assert all(name in page.markdown for name in page.figures)
    assert page.markdown.count("Output") >= 4


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_tutorial_begins_with_a_title_names_its_figures_and_is_listed(script):
    first, *rest = cells(script.read_text(encoding="utf-8"))
    assert first.is_text
    assert first.source.startswith("# ")
    drawing = [cell for cell in rest if not cell.is_text and "plt.show()" in cell.source]
    assert drawing
    assert all(len(cell.title) > 30 for cell in drawing), "what a figure shows, in words, behind # %%"
    listed = (script.parent / "README.md").read_text(encoding="utf-8")
    assert f"({script.stem}.md)" in listed


def made(tmp_path, source):
    script = tmp_path / "made.py"
    script.write_text(source)
    return script


def test_page_shows_text_code_output_and_figures_in_their_order(tmp_path):
    source = (
        "# %% [markdown]\n# # Title\n# $x$\n\n# %%\nimport inspect\n\n\nclass One:\n    two = 2\n\n\nx = 2\n"
        "print(inspect.getsource(One), One.__module__)\n\n# %% A line\n"
        "import matplotlib.pyplot as plt\nplt.plot([x])\nplt.show()\n"
    )
    page = render(made(tmp_path, source))
    parts = [
        "# Title\n$x$",
        "class One:",
        "```text",
        "    two = 2\n __main__\n",
        "plt.plot([x])",
        "![A line](made-1.png)",
    ]
    places = [page.markdown.index(part) for part in parts]
    assert places == sorted(places)
    assert page.figures["made-1.png"].startswith(b"\x89PNG")


def test_script_that_fails_fails_the_build_and_names_its_line(tmp_path):
    script = made(tmp_path, "# %%\nx = 1\n\n# %%\nassert x == 2, 'no'\n")
    with pytest.raises(RuntimeError, match=r'made.py", line 5(.|\n)*AssertionError: no'):
        render(script)


def test_page_is_kept_until_its_script_changes(tmp_path):
    kept = tmp_path / "cache"
    script = made(tmp_path, "import time\nprint(time.time_ns())\n")
    first, again = render(script, kept), render(script, kept)
    assert first == again
    script.write_text(script.read_text() + "print('more')\n")
    assert "more" in render(script, kept).markdown


def test_script_runs_as_any_other(tmp_path):
    """Text cells are comments, so that nothing is needed to run a tutorial but Python."""
    script = made(tmp_path, "# %% [markdown]\n# # Title\n\n# %%\nprint('here')\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "here\n"
