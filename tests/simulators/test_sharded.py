"""States sharded over virtual devices and over processes, against the same simulation on one device."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import qcgrad as qg
from tests.simulators import sharded_case
from theory.statistics import bernstein

ROOT = Path(__file__).parents[2]
ONE_DEVICE = qg.Statevector(engine="jax")
CHECKS = list(sharded_case.CHECKS)
TOLERANCES = {"single": 1e-5}


def launch(*arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "tests.simulators.sharded_case", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def results_of(processes):
    try:
        outputs = [process.communicate(timeout=280) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors[-3000:]
    return [json.loads(output.splitlines()[-1]) for output, _ in outputs]


def assert_same(found, expected, tolerance):
    if isinstance(expected, list) and expected and isinstance(expected[0], list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, tolerance)
    else:
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def on_four_devices():
    """One process with four virtual devices, which JAX has to know before it starts."""
    return results_of([launch("--devices", 4, "--checks", ",".join(CHECKS))])[0]


@pytest.fixture(scope="module")
def on_two_processes():
    """Two processes of two virtual devices, which exchange amplitudes over the network interface."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    shared = ["--devices", 2, "--processes", 2, "--port", port, "--checks", "exact,shots,jitted,distribution,joint"]
    return results_of([launch(*shared, "--process", number) for number in range(2)])


@pytest.mark.slow
@pytest.mark.parametrize("check", ["exact", "reverse", "single", "smallest", "shots", "jitted", "joint"])
def test_four_devices_agree_with_one(on_four_devices, check):
    """With the same key also what is drawn at random: no draw of these lies within rounding of a boundary."""
    expected = sharded_case.CHECKS[check](ONE_DEVICE)
    assert_same(on_four_devices[check], expected, TOLERANCES.get(check, 1e-11))


@pytest.mark.slow
@pytest.mark.parametrize("check", ["exact", "shots", "jitted"])
def test_two_processes_agree_with_one_device_and_with_each_other(on_two_processes, check):
    expected = sharded_case.CHECKS[check](ONE_DEVICE)
    first, second = on_two_processes
    assert first[check] == second[check]
    assert_same(first[check], expected, 1e-11)


@pytest.mark.slow
def test_sampled_means_follow_the_closed_form(on_four_devices, on_two_processes):
    """To within 0.06; an outcome without spread exactly. 1 - mean^2 scatters by less than 1 %."""
    for found in (on_four_devices, *on_two_processes):
        mean, variance = (np.array(entry)[:, 0] for entry in found["distribution"])
        exact = np.cos(0.4) * np.cos(1.1)
        assert abs(mean[0] - exact) < bernstein(1 - exact**2, 2, 10_000)
        np.testing.assert_allclose(variance[0], (1 - exact**2) / 10_000, rtol=0.1)
        assert (mean[1], variance[1]) == (1, 0)


@pytest.mark.slow
def test_joint_measurements_are_refused_over_several_processes(on_two_processes):
    for found in on_two_processes:
        assert "BellSample needs the whole state in one process" in found["joint"][0]


def test_meshes_that_cannot_hold_a_state_are_named():
    """This process has one device, so the sizes of meshes are tested where that is enough."""
    with pytest.raises(ValueError, match="engine='native' with a mesh"):
        qg.Statevector(engine="native", mesh=jax.make_mesh((1,), ("d",)))
    with pytest.raises(TypeError, match=r"give a jax\.sharding\.Mesh"):
        qg.Statevector(mesh=4)  # pyright: ignore[reportArgumentType]


_REFUSALS = """
import jax, numpy as np, qcgrad as qg
def refused(make):
    try:
        make()
    except (ValueError, MemoryError) as error:
        print(error)
devices = jax.devices()
refused(lambda: qg.Statevector(mesh=jax.sharding.Mesh(devices[:3], ("d",))))
objective = qg.Expectation(qg.Circuit(2).ry(0, param=0), "ZI")
mesh = jax.sharding.Mesh(devices, ("d",))
refused(lambda: qg.estimate(objective, np.float32([0.1]), qg.Adjoint(), qg.Statevector(mesh=mesh)))
wide = qg.Expectation(qg.Circuit(10).ry(0, param=0), "Z" + 9 * "I")
enough = 6 * 1024 * 8 // 4
assert qg.estimate(wide, np.float32([0.0]), qg.Adjoint(), qg.Statevector(enough, mesh=mesh)).value == 1
refused(lambda: qg.estimate(wide, np.float32([0.1]), qg.Adjoint(), qg.Statevector(enough - 1, mesh=mesh)))
"""


def test_refusals_name_what_to_do():
    """Three devices; more devices than half the amplitudes; a part of a state that does not fit."""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", _REFUSALS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    odd, small, large = done.stdout.splitlines()
    assert "mesh has 3 devices" in odd
    assert "num_qubits=2 cannot be sharded over 4 devices: give a circuit of at least 3 qubits" in small
    assert "on each of 4 devices, 12,288 bytes (12.0 KiB) and 12,287 bytes (12.0 KiB) are allowed" in large
