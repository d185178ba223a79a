# %% [markdown]
# # From a QNode to its cheapest gradient
#
# A parameterised quantum circuit is trained like a neural network: compute a
# gradient, take a step, repeat. For a network the gradient costs about as much as a
# few evaluations, however many parameters there are. On a quantum computer it is
# different: a measurement destroys the state, so every derivative seems to need
# circuits of its own.
#
# There are some thirty methods to choose from, and which one is cheapest depends on
# your circuit, on how precise the gradient has to be, and on what your machine can
# do. In this tutorial you take a circuit written in
# [PennyLane](https://pennylane.ai), ask what every method would take, run the
# cheapest one, look at what it really cost, and train the circuit with it, in
# PennyLane again.

# %%
import jax
import matplotlib.pyplot as plt
import numpy as np
import pennylane as qml

import qcgrad as qg
from qcgrad.interop.pennylane import from_qnode, gradient

jax.config.update(
    "jax_enable_x64", True
)  # double precision; qcgrad never switches it on by itself

# %% [markdown]
# ## The circuit
#
# Six qubits, four layers of rotations, and the energy of a chain of magnets in a
# transverse field: 24 angles, and an observable of eleven Pauli strings. It is an
# ordinary QNode.

# %%
QUBITS, LAYERS = 6, 4
ISING = qml.dot(
    [1.0] * (QUBITS - 1) + [0.5] * QUBITS,
    [qml.Z(q) @ qml.Z(q + 1) for q in range(QUBITS - 1)]
    + [qml.X(q) for q in range(QUBITS)],
)


def ansatz(angles):
    for layer in angles:
        for qubit in range(QUBITS):
            qml.RY(layer[qubit], wires=qubit)
        for qubit in range(QUBITS - 1):
            qml.CNOT([qubit, qubit + 1])
    return qml.expval(ISING)


energy = qml.QNode(ansatz, qml.device("default.qubit", wires=QUBITS))
angles = np.random.default_rng(0).uniform(-1, 1, (LAYERS, QUBITS))

# %% [markdown]
# `from_qnode` runs the function once, with JAX watching, and keeps what it did: an
# *objective*, which is what qcgrad differentiates. Its parameters have the shape of
# the QNode's argument.

# %%
objective = from_qnode(energy, angles)
exact = qg.estimate(objective, angles, qg.Adjoint())
by_pennylane = qml.grad(energy)(qml.numpy.array(angles))
print("energy here:     ", float(exact.value))
print("energy there:    ", float(energy(angles)))
print("gradients differ by", f"{np.max(np.abs(exact.gradient - by_pennylane)):.0e}")
assert np.allclose(exact.gradient, by_pennylane, atol=1e-9)

# %% [markdown]
# `Adjoint` is exact: it is a simulator's method, which reads all 2⁶ amplitudes. A
# quantum computer cannot do that. Every estimate says what it cost, in counts and
# not in seconds:

# %%
print(exact.cost)

# %% [markdown]
# `copies=0`, which is not printed, is the point: no state was prepared and
# measured. What was paid are floating-point operations (`flops`) and memory, and
# both double with every qubit.
#
# ## What would hardware have to pay?
#
# `advise` asks every method of the catalogue for its cheapest version that is
# *proved* to keep all 24 derivatives within `epsilon` with probability `1 - delta`.
# Nothing is run for it. First for a machine like today's: it prepares one copy of
# the state, measures it, and prepares the next (`access="single_copy"`).

# %%
EPSILON, DELTA = 0.1, 0.05
advice = qg.advise(objective, EPSILON, DELTA, params=angles, access="single_copy")
print(f"{'method':<28}{'copies':>9}{'circuits':>10}{'time':>9}  scaling")
for plan in advice.plans[:5]:
    counts = f"{plan.cost.copies:>9,}{plan.cost.circuit_runs:>10}{plan.seconds:>7.1f} s"
    scaling = "backpropagation" if plan.has_backpropagation_scaling else "-"
    print(f"{plan.method.name:<28}{counts}  {scaling}")
assert not any(plan.has_backpropagation_scaling for plan in advice.plans)

# %% [markdown]
# `copies` is how often the state is prepared, `circuits` how many different
# circuits are submitted, `time` what that takes on a simple model of a device (0.1
# µs a gate, 10 µs a shot, 10 ms a circuit; give your own as `qg.DeviceModel`). The
# last column would say if time and memory, relative to those of one evaluation, did
# not grow with the number of parameters: *backpropagation scaling*, what networks
# have. None of these lines has it. `print(advice)` shows all methods and all
# counts.
#
# The rule that everybody knows, parameter shifts, moves one angle at a time. On top
# is a *Hadamard test*, in a form that needs no ancilla: it runs the circuit, turns
# the state by one string of the observable, undoes the circuit down to a layer, and
# measures all six generators of that layer at once. So one outcome says something
# about six derivatives:

# %%
best, shifts = advice.best, advice["parameter-shift"]
print("picked:", best.method.name, repr(best.estimator.mode))
for plan in (shifts, best):
    counts = f"{plan.cost.copies:>9,} copies in {plan.cost.circuit_runs} circuits"
    print(f"{plan.method.name:>16}: {counts}")
assert best.method.name == "hadamard-test"
assert best.estimator.mode == "reversed-direct"
assert shifts.cost.copies > 6 * best.cost.copies

# %% [markdown]
# The methods that do not apply are listed too, with the reason. For example:

# %%
for name in ("gentle-sweep", "direct-pauli", "commuting-block"):
    print(f"{name}: {advice[name].reason[:64]} ...")

# %% [markdown]
# ## Which one is cheapest depends on the precision
#
# Halve `epsilon` and every method that averages outcomes needs four times the
# copies. A machine that could run the circuit and its inverse thousands of times
# without an error (`access="coherent"`) could use amplitude estimation instead,
# which needs only twice as many. How do these lines run?

# %%
epsilons = np.array([0.4, 0.2, 0.1, 0.05, 0.025])
names = ("parameter-shift", "hadamard-test", "gentle-sweep", "amplitude-estimation")
copies = {name: [] for name in names}
for epsilon in epsilons:
    asked = qg.advise(
        objective,
        epsilon,
        DELTA,
        params=angles,
        access="coherent",
        rank="copies",
        with_growth=False,
    )
    for name in names:
        copies[name].append(asked[name].cost.copies)
slopes = {
    name: float(np.polyfit(np.log(1 / epsilons), np.log(copies[name]), 1)[0])
    for name in names
}
for name in names:
    print(f"{name:>21}: copies grow as epsilon^-{slopes[name]:.2f}")

# %% Copies against 1/epsilon for four methods: three parallel lines, and amplitude estimation, which is less steep
figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
for name, marker in zip(names, "osD^", strict=True):
    axis.loglog(1 / epsilons, copies[name], marker=marker, label=name)
axis.set(
    xlabel="1 / epsilon",
    ylabel="copies, proved to be enough",
    title="24 derivatives, six qubits",
)
axis.set_xticks(1 / epsilons, [f"{1 / epsilon:g}" for epsilon in epsilons])
axis.minorticks_off()
axis.grid(alpha=0.3)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# Three lines are parallel; amplitude estimation is about half as steep. It takes
# the fewest copies from the start here, and the more precise you want to be, the
# more it wins. What copies do not show is *depth*, how many preparations one
# circuit runs in a row without an error; and `GentleSweep`, which beats parameter
# shifts by measuring many copies together, has to hold them all at the same time. A
# cost has more than one number for this reason:

# %%
for name in names:
    cost = asked[name].cost
    print(f"{name:>21}: depth {cost.depth:>6,}, qubits held at once {cost.qubits:>11,}")
assert slopes["amplitude-estimation"] < 1.2
assert all(1.95 < slopes[name] < 2.05 for name in names[:3])
assert all(min(copies[name]) > min(copies["amplitude-estimation"]) for name in names[:3])
assert asked["amplitude-estimation"].cost.depth > 1000

# %% [markdown]
# ## Run it
#
# `qg.Cheapest` is the planner as a method: it picks, and what it picks is run. The
# answers come from the built-in simulator, which draws outcomes as the device
# would; `key` is the random seed.

# %%
cheapest = qg.Cheapest(EPSILON, DELTA, access="single_copy")
e = qg.estimate(objective, angles, cheapest, key=0)
worst = float(np.max(np.abs(e.gradient - exact.gradient)))
for what, cost in {"counted": e.cost, "foretold": best.cost}.items():
    counts = f"{cost.copies:,} copies, {cost.circuit_runs} circuits, {cost.gates:,} gates"
    print(f"{what:>8}: {counts}")
print(f"largest of 24 errors: {worst:.3f}, promised: {EPSILON}")
assert e.cost == best.cost
assert worst < EPSILON

# %% [markdown]
# What was counted is what was foretold, to the last gate. The promise holds with
# room to spare: a proof has to cover the worst state, and yours is not the worst.
# The estimate also says how uncertain each derivative is, from the outcomes alone:

# %%
ratios = np.abs(e.gradient - exact.gradient) / e.standard_error
print("standard errors: ", np.asarray(e.standard_error[0]).round(3))
print("errors of these: ", np.asarray(e.gradient[0] - exact.gradient[0]).round(3))
print(f"{int((ratios < 2).sum())} of 24 errors are below two standard errors")
assert (ratios < 2).sum() >= 18

# %% [markdown]
# ## Back into PennyLane
#
# `gradient(method)` makes a `diff_method` of any method. The QNode stays as it was,
# and so does your training loop. We train with plain descent, once with parameter
# shifts and once with the method that was advised, each at the size that `advise`
# gave it; a `Tracker` counts what both spend.


# %%
def train(method, steps=12, rate=0.1):
    qnode = qml.QNode(
        ansatz,
        qml.device("default.qubit", wires=QUBITS),
        diff_method=gradient(method, key=1),
    )
    optimizer = qml.GradientDescentOptimizer(rate)
    weights = qml.numpy.array(angles, requires_grad=True)
    spent, energies = [0], [float(energy(weights))]
    with qg.Tracker() as tracker:
        for _ in range(steps):
            weights = optimizer.step(qnode, weights)
            spent.append(tracker.total.copies)
            energies.append(float(energy(weights)))
    return np.array(spent), np.array(energies)


runs = {plan.method.name: train(plan.estimator) for plan in (shifts, best)}
for name, (spent, energies) in runs.items():
    energy_path = f"energy {energies[0]:.2f} -> {energies[-1]:.2f}"
    print(f"{name:>16}: {energy_path} for {spent[-1]:,} copies")

# %% Energy against copies spent: both runs take the same path down, the Hadamard test for a sixth of the copies
figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
for (name, (spent, energies)), marker in zip(runs.items(), "os", strict=True):
    axis.plot(spent / 1e6, energies, marker=marker, label=name)
axis.set(
    xlabel="million copies spent", ylabel="energy", title="The same descent, two prices"
)
axis.grid(alpha=0.3)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# Both descend alike, since both gradients are as precise as was asked. One pays a
# sixth.

# %%
(few, by_test), (many, by_shifts) = runs["hadamard-test"], runs["parameter-shift"]
assert many[-1] > 5 * few[-1]
assert abs(by_test[-1] - by_shifts[-1]) < 0.2
assert by_test[-1] < by_test[0] - 1

# %% [markdown]
# ## Where to go from here
#
# - A precision of 0.1 for *all* derivatives with a proof is a lot to ask.
#   [Precision and shots](hardware.md) looks at how many shots are enough in
#   practice, and at noise.
# - `qcgrad advise CIRCUIT --epsilon 0.05` gives the same table for an OpenQASM
#   file, without any Python.
# - In a simulator the exact methods are cheapest: leave `access` out, and `advise`
#   says so.
