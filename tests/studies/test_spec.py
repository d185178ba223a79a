"""The spec: its file, its errors, its fingerprint, the cells that follow from it."""

from pathlib import Path

import pytest

from qcgrad.studies.plan import cells_of
from qcgrad.studies.spec import SpecError, StudySpec, limit_qubits, load_spec, make_spec, quick

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_written_out_default_is_the_default():
    assert load_spec(BENCHMARKS / "scaling.toml") == StudySpec()


def test_fingerprint_changes_with_every_field():
    changed = [{"seed": 1}, {"epsilon": 0.2}, {"methods": ("adjoint",)}, {"network": None}, {"hard_instance": None}]
    prints = {make_spec(change).fingerprint for change in ({}, *changed)}
    assert len(prints) == 1 + len(changed)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"method": ["adjoint"]}, "method: no such field, did you mean 'methods'"),
        ({"methods": ["paramshift"]}, "did you mean 'parameter-shift'"),
        ({"methods": []}, "methods: give at least one"),
        ({"epsilon": 2}, "epsilon: .*less than 1"),
        ({"hard_instance": {"qubits": [1]}}, "hard_instance.qubits: give values from 2 to 8"),
        ({"hard_instance": {"trials": {"adjoint": 3}}}, "hard_instance.trials: no copies are searched for 'adjoint'"),
        ({"hard_instance": {"tilt": float("inf")}}, "hard_instance.tilt: Input should be a finite number, and not inf"),
        ({"hard_instance": {"qubit": [2]}}, "hard_instance.qubit: no such field, did you mean 'qubits'"),
        (
            {"circuits": [{"label": "a", "circuit": ["x"]}]},
            "circuits.0.circuit: no such field, did you mean 'circuits'",
        ),
        ({"circuits": [{"label": "a", "circuits": ["x"]}] * 2}, "two series are labelled 'a'"),
        (
            {"circuits": [{"label": "a", "circuits": ["x"], "observable": "ZQ"}]},
            "circuits.0.observable: observable 'ZQ'",
        ),
        (
            {"circuits": [{"label": "a", "circuits": ["x"], "noise": "depolarizing=2"}]},
            "circuits.0.noise: noise 'depolarizing=2': .*from 0 to 1",
        ),
        ({"epsilon": [0.1, float("nan")]}, "epsilon.1: Input should be a finite number"),
        ({"epsilon": []}, "epsilon: nothing given"),
        ({"epsilon": "0.1"}, "epsilon.0: Input should be a valid number, and not '0.1'"),
        ({"seed": True}, "seed: Input should be a valid integer, and not True"),
        ({"seed": 2**63}, "seed: Input should be less than"),
        ({"network": {"batch": 2.5}}, "network.batch: Input should be a valid integer, and not 2.5"),
        ({"seed": "x", "delta": 0}, "seed: .*; delta: "),
    ],
)
def test_wrong_fields_are_named(data, message):
    with pytest.raises(SpecError, match=message):
        make_spec(data)


def test_points_count_once():
    spec = make_spec({"epsilon": [0.1, 0.1], "network": {"levels": [2, 2]}, "hard_instance": {"qubits": [3, 2, 3]}})
    assert spec.epsilon == (0.1,)
    assert spec.network is not None
    assert spec.hard_instance is not None
    assert (spec.network.levels, spec.hard_instance.qubits) == ((2,), (3, 2))


def test_false_leaves_a_part_out():
    spec = make_spec({"network": False, "hard_instance": False})
    assert {cell.kind for cell in cells_of(spec)} == {"circuit"}


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(SpecError, match=r"missing\.toml cannot be read: No such file"):
        load_spec(tmp_path / "missing.toml")
    (tmp_path / "broken.toml").write_text("seed = ")
    with pytest.raises(SpecError, match=r"broken\.toml is not a TOML file"):
        load_spec(tmp_path / "broken.toml")


def test_cells_are_distinct_and_follow_the_methods():
    cells = cells_of(StudySpec())
    assert len({cell.label for cell in cells}) == len(cells)
    assert {cell.method for cell in cells} == set(StudySpec().methods)
    assert {cell.kind for cell in cells_of(make_spec({"methods": ["backprop"]}))} == {"network"}
    assert cells_of(make_spec({"methods": ["backprop"], "network": None})) == []


def test_sampled_methods_leave_out_large_circuits():
    names = {
        method: {getattr(c, "circuit", None) for c in cells_of(StudySpec()) if c.method == method}
        for method in ("adjoint", "parameter-shift")
    }
    assert "efficient_su2_n16_r2" in names["adjoint"] - names["parameter-shift"]


def test_limits_make_a_study_smaller():
    small = limit_qubits(StudySpec(), 4)
    assert small.hard_instance is not None
    assert small.hard_instance.qubits == (2, 3)
    assert small.circuits[0].circuits[-1] == "efficient_su2_n4_r8"
    assert limit_qubits(StudySpec(), 1).hard_instance is None
    assert len(cells_of(quick(StudySpec()))) < len(cells_of(StudySpec()))
