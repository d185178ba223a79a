"""Tangent kernels of finite networks: `python benchmarks/ntk.py`, by hand, single precision.

The network is 64 -> 1024^3 -> 10. Rates compare with this machine's own product of matrices of the same shape, measured
in the same run. `--part` picks a table; the Jacobian contraction takes minutes.
"""

import argparse
import resource
import subprocess
import sys
import time
from functools import partial

INPUTS, WIDTH, OUTPUTS = 64, 1024, 10
# neural-tangents 0.6.5, Jacobian contraction of the real network at N = 128 on the reference machine.
PEER_SECONDS, PEER_INPUTS = 47.8, 128


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["all", "structured", "jacobian", "memory"], default="all")
    parser.add_argument("--inputs", type=int, default=128, help="N of the speed tables")
    parser.add_argument("--digits", type=int, default=1797, help="N of the memory table")
    parser.add_argument("--batch-size", type=int, default=128, help="of the memory table")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.part in ("all", "structured", "jacobian"):
        structured = speed(arguments.inputs, arguments.rounds)
        if arguments.part != "structured":
            contraction(arguments.inputs, structured)
    if arguments.part == "all":
        # A process of its own, so that its peak memory is that of this kernel alone.
        command = [sys.executable, __file__, "--part", "memory", "--digits", str(arguments.digits)]
        subprocess.run([*command, "--batch-size", str(arguments.batch_size)], check=True)
    elif arguments.part == "memory":
        memory(arguments.digits, arguments.batch_size)


def network(kind, readout, inputs):
    """(net, params, x) in single precision."""
    import jax
    import numpy as np

    from qcgrad import networks as nn

    activation = nn.ReLU() if kind == "real" else nn.SplitReLU()
    layers = []
    for _ in range(3):
        layers += [nn.Dense(WIDTH, sigma_w=2**0.5, sigma_b=0.1, dtype=kind), activation]
    layers.append(nn.Dense(OUTPUTS, dtype=kind))
    if readout == "real":
        layers.append(nn.Readout("real"))
    net = nn.serial(*layers)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(inputs, INPUTS)) + (1j * rng.normal(size=(inputs, INPUTS)) if kind == "complex" else 0)
    params = net.init(jax.random.key(0), (INPUTS,))
    return net, params, x.astype(np.float32 if kind == "real" else np.complex64)


def speed(inputs, rounds):
    """Full kernels without a Jacobian; seconds of the real network."""
    import jax
    import jax.numpy as jnp

    from qcgrad import ntk
    from qcgrad.ntk.blockwise import _contract, _features
    from qcgrad.ntk.problem import make_problem
    from qcgrad.ntk.structured import Structured

    rows = inputs * OUTPUTS
    a = jnp.ones((rows, WIDTH), jnp.float32)
    multiply = jax.jit(lambda a: a @ a.T)
    gemm = 2 * rows**2 * WIDTH / best(lambda: multiply(a), rounds)
    print(f"structured, N = {inputs}, full ({inputs}, {inputs}, {OUTPUTS}, {OUTPUTS}); GEMM {gemm / 1e9:.1f} GFLOP/s\n")
    print("| network | total | relative | Gram part | Gram rate / GEMM rate |\n|---|---|---|---|---|")
    seconds = {}
    for kind, readout, products in (("real", "complex", 1), ("complex", "real", 4), ("complex", "complex", 8)):
        net, params, x = network(kind, readout, inputs)
        problem = make_problem(net.apply, params, x, None, None, "unit", needs_pseudo=False)
        method = Structured("unit")
        kept = _features(method, problem.model, problem.params, problem.x1)
        slim = problem._replace(x1=None, x2=None)
        total = best(partial(ntk.empirical, net.apply, params, x, batch_size=inputs), rounds)
        grams = best(partial(_contract, method, slim, "complex", kept, kept), rounds)
        # Operations of the plain formula: complex products as four real ones, though three are done.
        flops = products * sum(2 * rows**2 * layer.first.shape[-1] for layer in kept)
        name = "real" if kind == "real" else f"complex, {readout} outputs"
        seconds[name] = total
        ratio = total / seconds["real"]
        rate = flops / grams / gemm
        print(f"| {name} | {total:.3f} s | {ratio:.2f} | {grams:.3f} s | {rate:.0%} |", flush=True)
    return seconds["real"]


def contraction(inputs, structured):
    """The same kernel of the real network by Jacobian contraction."""
    from qcgrad import ntk

    net, params, x = network("real", "complex", inputs)
    taken = best(lambda: ntk.empirical(net.apply, params, x, method="jacobian"), 1, warm=False)
    print(f"\nJacobian contraction (ours, compilation included): {taken:.1f} s, {taken / structured:.0f} x structured")
    if inputs == PEER_INPUTS:
        print(f"peer on the reference machine: {PEER_SECONDS} s, {PEER_SECONDS / structured:.0f} x structured here")


def memory(inputs, batch_size):
    """Peak resident memory of a kernel as large as that of all scikit-learn digits."""
    from qcgrad import ntk

    net, params, x = network("real", "complex", inputs)
    taken = best(lambda: ntk.empirical(net.apply, params, x, batch_size=batch_size), 1, warm=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    result = (inputs * OUTPUTS) ** 2 * 4 / 2**30
    print(f"\nN = {inputs}, batch_size = {batch_size}: {taken:.0f} s, peak {peak:.2f} GiB (result {result:.2f} GiB)")


def best(call, rounds, warm=True):
    """Shortest seconds of some rounds."""
    import jax

    if warm:
        jax.block_until_ready(call())
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(call())
        taken.append(time.perf_counter() - start)
    return min(taken)


if __name__ == "__main__":
    main()
