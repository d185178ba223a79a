"""Hook of MkDocs: each script in docs/tutorials/ becomes a page with what it printed and drew.

    hooks: [docs/_build/tutorials_hook.py]     # in mkdocs.yml
"""

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
from executed import ROOT, render

SCRIPTS = sorted((ROOT / "docs" / "tutorials").glob("[!_]*.py"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; the scripts themselves are among the files already, to download."""
    for script in SCRIPTS:
        page = render(script, ROOT / ".cache" / "tutorials")
        where = script.relative_to(ROOT)
        note = f"*All of this page is the output of [`{where}`]({script.name}): `python {where}` in a checkout.*"
        title, _, rest = page.markdown.partition("\n")
        add(files, config, f"tutorials/{script.stem}.md", f"{title}\n\n{note}\n{rest}")
        for name, drawn in page.figures.items():
            add(files, config, f"tutorials/{name}", drawn)
    return files


def add(files, config, path, content):
    files.append(File.generated(config, path, content=content))
