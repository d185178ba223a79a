"""PennyLane's own tests of devices, on `qcgrad.statevector`.

What they skip, and why:

- `test_gradients_*` with "backprop": the suite asks without an interface, and the device has it where JAX traces.
- `test_gradients_*` with two others: each of these tests is written for one `diff_method` only.
- `test_measurements`: samples without shots; `SparseHamiltonian` with shots, which has no eigenbasis; and tests of the
  interface that PennyLane's devices had before.
- `test_properties`: tests of that older interface.
- `test_templates`: qutrits; with shots, templates that are compared amplitude by amplitude.
- `test_gates`: one operation that the suite has no example of.
- `test_compare_default_qubit`: with shots, as for every device.
- expected failures: templates without an implementation in the suite.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import qcgrad

# The plug-in is found by its entry point; where the package is not installed, it is registered here.
_RUN = """
import sys, pennylane as qml, pytest
from qcgrad.interop import StatevectorDevice

class Entry:
    load = staticmethod(lambda: StatevectorDevice)

qml.devices.device_constructor.plugin_devices.setdefault("qcgrad.statevector", Entry)
sys.exit(pytest.main(sys.argv[1:]))
"""
# Enough of the suite to notice what breaks, in a few seconds; all of it is run as slow tests.
_QUICK = [
    "test_wires.py",
    "test_tracker.py",
    "test_return_system.py",
    "test_gradients_autograd.py",
    "test_measurements.py",
]


def run_suite(shots, files):
    import pennylane.devices.tests as suite

    folder = Path(suite.__file__).parent
    options = ["-p", "no:cacheprovider", "-q", "-W", "ignore", "--no-flaky-report", "--tb=short", "-rs"]
    options += ["--device", "qcgrad.statevector", "--shots", shots, "--rootdir", str(folder)]
    # The suite's tolerances are meant for as many shots as it takes by default, and its tests are repeated by chance.
    options += ["--device-kwargs", "seed=42"]
    root = Path(qcgrad.__file__).parent.parent
    script = f"import sys; sys.path.insert(0, {str(root)!r})\n{_RUN}"
    # The list of the device's keywords takes all that follows, so it comes last.
    command = [sys.executable, "-c", script, *(str(folder / file) for file in files), *options]
    found = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=900)
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    return int(re.search(r"(\d+) passed", found.stdout)[1])


def test_pennylanes_tests_of_devices_pass():
    assert run_suite("None", _QUICK) > 75


@pytest.mark.slow
@pytest.mark.study
@pytest.mark.parametrize("shots", ["None", "1000000"])
def test_all_of_pennylanes_tests_of_devices_pass(shots):
    assert run_suite(shots, ["."]) > 350
