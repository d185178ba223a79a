"""Which kernels the native engine takes: the best of this processor, or those that were asked for."""

import os
import subprocess
import sys

import pytest

from qcgrad.simulators.statevector import native_library

if native_library.load() is None:
    pytest.skip("the native engine was not built", allow_module_level=True)

SHOWN = {"baseline": "baseline", "avx2": "AVX2", "avx512": "AVX-512"}
AVAILABLE = native_library.instruction_sets(native_library.load())


def info(instruction_set):
    """What `qcgrad info` prints, and its errors."""
    environment = os.environ | {"QCGRAD_INSTRUCTION_SET": instruction_set}
    command = [sys.executable, "-c", "from qcgrad.cli import main; main()", "info"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def shown(text):
    return next(line.split()[-1] for line in text.splitlines() if "instruction set" in line)


def test_the_baseline_is_everywhere():
    assert AVAILABLE[0] == "baseline"


@pytest.mark.parametrize("instruction_set", AVAILABLE)
def test_what_was_asked_for_is_what_runs(instruction_set):
    assert shown(info(instruction_set).stdout) == SHOWN[instruction_set]


def test_the_best_one_is_taken_where_nothing_was_asked_for():
    assert shown(info("").stdout) == SHOWN[AVAILABLE[-1]]


def test_an_unknown_one_is_refused_with_what_there_is():
    done = info("sse")
    assert done.returncode == 2
    assert done.stderr.startswith("qcgrad: QCGRAD_INSTRUCTION_SET='sse': give 'baseline'")


def test_one_that_the_processor_lacks_is_refused(monkeypatch):
    class Old:
        def qcgrad_has_instruction_set(self, number):
            return number == 0

    monkeypatch.setenv("QCGRAD_INSTRUCTION_SET", "avx512")
    with pytest.raises(ValueError, match="'avx512': this processor lacks it, give 'baseline'"):
        native_library._choose_instruction_set(Old())  # pyright: ignore[reportArgumentType]
