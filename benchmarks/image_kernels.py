"""Infinite-width kernels of images: `python benchmarks/image_kernels.py`, by hand.

Two strided convolutions, pooling over all pixels (or `--flatten`), one readout; each number of images in its own
process, so that its peak memory is that of this kernel alone.
"""

import argparse
import resource
import subprocess
import sys
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[40, 200, 500])
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--flatten", action="store_true", help="in place of pooling over all pixels")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure(arguments.images[0], arguments.side, arguments.flatten)
        return
    print("| images | pairs | seconds | processor seconds | ns a dual map | peak GiB | result GiB |", flush=True)
    print("|---|---|---|---|---|---|---|", flush=True)
    for count in arguments.images:
        command = [sys.executable, __file__, "--child", "--images", str(count), "--side", str(arguments.side)]
        subprocess.run(command + ["--flatten"] * arguments.flatten, check=True)


def network(flatten):
    """Conv2D(32), split ReLU, twice; the size of the strides is 2."""
    from qcgrad import networks as nn

    layers = []
    for _ in range(2):
        layers += [nn.Conv2D(32, (3, 3), strides=(2, 2), sigma_w=2**0.5), nn.SplitReLU()]
    return nn.serial(*layers, nn.Flatten() if flatten else nn.GlobalAveragePool(), nn.Dense(10))


def measure(count, side, flatten):
    """One row of the table."""
    import jax
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    net = network(flatten)
    x = np.random.default_rng(0).normal(size=(count, side, side, 1)) + 0j
    net.kernel(x[:2])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, start_processor = time.perf_counter(), time.process_time()
    kernel = jax.block_until_ready(net.kernel(x))
    seconds, processor = time.perf_counter() - start, time.process_time() - start_processor
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    result = 4 * kernel.ntk.nbytes / 2**30
    pairs = count * (count + 1) // 2
    # Pairs of pixels behind each convolution that the next layer meets.
    first, second = -(-side // 2), -(-side // 4)
    maps = first**2 + second**2 if flatten else first**4 // (4 if first % 2 == 0 else 1) + second**4
    rate = processor / (pairs * maps) * 1e9
    print(
        f"| {count} | {pairs} | {seconds:.0f} | {processor:.0f} | {rate:.0f} | {peak:.2f} | {result:.3f} |", flush=True
    )


if __name__ == "__main__":
    main()
