"""What a gradient costs: one record, two ways to combine it, and limits on it."""

from dataclasses import dataclass, fields, replace
from numbers import Integral

# Counters that hold a high-water mark; all others are totals.
_PEAKS = ("qubits", "peak_bytes", "depth")


@dataclass(frozen=True)
class Cost:
    """What a computation spent. Exact integers, charged by the driver from each query's structure.

    Attributes:
        copies: preparations of the state that were consumed. A joint measurement of k copies consumes k. Where one
            circuit runs the preparation and its inverse many times (coherent methods), every run of either counts as
            one.
        shots: measurements that returned an outcome. A joint measurement of k copies is one shot.
        circuit_runs: circuits submitted, each with its own angles or measurement basis (exact
            evaluations and the forward pass of a white-box sweep count as one each).
        gates: gate applications, summed over all copies (over simulated runs where nothing is sampled),
            measurement-basis rotations included.
        qubits: peak number of qubits held coherently at one time.
        flops: classical floating-point operations that the method itself needs: simulated state
            updates of white-box and exact queries, backward passes of a network. Sampling by a
            simulator stands in for hardware and is not charged.
        peak_bytes: peak classical memory of the method in bytes, by the same rule as `flops`.
        depth: coherent depth: the most preparations, and inverses of them, that one circuit runs one after another
            before what it holds is measured. Whatever consumes copies has a depth of 1 at least, which need not be
            given; copies held side by side add nothing to it.

    Costs add: `a + b` is the cost of doing a, then b (totals add, peaks take the maximum);
    `a | b` is the cost of doing both side by side (totals and peaks add, the depth is the larger one); `sum(costs)` is
    that of all in sequence.

    Example:
        >>> from qcgrad import Cost
        >>> shot = Cost(copies=1, shots=1, circuit_runs=1, gates=10, qubits=4)
        >>> (shot + shot).qubits, (shot | shot).qubits
        (4, 8)
        >>> (shot * 1000).gates
        10000
    """

    copies: int = 0
    shots: int = 0
    circuit_runs: int = 0
    gates: int = 0
    qubits: int = 0
    flops: int = 0
    peak_bytes: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        if self.copies and not self.depth:
            object.__setattr__(self, "depth", 1)

    def __repr__(self) -> str:
        return f"Cost({', '.join(f'{name}={count}' for name, count in self.spent().items())})"

    def spent(self) -> dict[str, int]:
        """Counters that say something, by name: none that is 0, and no depth of 1, which every copy has.

        Example:
            >>> from qcgrad import Cost
            >>> Cost(copies=3).spent(), Cost(copies=6, depth=6).spent()
            ({'copies': 3}, {'copies': 6, 'depth': 6})
        """
        return {name: count for name, count in vars(self).items() if count and (name, count) != ("depth", 1)}

    def __add__(self, other: "Cost") -> "Cost":
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(
            **{
                f.name: (max if f.name in _PEAKS else int.__add__)(getattr(self, f.name), getattr(other, f.name))
                for f in fields(Cost)
            }
        )

    def __radd__(self, other: int) -> "Cost":
        """`sum(costs)` starts from 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __or__(self, other: "Cost") -> "Cost":
        if not isinstance(other, Cost):
            return NotImplemented
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Cost)}
        return Cost(**sums | {"depth": max(self.depth, other.depth)})

    def __mul__(self, repetitions: int) -> "Cost":
        """Cost of doing this `repetitions` times in sequence."""
        if isinstance(repetitions, bool) or not isinstance(repetitions, Integral):
            return NotImplemented
        return Cost(**{f.name: getattr(self, f.name) * (1 if f.name in _PEAKS else repetitions) for f in fields(Cost)})


@dataclass(frozen=True)
class Budget:
    """Upper limits on a `Cost`, counter by counter; None leaves a counter free.

    The driver checks the budget *before* each query, so a limit is never exceeded.

    Raises:
        ValueError: if a limit is negative or not an integer.

    Example:
        >>> from qcgrad import Budget, Cost
        >>> Budget(shots=100).exceeded_by(Cost(shots=101))
        ('shots',)
    """

    copies: int | None = None
    shots: int | None = None
    circuit_runs: int | None = None
    gates: int | None = None
    qubits: int | None = None
    flops: int | None = None
    peak_bytes: int | None = None
    depth: int | None = None

    def __post_init__(self) -> None:
        for f in fields(self):
            limit = getattr(self, f.name)
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, Integral) or limit < 0):
                raise ValueError(f"Budget {f.name}={limit!r}: give a non-negative integer, or None for no limit")

    def after(self, cost: Cost) -> "Budget":
        """What is left of it once so much was spent; limits on peaks stay what they are."""
        totals = {f.name for f in fields(self) if f.name not in _PEAKS and getattr(self, f.name) is not None}
        return replace(self, **{name: max(0, getattr(self, name) - getattr(cost, name)) for name in totals})

    def exceeded_by(self, cost: Cost) -> tuple[str, ...]:
        """Names of the counters of `cost` that lie over their limit."""
        return tuple(
            f.name
            for f in fields(self)
            if (limit := getattr(self, f.name)) is not None and getattr(cost, f.name) > limit
        )
