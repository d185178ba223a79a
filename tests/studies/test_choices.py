"""What a spec chooses by name is tried when it is read, at a cost that does not grow with the grid."""

import pytest

from qcgrad.catalogue import Option
from qcgrad.studies.choices import Maker, checked, points


class Recorded:
    """A maker of things with options `a` and `b`, which refuses some of them and remembers what it was asked."""

    def __init__(self, refuses=lambda a, b: False):
        self.asked, self._refuses = [], refuses
        options = (Option("a", 0, "", "int"), Option("b", 0, "", "int"))
        self.known = {"thing": Maker("thing", options, self._make)}

    def _make(self, a, b):
        self.asked.append((a, b))
        if self._refuses(a, b):
            raise ValueError(f"a is {a} and b is {b}")

    def check(self, a, b):
        return checked({"name": "thing", "a": list(a), "b": list(b)}, self.known, "thing")


def test_every_point_of_a_small_grid_is_made():
    made = Recorded(lambda a, b: (a, b) == (9, 19))
    with pytest.raises(ValueError, match="thing: a is 9 and b is 19"):
        made.check(range(10), range(20))
    assert sorted(made.asked) == [(a, b) for a in range(10) for b in range(20)]


def test_of_a_large_grid_each_value_is_made_once():
    made = Recorded()
    assert points(made.check(range(100), range(150))) == 15_000
    assert len(made.asked) == len(set(made.asked)) == 249
    assert set(made.asked) == {(a, 0) for a in range(100)} | {(0, b) for b in range(150)}


@pytest.mark.parametrize("refuses", [lambda a, b: a == 99, lambda a, b: b == 149])
def test_a_value_that_is_refused_is_found_in_a_large_grid(refuses):
    with pytest.raises(ValueError, match=r"thing: a is \d+ and b is \d+"):
        Recorded(refuses).check(range(100), range(150))


def test_what_is_made_of_long_lists_has_a_bound_and_takes_from_each():
    made = Recorded()
    made.check(range(300), range(300))
    assert len(made.asked) == 300
    assert min(len({a for a, _ in made.asked}), len({b for _, b in made.asked})) == 150
