"""The package as a program, and what shells are told about it."""

import os
import subprocess
import sys

import pytest

from qcgrad.catalogue import nearest_method


def python_m(*arguments, **environment):
    command = [sys.executable, "-m", "qcgrad", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


def test_the_package_runs_as_a_module():
    process = python_m("--version")
    assert (process.returncode, process.stdout.split()[0]) == (0, "qcgrad")
    process = python_m("unheard")
    assert (process.returncode, process.stderr.count("\n")) == (2, 1)


def test_shells_can_complete_commands():
    process = python_m(_QCGRAD_COMPLETE="complete_bash", COMP_WORDS="qcgrad sc", COMP_CWORD="1")
    assert process.stdout.split() == ["scaling"]


def test_an_unknown_name_says_known_once():
    with pytest.raises(ValueError, match=r"^method 'zzzz' is not known; known: adjoint, backprop$"):
        nearest_method("zzzz", ["adjoint", "backprop"])
    with pytest.raises(ValueError, match=r"^method 'adjont' is not known: did you mean 'adjoint'\? Known: adjoint$"):
        nearest_method("adjont", ["adjoint"])
