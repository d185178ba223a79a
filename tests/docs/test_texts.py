"""Texts of the checkout: their links lead somewhere, and their code is code."""

import os
import posixpath
import re
import subprocess
import sys

import pytest

from docs._build import repository
from docs._build.names import ROOT

PYTHON = re.compile(r"^( *)```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?![a-z]+:)([^()\s#]+)(?:#[^()\s]*)?\)")


def blocks(path):
    text = (ROOT / path).read_text("utf-8")
    for found in PYTHON.finditer(text):
        line = text[: found.start()].count("\n") + 1
        yield line, "\n".join(row.removeprefix(found[1]) for row in found[2].splitlines())


@pytest.mark.parametrize("path", repository.texts())
def test_links_lead_to_files_and_code_compiles(path):
    text = (ROOT / path).read_text("utf-8")
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    missing = [
        target
        for target in LINK.findall(without_code)
        if not (ROOT / posixpath.join(posixpath.dirname(path), target)).exists()
        # Tutorials are pages that are made of scripts.
        and not (ROOT / posixpath.join(posixpath.dirname(path), target)).with_suffix(".py").exists()
        and not is_made(posixpath.join(posixpath.dirname(path), target))
    ]
    assert missing == []
    for line, code in blocks(path):
        compile("\n" * line + code, path, "exec")


def is_made(path):
    """Whether it is a page that the site makes of the code."""
    return (
        re.match(r"docs/(methods|rules|layers|activations|backends|reference)/", posixpath.normpath(path)) is not None
    )


# Pages of the guide are run with what they print, by a test of their own.
RUN = [path for path in repository.texts() if any(blocks(path)) and not path.startswith("docs/guide/")]


@pytest.mark.slow
@pytest.mark.parametrize("path", RUN)
def test_code_runs_from_top_to_bottom(path, tmp_path):
    script = tmp_path / "blocks.py"
    script.write_text("\n".join(code for _, code in blocks(path)), encoding="utf-8")
    # As from a checkout, where theory/ can be imported.
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    if re.search(r"ModuleNotFoundError: No module named 'torch'", done.stderr):
        pytest.skip("no torch here")
    assert done.returncode == 0, done.stderr[-2000:]


def every(place):
    return True


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("README.md", "[a](docs/advise.md)", "[a](advise.md)"),
        ("README.md", "[a](theory/README.md#claims)", "[a](theory/README.md#claims)"),
        ("README.md", "[a](theory/quantum_backprop)", "[a](theory/quantum_backprop/index.md)"),
        ("README.md", "[a](docs/examples)", "[a](examples/README.md)"),
        ("README.md", "[a](benchmarks/scaling.toml)", "[a](source/benchmarks/scaling.toml.md)"),
        ("README.md", "[a](https://example.org/README.md)", "[a](https://example.org/README.md)"),
        ("theory/README.md", "[a](complex_ntk/width.py)", "[a](../source/theory/complex_ntk/width.py.md)"),
        ("docs/advise.md", "[a](../README.md)", "[a](index.md)"),
        ("CONTRIBUTING.md", "```\n[a](README.md)\n```\n", "```\n[a](README.md)\n```\n"),
        ("CONTRIBUTING.md", "[a](nothing.md)", "[a](nothing.md)"),
    ],
)
def test_links_to_files_become_links_to_pages(source, before, after):
    assert repository.with_links(before, source, every) == after


def test_links_stay_where_the_site_has_no_page():
    assert repository.with_links("[a](docs/advise.md)", "README.md", lambda place: False) == "[a](docs/advise.md)"


def test_sources_that_texts_link_to_are_shown():
    pages = repository.pages()
    shown = pages["source/benchmarks/scaling.toml.md"]
    assert isinstance(shown, str)
    assert "[scaling.hard_instance]" in shown
    assert "theory/quantum_backprop/gentle_sweep.png" in pages
    assert "index.md" in pages
    assert not any(path.startswith(("docs/", "advise", "examples/")) for path in pages)
