"""What a plan will train and how long that takes, from training two of its models briefly."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

from sweep.data.split import Split
from sweep.errors import InvalidSpaceError
from sweep.records import Assignment, Value
from sweep.runner.prepare import Prepared, make_trainer
from sweep.space.asked import Asked
from sweep.training.auto_trainer import AutoTrainer, Surveyed
from sweep.training.contract import Trainer, train_all
from sweep.training.memory_journal import MemoryJournal
from sweep.training.model import count_params

_EPOCHS = 3
_COPIES = {True: 8, False: 2}
"""Trials trained to measure the smallest model and the largest: small ones share programs."""
_MOST_ROWS = 20_000
"""Rows of each part on which models are measured: an epoch of more takes longer in proportion."""
_FEWEST_BATCHES = 4
"""Training batches on which models are measured, however large a batch is."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one trial, in the company of others."""

    compiling: float
    """Once for each program."""
    before: float
    """Before its first epoch, once for each assignment."""
    epoch: float


@dataclass(frozen=True)
class Learned:
    """Seconds that a plan's parts take on this machine, when all of it is at work."""

    compiling: float
    """A program."""
    before: float
    """Before the first epoch of an assignment."""
    epochs: list[float | None]
    """An epoch of each configuration, baselines last; None if its model does not build."""


@dataclass(frozen=True)
class Survey:
    """The configurations of a plan, as the sweep's own trainer would train them."""

    prepared: Prepared

    @cached_property
    def _trainer(self) -> Trainer:
        return make_trainer(self.prepared)

    @cached_property
    def _measured_on(self) -> Split:
        """The rows on which models are measured: the first of each part, if there are many."""
        split, settings = self.prepared.split, self.prepared.settings
        train = split.train.take(slice(max(_MOST_ROWS, _FEWEST_BATCHES * settings.batch_size)))
        scored = settings.train_score_rows
        return replace(
            split,
            train=train,
            validation=split.validation.take(slice(_MOST_ROWS)),
            scored_rows=scored and -(-scored * len(train) // len(split.train)),
        )

    @cached_property
    def _measuring(self) -> Trainer:
        return make_trainer(self.prepared, self._measured_on)

    @cached_property
    def _longer(self) -> float:
        """How many times as long an epoch takes as on the rows on which models are measured."""
        whole = replace(self.prepared.split, scored_rows=self.prepared.settings.train_score_rows)
        return _epoch_work(whole) / _epoch_work(self._measured_on)

    @cached_property
    def _surveyed(self) -> list[Surveyed]:
        """How the search's trials, then the baselines, are trained; empty if none can be fused."""
        if not isinstance(self._trainer, AutoTrainer):
            return []
        return [self._trainer.survey(values) for values in self._configurations]

    @property
    def _configurations(self) -> list[dict[str, Value]]:
        searched = [root.hyperparameters for root in self.prepared.plan.roots]
        return [*searched, *self.prepared.baselines.values()]

    @property
    def refusals(self) -> Counter[str | None]:
        """How many trials are not fused, by reason; under None, how many are."""
        return Counter(one.refusal for one in self._surveyed)

    @property
    def programs(self) -> int:
        """Programs to compile for the fused trials."""
        return len({one.program for one in self._surveyed if one.program is not None})

    @cached_property
    def params(self) -> list[int | None]:
        """Trainable parameters of each trial, baselines last; None if the model does not build."""
        known = [one.params for one in self._surveyed] or [None] * len(self._configurations)
        return [
            self._count(values) if params is None else params
            for params, values in zip(known, self._configurations, strict=True)
        ]

    def extremes(self) -> tuple[int, int]:
        """Trainable parameters of the smallest and the largest model of the space.

        Raises InvalidSpaceError if none of those that are looked at builds.
        """
        counted = [self._count(values) for values in self.prepared.space.corners()]
        params = [count for count in counted if count is not None]
        if not params:
            raise _none_builds(self.prepared)
        return min(params), max(params)

    def seconds(self) -> float:
        """Return the expected wall time if nothing stops early.

        Trains the smallest and the largest trial of the plan, each a few times over, on the first
        20,000 rows if there are more. Seconds an epoch are taken as linear in the parameters
        between the two and in the rows, those before an assignment's first epoch as the smallest
        model's. A trial whose model does not build takes no time.
        Raises InvalidSpaceError if no model builds.
        """
        learned = self.learned
        plan, n_roots = self.prepared.plan, len(self.prepared.plan.roots)
        searched = [one for one in learned.epochs[:n_roots] if one is not None]
        baselines = [one for one in learned.epochs[n_roots:] if one is not None]
        settings = self.prepared.settings
        seconds = self.programs * learned.compiling
        n_runs = settings.executions * len(plan.proposals) + settings.seeds * len(baselines)
        seconds += n_runs * learned.before
        seconds += settings.executions * plan.epochs * sum(searched) / max(1, len(searched))
        return seconds + settings.seeds * settings.max_epochs * sum(baselines)

    @cached_property
    def learned(self) -> Learned:
        """What training costs here: see `seconds`. Raises InvalidSpaceError if no model builds."""
        built = [(p, position) for position, p in enumerate(self.params) if p is not None]
        if not built:
            raise _none_builds(self.prepared)
        fewest, small = min(built)
        most, large = max(built, key=lambda one: (one[0], -one[1]))
        cost, costliest = self._cost(small, small=True), self._cost(large, small=False)
        slope = max(0.0, costliest.epoch - cost.epoch) / max(1, most - fewest)
        return Learned(
            max(cost.compiling, costliest.compiling),
            cost.before,
            [None if p is None else cost.epoch + slope * (p - fewest) for p in self.params],
        )

    def fused(self, position: int) -> bool:
        """Whether a configuration shares programs with others."""
        return bool(self._surveyed) and self._surveyed[position].refusal is None

    def _cost(self, position: int, *, small: bool) -> Cost:
        copies = _COPIES[small]
        first, again, longer = (
            self._wall(self._configurations[position], copies, epochs)
            for epochs in (1, 1, 1 + _EPOCHS)
        )
        epoch = max(0.0, longer - again) / (_EPOCHS * copies)
        before = max(0.0, again / copies - epoch)
        return Cost(max(0.0, first - again), before, epoch * self._longer)

    def _wall(self, values: dict[str, Value], copies: int, epochs: int) -> float:
        """Seconds of training a configuration for some epochs, under as many seeds as copies."""
        work = [Assignment(n, n, 0, 0, epochs, values, 1 + n) for n in range(copies)]
        started = time.perf_counter()
        train_all(self._measuring, work, MemoryJournal())
        return time.perf_counter() - started

    def _count(self, values: dict[str, Value]) -> int | None:
        """Trainable parameters; None if the model does not build: its trial will fail."""
        try:
            return count_params(self.prepared.space.explorer.build(Asked(values)))
        except Exception:  # whatever a user's build raises
            return None


def _epoch_work(split: Split) -> int:
    """The products of an epoch, in those of one row forward.

    A training row goes forward and back, which is two products more; then scores are measured.
    """
    return 3 * len(split.train) + split.n_scored + len(split.validation)


def _none_builds(prepared: Prepared) -> InvalidSpaceError:
    return InvalidSpaceError(
        f"{prepared.space.name}: build(hp) raises for every configuration that was tried; "
        "mend it, then plan again"
    )
