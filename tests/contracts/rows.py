"""The table of the contract test: one row for each way to use each public estimator."""

from collections.abc import Callable
from dataclasses import dataclass

import qcgrad as qg
from qcgrad import networks as nn
from theory.statistics import FALSE_ALARM

from . import tolerances
from .problems import CIRCUITS, CLIFFORDS, COMPLEX_NETWORKS, CONTROLLED, NETWORKS, POOLS


@dataclass(frozen=True, eq=False)
class Row:
    """An estimator, what it must hold on, the access it must declare and use, and how far off a sampled one may be."""

    name: str
    estimator: qg.AbstractEstimator
    problems: list[str]
    access: str
    allowed: Callable | None = None

    @property
    def is_exact(self) -> bool:
        return self.allowed is None


# Of the large molecules, sampling hundreds of settings in dozens of bases takes longest; smaller ones have all gates.
SAMPLED = [name for name in CIRCUITS if not name.startswith("h4_")][::2]
SMALL_POOLS = [name for name in POOLS if "_n4_" in name]
# Of every family one, small: these simulate each string of each sweep.
SWEPT = ["efficient_su2_n4_r1", "tfim_hva_n4_p2", "h2_givens_n4", "n_local_n4_crx_crz", "maxcut_regular2_n4_p1"]
# Each derivative has programs of its own; both have shared parameters.
TESTED = ["tfim_hva_n3_p1", "maxcut_regular2_n4_p1"]
SIXES = [name for name in CIRCUITS if "_n6_" in name and "givens" not in name]
SWEPT_POOLS = ["pool on efficient_su2_n4_r1", "pool on h2_givens_n4"]

ROWS = [
    Row("Adjoint", qg.Adjoint(), CIRCUITS, "white_box"),
    # Each size is one more program to compile, so every fourth circuit will do.
    Row("ReverseMode", qg.ReverseMode(), CIRCUITS[::4], "white_box"),
    Row("IQPSampling", qg.IQPSampling(20_000), ["iqp_pairs_n6", "iqp_shared_n8"], "white_box", tolerances.samples),
    Row("Checkpointed", qg.Checkpointed(), CIRCUITS[::12], "white_box"),
    Row("ForwardMode", qg.ForwardMode(), CIRCUITS[::12], "white_box"),
    Row("ParameterShift", qg.ParameterShift(), CIRCUITS, "single_copy"),
    Row("ParameterShift-shots", qg.ParameterShift(shots=4000), SAMPLED, "single_copy", tolerances.shots),
    Row(
        "ParameterShift-coefficient",
        qg.ParameterShift(4000, "coefficient"),
        CONTROLLED,
        "single_copy",
        tolerances.shots,
    ),
    Row(
        "WeightedRandomSampling",
        qg.WeightedRandomSampling(shots=20_000),
        SAMPLED[::3] + CONTROLLED,
        "single_copy",
        tolerances.terms,
    ),
    Row("ZeroNoiseExtrapolation", qg.ZeroNoiseExtrapolation(qg.ParameterShift()), CIRCUITS[::12], "single_copy"),
    Row("HadamardTest", qg.HadamardTest(), TESTED, "single_copy"),
    Row("HadamardTest-shots", qg.HadamardTest(4000), TESTED[:1], "single_copy", tolerances.experiments),
    Row("HadamardTest-reversed", qg.HadamardTest(4000, "reversed"), TESTED[1:], "single_copy", tolerances.experiments),
    Row("HadamardTest-direct", qg.HadamardTest(mode="direct"), TESTED[:1], "single_copy"),
    Row("HadamardTest-reversed-direct", qg.HadamardTest(mode="reversed-direct"), TESTED[:1], "single_copy"),
    Row("HadamardTest-auto", qg.HadamardTest(mode="auto"), ["mqt_qnn_n4"], "single_copy"),
    Row("LinearCombination", qg.LinearCombination(), ["n_local_n4_crx_crz"], "single_copy"),
    Row("CommutingBlock", qg.CommutingBlock(), ["iqp_pairs_n6"], "single_copy"),
    Row("CommutingBlock-shots", qg.CommutingBlock(4000), ["iqp_triples_n6"], "single_copy", tolerances.experiments),
    Row(
        "StochasticParameterShift",
        qg.StochasticParameterShift(100, 4000, "all"),
        CONTROLLED[:1],
        "single_copy",
        tolerances.shots,
    ),
    Row(
        "FiniteDifference",
        qg.FiniteDifference(shots=4000),
        [SWEPT[0], CONTROLLED[0]],
        "single_copy",
        tolerances.differences,
    ),
    Row(
        "FiniteDifference-forward",
        qg.FiniteDifference(0.2, 2, "forward", 4000),
        SWEPT[1:2],
        "single_copy",
        tolerances.differences,
    ),
    Row("SPSA", qg.SPSA(100, 0.1, 100), SWEPT[:1], "single_copy", tolerances.directions),
    Row(
        "ForwardGradient",
        qg.ForwardGradient(100, "sphere", 100),
        SWEPT[:1],
        "single_copy",
        tolerances.directions,
    ),
    Row("RandomCoordinateShift", qg.RandomCoordinateShift(100, 4000), SWEPT[:1], "single_copy", tolerances.shots),
    Row(
        "Measured-commuting",
        qg.Measured(qg.ParameterShift(shots=8000), "commuting"),
        [SWEPT[0], SWEPT[2], *CONTROLLED[:1]],
        "single_copy",
        tolerances.groups,
    ),
    Row(
        "Measured-optimal",
        qg.Measured(qg.ParameterShift(shots=8000), allocation="optimal"),
        SWEPT[1:3],
        "single_copy",
        tolerances.groups,
    ),
    Row("AdaptiveShots", qg.AdaptiveShots(qg.ParameterShift(), 0.02), SWEPT[1:3], "single_copy", tolerances.groups),
    Row("DirectPauli", qg.DirectPauli(copies=2_000_000), POOLS[::3] + CLIFFORDS, "single_copy", tolerances.bases),
    Row(
        "MutuallyUnbiasedBases",
        qg.MutuallyUnbiasedBases(copies=1_000_000),
        POOLS[::3] + CLIFFORDS,
        "single_copy",
        tolerances.bases,
    ),
    Row(
        "CliffordShadow", qg.CliffordShadow(copies=10_000), POOLS[::3] + CLIFFORDS, "single_copy", tolerances.snapshots
    ),
    Row("LocalShadow", qg.LocalShadow(copies=50_000), POOLS[::3] + CLIFFORDS, "single_copy", tolerances.snapshots),
    Row(
        "BellShadow",
        qg.BellShadow(copies=40_000, delta=FALSE_ALARM),
        POOLS + CLIFFORDS,
        "multi_copy",
        tolerances.square_roots,
    ),
    Row("GentleSweep", qg.GentleSweep(1_600_000, batches=64), SWEPT + SIXES, "multi_copy", tolerances.batches),
    Row(
        "GentleSweep-terms",
        qg.GentleSweep(1_600_000, batches=64, encoding="terms"),
        SWEPT[:3],
        "multi_copy",
        tolerances.batches,
    ),
    Row(
        "ReadOnceTomography",
        qg.ReadOnceTomography(1_600_000, batches=64),
        SWEPT + SIXES,
        "multi_copy",
        tolerances.batches,
    ),
    Row("OnlineTomography", qg.OnlineTomography(0.9, FALSE_ALARM), SWEPT, "multi_copy", tolerances.guarantee),
    Row(
        "OnlineTomography-random",
        qg.OnlineTomography(0.9, FALSE_ALARM, order="random"),
        SWEPT_POOLS,
        "multi_copy",
        tolerances.guarantee,
    ),
    Row(
        "BellShadow-mimicking",
        qg.BellShadow(80_000, "mimicking", delta=FALSE_ALARM),
        SMALL_POOLS,
        "multi_copy",
        tolerances.square_roots,
    ),
    # Medians of many runs, so that errors of several standard errors are as rare as those of means.
    Row("AmplitudeEstimation", qg.AmplitudeEstimation(10, 51), SWEPT[:3], "coherent", tolerances.guarantee),
    Row("QuantumGradient", qg.QuantumGradient(8, 51), SWEPT[:3], "coherent", tolerances.guarantee),
    Row("Backprop", qg.Backprop(), NETWORKS, "white_box"),
    # Rules that depart from the chain rule are biased by intent: tests/networks/test_rules.py.
    Row("Backprop-full-wirtinger", qg.Backprop(nn.FullWirtinger()), COMPLEX_NETWORKS, "white_box"),
]
