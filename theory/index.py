"""The index of all claims, README.md, from their scripts and from published results.

python -m theory.index    # after `qcgrad reproduce --full --publish`, or with a new claim
"""

from itertools import groupby
from pathlib import Path

from qcgrad.studies.claims import Script, claims_in, published

THEORY = Path(__file__).parent
TITLES = {
    "quantum-backprop": "What gradients of circuits cost",
    "complex-ntk": "Tangent kernels of complex networks",
    "rules": "Backward rules beyond backpropagation",
}
BEGINNING = """\
# Claims

Each script states a claim in its docstring, derives it in the `.md` beside it (with a paragraph **Measured**), draws
the figure and checks itself: it fails where the claim does not hold. `qcgrad reproduce` lists all of them with their
state, `qcgrad reproduce quantum-backprop --small --jobs 2` computes a topic anew (a topic, one claim, or `all`;
`--full` for the whole claims, in minutes each), and keeps what was measured with what computed it. One script by
itself: `python -m theory.quantum_backprop.gentle_sweep --small`.

The number of each claim is that of its last whole run, which [results](results) keeps with all that it reports and what
computed it; `qcgrad reproduce --full --publish` writes these files, and `python -m theory.index` this page.
Where there is none, the paragraph **Measured** has numbers of an earlier whole run.
"""


def text() -> str:
    """The page."""
    parts = [BEGINNING]
    order = list(TITLES)
    scripts = sorted(claims_in(THEORY.parent), key=lambda s: (order.index(s.topic), s.path))
    for topic, of_topic in groupby(scripts, lambda script: script.topic):
        parts.append(f"\n## {TITLES[topic]}\n\n| claim | derivation, measured | figure | number |\n|---|---|---|---|\n")
        parts += [_row(script) for script in of_topic]
    return "".join(parts)


def _row(script: Script) -> str:
    path = script.path.relative_to(THEORY).as_posix()
    stem, name = path.removesuffix(".py"), script.path.stem
    claim = _cell(script.claim.rstrip("."))
    return f"| [{name}]({path}): {claim} | [{name}.md]({stem}.md) | [png]({stem}.png) | {_number(script)} |\n"


def _number(script: Script) -> str:
    found = published(script, THEORY.parent)
    if found is None:
        return "not run in full"
    failed = "" if found["holds"] else " **does not hold**"
    earlier = "" if found["is_current"] else " (by an earlier script)"
    return _cell(f"{found['quantity']}: **{found['measured']}** (expected {found['expected']}){failed}{earlier}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (THEORY / "README.md").write_text(text(), encoding="utf-8")
