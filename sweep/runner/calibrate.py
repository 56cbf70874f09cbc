"""Estimates how long a plan takes, from training its smallest and largest model for a moment."""

from dataclasses import dataclass

from sweep.records import OutcomeStatus, Value
from sweep.runner.memory import train_beside
from sweep.runner.sweep import Prepared
from sweep.training.model import build_model, count_params

_EPOCHS = 3
_SAMPLED_TRIALS = 24


@dataclass(frozen=True)
class Estimate:
    """Smallest and largest number of trainable parameters, and the expected wall time."""

    smallest: int
    largest: int
    seconds: float


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
    memory = train_beside(prepared, 0, values, 1, _EPOCHS)
    outcome = memory.outcome
    if outcome is None or outcome.status is OutcomeStatus.FAILED or not memory.records:
        return 0.0, 0.0
    epoch = min(record.seconds for record in memory.records)
    return max(0.0, outcome.seconds - len(memory.records) * epoch), epoch
