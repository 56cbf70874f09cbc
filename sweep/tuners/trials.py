"""What a stored sweep's trials are to Keras Tuner: `Trial` objects, scores as the user has them.

A score is shown in the direction of the objective: an accuracy, where the store keeps 1 − accuracy.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.records import AssignmentStatus, Value
from sweep.space.record import RangeDefinition, SpaceRecord
from sweep.store import Store
from sweep.store.parsing import hyperparameters_of, metrics_of
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tuners.keras_tuner_private import direction_of

_DECIMALS = 12
"""So that 1 - 0.85 is shown as 0.15."""
_TURNED = (
    ObjectiveName.ACCURACY,
    ObjectiveName.AUC,
    ObjectiveName.AVERAGE_PRECISION,
    ObjectiveName.R2,
)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class StoredTrial:
    """One configuration: its rows of the tables, those of its repeats among them."""

    number: int
    values: dict[str, Value]
    bracket: int | None
    runs: tuple[tuple[Row, ...], ...]
    """The epochs of each run, its own first."""
    assignments: tuple[Row, ...]
    """Of all runs."""

    @property
    def status(self) -> str:
        """Keras Tuner's word for what has become of it."""
        found = {row["status"] for row in self.assignments}
        if str(AssignmentStatus.FAILED) in found:
            return "FAILED"
        open_ones = {str(AssignmentStatus.PENDING), str(AssignmentStatus.INTERRUPTED)}
        has_score = all(_best(epochs) is not None for epochs in self.runs)
        waits = bool(found & open_ones)
        return "RUNNING" if not has_score or (waits and len(found) == 1) else "COMPLETED"

    @property
    def message(self) -> str | None:
        return next((row["error"] for row in self.assignments if row["error"]), None)


def stored_trials(store: Store) -> list[StoredTrial]:
    """Return the configurations of a sweep's search, in the order in which they were begun."""
    names = ("trial", "assignment", "epoch", "training")
    tables = {name: _dicts(*store.table(name)) for name in names}
    training = {(row["trial"], row["epoch"]): row["metrics"] for row in tables["training"]}
    epochs: dict[int, list[Row]] = defaultdict(list)
    for row in tables["epoch"]:
        told = training.get((row["trial"], row["epoch"]))
        epochs[row["trial"]].append({**row, "train_metrics": told})
    assignments: dict[int, list[Row]] = defaultdict(list)
    for row in tables["assignment"]:
        assignments[row["trial"]].append(row)
    repeats: dict[int, list[int]] = defaultdict(list)
    for row in tables["trial"]:
        if row["confirms"] is not None and _is_execution(row, store):
            repeats[row["confirms"]].append(row["trial"])
    found = []
    for row in tables["trial"]:
        if row["confirms"] is not None or row["baseline"] is not None:
            continue
        runs = (row["trial"], *repeats[row["trial"]])
        found.append(
            StoredTrial(
                row["trial"],
                hyperparameters_of(row["hyperparameters"]),
                row["bracket"],
                tuple(tuple(epochs[one]) for one in runs),
                tuple(one for run in runs for one in assignments[run]),
            )
        )
    return found


def shown_score(score: float, scoring: Scoring) -> float:
    """Return a stored score in the direction of the objective."""
    if scoring.objective in _TURNED:
        return round(1 - score, _DECIMALS)
    if scoring.objective is ObjectiveName.METRIC and scoring.is_higher_better:
        return -score
    return score


def trial_of(
    one: StoredTrial, space: SpaceRecord, scoring: Scoring, objective: str, width: int, rungs: bool
) -> Any:
    """Return the `keras_tuner` trial of a configuration.

    `objective` is the name under which the score stands among its metrics, `width` that of ids.
    Like Keras Tuner it has one observation of each metric: of the best epoch, whose number from 0
    is the step, and the mean over executions.
    """
    from keras_tuner.engine.trial import Trial

    name = f"{one.number:0{width}d}"
    values = dict(one.values) | (_places(one, name) if rungs else {})
    trial = Trial(hyperparameters_with(space, values), name, one.status, one.message)
    best = [row for row in map(_best, one.runs) if row is not None]
    if not best or (trial.status == "RUNNING" and len(best) < len(one.runs)):
        return trial
    trial.best_step = int(statistics.mean(row["epoch"] - 1 for row in best))
    trial.score = shown_score(math.fsum(row["val_score"] for row in best) / len(best), scoring)
    for name, value in _means([_measured(row, scoring, objective) for row in best]).items():
        trial.metrics.register(name, direction=_direction(name, objective, scoring))
        trial.metrics.update(name, value, step=trial.best_step)
    return trial


def hyperparameters_with(space: SpaceRecord, values: Mapping[str, Value]) -> Any:
    """Return `keras_tuner.HyperParameters` that hold these values, each declared as it was."""
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    for one in space.definitions:
        if one.name not in values or one.name in hp.values:
            continue
        given: dict[str, Any] = {}
        if isinstance(one, RangeDefinition):
            given = {
                "min_value": one.min_value,
                "max_value": one.max_value,
                "step": one.step,
                "sampling": one.sampling or "linear",
            }
        elif one.kind != "Boolean":
            given = {"value": one.values[0]} if one.kind == "Fixed" else {"values": [*one.values]}
        getattr(hp, one.kind)(one.name, **given)
    hp.values = dict(values)
    return hp


def no_hyperparameters() -> Any:
    """Return `keras_tuner.HyperParameters` that hold nothing."""
    return hyperparameters_with(SpaceRecord(), {})


def some_values(space: SpaceRecord) -> dict[str, Value]:
    """Return a value of each hyperparameter: the first that its first definition holds."""
    found: dict[str, Value] = {}
    for one in space.definitions:
        first = one.min_value if isinstance(one, RangeDefinition) else one.values[0]
        found.setdefault(one.name, first)
    return found


def _places(one: StoredTrial, name: str) -> dict[str, Value]:
    """Where a trial stands in Hyperband, under Keras Tuner's names.

    `tuner/trial_id` is there which trial it goes on from: itself, once it has been promoted.
    """
    own = [row for row in one.assignments if row["trial"] == one.number]
    last = own[-1]
    found: dict[str, Value] = {
        "tuner/epochs": last["last_epoch"],
        "tuner/initial_epoch": last["first_epoch"],
        "tuner/bracket": one.bracket or 0,
        "tuner/round": last["rung"],
    }
    return found | ({"tuner/trial_id": name} if last["rung"] else {})


def _is_execution(row: Row, store: Store) -> bool:
    """Whether a repeat is one of the search's own executions; later ones only confirm."""
    executions = store.sweep().settings.executions
    return row["seed_number"] is not None and row["seed_number"] <= executions


def _best(epochs: Sequence[Row]) -> Row | None:
    """The epoch of the lowest score, the first of equal ones."""
    finite = [row for row in epochs if row["val_score"] is not None]
    return min(finite, key=lambda row: row["val_score"]) if finite else None


def _measured(row: Row, scoring: Scoring, objective: str) -> dict[str, float]:
    """What is known of an epoch, under the names of Keras' logs."""
    found: dict[str, float | None] = {"loss": row["fit_loss"], "val_loss": row["val_loss"]}
    if row["val_accuracy"] is not None:
        found["val_accuracy"] = row["val_accuracy"]
    if row["val_auc"] is not None:
        found["val_auc"] = row["val_auc"]
    if row["metrics"]:
        found |= {f"val_{k}": v for k, v in metrics_of(row["metrics"]).items()}
    if row["train_metrics"]:
        found |= metrics_of(row["train_metrics"])
    if objective != "val_loss":
        found[objective] = shown_score(row["val_score"], scoring)
        if row["train_score"] is not None:
            found[objective.removeprefix("val_")] = shown_score(row["train_score"], scoring)
    return {name: value for name, value in found.items() if value is not None}


def _means(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    common = [name for name in runs[0] if all(name in one for one in runs)]
    return {name: math.fsum(one[name] for one in runs) / len(runs) for name in common}


def _direction(name: str, objective: str, scoring: Scoring) -> str:
    if name.removeprefix("val_") == objective.removeprefix("val_"):
        return "max" if is_higher_better(scoring) else "min"
    return direction_of(name) or "min"


def is_higher_better(scoring: Scoring) -> bool:
    """Whether more of what the objective shows is better."""
    return scoring.objective in _TURNED or (
        scoring.objective is ObjectiveName.METRIC and scoring.is_higher_better
    )


def _dicts(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[Row]:
    return [dict(zip(columns, row, strict=True)) for row in rows]
