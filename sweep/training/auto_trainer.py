"""Sends each trial to the fused trainer when that can carry it, and to Keras when not."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sweep.data.split import Split
from sweep.records import Assignment, Value
from sweep.training.contract import Journal, StopRequested
from sweep.training.fused.program.shape import Shape
from sweep.training.fused.reading.refusal import NotCarriedError
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.keras_trainer import KerasTrainer
from sweep.training.model import Build

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
    """Both trainers behind one face."""

    build: Build
    split: Split
    batch_size: int
    patience: int | None
    checkpoint_seconds: float = 10.0
    name: str = "auto"
    program_bytes: int | None = None
    _fused: FusedTrainer = field(init=False)
    _keras: KerasTrainer = field(init=False)

    def __post_init__(self) -> None:
        settings = (
            self.build, self.split, self.batch_size, self.patience, self.checkpoint_seconds
        )  # fmt: skip
        self._fused = FusedTrainer(*settings, program_bytes=self.program_bytes)
        self._keras = KerasTrainer(*settings)

    @property
    def compilations(self) -> int:
        """Programs the fused trainer has used so far."""
        return self._fused.compilations

    def train(
        self, assignments: Iterable[Assignment], journal: Journal, stop: StopRequested
    ) -> None:
        fused = _Fused(Interleaved(iter(assignments)), self.refusal)
        while not stop():
            self._fused.train(fused, journal, stop)
            if not fused.others:
                return
            others, fused.others = fused.others, []
            self._keras.train(others, journal, stop)

    def trainer_of(self, assignment: Assignment) -> str:
        """The name of the trainer that carries the trial: fused or keras."""
        fused = self.refusal(assignment) is None
        return self._fused.name if fused else self._keras.name

    def survey(self, values: dict[str, Value]) -> Surveyed:
        """How a configuration would be trained. Builds its model: tens of milliseconds."""
        assignment = Assignment(0, 0, 0, 0, 0, values, 1)
        refusal = self.refusal(assignment)
        if refusal is not None:
            return Surveyed(refusal)
        description = self._fused.readings.description(assignment)
        return Surveyed(None, description.params, self._fused.shape(description))

    def refusal(self, assignment: Assignment) -> str | None:
        """None when the trial is fused; else one line saying why it is left to Keras."""
        try:
            self._fused.readings.description(assignment)
        except NotCarriedError as error:
            return str(error)
        except Exception as exception:  # the Keras trainer records it as the trial's failure
            return f"build(hp) raises {type(exception).__name__}"
        return None


@dataclass
class Interleaved(Iterator[Assignment]):
    """Takes the same share of every bracket's assignments, so that long ones are among the first.

    A bracket of many trials has short ones: they are trained faster than their models are read.
    """

    source: Iterator[Assignment]
    """Drained at each step: more may have come."""
    _brackets: dict[int, deque[Assignment]] = field(default_factory=dict)
    _taken: Counter[int] = field(default_factory=Counter)

    def __next__(self) -> Assignment:
        for assignment in self.source:
            self._brackets.setdefault(assignment.bracket or 0, deque()).append(assignment)
        shares = [
            (self._taken[bracket] / (self._taken[bracket] + len(queue)), -bracket)
            for bracket, queue in self._brackets.items()
            if queue
        ]
        if not shares:
            raise StopIteration
        bracket = -min(shares)[1]
        self._taken[bracket] += 1
        return self._brackets[bracket].popleft()


@dataclass
class _Fused(Iterator[Assignment]):
    """The assignments to fuse, each read when it is asked for; all else goes to `others`."""

    assignments: Iterator[Assignment]
    refusal: Callable[[Assignment], str | None]
    others: list[Assignment] = field(default_factory=list)

    def __next__(self) -> Assignment:
        for assignment in self.assignments:
            reason = self.refusal(assignment)
            if reason is None:
                return assignment
            _log.info("trial %d is left to Keras: %s", assignment.trial, reason)
            self.others.append(assignment)
        raise StopIteration
