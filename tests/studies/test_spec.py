"""The spec: its file, its errors, its fingerprint, the cells that follow from it."""

from pathlib import Path

import pytest

from qcgrad.studies.scaling import Scaling
from qcgrad.studies.spec import SpecError, StudySpec, load_spec, make_spec

DEFAULT = StudySpec(scaling=Scaling())
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_written_out_default_is_the_default():
    assert load_spec(BENCHMARKS / "scaling.toml") == DEFAULT


def scaling(data: dict) -> StudySpec:
    return make_spec({"scaling": data})


def test_fingerprint_changes_with_every_field():
    changed = [{"epsilon": 0.2}, {"methods": ("adjoint",)}, {"network": None}, {"hard_instance": None}]
    prints = {scaling(change).fingerprint for change in ({}, *changed)} | {
        make_spec({"seed": 1, "scaling": {}}).fingerprint
    }
    assert len(prints) == 2 + len(changed)


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
        ({"seeds": 0}, "seeds: 0 given: give a number from 1 to 1000, or a list of seeds"),
        ({"seeds": 10**12}, "seeds: 1000000000000 given"),
        ({"seeds": []}, "seeds: give at least one|seeds: .*at least 1"),
        ({"seeds": [-1]}, "seeds.0: .*greater than or equal to 0"),
        ({"seeds": [2**31]}, "seeds.0: .*less than"),
        ({"seeds": True}, "seeds: "),
        ({"seeds": 1.5}, "seeds: "),
        ({"seeds": ["a"]}, "seeds.0: .*valid integer"),
        ({"network": {"levels": [13]}}, "network.levels: give values from 1 to 12"),
        ({"seed": True, "scaling": {}}, "seed: Input should be a valid integer, and not True"),
        ({"seed": 2**63, "scaling": {}}, "seed: Input should be less than"),
        ({"network": {"batch": 2.5}}, "network.batch: Input should be a valid integer, and not 2.5"),
        ({"seed": "x", "scaling": {"delta": 0}}, "seed: .*; scaling.delta: "),
    ],
)
def test_wrong_fields_are_named(data, message):
    with pytest.raises(SpecError, match=message):
        make_spec(data if "seed" in data else {"scaling": data})


def test_a_study_of_nothing_is_refused():
    with pytest.raises(SpecError, match=r"a study of nothing: give one of \[scaling\], \[gradients\], \[ntk\]"):
        make_spec({"seed": 3})


def test_a_field_at_the_wrong_place_is_told_where_it_belongs():
    with pytest.raises(SpecError, match=r"epsilon: no such field, it belongs into \[scaling\]"):
        make_spec({"epsilon": 0.1})


def test_points_count_once():
    spec = scaling(
        {"epsilon": [0.1, 0.1], "network": {"levels": [2, 2]}, "hard_instance": {"qubits": [3, 2, 3]}}
    ).scaling
    assert spec is not None
    assert spec.epsilon == (0.1,)
    assert spec.network is not None
    assert spec.hard_instance is not None
    assert (spec.network.levels, spec.hard_instance.qubits) == ((2,), (3, 2))


def test_seeds_are_added_to_that_of_the_study_and_belong_to_what_draws():
    spec = make_spec({"seed": 10, "scaling": {"seeds": [0, 5, 5], "hard_instance": {"qubits": [2]}}})
    seeds: dict[tuple[str, str], set[int]] = {}
    for cell in spec.cells():
        seeds.setdefault((cell.kind, cell.method), set()).add(cell.seed)
    assert seeds["hard-instance", "bell-shadow"] == seeds["circuit", "gentle-sweep"] == {10, 15}
    assert seeds["circuit", "adjoint"] == seeds["network", "backprop"] == {10}
    assert scaling({"seeds": 2}) == scaling({"seeds": [0, 1]})
    largest = make_spec({"seed": 2**63 - 1, "scaling": {"seeds": 2}})
    assert max(cell.seed for cell in largest.cells()) < 2**63


def test_false_leaves_a_part_out():
    spec = scaling({"network": False, "hard_instance": False})
    assert {cell.kind for cell in spec.cells()} == {"circuit"}


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(SpecError, match=r"missing\.toml cannot be read: No such file"):
        load_spec(tmp_path / "missing.toml")
    (tmp_path / "broken.toml").write_text("seed = ")
    with pytest.raises(SpecError, match=r"broken\.toml is not a TOML file"):
        load_spec(tmp_path / "broken.toml")


def test_cells_are_distinct_and_follow_the_methods():
    cells = DEFAULT.cells()
    assert len({cell.label for cell in cells}) == len(cells)
    assert {cell.method for cell in cells} == set(Scaling().methods)
    assert {cell.kind for cell in scaling({"methods": ["backprop"]}).cells()} == {"network"}
    assert len(scaling({"methods": ["backprop"], "network": None}).cells()) == 0


def test_sampled_methods_leave_out_large_circuits():
    names = {
        method: {getattr(c, "circuit", None) for c in DEFAULT.cells() if c.method == method}
        for method in ("adjoint", "parameter-shift")
    }
    assert "efficient_su2_n16_r2" in names["adjoint"] - names["parameter-shift"]


def test_limits_make_a_study_smaller():
    small = Scaling().within(4)
    assert small is not None
    assert small.hard_instance is not None
    assert small.hard_instance.qubits == (2, 3)
    assert small.circuits[0].circuits[-1] == "efficient_su2_n4_r8"
    smallest = Scaling().within(1)
    assert smallest is not None
    assert smallest.hard_instance is None
    assert len(DEFAULT.changed(lambda kind: kind.quick()).cells()) < len(DEFAULT.cells())


def test_a_wrong_method_is_said_with_its_key():
    with pytest.raises(SpecError, match=r"scaling\.methods: method 'paramter-shift' .* did you mean 'parameter-shift'"):
        make_spec({"scaling": {"methods": ["paramter-shift"]}})
