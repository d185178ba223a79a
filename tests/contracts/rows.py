"""The table of the contract test: one row for each way to use each public estimator."""

from dataclasses import dataclass

import qcgrad as qg
from qcgrad import networks as nn

from .problems import CIRCUITS, CLIFFORDS, COMPLEX_NETWORKS, CONTROLLED, NETWORKS, POOLS


@dataclass(frozen=True, eq=False)
class Row:
    """An estimator, what it must hold on, and the access it must declare and use."""

    name: str
    estimator: qg.AbstractEstimator
    problems: list[str]
    access: str
    is_exact: bool = True


SMALL_POOLS = [name for name in POOLS if "_n4_" in name]
# Of every family one, small: these simulate each string of each sweep.
SWEPT = ["efficient_su2_n4_r1", "tfim_hva_n4_p2", "h2_givens_n4", "n_local_n4_crx_crz", "maxcut_regular2_n4_p1"]
SIXES = [name for name in CIRCUITS if "_n6_" in name and "givens" not in name]
SWEPT_POOLS = ["pool on efficient_su2_n4_r1", "pool on h2_givens_n4"]

ROWS = [
    Row("Adjoint", qg.Adjoint(), CIRCUITS, "white_box"),
    # Each size is one more program to compile, so every fourth circuit will do.
    Row("ReverseMode", qg.ReverseMode(), CIRCUITS[::4], "white_box"),
    Row("ParameterShift", qg.ParameterShift(), CIRCUITS, "single_copy"),
    Row("ParameterShift-shots", qg.ParameterShift(shots=400), CIRCUITS, "single_copy", is_exact=False),
    Row("ParameterShift-coefficient", qg.ParameterShift(400, "coefficient"), CONTROLLED, "single_copy", is_exact=False),
    Row("DirectPauli", qg.DirectPauli(copies=200_000), POOLS[::3] + CLIFFORDS, "single_copy", is_exact=False),
    Row(
        "MutuallyUnbiasedBases",
        qg.MutuallyUnbiasedBases(copies=100_000),
        POOLS[::3] + CLIFFORDS,
        "single_copy",
        is_exact=False,
    ),
    Row("CliffordShadow", qg.CliffordShadow(copies=5000), POOLS[::3] + CLIFFORDS, "single_copy", is_exact=False),
    Row("LocalShadow", qg.LocalShadow(copies=50_000), POOLS[::3] + CLIFFORDS, "single_copy", is_exact=False),
    Row("BellShadow", qg.BellShadow(copies=20_000), POOLS + CLIFFORDS, "multi_copy", is_exact=False),
    Row("GentleSweep", qg.GentleSweep(copies=200_000), SWEPT + SIXES, "multi_copy", is_exact=False),
    Row("GentleSweep-block", qg.GentleSweep(200_000, encoding="block"), SWEPT, "multi_copy", is_exact=False),
    Row("ReadOnceTomography", qg.ReadOnceTomography(copies=200_000), SWEPT + SIXES, "multi_copy", is_exact=False),
    Row("OnlineTomography", qg.OnlineTomography(0.9, 0.05), SWEPT, "multi_copy", is_exact=False),
    Row(
        "OnlineTomography-random",
        qg.OnlineTomography(0.9, 0.05, order="random"),
        SWEPT_POOLS,
        "multi_copy",
        is_exact=False,
    ),
    Row("BellShadow-mimicking", qg.BellShadow(40_000, "mimicking"), SMALL_POOLS, "multi_copy", is_exact=False),
    Row("Backprop", qg.Backprop(), NETWORKS, "white_box"),
    # Rules that depart from the chain rule are biased by intent: tests/networks/test_rules.py.
    Row("Backprop-full-wirtinger", qg.Backprop(nn.FullWirtinger()), COMPLEX_NETWORKS, "white_box"),
]
