"""From records to laws and verdicts."""

import pytest

from qcgrad.studies.render.pictures import draw
from qcgrad.studies.scaling import Scaling
from qcgrad.studies.scaling._circuit_cells import CircuitCell
from qcgrad.studies.scaling._hard_cells import HardInstanceCell
from qcgrad.studies.scaling._network_cells import NetworkCell
from qcgrad.studies.scaling._summary import exponent, summary
from qcgrad.studies.scaling.laws import hard_instance_fits, laws_of

COUNTERS = ("copies", "shots", "circuit_runs", "gates", "qubits", "flops", "peak_bytes")


def record(size, gradient, value):
    costs = {"gradient": gradient, "value": value}
    return {"M": size, **{k: dict.fromkeys(COUNTERS, 0) | v for k, v in costs.items()}}


def cell_of(method, kind, size):
    make = {"hard-instance": HardInstanceCell, "network": NetworkCell}.get(kind)
    return make(method=method, n=size) if make else CircuitCell(method=method, model="mine", circuit="a")


def records(method, kind, sizes, copies, value=100):
    return [
        (cell_of(method, kind, m), record(m, {"copies": c, "gates": c}, {"copies": value, "gates": value}))
        for m, c in zip(sizes, copies, strict=True)
    ]


def test_verdicts_follow_the_growth_of_the_ratio():
    sizes = (15, 63, 255, 1023)
    shift = records("parameter-shift", "hard-instance", sizes, [100 * m for m in sizes])
    bell = records("bell-shadow", "hard-instance", sizes, [2800, 3000, 3400, 3500])
    adjoint = records("adjoint", "circuit", sizes, [300] * 4)
    few = records("adjoint", "network", sizes[:2], [300] * 2)
    laws = laws_of([*bell, *shift, *adjoint, *few])
    assert [(law.method, law.verdict) for law in laws] == [
        ("adjoint", "yes"),
        ("adjoint", "undecided"),
        ("parameter-shift", "no"),
        ("bell-shadow", "yes"),
    ]
    assert laws[0].pays_in == "gates"
    assert exponent(laws[2].power("copies")) == "1.00±0.00"


def test_points_are_sorted_by_size():
    law = laws_of(records("bell-shadow", "hard-instance", (63, 15), (3000, 2800)))[0]
    assert (law.sizes, law.copies) == ((15, 63), (2800, 3000))


def test_hard_instance_fits_the_literature_forms():
    import math

    sizes = (15, 63, 255, 1023)
    shift = laws_of(records("parameter-shift", "hard-instance", sizes, [m * (60 + 20 * math.log(m)) for m in sizes]))
    fits = hard_instance_fits(shift[0])
    assert fits is not None
    assert fits.per_component
    assert (fits.logarithm.offset, fits.logarithm.slope, fits.r_squared) == pytest.approx((60, 20, 1))
    bell = laws_of(records("bell-shadow", "hard-instance", sizes, [2000 + 200 * math.log(m) for m in sizes]))
    fits = hard_instance_fits(bell[0])
    assert fits is not None
    assert not fits.per_component
    assert (fits.logarithm.offset, fits.logarithm.slope, fits.r_squared) == pytest.approx((2000, 200, 1))


def test_unknown_models_and_single_points_can_be_drawn(tmp_path):
    records = [(cell_of("adjoint", "circuit", 5), record(5, {"gates": 30}, {"gates": 10}))]
    assert exponent(laws_of(records)[0].power("ratio")) == "–"
    (figure,) = summary(records, Scaling()).figures
    assert all(path.exists() for path in draw(figure, tmp_path))
