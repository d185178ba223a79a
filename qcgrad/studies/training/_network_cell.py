"""Cells of a training study on networks."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import jax
import numpy as np

from ...errors import NotApplicable
from ..learning._cell import LearningCell, progress, table_of
from ..learning._train import Moment
from ..records import Record


@dataclass(frozen=True, kw_only=True)
class NetworkTrainingCell(LearningCell):
    """A network trained by a rule and an optimiser."""

    kind: ClassVar[str] = "network-training"

    @property
    def label(self) -> str:
        return f"training by {super().label}"

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        try:
            notify("making data and the network")
            setting = self.setting(max_bytes)
            seen: list[dict[str, Any]] = []

            def look(moment: Moment) -> None:
                seen.append({"step": moment.step, **progress(setting.problem, moment.weights)._asdict()})

            trained = self.train(setting, look, notify)
        except NotApplicable as error:  # what a rule is not for is a result as well
            return {"refused": str(error)}
        return {
            "M": sum(np.size(leaf) for leaf in jax.tree.leaves(setting.start.weights)),
            "gradient": asdict(setting.cost),
            "total": asdict(setting.cost * trained.steps),
            "seconds_per_step": trained.seconds,
            "metric": setting.problem.data.metric_name,
            "finite_steps": trained.steps,
            "along": table_of(seen, trained, self.steps),
        }
