"""Every way to sample a gradient, on small objectives that show what a variance may leave out.

Few shots, since there the approximations in a formula for a variance are largest. Shared parameters with scales, so
that covariances count; a controlled rotation, for rules of four terms; several outputs, bases and an identity.
"""

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg
from qcgrad.matrices import AbstractMatrixMethod, HessianMethod
from qcgrad.matrix_result import MatrixEstimate

Promise = Literal["each", "sum", "bound"]
_ADJOINT = qg.Adjoint()
_BLOCKS = qg.BlockDiagonalMetric()


@dataclass(frozen=True, eq=False)
class Case:
    """An estimator at a point.

    Attributes:
        name: of the case; unique.
        estimator: what is repeated, a method for gradients, Hessians or metric tensors.
        objective, params: where.
        promise: what its docstring says of its variances: that "each" is unbiased; that their "sum" over the parameters
            is; or that they and the bias "bound" the mean squared errors.
        seeds: how often it is repeated.
        finds: the common factor in all variances that is found with 90 %.
        is_quick: whether it takes less than a second.
        has_intervals: whether its errors are near enough to normal for intervals, and its bias is known.
        backend: who answers.
        exact: the method that says what is right.
    """

    name: str
    estimator: qg.AbstractEstimator | AbstractMatrixMethod
    objective: Any
    params: Any
    promise: Promise = "each"
    seeds: int = 2000
    finds: float = 1.2
    is_quick: bool = False
    has_intervals: bool = True
    backend: qg.AbstractBackend | None = None
    exact: qg.AbstractEstimator | AbstractMatrixMethod = _ADJOINT

    @property
    def truth(self) -> np.ndarray:
        """(K, P), exact; of a matrix the entries on and above the diagonal."""
        if isinstance(self.exact, AbstractMatrixMethod):
            matrix = self.measured(self.exact).matrix
            return np.atleast_2d(matrix[..., *np.triu_indices(matrix.shape[-1])])
        return np.atleast_2d(np.asarray(qg.estimate(self.objective, self.params, self.exact).gradient))

    def measured(self, method: AbstractMatrixMethod, key: jax.Array | None = None) -> MatrixEstimate:
        """The matrix by a method, here."""
        ask: Any = qg.hessian if isinstance(method, HessianMethod) else qg.metric_tensor
        return ask(self.objective, self.params, method, self.backend, key=key)


# One parameter drives two gates with different scales, and crx has frequencies 1/2 and 1.
_CIRCUIT = (
    qg.Circuit(3)
    .ry(0, param=0)
    .rx(1, param=1)
    .cx(0, 1)
    .crx(1, 2, param=2)
    .rx(0, param=3)
    .ry(2, param=0, scale=-0.7, offset=0.3)
)
_OUTPUTS = [{"ZII": 1.0, "IXX": 0.5, "III": 0.3, "IYZ": -0.4}, {"IZI": 0.8, "IIX": 0.6}]
GENERAL = qg.Expectation(_CIRCUIT, _OUTPUTS), np.array([0.7, -0.9, 1.3, 0.4])

# Generators of two blocks; one parameter drives two gates of one block, another one of each.
_LAYERS = qg.Circuit(3).h(0).ry(1, 0.4).ry(2, 0.9)
for _param, _word, _scale in ((0, "ZZI", 1.0), (1, "IZZ", 1.0), (0, "ZIZ", -0.6), (2, "XXX", 1.0), (1, "XII", 0.5)):
    _LAYERS = _LAYERS.pauli_rot(_word, param=_param, scale=_scale)
_BLOCK_OUTPUTS = [{"YZZ": 1.0, "ZII": 0.5, "IXI": -0.4}, {"IYZ": 1.0, "ZIX": 0.7}]
BLOCKS = qg.Expectation(_LAYERS, _BLOCK_OUTPUTS), np.array([0.3, 0.8, -0.5])
_MAPPED = {"parameter_map": lambda t: jnp.stack([t[0] * t[1], t[1] ** 2, t[0]]), "example": np.zeros(2)}
MAPPED = qg.Expectation(_LAYERS, _BLOCK_OUTPUTS, **_MAPPED), np.array([0.6, 0.9])

_EVOLVED = qg.Circuit(2).ry(0, param=0).evolution({"XX": 0.5, "ZI": -0.4, "YZ": 0.2}, (0, 1), param=1)
_EVOLVED = _EVOLVED.rx(1, param=1, scale=0.7).evolution({"ZZ": 0.5, "IX": 0.3}, (0, 1), param=2)
EVOLUTION = qg.Expectation(_EVOLVED, [{"ZI": 1.0, "IX": 0.5}, {"XY": 1.0, "IZ": 0.4}]), np.array([0.6, 0.9, 0.5])

_X = qg.Circuit(3).rx(0, param=0).rxx(0, 1, param=0, scale=0.6).rx(2, param=1).rxx(1, 2, param=2).rx(1, param=1)
IQP = qg.Expectation(_X, [{"ZII": 1.0, "IZZ": 0.5}, {"ZIZ": 1.0, "III": 0.2}]), np.array([0.7, -0.5, 0.4])

_STATE = qg.Circuit(3).ry(0, param=0).cx(0, 1).ry(1, param=1).cx(1, 2).rx(2, param=2)
# Commutators of one string and of several, which share letters and copies.
POOL = (
    qg.OperatorPool(_STATE, {"ZII": 1.0, "IZI": -0.5, "XXI": 0.3}, ["XII", "YII", "YXI", "IYZ"]),
    np.array([0.7, 0.4, -0.6]),
)
SINGLE = qg.OperatorPool(_STATE, "ZZI", ["XII", "YII", "XXX", "IYZ"]), np.array([0.7, 0.4, -0.6])
# At angle 0 each derivative is a Pauli expectation of the prepared state; one parameter drives three gates.
_PREPARED = qg.Circuit(2).ry(0, 0.7).ry(1, 0.4).cx(0, 1).rx(0, 0.5)
_TURNED = _PREPARED.rx(0, param=0).rx(1, param=0, scale=2.0).rzz(0, 1, param=0, scale=-1.0).rz(0, param=1)
_TURNED = _TURNED.ry(1, param=2).ryy(0, 1, param=2, scale=0.6)
CLIFFORD = qg.Expectation(_TURNED, [{"ZY": 1.0, "YI": 0.5, "XY": 0.5}, {"IX": 1.0, "ZZ": -0.4}]), np.zeros(3)
# Strings far from 0, since Bell measurements do not know how uncertain the rest is: XX, YY, IZ of a pair, X of others.
_PAIR = qg.Circuit(4).ry(0, 0.9).cx(0, 1).ry(2, 0.8).ry(3, 0.9)
_BELL = {"ZIII": 1.0, "IZII": -2.0, "YYII": 0.5, "IIZI": 1.0, "IIIZ": 1.0}
_FIXED = qg.Circuit(4, [*_PAIR.gates, qg.Gate("rz", (0,), 0)])
STRONG = qg.OperatorPool(_FIXED, _BELL, ["YXII", "IIYI", "IIIY"]), np.zeros(1)
_ADDED = _PAIR.pauli_rot("YXII", param=0).ry(2, param=0, scale=-0.5).ry(3, param=1).ry(2, param=1, scale=0.7)
SHARED = qg.Expectation(_ADDED.pauli_rot("XYII", param=2), _BELL), np.zeros(3)
# No generator has the mean 0, where variances of covariances fall as the square of the number of shots.
_TILTED = qg.Circuit(2).rx(0, 0.6).ry(1, 1.0).ry(0, param=0).rx(1, param=1).cx(0, 1).rz(1, param=2)
LAYERED = qg.Expectation(_TILTED.ry(0, param=0, scale=0.7), "ZZ"), np.array([0.5, 0.8, -0.6])
# Two strings, so that there are two sweeps.
SWEPT = qg.Expectation(_CIRCUIT, {"ZII": 1.0, "IXX": 0.7}), GENERAL[1]

_NOISE = (
    qg.NoiseModel().add(qg.Depolarizing(0.05, 2)).add(qg.AmplitudeDamping(0.1)).add_readout(qg.ReadoutError(0.02, 0.05))
)
_SHIFTS = qg.ParameterShift(60)

# They have standard errors, and no intervals.
_MATRICES = [
    Case("SecondOrderShift", qg.SecondOrderShift(20), *LAYERED, exact=qg.ShiftedAdjoint(), has_intervals=False),
    Case("OverlapShift", qg.OverlapShift(20), *LAYERED, exact=qg.TangentMetric(), has_intervals=False),
    Case("QNSPSA", qg.QNSPSA(20, 100, 0.3), *LAYERED, exact=qg.TangentMetric(), has_intervals=False),
    Case("BlockDiagonalMetric", qg.BlockDiagonalMetric(50), *LAYERED, exact=_BLOCKS, has_intervals=False),
]
CASES = [
    Case("ParameterShift", qg.ParameterShift(20), *GENERAL, is_quick=True),
    Case("ParameterShift, by coefficient", qg.ParameterShift(20, "coefficient"), *GENERAL),
    Case("ParameterShift, two shots", qg.ParameterShift(2), *GENERAL),
    Case("WeightedRandomSampling", qg.WeightedRandomSampling(5), *GENERAL),
    Case("FiniteDifference, central", qg.FiniteDifference(0.3, shots=20), *GENERAL),
    Case("FiniteDifference, forward", qg.FiniteDifference(0.6, 2, "forward", 20), *GENERAL, is_quick=True),
    Case("SPSA", qg.SPSA(10, 0.2, 20), *GENERAL, is_quick=True),
    Case("ForwardGradient, sphere", qg.ForwardGradient(10, "sphere", 20), *GENERAL),
    Case("ForwardGradient, gaussian", qg.ForwardGradient(20, "gaussian", 20), *GENERAL),
    Case("ForwardGradient, coordinate", qg.ForwardGradient(20, "coordinate", 20), *GENERAL),
    Case("ForwardGradient, tangents", qg.ForwardGradient(10), *GENERAL),
    Case("RandomCoordinateShift", qg.RandomCoordinateShift(3, 20), *GENERAL, "sum", is_quick=True, has_intervals=False),
    Case("RandomCoordinateShift, all", qg.RandomCoordinateShift(9, 20), *GENERAL),
    Case("HadamardTest", qg.HadamardTest(20), *GENERAL),
    Case("HadamardTest, reversed", qg.HadamardTest(20, "reversed"), *GENERAL, is_quick=True),
    Case("HadamardTest, direct", qg.HadamardTest(20, "direct"), *GENERAL),
    Case("HadamardTest, reversed-direct", qg.HadamardTest(20, "reversed-direct"), *GENERAL),
    Case("HadamardTest, auto", qg.HadamardTest(20, "auto"), *BLOCKS),
    Case("LinearCombination", qg.LinearCombination(20), *GENERAL),
    Case("CommutingBlock", qg.CommutingBlock(20), *BLOCKS, is_quick=True),
    Case("CommutingBlock, together", qg.CommutingBlock(20, together=True), *BLOCKS),
    Case("CommutingBlock, behind a map", qg.CommutingBlock(20), *MAPPED),
    Case("StochasticParameterShift", qg.StochasticParameterShift(20, 5, "all"), *EVOLUTION),
    Case("Measured, uniform", qg.Measured(_SHIFTS, "qubit-wise", "uniform"), *GENERAL),
    Case("Measured, weighted", qg.Measured(_SHIFTS, "commuting", "weighted"), *GENERAL, is_quick=True),
    Case("Measured, by weights", qg.Measured(_SHIFTS, "qubit-wise", (3.0, 1.0, 2.0)), *GENERAL),
    Case("Measured, optimal", qg.Measured(_SHIFTS, "commuting", "optimal"), *GENERAL),
    Case("Measured, of directions", qg.Measured(qg.SPSA(10, 0.2, 30)), *GENERAL),
    Case("AdaptiveShots", qg.AdaptiveShots(qg.ParameterShift(), 0.1), *GENERAL),
    Case("ZeroNoiseExtrapolation", qg.ZeroNoiseExtrapolation(qg.ParameterShift(20), (1, 2, 4), 2), *GENERAL),
    Case("IQPSampling", qg.IQPSampling(20), *IQP, seeds=3000),
    Case("DirectPauli", qg.DirectPauli(100), *CLIFFORD),
    Case("MutuallyUnbiasedBases", qg.MutuallyUnbiasedBases(100), *POOL),
    Case("LocalShadow", qg.LocalShadow(300), *POOL),
    Case("LocalShadow, few copies", qg.LocalShadow(8), *SINGLE, finds=1.3),
    Case("CliffordShadow", qg.CliffordShadow(100), *CLIFFORD),
    Case("BellShadow, votes", qg.BellShadow(4000), *STRONG, finds=1.25),
    Case("BellShadow, shared", qg.BellShadow(4000), *SHARED, finds=1.3),
    Case("BellShadow, mimicking", qg.BellShadow(8000, "mimicking"), *STRONG, seeds=500, finds=1.5),
    Case("GentleSweep", qg.GentleSweep(1600, 1.0), *SWEPT),
    Case("GentleSweep, with a pilot", qg.GentleSweep(3200, encoding="block"), *GENERAL),
    Case("GentleSweep, extrapolated", qg.GentleSweep(3200, 4.0, extrapolate=True), *SWEPT),
    Case("ReadOnceTomography", qg.ReadOnceTomography(1600), *SWEPT),
    Case("OnlineTomography", qg.OnlineTomography(0.5), *EVOLUTION, "bound", seeds=200),
    Case("AmplitudeEstimation", qg.AmplitudeEstimation(2), *GENERAL, has_intervals=False),
    Case("AmplitudeEstimation, medians", qg.AmplitudeEstimation(3, 5), *GENERAL),
    Case("QuantumGradient", qg.QuantumGradient(4), *GENERAL, finds=1.35),
    Case("QuantumGradient, medians", qg.QuantumGradient(4, 5), *GENERAL),
    Case("ParameterShift, noisy", qg.ParameterShift(20), *GENERAL, backend=qg.DensityMatrix(_NOISE)),
    Case(
        "ParameterShift, trajectories",
        qg.ParameterShift(4),
        *SWEPT,
        backend=qg.Trajectories(_NOISE),
        has_intervals=False,
    ),
    *_MATRICES,
]
