"""What computed a result: versions, the commit of a checkout, the machine."""

import os
import platform
import socket
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "pennylane", "qiskit", "stim")


def provenance() -> dict[str, Any]:
    """Plain data on the code and the machine that run now.

    Example:
        >>> from qcgrad.studies.provenance import provenance
        >>> sorted(provenance())
        ['commit', 'engine', 'host', 'packages', 'platform', 'processors', 'python', 'qcgrad']
    """
    from ..simulators.statevector import native_library
    from .identity import code_version

    return {
        "qcgrad": code_version(),
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        # Without the kernel's release, which names whose build it is: results are passed on, and published.
        "platform": f"{platform.system()} {platform.machine()}",
        "host": socket.gethostname(),
        "processors": os.cpu_count(),
        "engine": {name: str(value) for name, value in native_library.describe().items()}
        | {"sources": native_library.sources()[:16]},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout that the package is imported from, with a plus sign where files differ from it."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        described = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
        return subprocess.run(described, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
