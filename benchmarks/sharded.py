"""Scaling of sharded states over virtual devices, and what block fusion gains: `python benchmarks/sharded.py`.

Virtual devices share the cores of one machine, so more of them add no arithmetic. The strong-scaling table then shows
what the exchange of amplitudes costs, not what several machines would gain.
"""

import argparse
import os
import time

WARNING = "Virtual devices share {cores} cores: ideal here is a constant time, not a falling one."


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qubits", type=int, nargs="+", default=[18, 20, 22])
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4], help="powers of two")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    # JAX reads the number of virtual devices once, when it starts.
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={max(arguments.devices)}"
    scaling(arguments)
    fusion(arguments.rounds)


def scaling(arguments):
    """Seconds of value and gradient for each number of qubits and devices."""
    import jax

    import qcgrad as qg

    print(WARNING.format(cores=os.cpu_count()))
    print(f"value and gradient, complex64, {arguments.layers} layer(s); strong scaling along a row,")
    print("weak scaling (equal part on each device) along a diagonal\n")
    print("| n |" + "".join(f" D = {count} |" for count in arguments.devices))
    print("|---|" + "---|" * len(arguments.devices))
    for qubits in arguments.qubits:
        row = []
        for count in arguments.devices:
            mesh = jax.sharding.Mesh(jax.devices()[:count], ("d",))
            row.append(seconds(qubits, arguments.layers, qg.Statevector(mesh=mesh), arguments.rounds))
        print(f"| {qubits} |" + "".join(f" {1e3 * taken:.0f} ms |" for taken in row), flush=True)


def fusion(rounds):
    """Milliseconds of value and gradient for several widths of blocks; width 1 fuses single-qubit gates only."""
    import jax

    import qcgrad as qg
    from qcgrad.simulators.statevector import blocks, scanned

    print("\nblock fusion on one device, complex64\n\n| circuit | k = 1 | 2 | 3 | 4 | 5 |\n|---|---|---|---|---|---|")
    for qubits, layers in ((12, 8), (16, 4)):
        row = []
        for width in range(1, 6):
            blocks.WIDTH = width
            scanned._arrays.cache_clear()
            jax.clear_caches()
            row.append(seconds(qubits, layers, qg.Statevector(engine="jax"), rounds))
        print(f"| HEA({qubits}, {layers}) |" + "".join(f" {1e3 * taken:.1f} ms |" for taken in row), flush=True)


def seconds(qubits, layers, backend, rounds):
    """The fastest of some gradients, after one that compiles."""
    import numpy as np
    from peers.models import hardware_efficient

    import qcgrad as qg

    objective = hardware_efficient(qubits, layers).objective()
    params = np.random.default_rng(0).uniform(-1, 1, objective.num_parameters).astype(np.float32)
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        qg.estimate(objective, params, qg.Adjoint(), backend)
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


if __name__ == "__main__":
    main()
