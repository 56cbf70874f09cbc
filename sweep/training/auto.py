"""Sends each trial to the fused trainer when that can carry it, and to Keras when not."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sweep.data.split import Split
from sweep.records import Assignment, Value
from sweep.training.contract import Journal, StopRequested
from sweep.training.fused.read import NotCarriedError
from sweep.training.fused.reading import Readings
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras import KerasTrainer
from sweep.training.model import Build

_log = logging.getLogger(__name__)


@dataclass
class AutoTrainer:
    """Both trainers behind one face."""

    build: Build
    split: Split
    batch_size: int
    patience: int | None
    checkpoint_seconds: float = 10.0
    name: str = "auto"
    _fused: FusedTrainer = field(init=False)
    _keras: KerasTrainer = field(init=False)

    def __post_init__(self) -> None:
        settings = (
            self.build, self.split, self.batch_size, self.patience, self.checkpoint_seconds
        )  # fmt: skip
        self._fused, self._keras = FusedTrainer(*settings), KerasTrainer(*settings)

    @property
    def compilations(self) -> int:
        """Programs the fused trainer has used so far."""
        return self._fused.compilations

    def train(
        self, assignments: Sequence[Assignment], journal: Journal, stop: StopRequested
    ) -> None:
        others: list[Assignment] = []
        self._fused.train(self._fused_of(assignments, others), journal, stop)
        if not stop():
            self._keras.train(others, journal, stop)

    def _fused_of(
        self, assignments: Iterable[Assignment], others: list[Assignment]
    ) -> Iterator[Assignment]:
        """The assignments to fuse, each read when it is asked for; all else goes to `others`."""
        for assignment in assignments:
            reason = self.refusal(assignment)
            if reason is None:
                yield assignment
            else:
                _log.info("trial %d is left to Keras: %s", assignment.trial, reason)
                others.append(assignment)

    def trainer_of(self, assignment: Assignment) -> str:
        """The name of the trainer that carries the trial: fused or keras."""
        fused = self.refusal(assignment) is None
        return self._fused.name if fused else self._keras.name

    def refusal(self, assignment: Assignment) -> str | None:
        """None when the trial is fused; else one line saying why it is left to Keras."""
        return _refusal(self._fused.readings, assignment)


def count_refusals(build: Build, configurations: Iterable[dict[str, Value]]) -> Counter[str | None]:
    """How many configurations are fused (None), and how many are not, by reason.

    Builds each model once: tens of milliseconds each.
    """
    readings = Readings(build)
    assignments = (Assignment(0, 0, 0, 0, 0, values, 1) for values in configurations)
    return Counter(_refusal(readings, assignment) for assignment in assignments)


def _refusal(readings: Readings, assignment: Assignment) -> str | None:
    try:
        readings.description(assignment)
    except NotCarriedError as error:
        return str(error)
    except Exception as exception:  # the Keras trainer records it as the trial's failure
        return f"build(hp) raises {type(exception).__name__}"
    return None
