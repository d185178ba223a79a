"""Accuracy studies: grids over accuracies, noise, backends, observables and seeds, and what they show."""

import json

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.catalogue import methods
from qcgrad.objective import point_at
from qcgrad.studies.export import FlatRows
from qcgrad.studies.gradients import Gradients
from qcgrad.studies.spec import SpecError, make_spec, read_spec
from qcgrad.studies.store import Store
from theory.statistics import counts, normal, shifted

CIRCUIT = "tfim_hva_n3_p1"
METHODS = ["adjoint", "parameter-shift", {"name": "parameter-shift", "shots": [100, 200]}]


def gradients(**fields) -> Gradients:
    return Gradients.model_validate({"circuits": [CIRCUIT], "methods": METHODS, **fields})


def test_every_list_is_a_grid_and_cells_with_no_meaning_are_left_out():
    kind = gradients(
        observable=["ZZI", "XII"], epsilon=[0.3, 0.2], delta=[0.1, 0.05], noise=[[], ["depolarizing=0.01"]], seeds=2
    )
    cells = list(kind.cells(5))
    assert len({cell.label for cell in cells}) == len({json.dumps(cell.data) for cell in cells}) == len(cells)
    by_method = {
        name: [cell for cell in cells if (cell.method, cell.options) == name]
        for name in (("adjoint", "{}"), ("parameter-shift", "{}"), ("parameter-shift", '{"shots": 100}'))
    }
    # Exact methods know neither accuracy nor noise; options that are given stand beside accuracies.
    assert [len(found) for found in by_method.values()] == [2 * 2, 2 * 2 * 4 * 2, 2 * 2 * 2]
    exact, sized, fixed = by_method.values()
    assert {(cell.epsilon, cell.noise) for cell in exact} == {(None, None)}
    assert {(cell.epsilon, cell.delta) for cell in sized} == {(e, d) for e in (0.3, 0.2) for d in (0.1, 0.05)}
    assert {cell.noise for cell in fixed} == {None, ("depolarizing=0.01",)}
    assert {cell.seed for cell in cells} == {5, 6}
    assert {cell.observable for cell in cells} == {"ZZI", "XII"}


def test_one_value_is_a_list_of_one_and_a_list_of_words_is_one_noise():
    kind = gradients(epsilon=0.3, delta=0.1, noise=["depolarizing=0.01", "readout-error=0.02"], observable="ZZI")
    assert (kind.epsilon, kind.delta, kind.observable) == ((0.3,), (0.1,), ("ZZI",))
    assert kind.noise == (("depolarizing=0.01", "readout-error=0.02"),)
    assert gradients(noise="depolarizing=0.01").noise == (("depolarizing=0.01",),)


def test_a_spec_is_the_same_after_it_was_kept():
    spec = make_spec({"gradients": gradients(epsilon=0.3, noise=[[], ["depolarizing=0.01"]], seeds=3).model_dump()})
    again = read_spec(spec.model_dump_json(), "it")
    assert again == spec
    assert [cell.data for cell in again.cells()] == [cell.data for cell in spec.cells()]


@pytest.mark.statistical
def test_an_accuracy_takes_the_cheapest_instance_and_keeps_its_promise():
    (cell,) = gradients(methods=["parameter-shift"], epsilon=0.3, delta=0.1, seeds=[shifted(0)], trials=200).cells(0)
    record, circuit = cell.compute(), cell.load()
    point, _ = point_at(circuit.objective, circuit.params)
    epsilon = 0.3 * np.linalg.norm(circuit.ranges)
    cheapest = methods()["parameter-shift"].make.for_accuracy(point, epsilon, 0.1)
    assert record["setting"] == cheapest.shots
    assert record["gradient"]["copies"] == cheapest.predict(point).copies
    assert record["missed"] <= counts(200, 0.1)[1]


@pytest.mark.slow
@pytest.mark.statistical
def test_errors_on_noisy_devices_are_those_to_the_gradient_without_noise():
    method = {"name": "parameter-shift", "shots": 20_000}
    noise = "readout-error=0.25"
    (cell,) = gradients(methods=[method], noise=noise, seeds=[shifted(1)], trials=10).cells(0)
    record, circuit = cell.compute(), cell.load()
    model = qg.NoiseModel().add_readout(qg.ReadoutError(0.25))
    bias = np.asarray(qg.noise_bias(circuit.objective, circuit.params, model).gradient)
    found = record["rms_error"] ** 2 - record["reported_standard_error"] ** 2
    # The mean square is that of the bias, and of samples whose products with it average out.
    spread = 2 * np.sqrt(np.mean(bias**2)) * record["reported_standard_error"] / np.sqrt(10)
    assert found == pytest.approx(np.mean(bias**2), abs=normal() * spread)
    assert np.mean(bias**2) > 10 * normal() * spread
    assert record["bias_bound"] >= np.max(np.abs(bias))


def test_backends_by_name_give_what_they_simulate():
    shift = [{"name": "parameter-shift", "shots": 50}]
    fields = {"noise": [[], ["depolarizing=0.01"]], "backends": ["statevector", "density-matrix"]}
    named, noisy = gradients(methods=shift, **fields, trials=2).cells(0)
    (default,) = gradients(methods=shift, trials=2).cells(0)
    assert [(cell.backend, cell.noise) for cell in (named, noisy)] == [
        ("statevector", None),
        ("density-matrix", ("depolarizing=0.01",)),
    ]
    assert named.compute() == default.compute()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epsilon": 2}, "epsilon: 2.0 given: give numbers greater than 0 and less than 1"),
        ({"delta": [0.1, 0]}, "delta: 0.0 given"),
        ({"delta": []}, "delta: give at least one"),
        ({"noise": "depolarising=0.1"}, "noise: noise 'depolarising=0.1'"),
        ({"noise": [["depolarizing=0.1"], ["depolarizing=2"]]}, "noise: noise 'depolarizing=2'"),
        ({"backends": ["statevectr"]}, "backends: backend 'statevectr' is not known: did you mean 'statevector'"),
        ({"backends": ["autodiff"]}, "backend 'autodiff' is not known"),
        ({"backends": ["density-matrix"]}, "density-matrix simulates noise only: give some"),
        ({"backends": ["statevector"], "noise": "depolarizing=0.1"}, "statevector simulates no noise: add"),
        (
            {"backends": ["statevector"], "noise": [[], ["depolarizing=0.1"]]},
            r"none of the backends simulates noise = \['depolarizing=0.1'\]: add density-matrix",
        ),
        ({"observable": ["ZZI", "ZQ"]}, "observable.1: observable 'ZQ'"),
        ({"seeds": 0}, "seeds: 0 given: give a number from 1 to 1000, or a list"),
        ({"seeds": [-1]}, "seeds.0: .*greater than or equal to 0"),
        ({"trials": 10**18}, "trials: .*less than or equal to 1000000"),
        ({"methods": [{"name": "parameter-shift", "shots": []}]}, "parameter-shift: shots is an empty list"),
        ({"methods": [{"name": "parameter-shift", "shots": 10**400}]}, "parameter-shift: int too large"),
    ],
)
def test_wrong_fields_are_named(fields, message):
    with pytest.raises(SpecError, match=f"gradients.*{message}"):
        make_spec({"gradients": {"circuits": [CIRCUIT], "methods": METHODS, **fields}})


def test_circuits_of_one_name_in_two_folders_are_told_apart(tmp_path):
    for folder, gate in (("a", "rx"), ("b", "ry")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "c.qasm").write_text(f'include "stdgates.inc"; input float t; qubit q; {gate}(t) q;')
    shift = [{"name": "parameter-shift", "shots": 10}]
    kind = gradients(circuits=[str(tmp_path / folder / "c.qasm") for folder in "ab"], methods=shift, trials=2)
    summary = kind.summary([(cell, cell.compute() | {"rms_error": 0.1}) for cell in kind.cells(0)])
    assert summary.tables[0].columns[0].shown == ("a/c.qasm", "b/c.qasm")
    labels = [curve.label for curve in summary.figures[0].panels[0].curves]
    assert labels == ["parameter-shift, a/c.qasm", "parameter-shift, b/c.qasm"]


def test_rows_hold_the_trials_that_were_made(tmp_path):
    (cell,) = gradients(methods=["adjoint"], trials=5).cells(0)
    with Store(tmp_path / "study.sqlite") as store:
        store.put(cell.data, cell.compute(), 0.1)
        (row,) = FlatRows(store)
    assert (row["trials"], row["observable"]) == (1, "recorded")


def test_tables_have_a_column_for_what_differs_and_curves_take_seeds_together():
    kind = gradients(
        methods=[{"name": "parameter-shift", "shots": [10, 20]}], noise=[[], ["readout-error=0.1"]], seeds=2, trials=2
    )
    cost = {"copies": 10, "circuit_runs": 1}
    shared = {"M": 5, "qubits": 3, "trials": 2, "rms_standard_error": 0.3, "bias_bound": None, "observable": "o"}
    record = {**shared, "gradient": cost, "rms_error": 0.5, "reported_standard_error": None, "angles": "a", "notes": []}
    records = [
        (
            cell,
            {**record, "gradient": {**cost, "copies": json.loads(cell.options)["shots"]}, "rms_error": 0.3 + cell.seed},
        )
        for cell in kind.cells(0)
    ]
    summary = kind.summary(records)
    headings = [column.heading for column in summary.tables[0].columns]
    assert {"noise", "seed"} <= set(headings)
    assert not {"observable", "backend", "missed"} & set(headings)
    curves = summary.figures[0].panels[0].curves
    assert [curve.label for curve in curves] == [
        f"parameter-shift, {CIRCUIT}, none",
        f"parameter-shift, {CIRCUIT}, readout-error=0.1",
    ]
    assert curves[0].x == (10, 20)
    assert curves[0].y[0] == pytest.approx(np.sqrt((0.3**2 + 1.3**2) / 2))
    assert curves[0].error == pytest.approx([0.3 / np.sqrt(2)] * 2)
