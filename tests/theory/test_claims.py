"""Every script in theory/ is run small: it computes, its claim holds, and it draws its figure."""

import importlib
from pathlib import Path

import pytest

from theory.statistics import SEED_SHIFT

THEORY = Path(__file__).parents[2] / "theory"
TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted(THEORY.rglob("*.py"))}
SCRIPTS = [path for path, text in TEXTS.items() if "def compute(" in text]
# Whoever draws at random says so by where the seeds come from.
CASES = [
    pytest.param(
        path,
        id=f"{path.parent.name}/{path.stem}",
        marks=pytest.mark.statistical if "theory.statistics" in TEXTS[path] else (),
    )
    for path in SCRIPTS
]


def test_there_are_claims():
    assert len(SCRIPTS) >= 3


@pytest.mark.slow
@pytest.mark.claim
@pytest.mark.parametrize("path", CASES)
def test_claim_holds_in_small(path, tmp_path):
    name = ".".join(path.relative_to(THEORY.parent).with_suffix("").parts)
    script = importlib.import_module(name)
    assert script.__doc__
    result = script.compute(small=True)
    script.check(result)
    assert list(script.report(result))
    assert all(script.headline(result)), "what is measured, what is expected, what came out"
    if SEED_SHIFT == 0:  # other seeds draw the same figure, for a second each
        script.figure(result, tmp_path / "figure.png")
        assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert path.with_suffix(".md").is_file(), "the derivation is missing"
    assert path.with_suffix(".png").is_file(), "the figure is missing"
