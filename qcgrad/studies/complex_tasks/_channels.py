"""Channel identification: learn what a channel does to a sequence of complex symbols."""

import math

import numpy as np
from jaxtyping import Complex

from ...array_types import Array
from .modulation import constellation
from .task import Task, circular, noise_scale, require_counts, squared_error

#: Gain and phase of a travelling-wave tube after Saleh: alpha_a, beta_a, alpha_p (radians), beta_p.
TRAVELLING_WAVE_TUBE = (2.1587, 1.1517, 4.0033, 9.1040)


def fir_channel(
    seed: int, count: int, window: int = 8, taps: int = 4, snr_db: float = 20.0, symbols: str = "gaussian"
) -> Task:
    r"""A complex channel with a finite impulse response.

    .. math:: y_t = \sum_{k<\text{taps}} h_k s_{t-k} + n_t, \qquad x_t = (s_t, \ldots, s_{t-\text{window}+1}) .

    The h_k are circular Gaussians of variance falling as e^{-k}, then \(\sum|h_k|^2 = 1\); symbols have unit power, the
    noise is circular. The map from x to y is complex linear, so it commutes with a global phase.

    Args:
        seed: of channel, symbols and noise.
        count: number N of samples; their windows overlap, as they do in a receiver.
        window: d, symbols that are seen; at least `taps`.
        taps: length of the impulse response.
        snr_db: mean |y - n|^2 over E|n|^2 in dB; `math.inf` for no noise.
        symbols: "gaussian", or the name of a `constellation`.

    Returns:
        x (N, window) and y (N,), complex; the metric is `squared_error`.

    Raises:
        ValueError: a count below 1, a window shorter than the channel, an unknown constellation, or snr_db is not a
            number.

    Cost: O(N window).

    Example:
        >>> import numpy as np
        >>> from qcgrad.studies.complex_tasks import fir_channel
        >>> task = fir_channel(seed=0, count=100)
        >>> h = np.linalg.lstsq(task.x, task.y)[0]
        >>> task.x.shape, bool(task.metric(task.x @ h, task.truth) < 0.01)
        ((100, 8), True)

    References:
        S. Haykin, Adaptive Filter Theory, 4th ed., Prentice Hall 2002.
    """
    return _channel(seed, count, window, taps, snr_db, symbols, lambda s: s)


def saleh_channel(
    seed: int,
    count: int,
    window: int = 8,
    taps: int = 4,
    snr_db: float = 20.0,
    symbols: str = "gaussian",
    backoff_db: float = 3.0,
) -> Task:
    r"""A power amplifier in front of a complex channel.

    .. math:: y_t = \sum_{k<\text{taps}} h_k\, g(10^{-\text{backoff}/20}\,s_{t-k}) + n_t

    with the amplifier g of `saleh`; all else as in `fir_channel`. It is not linear any more, and still commutes with a
    global phase: \(y(e^{i\theta}x) = e^{i\theta}y(x)\) without noise.

    Args:
        seed, count, window, taps, snr_db, symbols: as in `fir_channel`.
        backoff_db: how far the mean input power is below 1, in dB: the amplifier saturates at |z| = 0.93.

    Returns:
        x (N, window), the symbols in front of the amplifier, and y (N,), complex; the metric is `squared_error`.

    Raises:
        ValueError: as in `fir_channel`, or backoff_db is not finite.

    Cost: O(N window).

    Example:
        >>> import numpy as np
        >>> from qcgrad.studies.complex_tasks import saleh_channel
        >>> task = saleh_channel(seed=0, count=1000)
        >>> h = np.linalg.lstsq(task.x, task.y)[0]
        >>> task.metric(task.x @ h, task.truth) > 0.05  # no linear filter is the amplifier
        True

    References:
        A. A. M. Saleh, "Frequency-independent and frequency-dependent nonlinear models of TWT amplifiers", IEEE Trans.
        Commun. 29 (1981).
    """
    if not math.isfinite(backoff_db):
        raise ValueError(f"backoff_db={backoff_db!r}: give a finite number of decibels")
    gain = 10 ** (-backoff_db / 20)
    return _channel(seed, count, window, taps, snr_db, symbols, lambda s: saleh(gain * s))


def saleh(
    z: Complex[Array | complex, "*shape"], parameters: tuple[float, float, float, float] = TRAVELLING_WAVE_TUBE
) -> Complex[np.ndarray, "*shape"]:
    r"""The memoryless amplifier of Saleh: amplitude and phase of the output depend on the amplitude r of the input.

    .. math:: g(re^{i\theta}) = A(r)\,e^{i(\theta + \Phi(r))}, \qquad A = \frac{\alpha_a r}{1 + \beta_a r^2},\quad
        \Phi = \frac{\alpha_p r^2}{1 + \beta_p r^2} .

    Args:
        z: inputs, any shape, complex.
        parameters: alpha_a, beta_a, alpha_p (radians), beta_p.

    Returns:
        Outputs, the same shape.

    Example:
        >>> from qcgrad.studies.complex_tasks import saleh
        >>> round(float(abs(saleh(1.1517**-0.5 + 0j))), 4)  # the largest output, alpha_a / (2 sqrt(beta_a))
        1.0058

    References:
        Saleh 1981, as in `saleh_channel`.
    """
    z = np.asarray(z)
    alpha_a, beta_a, alpha_p, beta_p = parameters
    power = np.abs(z) ** 2
    return z * alpha_a / (1 + beta_a * power) * np.exp(1j * alpha_p * power / (1 + beta_p * power))


def _channel(seed, count, window, taps, snr_db, symbols, amplifier) -> Task:
    require_counts(count=count, window=window, taps=taps)
    if window < taps:
        raise ValueError(f"window={window}: give at least taps={taps}, so that the inputs determine the output")
    rng = np.random.default_rng(seed)
    response = circular(rng, taps) * np.exp(-np.arange(taps) / 2)
    response /= np.linalg.norm(response)
    length = count + window - 1
    sent = circular(rng, length) if symbols == "gaussian" else rng.choice(constellation(symbols), length)
    x = np.lib.stride_tricks.sliding_window_view(sent, window)[:, ::-1].copy()
    truth = amplifier(x[:, :taps]) @ response
    y = truth + noise_scale(truth, snr_db) * circular(rng, count)
    return Task(x, y, truth, squared_error)
