"""Which states a backward pass keeps, and which it works out again."""

from typing import NamedTuple

# Measured: a state that walks backwards, and what XLA makes of it while a gate is applied.
_COPIES_OF_WALKING = 5


def recorded_states(kept: int, rows: int) -> int:
    """States of memory in reverse mode: those that are kept, and 1 + C for C = `rows` cotangents that are worked on."""
    return kept + _COPIES_OF_WALKING * (1 + rows)


class Segments(NamedTuple):
    """A walk in segments: the state in front of each is kept, and the steps of one at a time are recomputed.

    Attributes:
        count: S.
        length: L steps in each, a power of two, which divides most tables that are padded to such lengths.
    """

    count: int
    length: int

    @property
    def states(self) -> int:
        """S + L: those in front of the segments, and those inside of the one that is walked backwards."""
        return self.count + self.length


def segments(steps: int) -> Segments:
    """The segments that keep fewest states where each step is recomputed once: about as many as each has steps.

    S + L with S L = `steps` is least where both are the square root; powers of two cost a sixth of it at most.
    Binomial schedules (A. Griewank, A. Walther, "Algorithm 799: revolve", ACM TOMS 26, 19 (2000)) keep still fewer
    states, and recompute steps several times.
    """
    powers = [1 << k for k in range(max(steps, 1).bit_length())]
    return min((Segments(-(-steps // length), length) for length in powers), key=lambda found: found.states)
