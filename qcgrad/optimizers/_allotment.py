"""From shots for each parameter to an estimator that takes them."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, PyTree

from ..array_types import Key, Params
from ..entries import read_off
from ..errors import NotApplicable
from ..estimate import predict_cost
from ..estimator import AbstractEstimator
from ..objective import AbstractObjective, point_at
from ._shots import ShotState
from ._smoothness import raveled

# What methods call the number of their measurements; they are counters of a cost, too.
_COUNTS = ("shots", "copies")


class Allotment:
    """Gives an estimator the shots that an optimiser asks for.

    Where each coordinate may have its own, it gets the most that a parameter asks for which moves it; where all share
    what is measured, everything gets the most that any asks for.

    Args:
        objective, estimator: what is estimated, and how.

    Raises:
        NotApplicable: an estimator that takes no shots.
    """

    def __init__(self, objective: AbstractObjective, estimator: AbstractEstimator):
        self.objective, self.estimator = objective, estimator
        self._slopes = jax.jit(jax.jacobian(objective.coordinates))
        self._entry = read_off(type(estimator))
        self._evaluations = None
        self._shared = next((option.name for option in self._entry.options if option.name in _COUNTS), "")
        if not estimator.allots_shots and not self._shared:
            raise NotApplicable(
                f"{type(estimator).__name__} takes no shots, so an optimizer that asks for them has nothing to choose: "
                "give a method that samples, such as qcgrad.ParameterShift(), or an optimizer of fixed precision"
            )

    def chosen(self, params: Params, asking: ShotState, key: Key | None) -> tuple[AbstractEstimator, dict[str, Any]]:
        """The estimator of the next step, and what the optimiser is told of it afterwards."""
        del key
        if self._evaluations is None:
            self._evaluations = self.evaluations(params, asking.shots)
        estimator, taken = self.estimator_at(params, asking.shots)
        return estimator, {"shots": taken, "evaluations": self._evaluations}

    def estimator_at(self, params: Params, shots: PyTree) -> tuple[AbstractEstimator, PyTree]:
        """The estimator for these shots, and what each parameter really gets of them."""
        each = [np.asarray(leaf) for leaf in jax.tree.leaves(shots)]
        wanted = np.concatenate([leaf.ravel() for leaf in each])
        most = int(wanted.max())
        if not self.estimator.allots_shots:
            changed = self._entry.changed(self.estimator, **{self._shared: most})
            return changed, jax.tree.map(lambda leaf: np.full(np.shape(leaf), most), shots)
        point, _ = point_at(self.objective, params)
        moved = self._moved(params)
        # Angles that nothing moves here need a derivative all the same: as few shots as there are.
        by_angle = np.where(moved, wanted, wanted.min()).max(axis=1)
        return self.estimator.allotted(point, most, by_angle), shots

    def evaluations(self, params: Params, shots: PyTree) -> PyTree:
        """Copies that one more shot for each parameter takes, in the structure of the parameters."""
        if not self.estimator.allots_shots:
            return jax.tree.map(np.ones_like, shots)
        point, _ = point_at(self.objective, params)
        moved = self._moved(params)
        base = np.full(len(moved), 2)

        def copies(by_angle) -> int:
            return predict_cost(self.objective, self.estimator.allotted(point, 2, by_angle)).copies

        least = copies(base)
        found = np.array([copies(base + column) - least for column in moved.T], float)
        return jax.tree.unflatten(jax.tree.structure(shots), _parts(np.maximum(found, 1.0), jax.tree.leaves(shots)))

    def _moved(self, params) -> Bool[np.ndarray, "A P"]:
        """Which angle is moved by which parameter."""
        return raveled(self._slopes(params)) != 0


def _parts(numbers, leaves):
    ends = np.cumsum([np.size(leaf) for leaf in leaves])[:-1]
    return [part.reshape(np.shape(leaf)) for part, leaf in zip(np.split(numbers, ends), leaves, strict=True)]
