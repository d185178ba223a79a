"""Networks that learn in studies: tasks, choices by name, the loop, what rules are found to be."""

import dataclasses
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import catalogue
from qcgrad import networks as nn
from qcgrad.errors import NotApplicable
from qcgrad.studies._over_seeds import against, quartiles
from qcgrad.studies.choices import checked, instances
from qcgrad.studies.learning import _tasks as tasks
from qcgrad.studies.learning._cell import as_seen
from qcgrad.studies.learning._digits import digits
from qcgrad.studies.learning._names import Names
from qcgrad.studies.learning._networks import Architecture, Architectures
from qcgrad.studies.report import summaries
from qcgrad.studies.spec import SpecError, make_spec

SMALL = {
    "tasks": ["modulation"],
    "activations": ["cardioid"],
    "widths": [3],
    "depths": [1],
    "sigma_b": 0.0,
    "optimizers": [{"name": "sgd", "learning_rate": 0.1}],
    "steps": 4,
    "batch": 8,
    "examples": 8,
    "tests": 8,
    "seeds": 1,
    "points": 3,
}


class Scaled(nn.AbstractRule):
    """So many times the true gradient.

    Args:
        factor: how many times.
    """

    factor: float = eqx.field(static=True, default=1.0)

    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        return value, jax.tree.map(lambda g: self.factor * g, gradient)


class Now(nn.AbstractRule):
    """Twice the true gradient, or nothing."""

    is_random = True
    is_unbiased = True

    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        drawn = 2.0 * jax.random.bernoulli(jax.random.wrap_key_data(jnp.asarray(key)))
        return value, jax.tree.map(lambda g: drawn * g, gradient)


class Learner(nn.AbstractRule):
    """The true gradient times the number of the step.

    Args:
        count: of the first step.
    """

    count: jax.Array

    stateful = True

    @classmethod
    def init(cls, network, shape, key, first: float = 1.0):
        return cls(jnp.asarray(first))

    def value_and_gradient(self, task, weights, key):
        value, gradient = jax.value_and_grad(task.value)(weights)
        return value, jax.tree.map(lambda g: self.count.astype(g.real.dtype) * g, gradient)

    def after(self, task, weights, gradient, key):
        return Learner(self.count + 1)


@pytest.fixture
def exported(monkeypatch):
    """The rules above, as the package would export them."""
    mine = {rule.__name__: rule for rule in (Scaled, Now, Learner)}
    for name, rule in mine.items():
        monkeypatch.setattr(nn, name, rule, raising=False)
    monkeypatch.setattr(nn, "__dir__", lambda: [*nn.__all__, *mine], raising=False)


def computed(**fields):
    spec = make_spec({"rules": {**SMALL, **fields}})
    return spec, [(cell, cell.compute()) for cell in spec.cells()]


def loss_after(cell, rates) -> float:
    """The loss after a step with each rate of gradient descent on all examples, by jax.grad."""
    problem, start, *_ = cell.setting(None)

    def loss(weights):
        return problem.loss_fn(problem.network.apply(weights, problem.data.x), problem.data.y)

    weights = start.weights
    for rate in rates:
        weights = jax.tree.map(lambda w, g, rate=rate: w - rate * jnp.conj(g), weights, jax.grad(loss)(weights))
    return float(loss(weights))


def test_a_rule_that_is_exported_is_studied_by_its_name(exported):
    """Scaled gradients point the same or the opposite way, and their relative bias is |factor - 1|."""
    _, found = computed(rules=[{"name": "scaled", "factor": [0.5, -1.0]}], inputs=1)
    half, opposite = (record for _, record in found)
    assert half["along"]["cosine"] == pytest.approx([1, 1, 1])
    assert half["along"]["bias"] == pytest.approx([0.5, 0.5, 0.5])
    assert opposite["along"]["cosine"] == pytest.approx([-1, -1, -1])
    assert opposite["along"]["bias"] == pytest.approx([2, 2, 2])
    assert opposite["along"]["loss"][2] > opposite["along"]["loss"][0] > half["along"]["loss"][2]
    assert half["descent"] == [None, None]
    assert "Scaled has no Jacobian" in half["descent_unknown"]


def test_a_study_that_names_no_rules_has_all_that_need_no_option(exported):
    spec = make_spec({"rules": {**SMALL}})
    assert {"scaled", "learner", "full-wirtinger"} <= {cell.rule for cell in spec.cells()}


RULE = '''
import jax
from qcgrad import networks as nn

class Halved(nn.LayerRule):
    """Half of the signal at every layer."""

    def send(self, layer, params, residual, cotangent):
        return super().send(layer, params, residual, cotangent) / 2
'''
ENTRIES = "[qcgrad.rules]\nhalved = toy_rule:Halved\nnone = toy_rule:jax\n"


def test_a_rule_of_an_installed_package_is_studied_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "toy_rule.py").write_text(RULE)
    info = tmp_path / "toy_rule-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-rule\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    catalogue._foreign_rules.cache_clear()
    try:
        with pytest.warns(UserWarning, match="rule none of toy_rule:jax is left out: .* is no class of a qcgrad.net"):
            (cell,) = make_spec({"rules": {**SMALL, "rules": ["halved"]}}).cells()
        assert cell.rule == "halved"
        assert isinstance(cell.setting(None).start.rule, nn.LayerRule)
    finally:
        catalogue._foreign_rules.cache_clear()


@pytest.mark.slow
def test_cosine_and_variance_of_a_rule_that_draws_are_those_of_one_pass(exported):
    """With the mean 1 + m of the draws 0 and 2, the variance is 1 - m^2 and the cosine sqrt((1 + m)/2), exactly."""
    _, ((_, record),) = computed(rules=["now"], draws=16, inputs=0)
    for cosine, variance in zip(record["along"]["cosine"], record["along"]["variance"], strict=True):
        assert variance * 15 / 16 == pytest.approx(1 - (2 * cosine**2 - 1) ** 2)
    assert record["descent"] == []


@pytest.mark.slow
def test_a_rule_that_learns_is_handed_on_from_step_to_step(exported):
    """Step k of 1, 2, 3, 4 goes k times as far: as far as descent with these rates."""
    _, ((cell, record),) = computed(rules=["learner"], inputs=0)
    assert record["along"]["loss"][-1] == pytest.approx(loss_after(cell, [0.1, 0.2, 0.3, 0.4]), rel=1e-9)


def test_the_loop_descends_the_true_gradient_and_counts_what_it_costs():
    spec = make_spec({"training": {"networks": [{**SMALL, "rules": ["full-wirtinger"]}]}})
    (cell,) = spec.cells()
    record = cell.compute()
    assert record["along"]["step"] == [0, 1, 4]
    assert record["along"]["loss"][-1] == pytest.approx(loss_after(cell, 4 * [0.1]), rel=1e-9)
    problem, start, *_ = cell.setting(None)
    cost = qg.estimate(problem.loss(), start.weights, qg.Backprop(nn.FullWirtinger())).cost
    assert record["gradient"]["flops"] == cost.flops > 0
    assert record["total"]["flops"] == 4 * cost.flops
    assert record["total"]["peak_bytes"] == cost.peak_bytes > 0


@pytest.mark.slow
def test_a_training_that_diverges_ends_and_is_recorded(exported):
    spec, found = computed(rules=[{"name": "scaled", "factor": -1e200}], inputs=0)
    ((_, record),) = found
    assert record["finite_steps"] < 4
    assert record["along"]["loss"][-1] is record["along"]["score"][-1] is None
    json.dumps(record, allow_nan=False)
    assert "diverged" in summaries(spec, found)[0].tables[0].columns[-1].shown[0]


@pytest.mark.parametrize("study", ["rules", "training"])
def test_a_training_that_diverged_is_not_shown_as_if_it_had_not(study):
    """Of two that are alike, one diverges after its second step."""
    fields = {**SMALL, "rules": ["full-wirtinger"], "seeds": 2}
    spec = make_spec({study: fields} if study == "rules" else {study: {"networks": [fields]}})
    good, bad = spec.cells()
    cost = {"flops": 10, "peak_bytes": 100}
    seen = {"loss": [4.0, 2.0, 1.0], "score": [0.5, 0.4, 0.3], "cosine": 3 * [1.0], "bias": 3 * [0.0]}
    along = seen | {"step": [0, 1, 4], "variance": 3 * [0.0]}
    whole = {"gradient": cost, "backprop": cost, "total": cost, "seconds_per_step": 0.1, "metric": "error"}
    whole |= {"finite_steps": 4, "along": along, "descent": [], "descent_unknown": ""}
    lost = {name: [*values[:2], None] for name, values in along.items()} | {"step": [0, 1, 3]}
    broken = whole | {"finite_steps": 2, "along": lost}
    for found, word in (([(good, whole), (bad, broken)], "1 of 2"), ([(bad, broken)], "diverged")):
        (shown,) = summaries(spec, found)
        columns = {column.heading: column for column in shown.tables[0].columns}
        assert word in columns["loss"].shown[0]
        assert word in columns["error\nof tests"].shown[0]
        assert "others diverged" in columns["seeds"].shown[0]
        assert columns["seeds"].is_essential
        (panel,) = shown.figures[0].panels  # there is no end to show
        assert max(panel.curves[0].x) < 30 if study == "training" else panel.x_label == "step"


def test_networks_are_told_apart_by_what_differs():
    fields = {**SMALL, "rules": ["full-wirtinger"]}
    changes = ({}, {"loss": "cross-entropy"}, {"steps": 3}, {"batch": 4}, {"sigma_w": 0.5}, {"examples": 9})
    spec = make_spec({"training": {"networks": [fields | change for change in changes]}})
    names = Names(spec.cells())
    assert len({names.curve(cell) for cell in spec.cells()}) == len(changes)


def test_rules_that_are_not_for_a_network_are_recorded_with_the_reason():
    spec, found = computed(rules=["stochastic-backprop", "full-wirtinger"], inputs=0)
    refused = [record for _, record in found if "refused" in record]
    assert "use convolutions" in refused[0]["refused"]
    (shown,) = summaries(spec, found)
    costs, aligned, left_out = shown.tables
    assert costs.columns[1].shown == aligned.columns[1].shown == ("full-wirtinger",)
    assert left_out.columns[0].shown == ("stochastic-backprop",)


@pytest.mark.parametrize("domain", ["pixels", "spectrum", "half-spectrum"])
def test_digits_have_mean_square_one_and_follow_their_seed(domain):
    task = digits(3, 20, domain)
    assert np.mean(np.abs(task.x.reshape(20, -1)) ** 2, axis=1) == pytest.approx(np.ones(20))
    assert np.array_equal(task.x, digits(3, 20, domain).x)
    assert not np.array_equal(task.y, digits(4, 20, domain).y)
    assert np.iscomplexobj(task.x) == (domain != "pixels")


def test_half_of_the_spectrum_keeps_angles_between_images():
    whole, half = (digits(0, 6, domain).x.reshape(6, -1) for domain in ("pixels", "half-spectrum"))
    grams = [np.real(x @ x.conj().T) / x.shape[1] for x in (whole, half)]
    assert grams[1] == pytest.approx(grams[0])


def test_every_generator_is_a_task():
    assert set(tasks.known()) == {
        *("digits", "fir-channel", "improper-noise", "modulation"),
        *("phase-recovery", "polsar", "saleh-channel"),
    }
    for name in tasks.known():
        data = tasks.load(name, "{}", 6, 4, 0)
        assert (len(data.x), len(data.y), len(data.test_x), len(data.test_y)) == (6, 6, 4, 4)


def test_real_networks_see_complex_data_as_pairs():
    """A squared error is that of complex predictions for both."""
    data = tasks.load("fir-channel", "{}", 6, 4, 0)
    networks = {name: architecture(activation=name) for name in ("tanh", "cardioid")}
    real, whole = (as_seen(data, network) for network in networks.values())
    assert (real.x.shape, real.y.shape) == ((6, 16), (6, 2))
    assert (whole.x.shape, whole.y.shape) == ((6, 8), (6, 1))
    assert np.array_equal(real.y[:, 0] + 1j * real.y[:, 1], whole.y[:, 0])
    guess = np.random.default_rng(0).normal(size=(4, 2))
    assert real.metric(guess, real.test_y) == pytest.approx(
        whole.metric(guess[:, :1] + 1j * guess[:, 1:], whole.test_y)
    )


def architecture(**changes) -> Architecture:
    first = next(Architectures(activations=("cardioid",)).architectures())
    return dataclasses.replace(first, **changes)


def test_convolutions_see_positions_and_refuse_others():
    conv = architecture(layer="conv-1d", layer_options='{"filter_shape": [3]}')
    windows = as_seen(tasks.load("modulation", "{}", 6, 4, 0), conv)
    assert windows.x.shape == (6, 16, 1)
    assert conv.build((16, 1), 3, complex_outputs=False).output_shape((16, 1)) == (3,)
    with pytest.raises(NotApplicable, match="conv-1d does not fit inputs of shape \\(8, 8, 1\\)"):
        conv.build((8, 8, 1), 3, complex_outputs=False)


def test_lists_are_grids_unless_an_option_takes_one():
    known = tasks.known()
    one = {"name": "modulation", "constellations": ["psk4", "qam16"], "window": [8, 16]}
    found = checked(one, known, "task")
    assert len(list(instances(found))) == 2
    assert checked(json.loads(json.dumps(found)), known, "task") == found
    two = {"name": "modulation", "constellations": [["psk4", "qam16"], ["psk2", "psk4"]]}
    assert len(list(instances(checked(two, known, "task")))) == 2


def test_a_budget_leads_to_the_last_number_that_it_pays_for():
    found = against([([0, 1, 10, 100], [9.0, 8.0, 7.0, 6.0]), ([0, 1, 100], [5.0, 4.0, 2.0])])
    numbers = {budget: each.median for budget, each in found}
    assert (min(numbers), max(numbers)) == (1, 100)
    assert numbers[1] == 6.0
    assert numbers[100] == 4.0
    assert next(m for budget, m in numbers.items() if 10 < budget < 20) == 5.5
    assert against([([0, 0], [1.0, 2.0])]) == []
    assert quartiles([None, 1.0, 3.0]) == (2.0, 1.5, 2.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"rules": ["holomorphic-brunch"]},
            r"rules.rules: rule 'holomorphic-brunch'.* did you mean 'holomorphic-branch'",
        ),
        ({"rules": [{"name": "stochastic-backprop", "keep_ratio": 2}]}, "stochastic-backprop: keep_ratio is 2"),
        ({"rules": [{"name": "stochastic-backprop", "key": 2}]}, "has no option 'key': it has keep_ratio, cells"),
        ({"rules": [{"name": "feedback-alignment", "feedback": 2}]}, "has no option 'feedback': it has none"),
        ({"rules": [{"name": "stochastic-backprop", "cells": []}]}, "cells is an empty list"),
        ({"rules": []}, "rules.rules: give at least one"),
        ({"rules": [{"cells": 2}]}, "give the name of a rule"),
        ({"tasks": [{"name": "modulation", "window": 10**12}]}, "window=1000000000000: give at most 1,024"),
        ({"depths": [10**6]}, "rules.depths: 1000000 given: give at most 200"),
        ({"tasks": ["digit"]}, r"rules.tasks: task 'digit'.* did you mean 'digits'"),
        ({"tasks": [{"name": "modulation", "window": 0}]}, "modulation: window=0: give an integer >= 1"),
        ({"tasks": [{"name": "digits", "domain": "fft"}]}, "digits: domain='fft': give 'pixels'"),
        ({"tasks": ["digits"], "examples": 1797}, "digits has 1797 samples"),
        ({"activations": ["modrely"]}, "rules.activations: activation 'modrely'.* did you mean 'modrelu'"),
        ({"activations": ["modrelu"]}, "modrelu needs b: "),
        ({"activations": ["generic"]}, "activation 'generic' is not known"),
        ({"layers": ["flatten"]}, "rules.layers: layer 'flatten' is not known"),
        ({"layers": ["conv-2d"]}, "conv-2d needs filter_shape"),
        ({"layers": [{"name": "conv-2d", "filter_shape": [3]}]}, "conv-2d: .*filter_shape"),
        ({"widths": [0]}, "rules.widths: give positive integers"),
        ({"optimizers": [{"name": "adam"}]}, "adam needs learning_rate: "),
        ({"optimizers": [{"name": "adam", "learning_rate": -1}]}, "learning_rate=-1: give a positive number"),
        ({"optimizers": [{"name": "adam", "learning_rate": "x"}]}, "learning_rate='x': give a positive number"),
        ({"optimizers": [{"name": "adan", "learning_rates": 1}]}, "adan has no option 'learning_rates'"),
        ({"optimizers": [{"name": "lbfgs", "learning_rate": 0.1}]}, "lbfgs: it makes no step from a gradient"),
        ({"optimizers": ["gcans"]}, "rules.optimizers: optimizer 'gcans' is not known"),
        ({"loss": "square"}, "rules.loss: Input should be 'squared' or 'cross-entropy', and not 'square'"),
        ({"batch": 9}, "rules: batch is 9, but there are 8 examples"),
        ({"draws": 1}, "rules.draws: "),
        ({"step": 3}, "rules.step: no such field, did you mean 'steps'"),
    ],
)
def test_wrong_fields_are_named(change, message):
    with pytest.raises(SpecError, match=message):
        make_spec({"rules": {**SMALL, **change}})
