"""The command line: `qcgrad`, whose exit codes `main` documents; `qcgrad --help` lists its commands."""

from ._app import main as main
