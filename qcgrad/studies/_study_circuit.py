"""A circuit at a point, as studies use it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ImportRefused
from ..estimate import Estimate, estimate
from ..estimators import Adjoint
from ..ir import Expectation
from ..library import LibraryCircuit
from ..objective import Reading

# Other frameworks agree to 1e-10; files may round a little more than that.
_AGREEMENT = 1e-8


@dataclass(frozen=True, eq=False)
class StudyCircuit:
    """A circuit at a point, with where its observable and its angles come from.

    Attributes:
        name: as in the spec.
        objective: the expectation value.
        params: the point, shape (P,), radians.
        observable, angles: where each of them comes from, in words.
        recorded: the library's or the .toml file's record of the same objective at the same point, if there is one.
        notes: what of the program was read differently than written, see `qcgrad.interop.Imported`.
    """

    name: str
    objective: Expectation
    params: np.ndarray
    observable: str
    angles: str
    recorded: LibraryCircuit | None
    notes: tuple[str, ...] = ()

    @property
    def num_angles(self) -> int:
        """M, the parameterised gates."""
        return self.objective.circuit.num_angles

    @cached_property
    def ranges(self) -> np.ndarray:
        """For each measured basis the sum of the |coefficients| that are measured in it."""
        return np.array([np.abs(basis.coefficients).sum() for basis in self.objective.program.bases])

    @cached_property
    def units(self) -> np.ndarray:
        """(P,) sqrt(sum over angles of (d angle / d parameter)^2): what a parameter's component is measured in."""
        one, outputs = np.ones((1, self.num_angles)), np.zeros(1)
        reading = Reading(value=outputs, gradient=one, variance=one, value_variance=outputs)
        # The chain rule for variances is the sum of squares, for parameters of any structure.
        return np.sqrt(np.asarray(self.objective.to_params(self.params, reading).variance)[0])

    def reference(self) -> Estimate:
        """Value and gradient by the adjoint method; what is recorded has to agree with them.

        Raises:
            ImportRefused: a recorded number that is wrong, with its file and key.
            ValueError: no gradient exists at the point.
        """
        found = estimate(self.objective, self.params, Adjoint())
        if not np.all(np.isfinite([found.value, *np.asarray(found.gradient)])):
            raise ValueError(
                f"{self.name} has no finite value and gradient at {self.params.tolist()}: give other angles"
            )
        if self.recorded is not None:
            scale = np.abs(self.recorded.observable.coefficients).sum()
            value, gradient = float(found.value), np.asarray(found.gradient)
            self._compare("point.value", self.recorded.value, value, scale)
            for k, (given, right) in enumerate(zip(self.recorded.gradient.tolist(), gradient.tolist(), strict=True)):
                self._compare(f"point.gradient[{k}]", given, right, scale * max(1.0, self.units[k]))
        return found

    def _compare(self, key: str, given: float, right: float, scale: float):
        assert self.recorded is not None
        if not abs(given - right) <= _AGREEMENT * scale:
            raise ImportRefused(
                f"{self.recorded.path.with_suffix('.toml')}: {key} is {given!r}, but the adjoint method finds "
                f"{right!r} for this circuit, observable and point: correct the file, or delete it to do without"
            )
