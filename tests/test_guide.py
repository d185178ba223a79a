"""Examples of the guide run, print what stands below them, and its definitions are those of the code."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from docs._build.worked import GUIDE, QUOTED, counters, renewed  # noqa: E402 - found in the checkout
from qcgrad import Cost  # noqa: E402
from qcgrad.cli import errors  # noqa: E402

PAGES = sorted(GUIDE.glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_holds_what_its_examples_print_and_what_the_code_says(path):
    text = path.read_text(encoding="utf-8")
    assert renewed(text, str(path)) == text, "python -m docs._build.worked renews it; read what changed"


def test_every_quotation_is_quoted_once():
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert {name: text.count(f"<!-- quoted: {name} -->") for name in QUOTED} == dict.fromkeys(QUOTED, 1)


def test_every_counter_is_defined():
    lines = counters().splitlines()[2:]
    assert [line.split("`")[1] for line in lines] == list(vars(Cost()))
    assert all(len(line.split("|")[2].split()) > 4 for line in lines)


def test_every_exit_code_of_the_command_line_is_in_the_guide():
    _, _, table = (GUIDE / "studies.md").read_text(encoding="utf-8").partition("## Exit codes")
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert told == {0, 1, *(code for name, code in vars(errors).items() if name.startswith("EXIT_"))}


def test_output_that_is_wrong_or_missing_is_renewed_and_what_needs_none_is_left():
    page = "```python\nx = 2\n```\n\nText.\n\n```python\nprint(x)\n```\n\n```text\n3\n```\n"
    page += "\n```python\nprint(x + 1)\n```\n"
    right = page.replace("```text\n3\n", "```text\n2\n") + "\n```text\n3\n```\n"
    assert renewed(page) == right
    assert renewed(right) == right


def test_example_that_fails_names_its_page_and_line():
    with pytest.raises(ZeroDivisionError) as raised:
        renewed("Text.\n\n```python\n1 / 0\n```\n", "guide.md")
    entry = raised.traceback[-1]
    assert (str(entry.path), entry.lineno + 1) == ("guide.md", 4)
