"""What everything inside a block spends: a ledger that the driver writes to."""

import threading
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, NamedTuple, Self

import jax
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from .arrays import is_concrete
from .cost import Cost


class Charge(NamedTuple):
    """One entry of a ledger.

    Attributes:
        estimator: name of the method's class.
        cost: of this run.
        value: (K,) what it found for the outputs of the objective.
        total: of everything so far, this run included.
    """

    estimator: str
    cost: Cost
    value: np.ndarray
    total: Cost


class Tracker:
    """Adds up what is spent inside a `with` block, also inside compiled programs.

    Every run of an estimator is charged when it happens: calls of `qcgrad.estimate`, and functions of `qcgrad.as_jax`
    with their gradients, under `jax.jit`, `jax.vmap`, `jax.lax.scan` and in training loops. Programs that are compiled
    inside the block tell the ledger at run time, by a callback to Python; the same functions compiled outside do not
    know of it and run at full speed. Blocks may be nested: each has the whole of what happens in it. A ledger is for
    the process: what other threads run meanwhile counts too, and so does what a primitive or device of ours runs where
    it answers inside another backend, beside what that is asked.

    Attributes:
        total: what was spent so far.
        by_estimator: the same, for each method by name.
        history: every run, in the order in which they ended, as `Charge`.

    Cost: one call of Python for each run that is compiled; nothing when no ledger is open.

    Example:
        >>> import jax, qcgrad as qg
        >>> f = qg.as_jax(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), qg.ParameterShift(shots=100))
        >>> with qg.Tracker() as spent:
        ...     for step in range(3):
        ...         value, gradient = jax.jit(jax.value_and_grad(f))(jax.numpy.ones(1), jax.random.key(step))
        >>> [charge.total.copies for charge in spent.history]  # loss against copies: charge.value beside it
        [300, 600, 900]
    """

    def __init__(self):
        self.history: list[Charge] = []
        self.total = Cost()
        self.by_estimator: dict[str, Cost] = {}
        self._jobs: list[Future] = []

    def __enter__(self) -> Self:
        # In the key of JAX's caches: programs that were compiled without a ledger are left aside, not changed.
        self._compiled_apart = set_xla_metadata(qcgrad_tracker="open")
        self._compiled_apart.__enter__()
        _here.depth = _depth() + 1
        with _lock:
            _open.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        # What was started in the block belongs to it.
        jax.effects_barrier()
        wait(self._jobs)
        self._jobs.clear()
        with _lock:
            _open.remove(self)
        _here.depth -= 1
        self._compiled_apart.__exit__(*error)
        del self._compiled_apart  # a closed ledger is plain data, which pickles

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}: {cost.copies:,} copies" for name, cost in self.by_estimator.items())
        return f"Tracker({len(self.history):,} runs{': ' if parts else ''}{parts})"


_open: list[Tracker] = []
_lock = threading.Lock()
_here = threading.local()


def _depth() -> int:
    return getattr(_here, "depth", 0)


def started(job: Future) -> None:
    """Tell the open ledgers of a job in another thread, which they wait for when their blocks end."""
    with _lock:
        for ledger in _open:
            ledger._jobs = [*(other for other in ledger._jobs if not other.done()), job]


def charge(estimator: Any, cost: Cost, value: Any) -> None:
    """Write one run into all open ledgers: now, or when the program that is being traced runs."""
    record = partial(_record, type(estimator).__name__, cost)
    if is_concrete(value):
        record(value)
    elif _depth():
        # With the value as its argument, jax.vmap calls it once for each run.
        jax.debug.callback(record, value)


def _record(name: str, cost: Cost, value: Any) -> None:
    with _lock:
        for ledger in _open:
            ledger.total += cost
            ledger.by_estimator[name] = ledger.by_estimator.get(name, Cost()) + cost
            ledger.history.append(Charge(name, cost, np.asarray(value), ledger.total))
