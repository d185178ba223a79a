"""Turns a script in percent format into a page: its text, its code, what each cell printed and drew.

    python docs/_build/executed.py docs/tutorials/quantum.py FOLDER

A cell starts at a line `# %%`; one that says `[markdown]` is text, as comments. The title of a cell of code, behind
`# %%`, is what its figures show, in words for those who do not see them. The script runs in this process, from top to
bottom, as `python SCRIPT` runs it: what it raises ends it. `render` does so in a fresh process.
"""

import contextlib
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Cell(NamedTuple):
    """One cell: where it starts in the file, what its title says, and its lines."""

    line: int
    title: str
    is_text: bool
    source: str


class Page(NamedTuple):
    """A page in Markdown, and its figures by file name."""

    markdown: str
    figures: dict[str, bytes]


def render(script: Path, cache: Path | None = None) -> Page:
    """The page of a script, from the cache where nothing has changed that it depends on.

    Raises:
        RuntimeError: the script failed; the message holds its traceback.
    """
    if cache is None:
        return _run(script)
    kept = cache / f"{script.stem}-{_digest(script)}"
    if (kept / "page.md").is_file():
        return _read(kept)
    page = _run(script)
    for old in cache.glob(f"{script.stem}-*"):
        shutil.rmtree(old)
    _write(page, kept)
    return page


def cells(source: str) -> list[Cell]:
    """The cells of a script; what stands before the first marker is one."""
    found, lines = [], ["# %%", *source.splitlines()]
    starts = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        title, is_text = re.subn(r"\[markdown\]", "", lines[start].removeprefix("# %%"))
        body = lines[start + 1 : end]
        body = [line.removeprefix("#").removeprefix(" ") for line in body] if is_text else body
        if text := "\n".join(body).strip("\n"):
            found.append(Cell(start + 1, title.strip(), bool(is_text), text if is_text else "\n".join(body)))
    return found


def execute(script: Path) -> Page:
    """Run the cells of a script one after another, in this process."""
    from matplotlib import pyplot

    module = types.ModuleType("__main__")  # classes of a script look for themselves in their module
    sys.modules["__main__"], module.__file__ = module, str(script)
    pyplot.show = lambda *_, **__: None
    parts, figures = [], {}
    for cell in cells(script.read_text(encoding="utf-8")):
        if cell.is_text:
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source.strip()}\n```")
        printed = io.StringIO()
        # Blank lines in front, so that tracebacks name the line of the file.
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * (cell.line - 1) + cell.source, script, "exec"), vars(module))
        if printed.getvalue().strip():
            parts.append(f"```text title=\"Output\"\n{printed.getvalue().rstrip()}\n```")
        for number in pyplot.get_fignums():
            name = f"{script.stem}-{len(figures) + 1}.png"
            pyplot.figure(number).savefig(drawn := io.BytesIO(), format="png", dpi=150, facecolor="white")
            figures[name] = drawn.getvalue()
            parts.append(f"![{cell.title or script.stem}]({name})")
        pyplot.close("all")
    return Page("\n\n".join(parts) + "\n", figures)


def _run(script):
    """In a fresh process, with the checkout in front of whatever is installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        # Figures are kept and not shown, on a desktop either.
        environment = os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": path}
        command = [sys.executable, __file__, str(script), folder]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{script} failed:\n{done.stderr}")
        return _read(Path(folder))


def _digest(script):
    """Of what a page depends on: the script, this file, the package and theory/."""
    sources = [script, Path(__file__)]
    for package in ("qcgrad", "theory"):
        sources += sorted(path for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".so"))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in sources)).hexdigest()[:16]


def _write(page, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawn in page.figures.items():
        (folder / name).write_bytes(drawn)
    (folder / "page.md").write_text(page.markdown, encoding="utf-8")  # last: where it is, all is there


def _read(folder):
    figures = {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}
    return Page((folder / "page.md").read_text(encoding="utf-8"), figures)


if __name__ == "__main__":
    _write(execute(Path(sys.argv[1])), Path(sys.argv[2]))
