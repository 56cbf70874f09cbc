"""Sends each trial to the fused trainer when that can carry it, and to Keras when not."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sweep.data.split import Split
from sweep.records import Assignment, Value
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.training.batches import training_weights
from sweep.training.contract import Endings, Journal, Source, StopRequested
from sweep.training.early_stopping import Patience
from sweep.training.fused.description import Description
from sweep.training.fused.layers.refusal import NotCarriedError
from sweep.training.fused.measuring import unmeasured
from sweep.training.fused.program.backend import on_gpu
from sweep.training.fused.program.shape import Shape
from sweep.training.fused.program.shape_policy import ALIKE, Sharing
from sweep.training.fused.reading.seen import SeenModels
from sweep.training.fused.sharing import SearchWork, best_sharing
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras_trainer import KerasTrainer
from sweep.training.model import Build
from sweep.training.queue import Queue

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surveyed:
    """How a configuration would be trained."""

    refusal: str | None
    """None when it is fused; else one line saying why it is left to Keras."""
    params: int | None = None
    program: Shape | None = None
    """The program that carries it. It and the trainable parameters are known when it is fused."""


@dataclass
class AutoTrainer:
    """The fused and the Keras trainer behind one face."""

    build: Build
    split: Split
    batch_size: int
    patience: Patience
    checkpoint_seconds: float = 10.0
    program_bytes: int | None = None
    scoring: Scoring = BINARY_CROSSENTROPY
    sharing: Sharing = ALIKE
    """Which trials share programs, and which are left to Keras as their programs would take longer
    to compile than Keras takes to train them."""
    _fused: FusedTrainer = field(init=False)
    _keras: KerasTrainer = field(init=False)

    def __post_init__(self) -> None:
        settings = (
            self.build, self.split, self.batch_size, self.patience, self.checkpoint_seconds
        )  # fmt: skip
        self._fused = FusedTrainer(
            *settings,
            program_bytes=self.program_bytes,
            scoring=self.scoring,
            sharing=self.sharing,
        )
        self._keras = KerasTrainer(*settings, scoring=self.scoring)

    @property
    def compilations(self) -> int:
        """Programs the fused trainer has used so far."""
        return self._fused.compilations

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        fused = _ToFuse(source, self._left_to_keras)
        while not stop():
            yield from self._fused.train(fused, journal, stop)
            if not fused.others:
                return
            others, fused.others = fused.others, Queue()
            yield from self._keras.train(others, journal, stop)

    def share(self, sharing: Sharing) -> None:
        """Share programs like this from now on."""
        self.sharing = self._fused.sharing = sharing

    def best_sharing(self, configurations: Sequence[dict[str, Value]], work: SearchWork) -> Sharing:
        """Return how the trials of a search best share programs, from some of its models.

        On data of a user's own, no other model is read if none of these can be fused.
        """
        if on_gpu():
            return ALIKE
        found = [
            self._fused.readings.description(one)
            for one in (_to_look_at(values) for values in configurations)
            if self._not_carried(one) is None
        ]
        if self._own_rows and not found:
            return Sharing(fused=False)
        return self._best_sharing(found, len(configurations), work)

    def none_pays(self, seen: SeenModels, work: SearchWork) -> bool:
        """Return whether all is left to Keras, as the models that were built for a space tell.

        So it is where none can be fused; and on data of a user's own, which may be few rows, where
        no way to share programs pays.
        """
        if not seen.looked_at or not_fused(self.split, self.scoring) is not None:
            return False
        if not seen.described:
            return True
        if not self._own_rows or on_gpu():
            return False
        return not self._best_sharing(seen.described, seen.looked_at, work).fused

    def _best_sharing(
        self, described: Sequence[Description], looked_at: int, work: SearchWork
    ) -> Sharing:
        return best_sharing(described, looked_at, self._fused.rows, work, own_rows=self._own_rows)

    @property
    def _own_rows(self) -> bool:
        return self.split.manifest.task is not None

    def carries(self, values: dict[str, Value]) -> bool:
        """Return whether a configuration can be fused, whether or not that pays."""
        return self._not_carried(_to_look_at(values)) is None

    def survey(self, values: dict[str, Value]) -> Surveyed:
        """Return how a configuration would be trained. Builds its model: tens of milliseconds."""
        assignment = _to_look_at(values)
        refusal = self.refusal(assignment)
        if refusal is not None:
            return Surveyed(refusal)
        description = self._fused.readings.description(assignment)
        return Surveyed(None, description.params, self._fused.shape(description))

    def refusal(self, assignment: Assignment) -> str | None:
        """Return why a trial is left to Keras, in one line; None if the trial is fused."""
        reason = self._not_carried(assignment)
        if reason is not None:
            return reason
        description = self._fused.readings.description(assignment)
        leaves = self.sharing.leaves(self._fused.shape(description))
        return LONGER if leaves else None

    def _left_to_keras(self, assignment: Assignment) -> str | None:
        """Why a trial is left to Keras; if all are, its model is not read."""
        return self.refusal(assignment) if self.sharing.fused else LONGER

    def _not_carried(self, assignment: Assignment) -> str | None:
        """Why the fused trainer cannot carry a trial; None if it can."""
        if (reason := not_fused(self.split, self.scoring)) is not None:
            return reason
        try:
            self._fused.readings.description(assignment)
        except NotCarriedError as error:
            return str(error)
        except Exception as exception:  # the Keras trainer records it as the trial's failure
            return f"build(hp) raises {type(exception).__name__}"
        return None


LONGER = "its program would take longer to compile than Keras takes to train"
"""Why a trial that could be fused is left to Keras."""


def _to_look_at(values: dict[str, Value]) -> Assignment:
    """An assignment of no epochs: the model is read, and never trained."""
    return Assignment(0, 0, 0, 0, 0, values, 1)


def not_fused(split: Split, scoring: Scoring) -> str | None:
    """Return why no trial on these rows, scored like this, is fused; None if trials may be."""
    if (reason := unmeasured(scoring)) is not None:
        return reason
    if training_weights(split) is not None:
        return "rows or classes have weights"
    if isinstance(split.train.x, dict):
        return "several inputs"
    return None


@dataclass
class _ToFuse:
    """A source of the assignments that are fused; each model is read when it is asked for."""

    source: Source
    refusal: Callable[[Assignment], str | None]
    others: Queue = field(default_factory=Queue)
    """What was taken from the source and is left to Keras."""

    def take(self, *, by_turns: bool = False) -> Assignment | None:
        while (assignment := self.source.take(by_turns=by_turns)) is not None:
            reason = self.refusal(assignment)
            if reason is None:
                return assignment
            _log.info("trial %d is left to Keras: %s", assignment.trial, reason)
            self.others.extend([assignment])
        return None
