"""Texts that lie beside the code, as pages: README, theory/, results, and the files that they link to."""

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from .names import ROOT

# Where a checkout has texts, beside docs/, which MkDocs reads by itself.
_TEXTS = ("*.md", "circuits/**/*.md", "theory/**/*.md", "benchmarks/**/*.md", "qcgrad/**/*.md")
_PICTURES = (".png", ".svg")
_LANGUAGES = {".py": "python", ".toml": "toml", ".cc": "cpp", ".h": "cpp", ".sh": "sh", ".qasm": "text"}
_LINK = re.compile(r"(?P<before>\]\()(?P<target>[^()\s#]+)(?P<anchor>#[^()\s]*)?(?P<after>\))")


@cache
def texts() -> tuple[str, ...]:
    """Paths of the texts in the repository, those of docs/ too."""
    found = {path for pattern in (*_TEXTS, "docs/**/*.md") for path in ROOT.glob(pattern)}
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in found))


def place(path: str) -> str:
    """Where a file of the repository stands on the site."""
    if path == "README.md":
        return "index.md"
    inside = path.removeprefix("docs/")
    if (ROOT / path).is_dir():
        has_readme = (ROOT / path / "README.md").is_file()
        return posixpath.join(inside, "README.md" if has_readme else "index.md")
    return inside if Path(path).suffix in (".md", *_PICTURES) else f"source/{path}.md"


def origin(place_: str) -> str:
    """The path in the repository that links on a page are relative to."""
    if place_ == "index.md":
        return "README.md"
    return place_ if place_ in texts() else f"docs/{place_}"


def pages() -> dict[str, str | bytes]:
    """Content by place: texts outside of docs/, pictures and sources that any text links to, lists of folders."""
    found: dict[str, str | bytes] = {}
    standing = set(map(place, texts()))
    for path in texts():
        if not path.startswith("docs/"):
            found[place(path)] = (ROOT / path).read_text("utf-8")
        for target in _targets(path):
            if place(target) not in found and place(target) not in standing and not _is_native(target):
                found[place(target)] = _shown(target)
    return found


def title(path: str) -> str:
    """The first heading of a text."""
    text = (ROOT / path).read_text("utf-8")
    return next((line.lstrip("# ") for line in text.splitlines() if line.startswith("# ")), path)


def with_links(markdown: str, source: str, exists: Callable[[str], bool]) -> str:
    """A text whose links lead to pages.

    Args:
        markdown: of the page.
        source: its path in the repository.
        exists: whether the site has a file.
    """
    here = posixpath.dirname(place(source))

    def moved(found: re.Match) -> str:
        target = _resolved(source, found["target"])
        if target is None or not exists(place(target)):
            return found[0]
        to = posixpath.relpath(place(target), here or ".")
        return f"{found['before']}{to}{found['anchor'] or ''}{found['after']}"

    return "".join(part if is_code else _LINK.sub(moved, part) for part, is_code in _parts(markdown))


def _parts(markdown: str) -> Iterator[tuple[str, bool]]:
    """Pieces of a text, and whether each is a block of code."""
    for number, part in enumerate(re.split(r"(^ *```.*?^ *```[^\n]*\n?)", markdown, flags=re.MULTILINE | re.DOTALL)):
        yield part, number % 2 == 1


def _targets(path: str) -> Iterator[str]:
    text = (ROOT / path).read_text("utf-8")
    for part, is_code in _parts(text):
        for found in [] if is_code else _LINK.finditer(part):
            if (target := _resolved(path, found["target"])) is not None:
                yield target


def _resolved(source: str, target: str) -> str | None:
    """The path in the repository that a link means; None for links to elsewhere."""
    if ":" in target or target.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    return path if not path.startswith("..") and (ROOT / path).exists() else None


def _is_native(path: str) -> bool:
    """Whether MkDocs finds it in docs/ by itself."""
    return path.startswith("docs/") and Path(path).suffix in _PICTURES


def _shown(path: str) -> str | bytes:
    if (ROOT / path).is_dir():
        return _listing(path)
    content = (ROOT / path).read_bytes()
    if Path(path).suffix in _PICTURES:
        return content
    language = _LANGUAGES.get(Path(path).suffix, "text")
    return f"# {Path(path).name}\n\n`{path}`\n\n``````{language}\n{content.decode('utf-8').rstrip()}\n``````\n"


def _listing(path: str) -> str:
    inside = [text for text in texts() if posixpath.dirname(text) == path]
    rows = [f"- [{title(text)}]({posixpath.basename(text)})" for text in inside]
    return "\n".join([f"# {path}", "", *rows, ""])
