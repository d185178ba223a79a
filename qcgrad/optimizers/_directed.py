"""From shots for each direction to an estimator that takes them."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Int

from ..array_types import Key, Params
from ..entries import read_off
from ..errors import NotApplicable
from ..estimator import AbstractEstimator, Directions
from ..keys import draw_key
from ..objective import AbstractObjective, point_at
from ._direction_shots import QuiverState
from ._smoothness import raveled


class Directed:
    """Gives an estimator that moves along random directions the shots that an optimiser asks for.

    Args:
        objective, estimator: what is estimated, and how.

    Raises:
        NotApplicable: another estimator; parameters that enter the coordinates by a map that is not affine.
    """

    def __init__(self, objective: AbstractObjective, estimator: AbstractEstimator):
        self.objective = objective
        entry = read_off(type(estimator))
        if not estimator.allots_directions:
            raise NotApplicable(
                f"{type(estimator).__name__} has no directions that an optimizer could choose shots for: give "
                "qcgrad.ForwardGradient(), or an optimizer that asks for shots by parameter, such as gcans"
            )
        if not objective.is_affine:
            raise NotApplicable(
                "random directions of gate angles are none of these parameters, since the map between the two is not "
                "affine: give an objective without it, or gcans with qcgrad.ParameterShift()"
            )
        # What it takes so far decides how long its steps are.
        self._with = lambda shots: entry.changed(estimator, shots=shots)
        self._which: Int[np.ndarray, " S"] | None = None

    def chosen(self, params: Params, asking: QuiverState, key: Key | None) -> tuple[AbstractEstimator, dict[str, Any]]:
        """The estimator of the next step, and what the optimiser is told of it afterwards."""
        wanted = asking.shots
        before = self._with(max(wanted.least, round(float(wanted.taken))))
        point, _ = point_at(self.objective, params)
        # The key that the driver will hand to the method, and with it the same directions.
        found = before.drawn(point, draw_key(key, True)[1])
        if self._which is None:
            self._which = self._parameters(params, found)
        directions = np.zeros((len(found.drawn), len(wanted.gradient)), found.drawn.dtype)
        directions[:, self._which] = found.drawn
        shots = np.asarray(_wanted(wanted, directions, found.steps))
        return before.directed(wanted.least, shots), {"shots": shots}

    def _parameters(self, params, found: Directions) -> Int[np.ndarray, "S"]:
        """(S,) which parameter each component of a direction moves.

        Raises:
            NotApplicable: some are not single parameters.
        """
        slopes = raveled(jax.jacobian(self.objective.coordinates)(params))
        moved = np.zeros((len(found.index), found.drawn.shape[1]))
        moved[np.arange(len(found.index)), found.index] = found.scale
        which = np.argmax(np.abs(moved.T @ slopes), axis=1)
        if len(set(which.tolist())) < len(which) or not np.allclose(slopes[:, which], moved, atol=1e-6):
            raise NotApplicable(
                "directions of gate angles are none of these parameters, which move several angles or some by a "
                'factor: give qcgrad.ForwardGradient(..., moving="parameters"), and an objective whose parameters are '
                "the circuit's"
            )
        return which


@jax.jit
def _wanted(shots, directions, steps):
    return shots(directions, steps)
