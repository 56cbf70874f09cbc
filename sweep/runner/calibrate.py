"""Estimates how long a plan takes, from training its smallest and largest model for a moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus, Value
from sweep.runner.sweep import Prepared, make_trainer
from sweep.training.checkpoint import TrialState
from sweep.training.model import build_model, count_params

_EPOCHS = 3
_SAMPLED_TRIALS = 24


@dataclass(frozen=True)
class Estimate:
    """Smallest and largest number of trainable parameters, and the expected wall time."""

    smallest: int
    largest: int
    seconds: float


@dataclass
class _Memory:
    """A journal that keeps only what was measured."""

    records: list[EpochRecord] = field(default_factory=list)
    outcome: Outcome | None = None

    def load(self, assignment: Assignment) -> TrialState | None:
        return None

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        return

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.records.append(record)

    def finish(
        self,
        assignment: Assignment,
        outcome: Outcome,
        state: TrialState | None,
        records: Sequence[EpochRecord],
    ) -> None:
        self.outcome = outcome


def estimate(prepared: Prepared) -> Estimate:
    """Train the smallest and the largest model for three epochs and extend that to the plan.

    Seconds an epoch are taken as linear in the parameters between the two, seconds before the
    first epoch as constant; early stopping is left out, so the estimate is for the whole plan.
    """
    sized = sorted(
        ((_params(prepared, values), values) for values in prepared.space.corners()),
        key=lambda pair: pair[0],
    )
    (smallest, small_values), (largest, large_values) = sized[0], sized[-1]
    before, small_epoch = _measure(prepared, small_values)
    _, large_epoch = _measure(prepared, large_values)
    slope = max(0.0, large_epoch - small_epoch) / max(1, largest - smallest)

    def epoch_seconds(params: float) -> float:
        return small_epoch + slope * (params - smallest)

    roots = prepared.plan.roots[:_SAMPLED_TRIALS]
    params = [_params(prepared, root.hyperparameters) for root in roots]
    mean_epoch = sum(epoch_seconds(p) for p in params) / len(params)
    seconds = prepared.plan.epochs * mean_epoch + len(prepared.plan.proposals) * before
    for values in prepared.baselines.values():
        one = epoch_seconds(_params(prepared, values))
        seconds += before + prepared.settings.max_epochs * one
    return Estimate(smallest, largest, seconds)


def _params(prepared: Prepared, values: dict[str, Value]) -> int:
    return count_params(build_model(prepared.space.build, values, seed=1))


def _measure(prepared: Prepared, values: dict[str, Value]) -> tuple[float, float]:
    """Seconds before the first epoch, compiling included, and of an epoch."""
    trainer, _ = make_trainer(prepared)
    memory = _Memory()
    trainer.train([Assignment(0, 0, 0, 0, _EPOCHS, values, 1)], memory, lambda: False)
    outcome = memory.outcome
    if outcome is None or outcome.status is OutcomeStatus.FAILED or not memory.records:
        return 0.0, 0.0
    epoch = min(record.seconds for record in memory.records)
    return max(0.0, outcome.seconds - len(memory.records) * epoch), epoch
