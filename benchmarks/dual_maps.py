"""Times and errors of dual maps: `python benchmarks/dual_maps.py [N] [DEPTH]`.

Times are for kernels of DEPTH layers on N random inputs with different norms, after one small call that compiles.
Errors of modReLU are against nested Gauss-Legendre quadrature in 25 digits (mpmath).
"""

import sys
import time

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np

from qcgrad import networks as nn

ACTIVATIONS = {
    "SplitReLU": (nn.SplitReLU(), 2.0),
    "SplitErf": (nn.SplitErf(), 1.0),
    "SplitGELU": (nn.SplitGELU(), 2.0),
    "SplitTanh": (nn.SplitTanh(), 1.0),
    "ModReLU(-0.5)": (nn.ModReLU(-0.5), 2.0),
    "Cardioid": (nn.Cardioid(), 2.3),
    "Polynomial": (nn.Polynomial([0, 1, 0.3]), 0.7),
}


def recursion(activation, weight, gram, depth):
    """K and Theta behind `depth` layers, and the seconds of each layer."""
    kernel = theta = gram
    seconds = []
    for _ in range(depth):
        start = time.perf_counter()
        q = jnp.real(jnp.diag(kernel))
        dual = activation.dual(q[:, None], q[None], kernel)
        kernel = weight * dual.kappa + 0.01
        theta = kernel + weight * (dual.holomorphic * theta + dual.antiholomorphic * jnp.conj(theta))
        theta.block_until_ready()
        seconds.append(time.perf_counter() - start)
    return kernel, theta, seconds


def gram_matrix(count, dimension=32):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, count, dimension)) * rng.uniform(0.7, 1.4, (count, 1))
    x = x[0] + 1j * x[1]
    return jnp.asarray(x @ x.conj().T / (2 * dimension))


def modrelu_by_mpmath(q1, q2, r, b):
    """kappa of modReLU at real correlation r < 1."""
    with mp.workdps(25):
        q1, q2, r, b = (mp.mpf(v) for v in (q1, q2, r, b))
        spread = 1 - r**2
        width, starts = mp.sqrt(spread / 2), (b / mp.sqrt(q1), b / mp.sqrt(q2))

        def over_t(s):
            def integrand(t):
                bessel = mp.besseli(1, 2 * r * s * t / spread)
                return t * (mp.sqrt(q2) * t - b) * mp.exp(-(s**2 + t**2) / spread) * bessel

            low, high = max(starts[1], r * s - 9 * width), max(starts[1] + 1, r * s + 9 * width)
            return mp.quad(integrand, [low, max(low, r * s), high], method="gauss-legendre", maxdegree=5)

        edges = sorted({starts[0], max(starts[0], starts[1] / r), mp.mpf(3), mp.mpf(8)})
        outer = mp.quad(lambda s: s * (mp.sqrt(q1) * s - b) * over_t(s), edges, method="gauss-legendre", maxdegree=5)
        return float(4 / spread * outer)


def main(count=1000, depth=8):
    jax.config.update("jax_enable_x64", True)
    print(f"{'activation':14s} {'total s':>8s} {'worst layer s':>14s}   N = {count}, depth {depth}")
    for name, (activation, weight) in ACTIVATIONS.items():
        gram = gram_matrix(count)
        recursion(activation, weight, gram, 1)
        *_, seconds = recursion(activation, weight, gram, depth)
        print(f"{name:14s} {sum(seconds):8.2f} {max(seconds):14.2f}", flush=True)
    print("modReLU(-0.5), q = 0.8 and 1.7: |kappa - mpmath|")
    for r in (0.5, 0.9, 0.97, 0.99):
        kappa = nn.ModReLU(-0.5).dual(0.8, 1.7, r * np.sqrt(0.8 * 1.7) + 0j).kappa
        print(f"  r = {r:5.3f}: {abs(complex(kappa) - modrelu_by_mpmath(0.8, 1.7, r, 0.5)):.1e}", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
