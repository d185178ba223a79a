"""Dual maps against quadrature written independently, and the identities that tie them together."""

import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from scipy import special, stats

from qcgrad import networks as nn
from tests.networks.test_activations import COMPLEX, REAL

pytestmark = pytest.mark.filterwarnings("ignore:ZReLU is discontinuous")

NEAR_ONE = [1.0, 1 - 1e-12, 1 - 1e-9, 1 - 1e-6, 1 - 1e-4, 0.999, 0.99, 0.97, 0.9]
#: Closed forms, or series that converge fast: these have no kinks inside a quadrature.
SMOOTH = ["identity", "split erf", "split tanh", "split gelu", "polynomial", "mixed polynomial", "exponential", "sine"]


def rule(edges, count):
    x, w = np.polynomial.legendre.leggauss(count)
    half = np.diff(edges) / 2
    nodes = [a + h * (1 + x) for a, h in zip(edges[:-1], half, strict=True)]
    return np.concatenate(nodes), np.concatenate([h * w for h in half])


def random_entries(seed, count=12):
    """Variances, and correlations anywhere in the disk, at its edge and at its centre."""
    rng = np.random.default_rng(seed)
    q1, q2 = rng.uniform(0.2, 3, (2, count))
    r = np.concatenate([NEAR_ONE, [0.0], rng.uniform(0, 0.99, count - 10)])
    return q1, q2, r, r * np.exp(1j * rng.uniform(-np.pi, np.pi, count))


# --- real networks --------------------


def real_reference(f, q1, q2, rho):
    """E[f(u) f(v)] on a Gauss-Legendre grid, for smooth f."""
    x, w = rule([-9.0, 0.0, 9.0], 120)
    w = w * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    v = np.sqrt(q2) * (rho * x[:, None] + np.sqrt(1 - rho**2) * x)
    return (w * f(np.sqrt(q1) * x)) @ (f(v) @ w)


SMOOTH_REAL = {
    "erf": (special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "gelu": (lambda x: x * stats.norm.cdf(x), lambda x: stats.norm.cdf(x) + x * stats.norm.pdf(x)),
}


@pytest.mark.parametrize("name", SMOOTH_REAL)
@pytest.mark.parametrize("rho", [*NEAR_ONE, 0.5, 0.0, -0.7, -0.999, -1.0])
def test_smooth_real_duals(name, rho):
    q1, q2 = 0.7, 2.1
    dual = REAL[name].dual(q1, q2, rho * np.sqrt(q1 * q2))
    value, slope = (real_reference(f, q1, q2, rho) for f in SMOOTH_REAL[name])
    assert abs(dual.kappa - value) < 1e-9
    assert abs(dual.holomorphic - slope) < 1e-9
    assert dual.antiholomorphic == 0


@pytest.mark.parametrize("variance", [0.01, 10.0, 100.0])
@pytest.mark.parametrize("rho", [0.5, 0.97, 0.999, 1.0])
def test_tanh_far_from_and_deep_in_saturation(variance, rho):
    """Large variances make the series long: entries near one are then integrated directly."""
    x, w = rule(np.concatenate([-np.geomspace(9, 1e-3, 14), [0.0], np.geomspace(1e-3, 9, 14)]), 24)
    w = w * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    root = np.sqrt(variance)
    plus = np.sqrt((1 + rho) / 2) * x[:, None] + np.sqrt((1 - rho) / 2) * x
    minus = np.sqrt((1 + rho) / 2) * x[:, None] - np.sqrt((1 - rho) / 2) * x
    dual = nn.Tanh().dual(variance, variance, rho * variance)
    slope = w @ ((1 - np.tanh(root * plus) ** 2) * (1 - np.tanh(root * minus) ** 2)) @ w
    assert abs(dual.kappa - w @ (np.tanh(root * plus) * np.tanh(root * minus)) @ w) < 1e-6
    assert abs(dual.holomorphic - slope) < 1e-6


@pytest.mark.parametrize("rho", [*NEAR_ONE, 0.3, 0.0, -0.6, -1.0])
def test_relu_against_mpmath(rho):
    """Polar coordinates: the moduli integrate to one number, the angle runs where both factors are positive."""
    q1, q2 = 0.7, 2.1
    t = mp.acos(mp.mpf(rho))
    angles = [t - mp.pi / 2, mp.pi / 2]
    kappa = mp.sqrt(mp.mpf(q1) * q2) * mp.quad(lambda a: mp.cos(a) * mp.cos(a - t), angles) / mp.pi
    dual = nn.ReLU().dual(q1, q2, rho * np.sqrt(q1 * q2))
    assert abs(dual.kappa - float(kappa)) < 1e-12
    # arccos turns one rounding of rho into its square root.
    assert abs(dual.holomorphic - float((mp.pi - t) / (2 * mp.pi))) < 1e-8


# --- radial profiles --------------------


def radial_reference(profile, slope, threshold, q1, q2, r, bessel=special.ive):
    """F_1[h, h], F_0, F_2 by panels in the modulus of u, and of v around r |u|."""
    width = np.sqrt((1 - r) * (1 + r) / 2)
    starts = threshold / np.sqrt(q1), threshold / np.sqrt(q2)
    kink = starts[1] / r
    edges = np.clip(
        np.concatenate([[starts[0]], kink + width * np.linspace(-9, 9, 19), np.linspace(0, 9, 10)]), starts[0], 9
    )
    s, ws = rule(np.unique(edges), 20)
    around = np.clip(r * s[:, None] + width * np.linspace(-9, 9, 13), starts[1], None)
    x, w = np.polynomial.legendre.leggauss(20)
    half = np.diff(around, axis=1)[..., None] / 2
    # Panels cut away at the boundary have no weight, and must not be 0/0.
    t = np.maximum(around[:, :-1, None] + half * (1 + x), 1e-12).reshape(len(s), -1)
    wt = (half * w).reshape(len(s), -1)
    s, ws, spread = s[:, None], ws[:, None], (1 - r) * (1 + r)
    measure = 4 / spread * ws * wt * s * t * np.exp(-((s - t) ** 2) / spread - 2 * s * t * (1 - r) / spread)
    (h1, g1), (h2, g2) = ((profile(np.sqrt(q) * y), slope(np.sqrt(q) * y)) for q, y in ((q1, s), (q2, t)))
    h1r, h2r, argument = h1 / (np.sqrt(q1) * s), h2 / (np.sqrt(q2) * t), 2 * r * s * t / spread
    return (
        np.sum(measure * h1 * h2 * bessel(1, argument)),
        np.sum(measure * (g1 + h1r) * (g2 + h2r) / 4 * bessel(0, argument)),
        np.sum(measure * (g1 - h1r) * (g2 - h2r) / 4 * bessel(2, argument)),
    )


PROFILES = {
    "modrelu": (lambda r: r - 0.5, lambda r: 1 + 0 * r, 0.5),
    "squash": (lambda r: r / (1 + r), lambda r: 1 / (1 + r) ** 2, 0.0),
}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("same_variance", [True, False])
def test_radial_duals_on_random_entries(name, same_variance):
    q1, q2, r, ratio = random_entries(1)
    q2 = q1 if same_variance else q2
    dual = COMPLEX[name].dual(q1, q2, ratio * np.sqrt(q1 * q2))
    # SciPy's scaled Bessel functions are NaN beyond 1e9, which is where r = 1 - 1e-9 leads.
    for i in np.flatnonzero((r > 0) & (r < 1 - 1e-8)):
        phase = ratio[i] / r[i]
        expected = radial_reference(*PROFILES[name], q1[i], q2[i], r[i])
        for part, value, harmonic in zip(dual, expected, (1, 0, 2), strict=True):
            assert abs(part[i] - value * phase**harmonic) < 2e-8, (name, i, r[i])


def test_radial_duals_at_correlation_one_are_mean_squares():
    """Near one D falls like sqrt(1 - r): closer than 1e-12 the difference is below 1e-6."""
    h, q = 0.5, np.array([0.3, 1.0, 2.5])
    s, w = rule([0.0, 2.0, 9.0], 200)
    for i, variance in enumerate(q):
        t = s + h / np.sqrt(variance)
        measure, x = 2 * w * t * np.exp(-(t**2)), np.sqrt(variance) * t
        expected = [measure @ (x - h) ** 2, measure @ (1 - h / (2 * x)) ** 2, measure @ (h / (2 * x)) ** 2]
        for ratio, tolerance in ((1.0, 1e-9), (1 - 1e-12, 2e-6)):
            dual = nn.ModReLU(-h).dual(q, q, q * ratio + 0j)
            np.testing.assert_allclose([part[i] for part in dual], expected, atol=tolerance)


@pytest.mark.slow
@pytest.mark.study
@pytest.mark.parametrize("r", [0.6, 0.97, 0.995])
def test_modrelu_against_mpmath(r):
    q1, q2, b = mp.mpf("0.8"), mp.mpf("1.7"), mp.mpf("0.5")
    radius, spread = mp.mpf(r), 1 - mp.mpf(r) ** 2
    width, starts = mp.sqrt(spread / 2), (b / mp.sqrt(q1), b / mp.sqrt(q2))

    def over_t(s):
        def integrand(t):
            bessel = mp.besseli(1, 2 * radius * s * t / spread)
            return t * (mp.sqrt(q2) * t - b) * mp.exp(-(s**2 + t**2) / spread) * bessel

        centre = radius * s
        low, high = max(starts[1], centre - 9 * width), max(starts[1] + 1, centre + 9 * width)
        return mp.quad(integrand, [low, max(low, centre), high], method="gauss-legendre")

    inner = sorted({starts[0], max(starts[0], starts[1] / radius), mp.mpf(3), mp.mpf(9)})
    kappa = 4 / spread * mp.quad(lambda s: s * (mp.sqrt(q1) * s - b) * over_t(s), inner, method="gauss-legendre")
    dual = nn.ModReLU(-0.5).dual(0.8, 1.7, r * np.sqrt(0.8 * 1.7) + 0j)
    assert abs(dual.kappa - float(kappa)) < 1e-9


# --- homogeneous functions --------------------


def moment_by_mpmath(degree, m, r):
    """c^k_m(r) with 40 digits."""
    with mp.workdps(40):
        shift, r = mp.mpf(m - degree) / 2, mp.mpf(float(r))
        return complex(
            r**m * mp.gamma(mp.mpf(m + degree) / 2 + 1) ** 2 / mp.factorial(m) * mp.hyp2f1(shift, shift, m + 1, r**2)
        ).real


def test_cardioid_against_mpmath():
    q1, q2, r, ratio = random_entries(2)
    dual, e = nn.Cardioid().dual(q1, q2, ratio * np.sqrt(q1 * q2)), np.exp(1j * np.angle(ratio))
    c = {(k, m): np.array([moment_by_mpmath(k, m, x) for x in r]) for k, m in ((1, 0), (1, 1), (1, 2), (0, 1), (0, 3))}
    kappa = np.sqrt(q1 * q2) * (c[1, 0] / 16 + c[1, 1] * e / 4 + c[1, 2] * e**2 / 16)
    np.testing.assert_allclose(dual.kappa, kappa, atol=1e-11)
    np.testing.assert_allclose(dual.holomorphic, 1 / 4 + c[0, 1] * (9 * e + e.conj()) / 64, atol=1e-11)
    np.testing.assert_allclose(dual.antiholomorphic, (c[0, 3] * e**3 + c[0, 1] * e) / 64, atol=1e-11)


def test_zrelu_against_mpmath():
    q1, q2, r, ratio = random_entries(3)
    dual = nn.ZReLU().dual(q1, q2, ratio * np.sqrt(q1 * q2))
    for i in np.flatnonzero(r < 1 - 1e-7):
        with mp.workdps(30):
            kappa, slope = zrelu_by_mpmath(mp.mpf(r[i]), mp.mpf(float(np.angle(ratio[i]))))
        assert abs(dual.kappa[i] - np.sqrt(q1[i] * q2[i]) * complex(kappa)) < 1e-9
        assert abs(dual.holomorphic[i] - float(slope)) < 1e-9
    assert not np.any(dual.antiholomorphic)


def zrelu_by_mpmath(r, angle):
    def parts(delta):
        beta = r * mp.cos(delta - angle)
        w, a = mp.sqrt(1 - beta**2), mp.pi - mp.acos(beta)
        first = 1 / (4 * w**2) + a * beta / (4 * w**3)
        second = 3 * beta / (8 * w**4) + a * (1 + 2 * beta**2) / (8 * w**5)
        left = mp.pi / 2 - abs(delta)
        return left * mp.expj(delta) * (1 - r**2) ** 2 * second, left * (1 - r**2) * first

    half, width = mp.pi / 2, mp.sqrt(1 - r**2)
    points = {-half, mp.mpf(0), half}
    for scale in (0, 1, 4, 16, 64, 256, 1024):
        points |= {angle + sign * scale * width for sign in (-1, 1)}
    edges = sorted(x for x in points if -half <= x <= half)
    return tuple(mp.quad(lambda d, k=k: parts(d)[k], edges, method="gauss-legendre") / mp.pi**2 for k in (0, 1))


def test_zrelu_slope_is_the_probability_of_both_in_the_quadrant():
    """A four-dimensional orthant probability, by SciPy's lattice rule (error 1e-5)."""
    ratio = 0.5 - 0.3j
    cross = np.array([[ratio.real, -ratio.imag], [ratio.imag, ratio.real]]) / 2
    covariance = np.block([[np.eye(2) / 2, cross], [cross.T, np.eye(2) / 2]])
    probability = stats.multivariate_normal(cov=covariance, maxpts=200_000, seed=0).cdf(np.zeros(4))
    assert abs(nn.ZReLU().dual(1.0, 1.0, ratio).holomorphic - probability) < 5e-5


# --- every complex activation --------------------


def test_holomorphic_closed_forms():
    k = jnp.asarray([0.2 + 0.5j, -0.7j, 0j])
    np.testing.assert_allclose(nn.Exponential().dual(1.0, 1.0, k).kappa, np.exp(k))
    np.testing.assert_allclose(nn.Sine().dual(1.0, 1.0, k)[:2], [np.sinh(k), np.cosh(k)])
    polynomial = nn.Polynomial([0.1, 1.0, 0.3j]).dual(1.0, 1.0, k)
    np.testing.assert_allclose(polynomial.kappa, 0.01 + k + 0.18 * k**2)
    np.testing.assert_allclose(polynomial.holomorphic, 1 + 0.36 * k)


def test_split_relu_is_the_arc_cosine_kernel():
    q1, q2, _, ratio = random_entries(4)
    dual, k = nn.SplitReLU().dual(q1, q2, ratio * np.sqrt(q1 * q2)), ratio * np.sqrt(q1 * q2)
    t = np.arccos(np.clip(ratio.real, -1, 1))
    kappa = np.sqrt(q1 * q2) * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi) + 1j * k.imag / 4
    np.testing.assert_allclose(dual.kappa, kappa, atol=1e-9)
    slope = (np.pi - t) / (2 * np.pi)
    np.testing.assert_allclose(dual.holomorphic, (slope + 1 / 4) / 2, atol=1e-8)
    np.testing.assert_allclose(dual.antiholomorphic, (slope - 1 / 4) / 2, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("split relu", (0.812, 0.812, 0.812)),
        ("modrelu", (0.435, 0.441, 0.464)),
        ("cardioid", (0.510, 0.492, 0.432)),
        ("zrelu", (0.271, 0.239, 0.137)),
    ],
)
def test_only_split_functions_ignore_the_imaginary_part(name, expected):
    """sigma_w^2 Re kappa at Re rho = 1/2 and three imaginary parts, sigma_w^2 = 8/3."""
    kappa = COMPLEX[name].dual(1.0, 1.0, jnp.asarray([0.5, 0.5 + 0.4j, 0.5 + 0.8j])).kappa
    np.testing.assert_allclose(8 / 3 * kappa.real, expected, atol=6e-4)


# --- the equivalent real activation --------------------
