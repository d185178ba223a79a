"""What of a round of queries fits into a budget."""

from bisect import bisect_left

from .cost import Budget, Cost
from .estimator import total_cost
from .queries import AbstractQuery
from .result import Result


def affordable(queries: tuple[AbstractQuery, ...], cost: Cost, budget: Budget) -> tuple[AbstractQuery, ...]:
    """The first queries of a round that fit into the budget, the last one cut if need be.

    All of them, the same tuple, or none where what would be left out cannot be cut.
    """
    asked = []
    for query in queries:
        charged = cost + query.cost()
        if not budget.exceeded_by(charged):
            asked.append(query)
            cost = charged
            continue
        if not all(other.is_divisible for other in queries[len(asked) :]):
            return ()

        def is_too_dear(parts, query=query, cost=cost):
            return bool(budget.exceeded_by(cost + query.first(parts).cost()))

        parts = bisect_left(range(1, query.num_parts), True, key=is_too_dear)
        return (*asked, query.first(parts)) if parts else tuple(asked)
    return queries


def exhausted(
    budget: Budget, cost: Cost, queries: tuple[AbstractQuery, ...], asked: tuple[AbstractQuery, ...]
) -> Result:
    """Which limits the whole round would exceed, and how much of it was asked."""
    charged = cost + total_cost(queries)
    limits = ", ".join(f"{n} {getattr(charged, n)} > {getattr(budget, n)}" for n in budget.exceeded_by(charged))
    message = f"the next round of queries would exceed the budget: {limits}"
    if asked:
        done, all_ = (sum(query.num_parts for query in some) for some in (asked, queries))
        message += f"; {done:,} of its {all_:,} parts were asked, and what needs the others is NaN"
    return Result("budget_exhausted", message)
