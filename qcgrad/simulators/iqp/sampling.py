r"""Values and derivatives of IQP circuits as means over uniform bitstrings u.

With the form of `ir.iqp_form`, one bitstring gives every string t and every angle an unbiased sample,

.. math:: f_t = (-1)^{x_t\cdot u}\cos\Phi_t, \qquad
    \partial_{\varphi_j} f_t = -(-1)^{x_t\cdot u}\,[g_j\cdot z_t]\,(-1)^{g_j\cdot u}\sin\Phi_t ,

so that a block of them takes two products of matrices: signs with anticommuting pairs for the phases, and pairs with
sines for the derivatives. Parities are formed on packed bits, 64 bitstrings at a time.
"""

import jax
import numpy as np
from jaxtyping import Float

from ...array_types import Key
from ...arrays import is_concrete
from ...ir import bits
from ...ir.iqp_form import CHUNK, IQPForm
from ...memory import allowed_bytes, require
from ...queries import SampledSweep, SampleIQP
from ._pairs import Output, Pairs


def answer(query: SampleIQP, key: Key, max_bytes: int | None = None) -> SampledSweep:
    """The record that the query's docstring names; JAX calls back to the host while it traces.

    Raises:
        TooLarge: before anything is allocated, with the number of bytes.
    """
    form: IQPForm = query.form  # pyright: ignore[reportAssignmentType]
    require(
        f"sampling {form.num_generators:,} generators for {form.num_strings:,} strings takes",
        query.cost().peak_bytes,
        allowed_bytes(max_bytes),
        "give fewer strings, or a parameter for each gate",
    )
    raw, dtype = jax.random.key_data(key), np.dtype(query.angles.dtype)

    def on_host(angles, cotangents, raw) -> SampledSweep:
        rng = np.random.default_rng(np.ravel(raw).tolist())
        sums = _Sums(form, np.asarray(angles, float), np.asarray(cotangents, float), query.has_covariance)
        left = query.samples
        while left > 0:
            taken = min(form.block(query.samples), left)
            sums.add(taken, rng)
            left -= taken
        return jax.tree.map(lambda array: array.astype(dtype), sums.found(query.samples))

    if is_concrete((query.angles, query.cotangents, raw)):
        return on_host(query.angles, query.cotangents, raw)
    rows, angles, outputs = len(query.cotangents), form.num_angles, len(form.constants)
    shapes = SampledSweep((outputs,), (rows, angles), (outputs,), (rows, angles))
    if query.has_covariance:
        shapes = shapes._replace(covariance=(rows, angles, angles))
    result = SampledSweep(*(None if shape is None else jax.ShapeDtypeStruct(shape, dtype) for shape in shapes))
    return jax.pure_callback(on_host, result, query.angles, query.cotangents, raw, vmap_method="sequential")


class _Sums:
    """Sums of samples and of their squares."""

    def __init__(
        self, form: IQPForm, angles: Float[np.ndarray, "A"], cotangents: Float[np.ndarray, "C K"], has_covariance: bool
    ):
        self.form, count = form, form.num_angles
        driven = np.where(form.slot >= 0, np.append(angles, 0.0)[form.slot], 0.0)
        self.turns = form.scale * driven + form.offset
        self.pairs = Pairs(form)
        weights = cotangents @ form.coefficients
        self.outputs = [Output(self.pairs, row) for row in weights]
        self.values = np.zeros((2, len(form.constants)))
        self.slopes = np.zeros((2, len(weights), count))
        self.products = np.zeros((len(weights), count, count)) if has_covariance else None

    def add(self, samples: int, rng: np.random.Generator) -> None:
        """One block of bitstrings."""
        form = self.form
        rows = rng.integers(0, 2**64, (form.num_qubits, bits.words_of(samples)), np.uint64)
        parity = bits.parities(form.generators, rows)
        phase = np.zeros((form.num_strings, samples))
        for start in range(0, form.num_generators, CHUNK):
            part = slice(start, start + CHUNK)
            phase += self.pairs.turned(part, self.turns[part]).T @ _signs(parity[part], samples)
        phase += np.pi / 2 * form.quarter[:, None]
        sign = _signs(bits.parities(form.signs, rows), samples)
        values = form.coefficients @ (sign * np.cos(phase))
        self.values += values.sum(axis=1), np.square(values).sum(axis=1)
        if self.outputs:
            sines = -sign * np.sin(phase, out=phase)
            for row, output in enumerate(self.outputs):
                self._add_slopes(row, output, parity, sines)

    def _add_slopes(self, row: int, output: Output, parity, sines):
        samples, sines = sines.shape[1], output.weights[:, None] * sines[output.strings]
        whole = None if self.products is None else np.zeros((self.form.num_angles, samples))
        for chunk in output.chunks:
            slopes = chunk.pairs() @ sines
            slopes *= _signs(parity[chunk.generators], samples)
            if chunk.is_scaled:
                slopes *= chunk.scale[:, None]
            if len(chunk.starts) < len(slopes):
                slopes = np.add.reduceat(slopes, chunk.starts, axis=0)
            self.slopes[0, row, chunk.slots] += slopes.sum(axis=1)
            self.slopes[1, row, chunk.slots] += np.einsum("gs,gs->g", slopes, slopes)
            if whole is not None:
                whole[chunk.slots] = slopes
        if whole is not None and self.products is not None:
            self.products[row] += whole @ whole.T

    def found(self, samples: int) -> SampledSweep:
        """Means, and variances of these from the samples; NaN where there is one sample only."""
        value, slope = self.values[0] / samples, self.slopes[0] / samples
        covariance = None
        if self.products is not None:
            covariance = _of_mean(self.products, slope[:, :, None] * slope[:, None], samples)
        return SampledSweep(
            value + self.form.constants,
            slope,
            np.maximum(_of_mean(self.values[1], np.square(value), samples), 0),
            np.maximum(_of_mean(self.slopes[1], np.square(slope), samples), 0),
            covariance,
        )


def _of_mean(products, means, samples: int):
    if samples == 1:
        return np.full(products.shape, np.nan)
    return (products / samples - means) / (samples - 1)


def _signs(parity, samples: int) -> Float[np.ndarray, "rows samples"]:
    """-1 where a bit is 1, else 1."""
    signs = bits.unpacked(parity, samples).astype(float)
    signs *= -2
    signs += 1
    return signs
