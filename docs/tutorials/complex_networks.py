# %% [markdown]
# # Does real backpropagation make my complex network real?
#
# Networks with complex weights are used where data are complex: radio signals, MRI,
# radar, waves. Every framework trains them in the same way, by treating real and
# imaginary parts as two real numbers. That raises a suspicion. If training only
# ever sees real numbers, is the network then anything but an ordinary real network
# with twice the inputs? The answer depends on the activation function and on the
# data, and for yours it can be computed. This tutorial does, and needs three ideas:
# Wirtinger derivatives, tangent kernels, and backward rules.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad import ntk
from theory.complex_ntk.real_limit import (
    answer,
    equivalent_network,
    network,
    normalised,
    stacked,
)

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## Derivatives of functions that have none
#
# A complex function that is differentiable in the sense of complex analysis is
# *holomorphic*, and a holomorphic activation that is bounded is constant
# (Liouville). So useful activations are not holomorphic, and neither is any real
# loss. They have *two* derivatives instead, by z and by its conjugate, as if these
# were independent variables. For |z|² they are the conjugate of z, and z:

# %%
by_z, by_conjugate = nn.wirtinger(lambda z: jnp.abs(z) ** 2)(1.0 + 2.0j)
print("by z:            ", complex(by_z.round(6)))
print("by its conjugate:", complex(by_conjugate.round(6)))
print("jax.grad:        ", complex(jax.grad(lambda z: jnp.abs(z) ** 2)(1.0 + 2.0j)))
print("to descend:      ", complex(nn.conj_grad(lambda z: jnp.abs(z) ** 2)(1.0 + 2.0j)))

# %% [markdown]
# Mind the sign: what `jax.grad` returns is the conjugate of the direction of
# steepest ascent, so subtracting it does not go down. qcgrad's estimates hold the
# other one, as PyTorch does: subtract it.
#
# ## A network, and its gradient
#
# Two hidden layers with the *cardioid*, an activation that keeps the phase of z and
# damps it unless z points along the positive real axis. First check what was said
# above: the gradient by complex weights is the gradient by their real and imaginary
# parts.

# %%
x = jax.random.normal(jax.random.key(0), (20, 6), complex)
y = jax.random.normal(jax.random.key(1), (20, 1), complex)
net = nn.serial(
    nn.Dense(64),
    nn.Cardioid(),
    nn.Dense(64),
    nn.Cardioid(),
    nn.Dense(1),
    nn.Readout("complex"),
)
weights = net.init(jax.random.key(2), (6,))
loss = qg.Loss(
    net.apply, lambda outputs, y: jnp.mean(jnp.abs(outputs - y) ** 2), (x, y), weights
)
e = qg.estimate(loss, weights, qg.Backprop())


def loss_of_parts(real, imaginary):
    merged = jax.tree.map(lambda a, b: a + 1j * b, real, imaginary)
    return jnp.mean(jnp.abs(net.apply(merged, x) - y) ** 2)


parts = jax.grad(loss_of_parts, (0, 1))(
    jax.tree.map(jnp.real, weights), jax.tree.map(jnp.imag, weights)
)
from_parts = jax.tree.map(lambda a, b: a + 1j * b, *parts)
gap = max(
    float(jnp.max(jnp.abs(a - b)))
    for a, b in zip(*map(jax.tree.leaves, (e.gradient, from_parts)), strict=True)
)
print(f"complex gradient and gradient by parts differ by {gap:.0e}")
assert gap < 1e-12

# %% [markdown]
# So complex (Wirtinger) backpropagation *is* real backpropagation. Is the network
# then real?
#
# ## What a wide network learns is in its kernel
#
# The *tangent kernel* says how much a training step on one input moves the output
# on another one. For wide networks it hardly changes during training and is the
# same for every random initialisation, so it decides what is learned: two wide
# networks with the same kernel, trained from the same outputs, learn the same
# function. `net.kernel` gives its limit at infinite width, `ntk.empirical` that of
# one finite network.

# %%
limit = net.kernel(x).ntk
for width in (16, 64):
    hidden = nn.Dense(width), nn.Cardioid(), nn.Dense(width), nn.Cardioid()
    finite = nn.serial(*hidden, nn.Dense(1), nn.Readout("complex"))
    kernels = [
        ntk.empirical(finite.apply, finite.init(jax.random.key(seed), (6,)), x)
        for seed in range(4)
    ]
    away = np.mean(
        [np.linalg.norm(kernel - limit) / np.linalg.norm(limit) for kernel in kernels]
    )
    print(f"width {width:>3}: {100 * away:.0f} % away from the limit")

# %% [markdown]
# With four times the width the distance is about half: it falls as one over the
# square root of the width.
#
# ## The question, and its answer
#
# For every activation there is a real function, `nn.equivalent_real_activation`,
# whose real network would have the same kernel *if* the complex network were a real
# one on inputs (Re x, Im x). `answer` is the distance between the two kernels, 0
# for "it is": of networks with two hidden layers, in the limit of infinite width,
# whose output is read as a real number, and for inputs brought to one norm. We take
# three activations, and turn real data into complex ones by and by: x = a + i t b,
# with t from 0 to 1.

# %%
draw = np.random.default_rng(0)
a, b = draw.normal(size=(2, 16, 5))
activations = {
    "split ReLU": nn.SplitReLU(),
    "modReLU": nn.ModReLU(-0.5),
    "cardioid": nn.Cardioid(),
}
shares = [0.0, 0.25, 0.5, 0.75, 1.0]
distances = {
    name: [answer(one, a + 1j * t * b) for t in shares] for name, one in activations.items()
}
for name, found in distances.items():
    print(f"{name:>10}: {found[0]:.1e} on real data, {found[-1]:.1e} on complex data")

# %% Distance from the real network against the imaginary share of the data: flat for split ReLU, growing for the others
figure, axis = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
for (name, found), marker in zip(distances.items(), "osD", strict=True):
    axis.semilogy(shares, found, marker=marker, label=name)
axis.set(
    xlabel="t: imaginary share of the data",
    ylabel="distance of the tangent kernels",
    title="How real is it?",
)
axis.grid(alpha=0.3)
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# - **Real data** (t = 0): all three are real networks, to the accuracy of the
#   series behind these kernels, about 1e-5.
# - **Split ReLU**, which acts on real and imaginary parts separately, is one for
#   *all* data.
# - **ModReLU and cardioid**, which look at modulus and phase, are not: the more
#   complex the data, the further away.
#
# So: yes for split activations, no for the others once data are complex, although
# both are trained by the same real numbers.

# %%
for name, found in distances.items():
    assert found[0] < 1e-4, name
assert max(distances["split ReLU"]) < 1e-4
assert all(distances[name] == sorted(distances[name]) for name in ("modReLU", "cardioid"))
assert distances["modReLU"][-1] > 0.01
assert distances["cardioid"][-1] > 0.05

# %% [markdown]
# ## Does it matter?
#
# A distance of kernels is abstract. What would the two networks *predict*? Train
# both to the end, in the limit of infinite width (`ntk.gradient_flow`), on twelve
# of the inputs and look at the other four.

# %%
z, target = normalised(a + 1j * b), draw.normal(size=12)
for name, one in activations.items():
    own = np.array(np.real(network(one).kernel(z).ntk))
    real = np.array(equivalent_network(one).kernel(stacked(z)).ntk)
    # An input's kernel with itself is the same in both, and a series falls short of it.
    np.fill_diagonal(real, np.diag(own))
    flows = [
        ntk.gradient_flow(k[:12, :12], target, jnp.inf, test_theta=k[12:, :12])
        for k in (own, real)
    ]
    by_own, by_real = (np.asarray(flow.test) for flow in flows)
    apart = np.linalg.norm(by_own - by_real) / np.linalg.norm(by_real)
    print(f"{name:>10}: {by_own.round(2)}, {by_real.round(2)}: {100 * apart:.2g} % apart")
    assert (apart < 0.01) if name == "split ReLU" else (apart > 0.01)

# %% [markdown]
# ## Half of the chain rule
#
# Some treat an activation as if it were holomorphic and drop the derivative by the
# conjugate. In qcgrad that is a *backward rule*: another way to walk back through
# the network. `Backprop(rule)` also computes the true gradient and says how far off
# the rule is.

# %%
half = qg.estimate(loss, weights, qg.Backprop(nn.HolomorphicBranch()))
cosine = float(half.stats["cosine"])
crossed = ntk.cross(net.apply, weights, x, nn.HolomorphicBranch())
print(f"cosine with the true gradient: {cosine:.3f}")
print(f"smallest eigenvalue of the rule's kernel: {float(crossed.real_descent):+.4f}")
assert 0.5 < cosine < 0.9999
assert crossed.real_descent > 0

# %% [markdown]
# The *cosine* is positive, so a small step with the rule still goes down here.
# `ntk.cross` asks the question for all targets at once: is there any error that a
# step with this rule makes worse? Only if the smallest eigenvalue of the rule's
# kernel is negative, and here it is not.
#
# ## Where to go from here
#
# - Put your own activation and data into `answer`: that is the whole test.
# - [A new backward rule](new_rule.md) writes one, and checks it.
# - `theory/complex_ntk/` derives what was used here, and measures where complex
#   kernels help on digits, radio and radar data.
