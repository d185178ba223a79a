"""One sharded simulation as a script: prints what `test_sharded.py` compares; run with --help for arguments.

Processes of one simulation get the same arguments but for their number.
"""

import argparse
import json
import os
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=4, help="virtual devices of this process")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--process", type=int, default=0, help="which of them this is")
    parser.add_argument("--port", type=int, default=0, help="of the coordinator on localhost")
    parser.add_argument("--checks", default="exact", help="names in CHECKS, separated by commas")
    arguments = parser.parse_args()
    flags = f"--xla_force_host_platform_device_count={arguments.devices} --xla_backend_optimization_level=0"
    os.environ["XLA_FLAGS"] = f"{flags} --xla_llvm_disable_expensive_passes=true"
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_numpy_rank_promotion", "raise")
    if arguments.processes > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(f"localhost:{arguments.port}", arguments.processes, arguments.process)
    import qcgrad as qg

    backend = qg.Statevector(mesh=jax.make_mesh((2, jax.device_count() // 2), ("a", "b")))
    print(json.dumps(results(backend, arguments.checks.split(","))))


def results(backend, checks):
    """Everything that the checks compute, as nested lists of numbers."""
    return {name: CHECKS[name](backend) for name in checks}


def problem(num_qubits=6):
    """Every kind of step on the qubits that choose devices: rotations, controls, matrices, wide Pauli words."""
    import numpy as np
    from scipy.stats import unitary_group

    import qcgrad as qg

    n = num_qubits
    circuit = qg.Circuit(n)
    for q in range(n):
        circuit = circuit.ry(q, param=q).rz(q, param=n + q)
    for q in range(n):
        circuit = circuit.cx(q, (q + 1) % n)
    circuit = circuit.unitary(unitary_group.rvs(8, random_state=1), [0, n - 1, 1])
    circuit = circuit.crx(0, n - 1, param=2 * n).ccx(1, n - 1, 0).cp(0, 1, param=2 * n + 1)
    circuit = circuit.pauli_rot("XYZZYX"[:n], param=2 * n + 2)
    for q in range(n):
        circuit = circuit.rx(q, param=q)
    terms = {"Z" * n: 1.0, "X" + "I" * (n - 1): 0.5, "IY" + "Z" * (n - 2): -0.7}
    observables = [qg.PauliSum(terms), qg.PauliSum("YX" + "I" * (n - 2))]
    return qg.Expectation(circuit, observables), np.random.default_rng(0).uniform(-2, 2, circuit.num_parameters)


def _estimate(backend, estimator, num_qubits=6, dtype=float):
    import numpy as np

    import qcgrad as qg

    objective, params = problem(num_qubits)
    found = qg.estimate(objective, params.astype(dtype), estimator, backend, key=7)
    return [np.asarray(leaf).tolist() for leaf in (found.value, found.gradient, found.variance)]


def exact(backend):
    """Value and gradient by un-computing and by exact parameter shift, in double precision."""
    import qcgrad as qg

    return [_estimate(backend, estimator) for estimator in (qg.Adjoint(), qg.ParameterShift())]


def reverse(backend):
    """The same by JAX's derivative of the whole simulation."""
    import qcgrad as qg

    return [_estimate(backend, qg.ReverseMode(), num_qubits=4)]


def single(backend):
    """Single precision."""
    import numpy as np

    import qcgrad as qg

    return [_estimate(backend, qg.Adjoint(), dtype=np.float32)]


def smallest(backend):
    """Two amplitudes on each of four devices: matrices of three qubits do not fit into one part."""
    import qcgrad as qg

    return [_estimate(backend, qg.Adjoint(), num_qubits=3)]


def shots(backend):
    """Sampled, with the same key."""
    import qcgrad as qg

    return [_estimate(backend, qg.ParameterShift(shots=200), num_qubits=4)]


def jitted(backend):
    """Under jax.jit, and the state itself."""
    import jax
    import numpy as np

    import qcgrad as qg

    objective, params = problem(4)
    f = qg.as_jax(objective, qg.Adjoint(), backend)
    gradient = jax.jit(jax.jacrev(f))(params)
    state = backend.state(objective.program, objective.coordinates(params))
    if backend.mesh is not None:
        assert len(state.sharding.device_set) == backend.mesh.size
        parts = [np.asarray(shard.data) for shard in state.addressable_shards]
        assert all(len(part) == len(state) // backend.mesh.size for part in parts)
        state = jax.jit(lambda x: x, out_shardings=jax.NamedSharding(backend.mesh, jax.P()))(state)
    state = np.asarray(state)
    return [np.asarray(gradient).tolist(), state.real.tolist(), state.imag.tolist()]


def distribution(backend):
    """10^4 shots of a product of rotations: the mean of Z on qubits 0 and 3 is cos t_0 cos t_3."""
    import numpy as np

    import qcgrad as qg
    from qcgrad.queries import Evaluate
    from theory.statistics import key

    circuit = qg.Circuit(4)
    for q in range(4):
        circuit = circuit.ry(q, param=q)
    program = qg.Expectation(circuit, "ZIIZ").program
    angles = np.array([[0.4, 1.0, 2.0, 1.1], [0.0, 0.5, 0.5, 0.0]])
    mean, variance = backend.answer(Evaluate(program, angles, 10_000), key(1))[:2]
    return [np.asarray(mean).tolist(), np.asarray(variance).tolist()]


def joint(backend):
    """Bell samples need the state in one process; the estimate of <Z>^2 = cos^2(0.9) from them, or the refusal."""
    import jax
    import numpy as np

    import qcgrad as qg
    from qcgrad.queries import BellSample

    program = qg.Expectation(qg.Circuit(3).ry(0, param=0).cx(0, 2), "ZII").program
    try:
        found = backend.answer(BellSample(program, np.array([0.9]), 1000), jax.random.key(0))
    except qg.UnsupportedQuery as error:
        return [str(error)]
    return [float(np.mean(1 - 2 * (found.x >> 2 & 1)))]


CHECKS = {f.__name__: f for f in (exact, reverse, single, smallest, shots, jitted, distribution, joint)}

if __name__ == "__main__":
    sys.exit(main())
