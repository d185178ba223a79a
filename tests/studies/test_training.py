"""Training studies on circuits: descent, budgets, seeds; what does not go together."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.library import load_circuit
from qcgrad.studies._over_seeds import grouped
from qcgrad.studies.report import summaries
from qcgrad.studies.spec import SpecError, load_spec, make_spec
from qcgrad.studies.training._circuit_cell import largest_curvature

NAME = "tfim_hva_n3_p1"
SMALL = {
    "circuits": [NAME],
    "methods": ["adjoint"],
    "optimizers": [{"name": "sgd", "learning_rate": 0.02}],
    "steps": 3,
    "seeds": 2,
}


def cells(**changes):
    return make_spec({"training": {"circuits": [{**SMALL, **changes}]}}).cells()


def test_values_are_those_of_descent_and_costs_add_up():
    (cell,) = cells()  # nothing is drawn: a single one
    record = cell.compute()
    known = load_circuit(NAME)
    at, values, costs = np.asarray(known.params), [], []
    for _ in range(3):
        found = qg.estimate(known.objective, at, qg.Adjoint())
        values.append(float(found.value))
        costs.append(found.cost)
        at = at - 0.02 * np.asarray(found.gradient)
    values.append(float(qg.estimate(known.objective, at, qg.Adjoint()).value))
    assert record["along"]["step"] == [0, 1, 2, 3]
    assert record["along"]["loss"] == pytest.approx(values, rel=1e-9)
    assert record["along"]["flops"][-1] == record["total"]["flops"] == sum(costs).flops
    assert record["ended"] == "steps exhausted"


def test_a_budget_of_copies_is_kept():
    first, second = (
        cell.compute() for cell in cells(methods=[{"name": "parameter-shift", "shots": 10}], copies=500, steps=9)
    )
    assert first["total"]["copies"] <= 500
    assert first["ended"] == "budget exhausted"
    assert first["along"]["copies"] == sorted(first["along"]["copies"])
    assert first["along"]["loss"][0] == second["along"]["loss"][0]
    assert first["along"]["loss"][-1] != second["along"]["loss"][-1]


@pytest.mark.parametrize(
    "twice",
    [
        {"methods": ["adjoint", "adjoint"]},
        {"optimizers": 2 * SMALL["optimizers"]},
        {"optimizers": [{"name": "sgd", "learning_rate": [0.02, 0.02]}]},
        {"optimizers": [{"name": "sgd", "learning_rate": rate} for rate in (1, 1.0)]},
    ],
)
def test_what_is_named_twice_is_done_once(twice):
    assert len(cells(**twice)) == 1


def test_parts_that_overlap_count_once():
    spec = make_spec({"training": {"circuits": [SMALL, SMALL | {"circuits": [NAME, "tfim_hva_n4_p2"]}]}})
    record = next(iter(spec.cells())).compute()
    (shown,) = summaries(spec, [(cell, record) for cell in spec.cells()])
    assert len(shown.tables[0].columns[0].shown) == 2
    groups = grouped((cell, record) for cell in set(spec.cells()))
    assert [len(group) for group in groups.values()] == [1, 1]


def test_minimisations_are_told_apart_by_what_differs():
    changes = ({}, {"observable": "ZZI"}, {"start": "random", "seeds": 1}, {"steps": 2})
    spec = make_spec({"training": {"circuits": [SMALL | change for change in changes]}})
    record = next(iter(spec.cells())).compute()
    (shown,) = summaries(spec, [(cell, record) for cell in spec.cells()])
    told = [column.heading for column in shown.tables[0].columns[3:6]]
    assert told == ["observable", "start", "steps\nallowed"]
    labels = [curve.label for curve in shown.figures[0].panels[-1].curves]
    assert len(set(labels)) == len(labels) == 4
    assert len({cell.label for cell in spec.cells()}) > 1


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"methods": ["parameter-shift"]}, [5]),
        ({"methods": ["parameter-shift"], "optimizers": ["gcans"]}, [5, 7]),
        ({"methods": [{"name": "parameter-shift", "shots": 10}]}, [5, 7]),
        ({"methods": ["spsa"]}, [5, 7]),
        ({"start": "random"}, [5, 7]),
        ({"start": "random", "seeds": 2}, [0, 1]),
    ],
)
def test_seeds_are_numbers_or_so_many_and_count_where_something_is_drawn(change, found):
    assert [cell.data["repetition"] for cell in cells(**{"seeds": [5, 7, 5], **change})] == found


def test_random_starts_differ_by_seed():
    one, other = (cell.compute() for cell in cells(start="random", steps=1))
    assert one["along"]["loss"][0] != other["along"]["loss"][0]


def test_optimisers_that_ask_for_shots_need_methods_that_take_them():
    asking = {"name": "gcans", "lipschitz": 1.0}
    spec = make_spec({"training": {"circuits": [{**SMALL, "optimizers": [asking]}]}})
    (cell,) = spec.cells()
    record = cell.compute()
    assert "takes no shots" in record["refused"]
    (shown,) = summaries(spec, [(cell, record)])
    assert [column.shown[0] for column in shown.tables[0].columns[:2]] == ["adjoint, gcans (lipschitz=1.0)", NAME]


@pytest.mark.slow
def test_curvature_is_that_around_the_start():
    """cos(t) + cos(u)/2 bends by one at most, at zero; angles 0.3 and even 0.9 away from it are still steep."""
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).ry(1, param=1), {"ZI": 1.0, "IZ": 0.5})
    assert 0.6 < largest_curvature(objective, np.zeros(2)) <= 1


def test_files_lie_beside_the_spec(tmp_path):
    (tmp_path / "mine.qasm").write_text("OPENQASM 3.0; input float a; qubit q; ry(a) q;")
    (tmp_path / "study.toml").write_text(
        """
        [[training.circuits]]
        circuits = ["mine.qasm"]
        methods = ["adjoint"]
        optimizers = ["gcans"]
        """
    )
    (cell,) = load_spec(tmp_path / "study.toml").cells()
    assert (cell.circuit, cell.path) == ("mine.qasm", str(tmp_path / "mine.qasm"))
    assert cell.load().num_angles == 1


def test_limits_make_a_study_smaller():
    training = make_spec({"training": {"circuits": [SMALL | {"circuits": [NAME, "tfim_hva_n4_p2"]}]}}).training
    assert training is not None
    assert training.within(2) is None
    smaller = training.within(3)
    assert smaller is not None
    assert smaller.circuits[0].circuits == (NAME,)
    assert len(list(training.quick().cells(0))) < len(list(training.cells(0)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["adjoin"]}, "did you mean 'adjoint'"),
        ({"optimizers": ["gcan"]}, r"training.circuits.0.optimizers: optimizer 'gcan'.* did you mean 'gcans'"),
        ({"optimizers": [{"name": "icans", "learning_rate": 0}]}, "icans: learning_rate=0: give a positive number"),
        ({"optimizers": [{"name": "icans", "lipschitz": -1.0}]}, "icans: lipschitz=-1.0: give a positive number"),
        ({"optimizers": [{"name": "icans", "min_shots": 1}]}, "icans: min_shots=1"),
        ({"optimizers": [{"name": "sgd"}]}, "sgd needs learning_rate"),
        ({"start": "zero"}, "training.circuits.0.start: Input should be 'given' or 'random'"),
        ({"copies": 0}, "training.circuits.0.copies: .*greater than or equal to 1"),
        ({"steps": 10**9}, "training.circuits.0.steps: .*less than or equal to"),
        ({"observable": "ZQ"}, "training.circuits.0.observable: observable 'ZQ'"),
        ({"network": 1}, "training.circuits.0.network: no such field"),
    ],
)
def test_wrong_fields_are_named(change, message):
    with pytest.raises(SpecError, match=message):
        make_spec({"training": {"circuits": [{**SMALL, **change}]}})


def test_nothing_to_train_is_refused():
    with pytest.raises(SpecError, match=r"training: nothing to train: give \[\[training.circuits\]\]"):
        make_spec({"training": {}})
