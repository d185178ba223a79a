"""IQP circuits at size beside IQPopt: values, gradients and their times in one run.

    python benchmarks/peers/iqp.py IQPOPT [--qubits 1000] [--gates 100000] [--samples 2048] [--out results/iqp.md]

IQPOPT is the folder `src` of a checkout of https://github.com/XanaduAI/iqpopt (it is on no package index); it needs
JAX, PennyLane, SciPy and networkx. IQPopt draws bitstrings as `qcgrad.IQPSampling` does, so the standard errors are
equal and times can be compared. Its derivatives are JAX's of its mean, and have no standard errors; ours are checked
against its within both methods' errors.
"""

import argparse
import gc
import sys
import time
import types
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg
from qcgrad.library import iqp


def problem(num_qubits: int, num_gates: int, rng: np.random.Generator):
    """Generators on two random qubits, small angles, and one product of Z on half of the qubits, one on two of them."""
    first = rng.integers(num_qubits, size=num_gates)
    pairs = np.stack([first, (first + rng.integers(1, num_qubits, num_gates)) % num_qubits], axis=1)
    theta = rng.normal(0, 1 / np.sqrt(num_gates), num_gates)
    strings = {"half of the qubits": np.arange(0, num_qubits, 2), "2 qubits": np.array([0, 1])}
    return pairs, theta, strings


def ours(pairs, theta, string, num_qubits: int, samples: int):
    """Value, gradient, their standard errors, and seconds of the second call."""
    observable = qg.PauliSum.from_sparse([("Z" * len(string), tuple(string.tolist()), 1.0)], num_qubits)
    objective = qg.Expectation(iqp(num_qubits, pairs), observable)
    taken = []
    for seed in range(3):
        start = time.perf_counter()
        # Gates are exp(-i t XX/2) here and exp(i theta XX) there.
        found = qg.estimate(objective, -2 * theta, qg.IQPSampling(samples), key=seed)
        taken.append(time.perf_counter() - start)
    gradient, error = -2 * np.asarray(found.gradient), 2 * np.asarray(found.standard_error)
    return float(found.value), float(found.value_standard_error), gradient, error, taken[0], min(taken[1:])


def theirs(simulator, theta, string, num_qubits: int, samples: int, batch: int, jit: bool):
    """The same by IQPopt, a batch of bitstrings at a time."""
    op = jnp.zeros((1, num_qubits)).at[0, string].set(1.0)

    def mean(theta, key):
        values = simulator.op_expval_batch(theta, op, batch, key, return_samples=True)
        return values.mean(), values.std(ddof=1)

    step = jax.value_and_grad(mean, has_aux=True)
    step = jax.jit(step) if jit else step
    taken = []
    for seed in range(2):
        start = time.perf_counter()
        keys = jax.random.split(jax.random.key(seed), samples // batch)
        found = [jax.block_until_ready(step(jnp.asarray(theta), key)) for key in keys]
        taken.append(time.perf_counter() - start)
    value = np.mean([v for (v, _), _ in found])
    error = np.sqrt(np.mean([s**2 for (_, s), _ in found]) / samples)
    return float(value), float(error), np.mean([g for _, g in found], axis=0), taken[0], taken[1]


def simulator_of(source: str, pairs, num_qubits: int, sparse: bool):
    sys.path.insert(0, source)
    # Training is not used here, and the package that it needs is not maintained.
    sys.modules.setdefault("jaxopt", types.ModuleType("jaxopt"))
    sys.modules.setdefault("tqdm", types.ModuleType("tqdm")).tqdm = iter  # pyright: ignore[reportAttributeAccessIssue]
    from iqpopt import IqpSimulator  # pyright: ignore[reportMissingImports]

    return IqpSimulator(num_qubits, [[pair.tolist()] for pair in pairs], sparse=sparse)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--qubits", type=int, default=1000)
    parser.add_argument("--gates", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=512, help="bitstrings that IQPopt looks at together")
    parser.add_argument("--dense", action="store_true", help="IQPopt with dense matrices too, which it compiles")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    pairs, theta, strings = problem(arguments.qubits, arguments.gates, np.random.default_rng(0))
    lines = [
        f"n = {arguments.qubits}, {arguments.gates:,} generators on two qubits, {arguments.samples} bitstrings;",
        f"seconds of value and whole gradient (first call). qcgrad {qg.__version__}, jax {version('jax')}.",
        "",
        "| product of Z on | method | value | seconds | times ours | gradients differ by, in standard errors |",
        "|---|---|---|---|---|---|",
    ]
    found = {name: ours(pairs, theta, s, arguments.qubits, arguments.samples) for name, s in strings.items()}
    ways = [("sparse", True)] + [("dense, jitted", False)] * arguments.dense
    for name, (value, error, _, _, first, again) in found.items():
        lines.append(f"| {name} | qcgrad | {value:.4f} ± {error:.4f} | {again:.3f} ({first:.2f}) | 1 | |")
    print("\n".join(lines), flush=True)
    for label, sparse in ways:
        simulator = simulator_of(arguments.source, pairs, arguments.qubits, sparse)
        for name, string in strings.items():
            value, error, gradient, first, again = theirs(
                simulator, theta, string, arguments.qubits, arguments.samples, arguments.batch, not sparse
            )
            _, _, mine, spread, _, best = found[name]
            # Both gradients are sampled, with the same standard errors.
            off = np.abs(gradient - mine)[spread > 0] / (np.sqrt(2) * spread[spread > 0])
            agreed = f"{np.sqrt(np.mean(off**2)):.2f} (rms), {off.max():.1f} (worst of {len(off):,})"
            lines.append(
                f"| {name} | IQPopt, {label} | {value:.4f} ± {error:.4f} | {again:.3f} ({first:.2f}) | "
                f"{again / best:.0f} | {agreed} |"
            )
            print(lines[-1], flush=True)
        del simulator
        gc.collect()
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
