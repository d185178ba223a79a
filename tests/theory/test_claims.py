"""Every script in theory/ is run small: it computes, its claim holds, and it draws its figure."""

import importlib
from pathlib import Path

import pytest

THEORY = Path(__file__).parents[2] / "theory"
SCRIPTS = [path for path in sorted(THEORY.rglob("*.py")) if "def compute(" in path.read_text(encoding="utf-8")]


def test_there_are_claims():
    assert len(SCRIPTS) >= 3


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_claim_holds_in_small(path, tmp_path):
    name = ".".join(path.relative_to(THEORY.parent).with_suffix("").parts)
    script = importlib.import_module(name)
    assert script.__doc__
    result = script.compute(small=True)
    script.check(result)
    assert list(script.report(result))
    script.figure(result, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert path.with_suffix(".md").is_file(), "the derivation is missing"
    assert path.with_suffix(".png").is_file(), "the figure is missing"
