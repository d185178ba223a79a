"""Hooks of MkDocs: pages made of the code and of the texts in the checkout."""

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

ROOT = str(Path(__file__).parents[2])
sys.path.insert(0, ROOT)

from docs._build import reference  # noqa: E402 - found in the checkout


@event_priority(100)
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Before other plugins look at it: what they load from the checkout is found, and equations are drawn."""
    # MkDocs restores the path once it has loaded this file.
    sys.path.insert(0, ROOT)
    config.markdown_extensions.append("docs._build.mathml")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path, text in reference.pages(frozenset()).items():
        files.append(File.generated(config, path, content=text))
    return files
