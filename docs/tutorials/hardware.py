# %% [markdown]
# # Precision and shots on hardware
#
# A quantum computer answers with random bits. Run a circuit, read every qubit, and
# you have one *shot*: a string of zeros and ones. An expectation value is the mean
# over many shots, and a gradient is made of many expectation values. So every
# derivative comes with an error, and the questions of this tutorial are: how large
# is it, how many shots are enough, and what happens when the budget ends, the
# device is noisy, or the connection breaks?

# %%
import jax
import matplotlib.pyplot as plt
import numpy as np
from qiskit.primitives import StatevectorSampler

import qcgrad as qg
from qcgrad.interop import SampledBackend, to_qiskit

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# A circuit on four qubits with eight angles, and an energy of seven Pauli strings.
# Character i of a string acts on qubit i.

# %%
circuit = qg.Circuit(4)
for qubit in range(4):
    circuit = circuit.ry(qubit, param=qubit)
for qubit in range(3):
    circuit = circuit.cx(qubit, qubit + 1)
for qubit in range(4):
    circuit = circuit.ry(qubit, param=4 + qubit)
energy = qg.PauliSum(
    {
        "ZZII": 1.0,
        "IZZI": 1.0,
        "IIZZ": 1.0,
        "XIII": 0.7,
        "IXII": 0.7,
        "IIXI": 0.7,
        "IIIX": 0.7,
    }
)
objective = qg.Expectation(circuit, energy)
angles = np.array([0.4, -0.9, 1.3, 0.2, -0.5, 0.8, -1.1, 0.6])
# A simulator knows the truth; hardware would not.
truth = qg.estimate(objective, angles, qg.Adjoint()).gradient

# %% [markdown]
# ## Errors, and what an estimate says of them
#
# `ParameterShift(shots=200)` takes 200 shots for each circuit: the circuit itself
# and two shifted ones for each angle, each in two measurement bases, since ZZ and X
# cannot be read off the same shots. Simulated shots are drawn from exactly the
# distribution that an ideal device has.

# %%
e = qg.estimate(objective, angles, qg.ParameterShift(shots=200), key=0)
print(e)

# %% [markdown]
# Every derivative has a standard error, computed from the spread of its own shots.
# Can it be trusted? Repeat the estimate with 400 random seeds, and divide each
# error by the standard error that was reported with it. If these are honest, the
# ratios look like a standard normal distribution, and 95 % intervals hold the truth
# 95 % of the time.

# %%
SEEDS = 400
runs = [
    qg.estimate(objective, angles, qg.ParameterShift(shots=200), key=seed)
    for seed in range(SEEDS)
]
ratios = np.array([(run.gradient - truth) / run.standard_error for run in runs])
intervals = [run.interval(0.95) for run in runs]
covered = np.mean([(lower < truth) & (truth < upper) for lower, upper in intervals])
print(f"mean of the ratios {ratios.mean():+.3f}, standard deviation {ratios.std():.3f}")
print(f"95 % intervals hold the truth in {100 * covered:.1f} % of {ratios.size} cases")
assert abs(ratios.mean()) < 0.1
assert 0.9 < ratios.std() < 1.1
assert 0.93 < covered < 0.97

# %% Histogram of errors over reported standard errors: it follows the bell curve of a standard normal distribution
figure, axis = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
axis.hist(ratios.ravel(), bins=50, density=True, alpha=0.5, label="3200 derivatives")
grid = np.linspace(-4, 4, 200)
axis.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), label="standard normal")
axis.set(
    xlabel="error / reported standard error",
    ylabel="density",
    title="Reported errors are honest",
)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Ask for a precision, not for shots
#
# You rarely know how many shots you need; you know how good the gradient has to be.
# `Precision(epsilon)` asks for a standard error of at most `epsilon` in every
# derivative. With `delta` it asks for more: no derivative off by more than
# `epsilon`, with probability `1 - delta`, *proved* for whatever state you have.

# %%
EPSILON = 0.05
asked = {
    "standard error": qg.Precision(EPSILON),
    "proved, 95 %": qg.Precision(EPSILON, delta=0.05),
}
for name, precision in asked.items():
    e = qg.estimate(objective, angles, qg.ParameterShift(), key=1, precision=precision)
    at_most = qg.predict_cost(objective, precision.reached_by(qg.ParameterShift())).copies
    error = float(np.max(np.abs(e.gradient - truth)))
    spread = float(np.max(e.standard_error))
    print(f"{name:>15}: {e.cost.copies:>8,} copies (foretold: at most {at_most:,})")
    print(f"{'':>15}  largest standard error {spread:.3f}, largest error {error:.3f}")
    assert e.cost.copies <= at_most
    assert error < EPSILON if precision.delta else spread < 1.2 * EPSILON

# %% [markdown]
# Behind both stands `AdaptiveShots`: it measures every circuit a few times, learns
# from this *pilot* which outcomes scatter, and then spends shots where they count.
# The pilot decides how many shots there are and is then thrown away, because shots
# that decided about themselves would be biased. A standard error is cheap, a proof
# is not: the factor between the two lines is what certainty costs.
#
# ## When the budget ends
#
# Limits are checked before anything is asked, so a budget is never overrun. With
# `throw=False` you get back what fits; what was not measured is NaN and never a
# guess.

# %%
short = qg.estimate(
    objective,
    angles,
    qg.ParameterShift(shots=200),
    key=0,
    budget=qg.Budget(copies=4000),
    throw=False,
)
print(f"{short.result}: {short.result.message[:60]} ...")
print("gradient:", np.asarray(short.gradient).round(3))
print("spent:   ", short.cost.copies, "copies of 4000")
known = np.isfinite(np.asarray(short.gradient))
assert short.cost.copies <= 4000
assert 0 < known.sum() < 8

# %% [markdown]
# ## A noisy device
#
# On a real device gates err. Here every CNOT is followed by a random error in one
# of a hundred cases, and every other gate in one of a thousand. `DensityMatrix`
# simulates this exactly, and draws shots from what comes out (beyond some 12
# qubits, `Trajectories` draws other errors for each shot instead). Noise *moves*
# the mean of the outcomes: this is a bias, and no number of shots removes it.
# `noise_bias` computes it.

# %%
noise = (
    qg.NoiseModel()
    .add(qg.Depolarizing(0.01, 2), gates="cx")
    .add(qg.Depolarizing(0.001), gates="ry")
)
device = qg.DensityMatrix(noise)
bias = np.asarray(qg.noise_bias(objective, angles, noise).gradient)
noisy = qg.estimate(objective, angles, qg.ParameterShift(shots=200), device, key=0)
print("bias: ", bias.round(3))
print("bound:", np.asarray(noisy.bias_bound).round(3))
print("fidelity:", noisy.fidelity)
assert (np.abs(bias) <= np.asarray(noisy.bias_bound) + 1e-12).all()
assert noisy.fidelity == "noisy"

# %% [markdown]
# The estimate says "noisy", and bounds its bias, because this simulator knows its
# own noise; `interval` counts the bound in. A real device does not know. There the
# bound is NaN, and intervals are NaN with it, since one that leaves out a bias of
# unknown size would be a lie.
#
# *Zero-noise extrapolation* fights the bias. It runs every circuit also with gates
# undone and done again (G becomes G G⁻¹ G), where errors are two and three times as
# frequent, and extrapolates to none. That costs shots, since an extrapolation is
# more uncertain than its points:

# %%
mitigated = qg.ZeroNoiseExtrapolation(qg.ParameterShift())
# Without shots, so that what is left is the bias alone.
left = np.asarray(qg.estimate(objective, angles, mitigated, device).gradient - truth)
print(f"largest bias without: {np.abs(bias).max():.4f}")
print(f"largest bias with:    {np.abs(left).max():.4f}")
assert np.abs(left).max() < np.abs(bias).max() / 5

# %% [markdown]
# Which one is better then? That depends on how many shots you have. The same shots
# for each circuit, three times: without noise, with noise, and with noise and
# extrapolation, which runs three times as many circuits.

# %%
COUNTS = [30, 100, 300, 1000, 3000, 10_000, 30_000]
ways = {
    "no noise": (qg.ParameterShift, qg.Statevector()),
    "noise": (qg.ParameterShift, device),
    "noise, extrapolated": (
        lambda shots: qg.ZeroNoiseExtrapolation(qg.ParameterShift(shots)),
        device,
    ),
}
spent = {name: [] for name in ways}
errors = {name: [] for name in ways}
for name, (method, backend) in ways.items():
    for shots in COUNTS:
        found = [
            qg.estimate(objective, angles, method(shots), backend, key=seed)
            for seed in range(4)
        ]
        errors[name].append(
            np.sqrt(np.mean([(each.gradient - truth) ** 2 for each in found]))
        )
        spent[name].append(found[0].cost.copies)
    (few, *_, many), (first, *_, last) = spent[name], errors[name]
    print(f"{name:>20}: error {first:.3f} for {few:,} copies, {last:.4f} for {many:,}")
floor = np.sqrt(np.mean(bias**2))

# %% Error against copies: without noise it falls steadily, with noise it stops at the bias, extrapolation goes below
figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
for (name, found), marker in zip(errors.items(), "osD", strict=True):
    axis.loglog(spent[name], found, marker=marker, label=name)
axis.axhline(floor, color="0.5", linestyle=":", label="bias by noise, computed")
axis.set(
    xlabel="copies",
    ylabel="root mean square error",
    title="More shots do not help against noise",
)
axis.grid(alpha=0.3)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# Without noise the error falls as one over the square root of the copies, on and
# on. With noise it stops at the bias: from there on shots are wasted. Extrapolation
# starts higher, since its variance is larger, and goes below where there are shots
# enough. So the honest advice is: first estimate how large the bias is, then
# decide. `qg.advise(..., noise=noise)` does.

# %%
assert errors["no noise"][-1] < errors["no noise"][0] / 15
assert 0.7 * floor < errors["noise"][-1] < 1.3 * floor
assert errors["noise, extrapolated"][0] > errors["noise"][0]
assert errors["noise, extrapolated"][-1] < 0.75 * errors["noise"][-1]

# %% [markdown]
# ## When the connection breaks
#
# Jobs on shared hardware are queued, time out and get lost. Anything that runs
# circuits and returns bitstrings is a device for qcgrad. This one is a simulator of
# Qiskit behind a bad line: it takes ten circuits at a time, and its third call
# fails.

# %%
calls = []
simulator = StatevectorSampler(seed=np.random.default_rng(1))


def cloud(pairs):
    """Run circuits, each with its shots; one list of bitstrings for each."""
    calls.append(len(pairs))
    if len(calls) == 3:
        raise ConnectionError("the queue was closed")
    runs = [
        (to_qiskit(circuit).measure_all(inplace=False), None, shots)
        for circuit, shots in pairs
    ]
    found = [run.data.meas.get_bitstrings() for run in simulator.run(runs).result()]
    return [[bits[::-1] for bits in each] for each in found]  # Qiskit writes qubit 0 last


backend = SampledBackend(cloud, max_circuits=10)
try:
    qg.estimate(objective, angles, qg.ParameterShift(shots=200), backend, key=0)
except qg.BackendFailed as error:
    lost = error
print(str(lost)[:76], "...")
print("known so far:", np.asarray(lost.estimate.gradient).round(2))

# %% [markdown]
# Twenty circuits had been answered, and these are not lost: the error carries them.
# It can be pickled, so you may go on tomorrow and in another process. Give it back,
# and only what is missing is run:

# %%
e = qg.estimate(
    objective, angles, qg.ParameterShift(shots=200), backend, key=0, resume=lost
)
print("circuits of each call:", calls)
print("gradient:", np.asarray(e.gradient).round(2))
print("charged: ", e.cost.circuit_runs, "circuits,", e.cost.copies, "copies")
assert calls == [10, 10, 10, 10, 4]  # the third call failed, and its ten were asked again
assert e.cost.circuit_runs == 34
assert (np.abs(e.gradient - truth) < 6 * e.standard_error).all()

# %% [markdown]
# 34 circuits were needed and 34 were charged: nothing twice. On Qiskit's primitives
# (`QiskitBackend`) and on PennyLane's devices (`PennyLaneBackend`) it is the same.
#
# ## Where to go from here
#
# - [From a QNode to its cheapest gradient](quantum.md) chooses among all methods
#   for a precision.
# - `qcgrad.optimizers` has optimisers that read the variances and decide how many
#   shots the next step takes.
# - [What is exact](../guide/exactness.md) says how far each simulation can be
#   trusted.
