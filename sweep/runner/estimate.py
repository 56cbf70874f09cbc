"""What a plan will train and how long that takes, from training two of its models briefly."""

import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from sweep.records import Assignment, Value
from sweep.runner.prepare import Prepared, make_trainer
from sweep.runner.retrain import MemoryJournal
from sweep.training.auto_trainer import AutoTrainer, Surveyed
from sweep.training.contract import Trainer
from sweep.training.model import build_model, count_params

_EPOCHS = 3
_COPIES = {True: 8, False: 2}
"""Trials trained to measure the smallest model and the largest: small ones share programs."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one trial, in the company of others."""

    compiling: float
    """Once for each program."""
    before: float
    """Before its first epoch, once for each assignment."""
    epoch: float


@dataclass(frozen=True)
class Survey:
    """The configurations of a plan, as the sweep's own trainer would train them."""

    prepared: Prepared

    @cached_property
    def _trainer(self) -> Trainer:
        return make_trainer(self.prepared)[0]

    @cached_property
    def _surveyed(self) -> list[Surveyed]:
        """Of the search's trials, then of the baselines. Empty when no trial is fused."""
        if not isinstance(self._trainer, AutoTrainer):
            return []
        return [self._trainer.survey(values) for values in self._configurations]

    @property
    def _configurations(self) -> list[dict[str, Value]]:
        searched = [root.hyperparameters for root in self.prepared.plan.roots]
        return [*searched, *self.prepared.baselines.values()]

    @property
    def refusals(self) -> Counter[str | None]:
        """How many trials are fused (None), and how many are not, by reason."""
        return Counter(one.refusal for one in self._surveyed)

    @property
    def programs(self) -> int:
        """Programs to compile for the fused trials."""
        return len({one.program for one in self._surveyed if one.program is not None})

    @cached_property
    def params(self) -> list[int]:
        """Trainable parameters of each trial, baselines last."""
        known = [one.params for one in self._surveyed] or [None] * len(self._configurations)
        return [
            self._count(values) if params is None else params
            for params, values in zip(known, self._configurations, strict=True)
        ]

    def extremes(self) -> tuple[int, int]:
        """Trainable parameters of the smallest and the largest model of the space."""
        params = [self._count(values) for values in self.prepared.space.corners()]
        return min(params), max(params)

    def seconds(self) -> float:
        """Expected wall time if nothing stops early.

        Trains the smallest and the largest trial of the plan, each a few times over. Seconds an
        epoch are taken as linear in the parameters between the two, those before an assignment's
        first epoch as the smallest model's.
        """
        params = self.params
        small, large = params.index(min(params)), params.index(max(params))
        cost, costliest = self._cost(small, small=True), self._cost(large, small=False)
        slope = max(0.0, costliest.epoch - cost.epoch) / max(1, params[large] - params[small])
        per_epoch = [cost.epoch + slope * (p - params[small]) for p in params]
        plan, n_roots = self.prepared.plan, len(self.prepared.plan.roots)
        settings = self.prepared.settings
        seconds = self.programs * max(cost.compiling, costliest.compiling)
        seconds += (len(plan.proposals) + settings.seeds * (len(params) - n_roots)) * cost.before
        seconds += plan.epochs * sum(per_epoch[:n_roots]) / max(1, n_roots)
        return seconds + settings.seeds * settings.max_epochs * sum(per_epoch[n_roots:])

    def _cost(self, position: int, *, small: bool) -> Cost:
        copies = _COPIES[small]
        first, again, longer = (
            self._wall(self._configurations[position], copies, epochs)
            for epochs in (1, 1, 1 + _EPOCHS)
        )
        epoch = max(0.0, longer - again) / (_EPOCHS * copies)
        return Cost(max(0.0, first - again), max(0.0, again / copies - epoch), epoch)

    def _wall(self, values: dict[str, Value], copies: int, epochs: int) -> float:
        """Seconds of training a configuration under several seeds, for so many epochs."""
        work = [Assignment(n, n, 0, 0, epochs, values, 1 + n) for n in range(copies)]
        started = time.perf_counter()
        self._trainer.train(work, MemoryJournal(), lambda: False)
        return time.perf_counter() - started

    def _count(self, values: dict[str, Value]) -> int:
        """Trainable parameters; 0 when it cannot be built: its trial will fail."""
        try:
            return count_params(build_model(self.prepared.space.build, values, seed=1))
        except Exception:  # whatever a user's build raises
            return 0
