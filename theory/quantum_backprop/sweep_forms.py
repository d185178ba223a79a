"""Forms that `gentle_sweep` sweeps over, and how much their strings interact."""

import math

import numpy as np

import qcgrad as qg
from qcgrad.ir.sweep_form import SweepForm, one_state_forms
from qcgrad.simulators.multicopy.moments import products


def alternating_form(length) -> SweepForm:
    """A form whose strings are X and Y in turn on one qubit, all at the same point of the circuit."""
    circuit = qg.Circuit(1).ry(0, math.pi / 3)
    for j in range(length):
        circuit = circuit.rx(0, param=j) if j % 2 else circuit.ry(0, param=j)
    objective = qg.Expectation(circuit, "Z")
    return form_of(objective, np.zeros(length))


def form_of(objective: qg.Expectation, params) -> SweepForm:
    """The form that a sweep of one string runs over."""
    (form,) = one_state_forms(objective.program, np.asarray(objective.coordinates(params)), "terms")
    return form


def row_sums(form: SweepForm) -> np.ndarray:
    """(D,): sum over the earlier strings of Omega_ij^2."""
    return np.sum(np.triu(np.imag(products(form)) ** 2, 1), axis=0)
