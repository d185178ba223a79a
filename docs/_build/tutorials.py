"""Pages of the scripts in docs/tutorials/, with what these printed and drew."""

from .executed import ROOT, render

FOLDER = ROOT / "docs" / "tutorials"


def pages() -> dict[str, str | bytes]:
    """Content by place: for each script its page and its figures; the scripts themselves are files of the site already.

    Scripts run where anything they depend on has changed since the last build, about a minute altogether.
    """
    found: dict[str, str | bytes] = {}
    for script in sorted(FOLDER.glob("[!_]*.py")):
        page, where = render(script, ROOT / ".cache" / "tutorials"), script.relative_to(ROOT)
        title, _, text = page.markdown.partition("\n")
        note = f"*Everything below is the output of [{where}]({script.name}): `PYTHONPATH=. python {where}` in a checkout.*"
        found[f"tutorials/{script.stem}.md"] = f"{title}\n\n{note}\n{text}"
        found |= {f"tutorials/{name}": drawn for name, drawn in page.figures.items()}
    return found
