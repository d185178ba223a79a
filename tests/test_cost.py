"""Costs and budgets: how they combine, and what a limit accepts."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcgrad as qg

COUNTERS = [f.name for f in fields(qg.Cost)]
PEAKS = {"qubits", "depth", "peak_bytes"}
COSTS = st.builds(qg.Cost, **{name: st.integers(0, 10**12) for name in COUNTERS})


@given(COSTS, COSTS)
def test_in_sequence_totals_add_and_peaks_take_the_larger(a, b):
    for name in COUNTERS:
        combine = max if name in PEAKS else int.__add__
        assert getattr(a + b, name) == combine(getattr(a, name), getattr(b, name))


@given(COSTS, COSTS)
def test_side_by_side_everything_adds_but_the_depth(a, b):
    for name in COUNTERS:
        combine = max if name == "depth" else int.__add__
        assert getattr(a | b, name) == combine(getattr(a, name), getattr(b, name))


@given(COSTS, COSTS, COSTS)
def test_both_combinations_are_associative_and_have_a_zero(a, b, c):
    assert (a + b) + c == a + (b + c)
    assert (a | b) | c == a | (b | c)
    assert a + qg.Cost() == a | qg.Cost() == a


@given(COSTS, st.integers(1, 5))
def test_repetition_is_repeated_addition(a, times):
    assert a * times == sum([a] * times, qg.Cost())


def test_costs_compare_hash_and_do_not_change():
    assert qg.Cost(shots=3) == qg.Cost(shots=3)
    assert hash(qg.Cost(shots=3)) == hash(qg.Cost(shots=3))
    assert qg.Cost(shots=3) != qg.Cost(shots=4)
    with pytest.raises(AttributeError):
        qg.Cost().shots = 1


@pytest.mark.parametrize("other", [1, None, "cost"])
def test_costs_do_not_add_to_anything_else(other):
    with pytest.raises(TypeError):
        qg.Cost() + other
    with pytest.raises(TypeError):
        qg.Cost() | other


def test_a_budget_and_a_cost_have_the_same_counters():
    assert [f.name for f in fields(qg.Budget)] == COUNTERS


@pytest.mark.parametrize("name", COUNTERS)
def test_a_limit_is_met_at_and_exceeded_above(name):
    budget = qg.Budget(**{name: 10})
    assert budget.exceeded_by(qg.Cost(**{name: 10})) == ()
    assert budget.exceeded_by(qg.Cost(**{name: 11})) == (name,)
    assert qg.Budget().exceeded_by(qg.Cost(**{name: 10**15})) == ()


@pytest.mark.parametrize("limit", [-1, 2.5, True, float("nan"), float("inf"), "many"])
def test_a_limit_that_is_no_count_is_named(limit):
    with pytest.raises(ValueError, match=f"Budget shots={limit!r}"):
        qg.Budget(shots=limit)


def test_zero_is_a_limit():
    assert qg.Budget(shots=0).exceeded_by(qg.Cost(shots=1)) == ("shots",)


def test_costs_add_up_by_sum():
    one, two = qg.Cost(copies=3, gates=5, qubits=2), qg.Cost(copies=4, qubits=7)
    assert sum([one, two]) == one + two == qg.Cost(copies=7, gates=5, qubits=7)
    assert sum([]) == 0
    with pytest.raises(TypeError):
        1 + one


def test_costs_show_what_was_spent():
    assert repr(qg.Cost(copies=3, qubits=2)) == "Cost(copies=3, qubits=2)"
    assert repr(qg.Cost()) == "Cost()"


def test_copies_have_a_depth_of_one_unless_a_circuit_runs_several_after_each_other():
    assert (qg.Cost(copies=5).depth, qg.Cost(gates=5).depth) == (1, 0)
    deep = qg.Cost(copies=12, depth=6)
    assert ((deep + qg.Cost(copies=9)).depth, (deep | deep).depth, (deep * 3).depth) == (6, 6, 6)
    assert (repr(qg.Cost(copies=5)), repr(deep)) == ("Cost(copies=5)", "Cost(copies=12, depth=6)")
    assert qg.Budget(depth=5).exceeded_by(deep) == ("depth",)
