# %% [markdown]
# # A new backward rule
#
# Backpropagation sends errors down a network through the transposed weights of
# every layer. Brains cannot do this, since a synapse does not know the weight of
# another one; analogue and distributed hardware would rather not. So there are
# other *backward rules*: feedback through random weights, through signs of weights,
# straight to every layer. How far off are they, and do they still learn? This
# tutorial writes a rule that is not in qcgrad, lets it be checked, and measures
# both.
#
# The rule is *phase feedback*: for complex weights the generalisation of
# sign-concordant feedback ([Liao, Leibo and Poggio,
# 2016](https://arxiv.org/abs/1510.05067)). The way back knows the phase of each
# weight, but not its size.

# %%
import textwrap

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.testing import check_rule

jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## Three hooks
#
# On its way back through a layer, backpropagation does three things: it has
# *stored* something of the forward pass, it *sends* a signal down to the layer
# below, and it *keeps* a gradient for the layer's own weights. A `LayerRule` may
# replace any of the three, and each is exact by default: the empty rule is
# backpropagation.
#
# Phase feedback changes what is sent. Where a layer has weights, the signal goes
# through weights of the same phase that all have one size, the root mean square of
# the true ones:


# %%
class PhaseFeedback(nn.LayerRule):
    """Signals travel down through weights that know phases only."""

    def send(self, layer, params, residual, cotangent):
        return super().send(layer, jax.tree.map(without_sizes, params), residual, cotangent)


def without_sizes(w):
    size = jnp.abs(w)
    return jnp.where(size > 0, w / jnp.where(size > 0, size, 1), 0) * jnp.sqrt(
        jnp.mean(size**2)
    )


# %% [markdown]
# `check_rule` tries it on small networks that show the usual mistakes, real,
# complex and on images, and says what each of them tests:

# %%
for passed in check_rule(PhaseFeedback()):
    print("passed:", passed.split(":")[0])

# %% [markdown]
# It passes although its gradient is wrong: it does not claim to be right. A rule
# declares what it is (`is_exact`, `is_unbiased`, `is_random`, `stateful`), and is
# held to that. This one claims too much:


# %%
class Boastful(PhaseFeedback):
    """Claims to be backpropagation."""

    is_exact = True


try:
    check_rule(Boastful())
except AssertionError as complaint:
    print(textwrap.fill(str(complaint), 84))
else:
    raise AssertionError("a false claim went through")

# %% [markdown]
# ## How far off?
#
# `Backprop(rule)` is an estimator like any other. For a rule that is not exact it
# also computes the true gradient, and reports the distance as `bias_bound`, and the
# *alignment*, the cosine of the angle between the two. Positive means that a small
# step still goes down. Beside ours: feedback through fixed random weights, which
# know nothing at all.

# %%
x = jax.random.normal(jax.random.key(0), (64, 8), complex)
teacher = nn.serial(nn.Dense(16), nn.SplitTanh(), nn.Dense(1))
y = teacher.apply(teacher.init(jax.random.key(1), (8,)), x)

net = nn.serial(nn.Dense(16), nn.SplitTanh(), nn.Dense(16), nn.SplitTanh(), nn.Dense(1))
weights = net.init(jax.random.key(2), (8,))
loss = qg.Loss(net.apply, lambda out, y: jnp.mean(jnp.abs(out - y) ** 2), (x, y), weights)

rules = {
    "phase feedback": PhaseFeedback(),
    "random feedback": nn.FeedbackAlignment.init(net, (8,), jax.random.key(3)),
}
found = {
    name: qg.estimate(loss, weights, qg.Backprop(rule)) for name, rule in rules.items()
}
for name, e in found.items():
    print(f"{name}: alignment {float(e.stats['cosine']):+.2f}, {e.cost.flops:,} FLOPs")
assert found["phase feedback"].stats["cosine"] > found["random feedback"].stats["cosine"]

# %% [markdown]
# Which derivatives are off? Those of all layers but the last one, whose gradient
# uses the error itself, which no feedback has touched:

# %%
for path, bound in jax.tree_util.tree_leaves_with_path(found["phase feedback"].bias_bound):
    furthest = float(jnp.max(bound))
    print(f"weights{jax.tree_util.keystr(path)}: at most {furthest:.1e} from the truth")
assert furthest < 1e-12  # of the last layer

# %% [markdown]
# An alignment is about one error. The *cross kernel* of a rule, J Ĵᴴ, is about all
# of them: it says how a step along the rule's gradient moves the outputs. If
# `real_descent`, the smallest eigenvalue of its symmetric part, is not negative,
# then no errors exist for which a small step makes the loss rise.

# %%
descents = {
    name: float(ntk.cross(net.apply, weights, x[:8], rule).real_descent)
    for name, rule in rules.items()
}
for name, descent in descents.items():
    print(f"{name:>16}: {descent:+.4f}")
assert descents["random feedback"] < 0 < descents["phase feedback"]

# %% [markdown]
# ## Does it learn?
#
# Plain gradient descent, from the same weights, with each rule and with
# backpropagation. The alignment is written down on the way.


# %%
def train(rule=None, steps=300, rate=0.1):
    def step(current, _):
        e = qg.estimate(loss, current, qg.Backprop(rule))
        moved = jax.tree.map(lambda w, g: w - rate * g, current, e.gradient)
        return moved, (e.value, e.stats.get("cosine", 1.0))

    _, (losses, cosines) = jax.lax.scan(step, weights, length=steps)  # one program
    return np.asarray(losses), np.asarray(cosines)


runs = {"backpropagation": train()} | {name: train(rule) for name, rule in rules.items()}
for name, (losses, cosines) in runs.items():
    turned = f"alignment {cosines[0]:+.2f} -> {cosines[-1]:+.2f}"
    print(f"{name:>16}: loss {losses[0]:.2f} -> {losses[-1]:.4f}, {turned}")

# %% Loss and alignment against steps: phase feedback falls with backpropagation, random feedback stays behind
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for name, (losses, cosines) in runs.items():
    left.semilogy(losses, label=name)
    right.plot(cosines, label=name)
left.set(xlabel="steps", ylabel="loss", title="The same network, three ways back")
right.set(
    xlabel="steps",
    ylabel="cosine with the true gradient",
    title="Alignment on the way",
    ylim=(-0.1, 1.05),
)
left.legend(frameon=False)
for axis in (left, right):
    axis.grid(alpha=0.3)
plt.show()

# %% [markdown]
# Phase feedback learns nearly as fast as backpropagation: in this network the
# phases of the weights are most of what the way back needs. Random feedback falls
# behind. Its alignment stays near a third, and by its negative eigenvalue there are
# errors for which its steps climb. (Feedback alignment owes its name to weights
# that turn towards the feedback as they train. Here they do not, as the right panel
# shows.)

# %%
final = {name: losses[-1] for name, (losses, _) in runs.items()}
assert final["phase feedback"] < 1.3 * final["backpropagation"]
assert final["random feedback"] > final["phase feedback"]
assert 0.2 < runs["random feedback"][1].min() < runs["random feedback"][1].max() < 0.5
assert final["backpropagation"] < runs["backpropagation"][0][0] / 10

# %% [markdown]
# ## Where to go from here
#
# - A rule that draws at random sets `is_random` and says in `drawn(key)` what it
#   draws; `check_rule` then compares the mean of 4096 draws with the truth. One
#   that learns, such as feedback that follows the weights, sets `stateful` and
#   writes `after`.
# - A rule for activations alone derives from `ActivationRule`, and where it keeps
#   constant shares of both Wirtinger branches it has a kernel at infinite width:
#   `net.kernel(x, rule=...)`.
# - [Does real backpropagation make my complex network real?](complex_networks.md)
#   explains tangent kernels.
