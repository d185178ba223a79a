"""The JAX path on whatever device JAX finds: `python benchmarks/accelerator.py`, by hand.

Errors are taken against double precision on the host, because devices round matrix products as they like (Hopper and
Ampere to 10 bits, unless told otherwise). Times are medians; rates count one read and one write of a state for each
pass, beside what a copy of the same array reaches in the same run.
"""

import argparse
import statistics
import time

LAYERS = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qubits", type=int, nargs="+", default=[8, 12, 16, 20, 22, 24, 26])
    parser.add_argument("--widths", type=int, nargs="*", default=[], help="of blocks, to compare")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", choices=["errors", "times", "widths", "kernels"], nargs="+")
    arguments = parser.parse_args()
    import jax

    jax.config.update("jax_enable_x64", True)
    device = jax.devices()[0]
    print(f"{getattr(device, 'device_kind', device)}, jax {jax.__version__}\n", flush=True)
    parts = arguments.part or ["errors", "times", "kernels", *(["widths"] if arguments.widths else [])]
    if "errors" in parts:
        errors()
    if "times" in parts:
        times(arguments.qubits, arguments.rounds)
    if "widths" in parts:
        widths(arguments.widths, arguments.rounds)
    if "kernels" in parts:
        kernels(arguments.rounds)


def problem(qubits, dtype):
    import numpy as np
    from peers.models import hardware_efficient

    objective = hardware_efficient(qubits, LAYERS).objective()
    return objective, np.random.default_rng(0).uniform(-1, 1, objective.num_parameters).astype(dtype)


def errors():
    """Largest errors of value and gradient, relative to the largest derivative."""
    import jax
    import numpy as np

    import qcgrad as qg

    print("| HEA(12, 4) | precision | error of the value | of the gradient |\n|---|---|---|---|")
    backend = qg.Statevector(engine="jax")
    objective, params = problem(12, "float64")
    # A float32 angle is another angle: the reference takes the rounded ones.
    params = params.astype(np.float32).astype(np.float64)
    with jax.default_device(jax.devices("cpu")[0]):
        right = qg.estimate(objective, params, qg.Adjoint(), backend)
        gradient, value = np.asarray(right.gradient), float(right.value)
    scale = np.abs(gradient).max()
    for dtype in ("float32", "float64"):
        for method in (qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()):
            found = qg.estimate(objective, params.astype(dtype), method, backend)
            worst = np.abs(np.asarray(found.gradient) - gradient).max() / scale
            row = f"{abs(float(found.value) - value) / scale:.1e} | {worst:.1e}"
            print(f"| {type(method).__name__} | {dtype} | {row} |", flush=True)


def times(qubits, rounds):
    """Seconds of value and gradient, and the rate at which amplitudes move."""
    import jax
    import jax.numpy as jnp

    import qcgrad as qg

    backend = qg.Statevector(engine="jax")
    print("\n| circuit | precision | first call | value | value + gradient | ratio | rate / copy rate |")
    print("|---|---|---|---|---|---|---|")
    for n in qubits:
        for dtype in ("float32", "float64"):
            objective, params = problem(n, dtype)
            params = jnp.asarray(params)
            value = jax.jit(qg.as_jax(objective, qg.Adjoint(), backend))
            both = jax.jit(jax.value_and_grad(qg.as_jax(objective, qg.Adjoint(), backend)))
            first = seconds(lambda both=both, params=params: both(params), 0)
            t_value = seconds(lambda value=value, params=params: value(params), rounds)
            t_both = seconds(lambda both=both, params=params: both(params), rounds)
            state = jnp.ones(2**n, jnp.complex64 if dtype == "float32" else jnp.complex128)
            copy = jax.jit(lambda state: state + 1)
            passes = steps(objective, dtype) * 2 + len(objective.program.terms[0]) // 2
            rate = passes * seconds(lambda c=copy, s=state: c(s), rounds) / t_both
            row = (
                f"{first:.2f} s | {1e3 * t_value:.2f} ms | {1e3 * t_both:.2f} ms | {t_both / t_value:.2f} | {rate:.2f}"
            )
            print(f"| HEA({n}, {LAYERS}) | {dtype} | {row} |", flush=True)


def steps(objective, dtype):
    """Blocks and wide rows that one run of the circuit walks over, padding left out."""
    import numpy as np

    from qcgrad.simulators.statevector import scanned

    return int(np.count_nonzero(scanned.ScannedCircuit(objective.program, np.dtype(dtype), 0).steps.kind))


def widths(wanted, rounds):
    """Value and gradient in single precision for several widths of blocks."""
    import jax

    import qcgrad as qg
    from qcgrad.simulators.statevector import blocks, scanned

    print("\n| circuit |" + "".join(f" k = {k} |" for k in wanted) + "\n|---|" + "---|" * len(wanted))
    for n in (12, 20, 24):
        row = []
        for width in wanted:
            blocks.WIDTH = blocks.ACCELERATOR_WIDTH = width
            scanned._arrays.cache_clear()
            jax.clear_caches()
            objective, params = problem(n, "float32")
            both = jax.jit(jax.value_and_grad(qg.as_jax(objective, qg.Adjoint(), qg.Statevector(engine="jax"))))
            both(params)
            row.append(seconds(lambda both=both, params=params: both(params), rounds))
        print(f"| HEA({n}, {LAYERS}) |" + "".join(f" {1e3 * taken:.2f} ms |" for taken in row), flush=True)


def kernels(rounds):
    """The structured tangent kernel in single precision against double precision."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from ntk import network

    from qcgrad import ntk

    print("\n| structured kernel, N = 128 | time | error / largest entry |\n|---|---|---|")
    for kind, readout in (("real", "complex"), ("complex", "real"), ("complex", "complex")):
        net, params, x = network(kind, readout, 128)
        single = jax.tree.map(lambda w: w.astype(jnp.complex64 if jnp.iscomplexobj(w) else jnp.float32), params)
        double = jax.tree.map(lambda w: w.astype(jnp.complex128 if jnp.iscomplexobj(w) else jnp.float64), single)
        right = np.asarray(ntk.empirical(net.apply, double, x.astype(np.result_type(x, np.float64))))
        taken = seconds(lambda net=net, single=single, x=x: ntk.empirical(net.apply, single, x), rounds)
        found = np.asarray(ntk.empirical(net.apply, single, x))
        error = np.abs(found - right).max() / np.abs(right).max()
        print(f"| {kind}, {readout} outputs | {1e3 * taken:.1f} ms | {error:.1e} |", flush=True)


def seconds(function, rounds):
    """The median time of a call after one that compiles; the first call's where rounds is 0."""
    import jax

    taken = []
    for _ in range(max(rounds, 1) + (rounds > 0)):
        start = time.perf_counter()
        jax.block_until_ready(function())
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:] or taken)


if __name__ == "__main__":
    main()
