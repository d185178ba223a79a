"""`python -m qcgrad` is the `qcgrad` command."""

from .cli import main

main()
