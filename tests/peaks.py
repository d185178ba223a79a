"""Peaks of resident memory, measured in a process of their own."""

import ctypes
import gc
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def peaks(module: str, cases: str = "CASES") -> dict[str, tuple[int, int]]:
    """(predicted, measured) bytes of each of the module's `cases`: name -> function returning (predicted, work).

    Each work runs twice and the second run is measured: compiling is over by then.
    """
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak of resident memory cannot be reset here")
    command = [sys.executable, "-c", f"from tests.peaks import _report; _report({module!r}, {cases!r})"]
    # Blocks that the allocator keeps for later would hide what a second run asks for.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    root = Path(__file__).parents[1]
    found = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
    assert found.returncode == 0, found.stderr
    return {name: tuple(pair) for name, pair in json.loads(found.stdout.splitlines()[-1]).items()}


def _report(module, name):
    import jax

    jax.config.update("jax_enable_x64", True)
    cases = getattr(importlib.import_module(module), name)
    print(json.dumps({name: _measured(case) for name, case in cases.items()}))


def _measured(case):
    import jax

    predicted, work = case()
    jax.block_until_ready(work())
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    jax.block_until_ready(work())
    return predicted, _status("VmHWM") - before


def _status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])
