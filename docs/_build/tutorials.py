"""Pages of the scripts in docs/tutorials/, with what these printed and drew."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from .executed import ROOT, render

FOLDER = ROOT / "docs" / "tutorials"
KEPT = ROOT / ".cache" / "tutorials"


def pages() -> dict[str, str | bytes]:
    """Content by place: for each script its page and its figures; the scripts themselves are files of the site already.

    Scripts run, two at a time, where anything they depend on has changed since the last build.
    """
    found: dict[str, str | bytes] = {}
    scripts = sorted(FOLDER.glob("[!_]*.py"))
    with ThreadPoolExecutor(2) as pool:
        rendered = list(pool.map(partial(render, cache=KEPT), scripts))
    for script, page in zip(scripts, rendered, strict=True):
        where = script.relative_to(ROOT)
        title, _, text = page.markdown.partition("\n")
        command = f"PYTHONPATH=. python {where}"
        note = f"*Everything below is the output of [{where}]({script.name}): `{command}` in a checkout.*"
        found[f"tutorials/{script.stem}.md"] = f"{title}\n\n{note}\n{text}"
        found |= {f"tutorials/{name}": drawn for name, drawn in page.figures.items()}
    return found
