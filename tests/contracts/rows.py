"""The table of the contract test: one row for each way to use each public estimator."""

from dataclasses import dataclass

import qcgrad as qg

from .problems import CIRCUITS, CLIFFORDS, CONTROLLED, NETWORKS, POOLS


@dataclass(frozen=True, eq=False)
class Row:
    """An estimator, what it must hold on, and the access it must declare and use."""

    name: str
    estimator: qg.AbstractEstimator
    problems: list[str]
    access: str
    is_exact: bool = True


ROWS = [
    Row("Adjoint", qg.Adjoint(), CIRCUITS, "white_box"),
    Row("ReverseMode", qg.ReverseMode(), CIRCUITS, "white_box"),
    Row("ParameterShift", qg.ParameterShift(), CIRCUITS, "single_copy"),
    Row("ParameterShift-shots", qg.ParameterShift(shots=400), CIRCUITS, "single_copy", is_exact=False),
    Row("ParameterShift-coefficient", qg.ParameterShift(400, "coefficient"), CONTROLLED, "single_copy", is_exact=False),
    Row("BellShadow", qg.BellShadow(copies=20_000), POOLS + CLIFFORDS, "multi_copy", is_exact=False),
    Row("Backprop", qg.Backprop(), NETWORKS, "white_box"),
]
