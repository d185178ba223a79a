"""Every kind of study, small: its cells differ, compute, and what they show can be drawn in every form."""

import io
import json

import pytest
from rich.console import Console

from qcgrad.studies.executors import InProcess
from qcgrad.studies.render.console import print_summary
from qcgrad.studies.render.latex import latex
from qcgrad.studies.render.pictures import draw
from qcgrad.studies.report import records_in, summaries
from qcgrad.studies.run import run_cells
from qcgrad.studies.spec import SpecError, kinds_of_study, make_spec
from qcgrad.studies.status import status_of
from qcgrad.studies.store import Store

LEARNING = {
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
    "seeds": 2,
    "points": 3,
}
SMALL = {
    "scaling": {
        "methods": ["adjoint"],
        "circuits": [{"label": "a", "circuits": ["efficient_su2_n2_r1", "efficient_su2_n4_r1"]}],
        "hard_instance": False,
        "network": False,
    },
    "gradients": {
        "circuits": ["tfim_hva_n3_p1"],
        "methods": ["adjoint", {"name": "parameter-shift", "shots": [100, 10_000]}],
        "trials": 40,
    },
    "ntk": {"widths": [16, 64], "networks": 3, "inputs": 3, "dimension": 2},
    "rules": {**LEARNING, "rules": ["full-wirtinger", "stochastic-backprop"], "inputs": 0},
    "training": {
        "circuits": [
            {
                "circuits": ["tfim_hva_n3_p1"],
                "methods": ["adjoint", {"name": "parameter-shift", "shots": 10}],
                "optimizers": ["gcans", {"name": "sgd", "learning_rate": 0.1}],
                "copies": 1000,
                "steps": 3,
                "seeds": 2,
            }
        ],
        "networks": [{**LEARNING, "rules": ["full-wirtinger"]}],
    },
}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    spec = make_spec({"title": "all kinds", **SMALL})
    with Store(tmp_path_factory.mktemp("study") / "study.sqlite") as store:
        store.begin(spec.model_dump_json(), {"host": "here"})
        outcome = run_cells(spec.cells(), store, InProcess(raise_errors=True))
        yield spec, store, outcome


def test_every_kind_has_a_case():
    assert set(SMALL) == set(kinds_of_study())


def test_cells_are_distinct_in_their_data_and_labels():
    cells = make_spec(SMALL).cells()
    assert len({cell.label for cell in cells}) == len({json.dumps(cell.data, sort_keys=True) for cell in cells})
    assert len({cell.label for cell in cells}) == len(cells)


def test_what_a_kind_shows_can_be_drawn_in_every_form(computed, tmp_path):
    spec, store, outcome = computed
    assert records_in(spec, store) == outcome.records
    found = summaries(spec, outcome.records)
    assert len(found) == len(SMALL)
    for summary in found:
        text = io.StringIO()
        print_summary(summary, Console(width=130, file=text))
        assert summary.tables[0].title in text.getvalue()
        assert all("toprule" in latex(table) for table in summary.tables)
        assert all(path.stat().st_size > 5000 for figure in summary.figures for path in draw(figure, tmp_path))


def test_errors_of_gradients_fall_with_the_root_of_shots(computed):
    _, _, outcome = computed
    by_options = {cell.options: record for cell, record in outcome.records if cell.kind == "gradient"}
    few, many = by_options['{"shots": 100}'], by_options['{"shots": 10000}']
    assert by_options["{}"]["rms_error"] < 1e-9
    assert many["gradient"]["copies"] == 100 * few["gradient"]["copies"]
    assert many["trials"] == 40
    # Each is a root mean square of 40 x 5 errors, known to 8 %.
    assert few["rms_error"] / many["rms_error"] == pytest.approx(10, rel=0.5)
    assert few["reported_standard_error"] == pytest.approx(few["rms_error"], rel=0.5)


def test_kernels_of_wider_networks_are_nearer(computed):
    _, _, outcome = computed
    distances: dict[int, list[float]] = {}
    for cell, record in outcome.records:
        if cell.kind == "kernel":
            distances.setdefault(cell.width, []).append(record["distance"])
    assert sum(distances[64]) < sum(distances[16])


def test_the_status_counts_what_is_finished_and_tells_who_computed_it(computed):
    spec, store, outcome = computed
    data = status_of(spec, store).data
    assert data["finished"] == data["total"] == len(outcome.records)
    assert (data["outdated"], data["failures"]) == (0, [])
    assert data["by_kind"]["kernel"] == [6, 6]
    assert data["runs"][-1]["provenance"] == {"host": "here"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"gradients": {"circuits": ["a"]}}, "gradients.methods: Field required"),
        ({"gradients": {"circuits": [], "methods": ["adjoint"]}}, "gradients.circuits: give at least one"),
        ({"gradients": {"circuits": ["a"], "methods": ["adjoin"]}}, "did you mean 'adjoint'"),
        (
            {"gradients": {"circuits": ["a"], "methods": [{"name": "parameter-shift", "shot": 3}]}},
            "parameter-shift has no option 'shot': it has shots",
        ),
        (
            {"gradients": {"circuits": ["a"], "methods": [{"name": "parameter-shift", "shots": 0}]}},
            "parameter-shift: .*0",
        ),
        ({"gradients": {"circuits": ["a"], "methods": ["backprop"]}}, "method 'backprop'"),
        ({"gradients": {"circuits": ["a"], "methods": [{"shots": 3}]}}, "give the name of a method"),
        ({"gradients": {"circuits": ["a"], "methods": ["adjoint"], "trials": 1}}, "gradients.trials: .*greater than"),
        ({"ntk": {"activations": ["modrelux"]}}, "did you mean 'modrelu'"),
        ({"ntk": {"widths": [0, 4]}}, "ntk.widths: give positive integers"),
        ({"ntk": {"widths": [4]}}, "ntk.widths: give at least 2"),
        ({"ntk": {"sigma_w": 0.0}}, "ntk.sigma_w: .*greater than 0"),
    ],
)
def test_wrong_fields_are_named(data, message):
    with pytest.raises(SpecError, match=message):
        make_spec(data)
