"""Hooks of MkDocs: pages made of the code, of what was measured, and of the texts in the checkout."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = str(Path(__file__).parents[2])
sys.path.insert(0, ROOT)

from docs._build import entries, navigation, reference, repository, tutorials  # noqa: E402 - found in the checkout


@event_priority(100)
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Before other plugins look at it: what they load from the checkout is found, and equations are drawn."""
    # MkDocs restores the path once it has loaded this file.
    sys.path.insert(0, ROOT)
    config.markdown_extensions.append("docs._build.mathml")
    config.nav = navigation.tree()
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add all pages that no file in docs/ stands for."""
    made = repository.pages() | tutorials.pages() | entries.pages() | reference.pages(entries.documented())
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Links to files of the checkout become links to their pages."""
    place = page.file.src_uri
    return repository.with_links(
        markdown, repository.origin(place), lambda path: files.get_file_from_path(path) is not None
    )


def on_post_build(config: MkDocsConfig) -> None:
    """Fail where a public name has no documentation."""
    handlers: Any = config.plugins["mkdocstrings"]
    inventory = set(handlers.handlers.inventory)
    if missing := reference.undocumented(inventory):
        raise PluginError(f"public names without documentation: {', '.join(missing)}")
