"""From records to laws and verdicts."""

import pytest

from qcgrad.studies.render.pictures import draw
from qcgrad.studies.scaling import Scaling
from qcgrad.studies.scaling._circuit_cells import CircuitCell
from qcgrad.studies.scaling._columns import exponent
from qcgrad.studies.scaling._hard_cells import HardInstanceCell
from qcgrad.studies.scaling._network_cells import NetworkCell
from qcgrad.studies.scaling._summary import summary
from qcgrad.studies.scaling.laws import laws_of, over_classical

COUNTERS = ("copies", "shots", "circuit_runs", "gates", "qubits", "flops", "peak_bytes")


def record(size, gradient, value):
    costs = {"gradient": gradient, "value": value}
    hard = {"error_of_zeros": 0.9, "idealization_bound": 0.0}
    return {"M": size, **hard, **{k: dict.fromkeys(COUNTERS, 0) | v for k, v in costs.items()}}


def cell_of(method, kind, size, seed=0):
    make = {"hard-instance": HardInstanceCell, "network": NetworkCell}.get(kind)
    if make:
        return make(method=method, n=size, seed=seed)
    return CircuitCell(method=method, model="mine", circuit=str(size), seed=seed)


def records(method, kind, sizes, copies, value=100, seed=0):
    resources = ("copies", "gates", "flops")
    return [
        (cell_of(method, kind, m, seed), record(m, dict.fromkeys(resources, c), dict.fromkeys(resources, value)))
        for m, c in zip(sizes, copies, strict=True)
    ]


SIZES = (15, 63, 255, 1023)


def test_verdicts_follow_the_growth_of_the_ratio():
    shift = records("parameter-shift", "hard-instance", SIZES, [100 * m for m in SIZES])
    bell = records("bell-shadow", "hard-instance", SIZES, [2800, 3000, 3400, 3500])
    adjoint = records("adjoint", "circuit", SIZES, [300] * 4)
    few = records("adjoint", "network", SIZES[:2], [300] * 2)
    free = records("gentle-sweep", "circuit", SIZES, [300] * 4, value=0)
    laws = laws_of([*bell, *shift, *adjoint, *few, *free])
    assert [(law.method, law.verdict) for law in laws] == [
        ("adjoint", "yes"),
        ("adjoint", "not enough range"),
        ("parameter-shift", "no"),
        ("gentle-sweep", "–"),
        ("bell-shadow", "yes"),
    ]
    assert laws[0].pays_in == "gates"
    assert exponent(laws[2].power("copies")) == "1.00±0.00"


def test_points_are_sorted_by_size():
    law = laws_of(records("bell-shadow", "hard-instance", (63, 15), (3000, 2800)))[0]
    assert (law.sizes, law.copies) == ((15, 63), (2800, 3000))


def test_seeds_of_a_cell_are_one_point_and_give_the_interval():
    found = []
    for seed, factor in enumerate((0.9, 1.0, 1.1)):
        # An error of its own at each size.
        copies = [round(2800 * factor), round(3000 / factor), round(3400 * factor), round(3500 / factor)]
        found += records("bell-shadow", "hard-instance", SIZES, copies, seed=seed)
    (law,) = laws_of(found)
    assert (law.sizes, law.seeds) == (SIZES, 3)
    assert law.samples["copies"].values[1] == (3333, 3000, 2727)
    assert law.copies[0] == pytest.approx((2520 * 2800 * 3080) ** (1 / 3))
    compared = law.comparison("ratio")
    assert compared is not None
    assert compared.interval is not None
    assert law.judged.interval is not None
    assert law.judged.interval[0] < compared.interval[0] < compared.interval[1] < law.judged.interval[1]
    assert law.verdict == "yes"
    alone = laws_of(found[:4])[0].comparison("ratio")
    assert alone is not None
    assert alone.interval is None


def test_prices_are_compared_with_those_of_a_network_at_equal_size():
    network = records("backprop", "network", (15, 63, 1023), (300, 250, 200))
    shift = records("parameter-shift", "hard-instance", (3, 15, 255), (900, 3000, 40000))
    laws = laws_of([*network, *shift])
    # 255 lies half way between 63 and 1023 in ln M, but for a little.
    assert over_classical(laws[0], laws) == (None, 10, pytest.approx(400 / 2.25, rel=1e-3))
    assert over_classical(laws[1], laws) == (1, 1, 1)
    assert over_classical(laws[0], laws[:1]) == (None,) * 3


def test_what_is_shown_has_the_laws_their_bands_and_what_would_help(tmp_path):
    found = records("backprop", "network", (3, 15, 63, 1023), (300, 290, 280, 250))
    for seed, factor in enumerate((0.95, 1.0, 1.05)):
        copies = [2800 * factor, 3000 / factor, 3400 * factor, 3500 / factor]
        found += records("bell-shadow", "hard-instance", SIZES, list(map(round, copies)), seed=seed)
    found += records("read-once", "circuit", (4, 8, 16), (100, 141, 200))
    shown = summary(found, Scaling())
    main, laws, misses, hard = shown.tables
    assert dict(zip(main.columns[0].shown, main.columns[-1].shown, strict=True)) == {
        "read-once": "not enough range",
        "bell-shadow": "yes",
        "backprop": "yes",
    }
    (help_,) = [note for note in main.notes if note.startswith("Not enough range for read-once on mine: ")]
    assert "log M grows as M^0.50" in help_
    shares = next(column for column in laws.columns if column.heading.startswith("predicts"))
    assert [value is None for value in shares.values] == [True, False, True]
    assert [column.heading for column in misses.columns[2:]] == ["constant", "logarithm", "power law", "power · log"]
    assert "(" in misses.columns[-1].shown[1]
    assert "±" in hard.columns[-1].shown[0]
    copies, ratio, over = shown.figures[0].panels
    bands = {curve.colour for curve in copies.curves if curve.band}
    assert bands == {curve.colour for curve in ratio.curves if curve.band} == {"bell-shadow"}
    assert max(over.curves[-1].x) == 1023
    assert all(path.exists() for path in draw(shown.figures[0], tmp_path))


def test_unknown_models_and_single_points_can_be_drawn(tmp_path):
    records = [(cell_of("adjoint", "circuit", 5), record(5, {"gates": 30}, {"gates": 10}))]
    assert exponent(laws_of(records)[0].power("ratio")) == "–"
    (figure,) = summary(records, Scaling()).figures
    assert all(path.exists() for path in draw(figure, tmp_path))


def test_a_series_named_like_the_hard_instance_is_told_from_it():
    costs = {name: dict.fromkeys(("copies", "gates"), 900) for name in ("gradient", "value")}
    shared = {"method": "parameter-shift", "delta": 0.02, "seed": 0}
    found = []
    for epsilon in (0.1, 0.2):
        found.append((HardInstanceCell(n=2, epsilon=epsilon, **shared), record(15, **costs)))
        found.append((CircuitCell(model="all-Pauli", circuit="mine", epsilon=epsilon, **shared), record(6, **costs)))
    shown = summary(found, Scaling(epsilon=(0.2, 0.1)))
    accuracy = next(table for table in shown.tables if table.title.startswith("Copies against accuracy"))
    assert sorted(accuracy.columns[2].shown) == ["15", "6"]
    prices = next(panel for panel in shown.figures[0].panels if panel.title.startswith("Price"))
    assert {curve.x for curve in prices.curves if curve.label} == {(15,), (6,)}
