"""A stored sweep as pandas frames: one row per trial, one per epoch.

The only place that names columns and derives them from the store.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sweep.analysis.frames.against_references import Advantage, advantages, beats_guessing
from sweep.analysis.frames.evidence import evidence, optimism_of_best, spread_of_seeds
from sweep.analysis.frames.expected import COLUMNS as EXPECTED
from sweep.analysis.frames.expected import with_expectation
from sweep.analysis.frames.no_skill import NoSkill, no_skill
from sweep.analysis.frames.other_seeds import SeedLosses, confirmed, runs, seed_losses
from sweep.analysis.frames.ranking import order
from sweep.analysis.frames.trial_class import gap_errors
from sweep.analysis.frames.trial_status import TrialStatus, statuses
from sweep.metrics import NO_SKILL
from sweep.records import AssignmentStatus, EpochRecord, SweepState, Value
from sweep.statistics.onset import TOLERANCE, onsets
from sweep.statistics.seed_spread import SeedSpread
from sweep.statistics.selection_bias import Optimism
from sweep.store import (
    Opening,
    Reference,
    Store,
    SweepRow,
    hyperparameters_of,
    metrics_of,
    regularisation_of,
)
from sweep.store.workers import WorkerRow, workers
from sweep.tasks.score_words import ScoreWords

TRIAL_COLUMNS = {
    "rank": "place by the score on the validation rows, 1 is the best",
    "trial": "number of the trial",
    "baseline": "name of the baseline, none for a searched trial",
    "status": "finished, stopped, cut, waiting, running, pending or failed",
    "hyperparameters": "all hyperparameters by name",
    "regularisation": "what the built model is regularised by: kind, where, how strong; none if it "
    "was not read",
    "params": "trainable parameters",
    "val_score": "score: the lowest on the validation rows over all epochs, without penalty; what "
    "it measures is in the sweep's scoring (BCE in nats if nothing is said)",
    **EXPECTED,
    "val_score_se": "standard error of val_score over the validation rows, none if unknown",
    "difference": "val_score minus that of the best trial",
    "difference_se": "paired standard error of difference over the same validation rows",
    "behind": "expected_score minus the lowest one; val_score where the choice of an epoch is "
    "unknown",
    "behind_se": "its standard error over rows (paired), seeds and the choice of the epoch",
    "tied": "statistically tied with the best by expected score: in the model confidence set at "
    "95 %",
    "simplest": "fewest parameters within one standard error, over rows and seeds, of the best by "
    "expected score",
    "class": "underfit, balanced, overfit or diverged, none if it cannot be told",
    "train_score": "the same on the training rows (or settings.train_score_rows of them) in "
    "evaluation mode, weights of the best epoch",
    "gap": "val_score - train_score",
    "best_epoch": "epoch of the lowest score on the validation rows",
    "onset_epoch": "epoch after which the score on the validation rows rises for good, none if "
    "training ended first",
    "val_accuracy": "validation accuracy at the best epoch",
    "val_auc": "area under the validation ROC curve at the best epoch",
    "metrics": "what the model's own metrics say of the validation rows at the best epoch, by name",
    "epochs": "epochs trained",
    "rung": "highest rung reached, none for a baseline or without Hyperband",
    "last_epoch": "epochs planned up to the end of that rung",
    "bracket": "Hyperband bracket, none for a baseline or another search",
    "iteration": "Hyperband iteration, none for a baseline or another search",
    "seconds": "wall time of training and evaluation, all epochs",
    "seed": "the trial's seed",
    "error": "why it failed",
}
"""Columns of `SweepFrames.trials` in order, and what they hold: the data dictionary."""

EPOCH_COLUMNS = {"trial": "number of the trial", **EpochRecord.meanings()}
"""Columns of `SweepFrames.epochs` in order, and what they hold."""

ASSIGNMENT_COLUMNS = {
    "trial": "number of the trial",
    "is_searched": "whether the search proposed it; baselines are not",
    "rung": "rung that the assignment ends",
    "first_epoch": "epochs trained before it",
    "last_epoch": "epochs trained after it, unless the trial stops early",
    "status": "pending, completed, stopped, failed or interrupted",
    "epochs": "epochs it trained",
    "score": "the trial's score at its end, none if there is none",
    "seconds": "wall time it took",
    "ended_at": "Unix time of its end, none before",
}
"""Columns of `SweepFrames.assignments` in order, and what they hold."""

_INTEGERS = ("params", "best_epoch", "onset_epoch", "rung", "last_epoch", "bracket", "iteration")


@dataclass(frozen=True, eq=False)
class SweepFrames:
    """A sweep as it was when it was read. Nobody changes the frames, so results may be kept."""

    sweep: SweepRow
    address: str
    """What a command names the sweep by, quoted for a shell."""
    trials: pd.DataFrame
    """One row per trial, best first; columns as `TRIAL_COLUMNS`. Integers that may be missing
    are `Int64`."""
    hyperparameters: pd.DataFrame
    """One column per hyperparameter, rows as in `trials`; None where a trial has no such one.
    Apart from `trials` because a hyperparameter may be called `epochs`."""
    epochs: pd.DataFrame
    """One row per trial and epoch, sorted by them; columns as `EPOCH_COLUMNS`."""
    assignments: pd.DataFrame
    """One row per assignment of these trials, in their order; columns as `ASSIGNMENT_COLUMNS`."""
    openings: tuple[Opening, ...]
    """The ledger of the sealed test rows."""
    optimism: Optimism | None
    """The selection bias of the best score; None if it cannot be told."""
    confirmations: pd.DataFrame
    """One row per run with another seed; columns as `trials` has them but for the ranking, and
    `confirms`, the trial, and `seed_number`. They are in no other frame."""
    confirmation_epochs: pd.DataFrame
    """Their epochs, as in `epochs`."""
    confirmed: pd.DataFrame
    """One row per trial with such runs, the lowest mean first (see `other_seeds`)."""
    no_skill: NoSkill
    """The level of guessing on these rows."""
    references: tuple[Reference, ...]
    """Models that are no networks, on the same rows."""
    workers: tuple[WorkerRow, ...]
    """Of the pools that the sweep was worked on with, in the order in which they joined."""
    seed_losses: SeedLosses
    """What the errors of the means are made of."""
    seed_spread: SeedSpread
    """How far each trial's score spreads from seed to seed, in the order of `trials`."""
    advantages: tuple[Advantage, ...]
    """The best trial against the references (see `against_references`)."""
    beats_guessing: bool | None
    """Whether the best trial is better than no skill; None if its error or the level is unknown."""

    @property
    def score_words(self) -> ScoreWords:
        """How the scores are shown to people: names, unit, digits."""
        return replace(self.sweep.score_words, size=self.no_skill.scale * NO_SKILL)

    def gap_se(self, val_score_se: float) -> float:
        """Return SE(gap) of a trial, from the error of its score; see `trial_class.gap_errors`."""
        settings = self.sweep.settings
        rows = settings.validation_rows, settings.scored_train_rows
        return float(gap_errors(np.array([val_score_se], dtype=float), *rows)[0])

    @property
    def hyperparameter_names(self) -> list[str]:
        """Names of the hyperparameters, in the order of the search space."""
        return list(self.hyperparameters.columns)


def load(
    store: Store,
    state: SweepState | None = None,
    name: str | None = None,
    address: str | None = None,
) -> SweepFrames:
    """Read a sweep into frames, also while it runs.

    `state` replaces the stored one if the caller knows better: a sweep whose process has died is
    still stored as running. So does `name`: a sweep is found by its folder's name, and a folder
    may have been copied or renamed. `address` is what a command names it by, by default its name.
    """
    sweep = store.sweep()
    sweep = replace(sweep, state=state or sweep.state, name=name or sweep.name)
    # what refers to a trial is read before the trials: a sweep may grow meanwhile
    (epochs, metrics), losses = _epochs(store), store.losses()
    assignments = _table(store, "assignment")
    trials = _table(store, "trial").set_index("trial", drop=False)
    trials["hyperparameters"] = trials["hyperparameters"].map(hyperparameters_of)
    trials["regularisation"] = _objects(map(regularisation_of, trials["regularisation"]), trials)
    references, folds = tuple(store.references()), store.folds()
    level = no_skill(sweep, references, epochs)
    trials = trials.join(_of_epochs(epochs, trials.index, level))
    trials = with_expectation(trials, epochs, folds, sweep.settings.validation_rows)
    trials = trials.join(_of_assignments(assignments))
    best = zip(trials["trial"], trials["best_epoch"], strict=True)
    trials["metrics"] = _objects((metrics_of(metrics.get(one)) for one in best), trials)
    trials["status"] = statuses(
        failed=trials["failed"] == True,  # noqa: E712  (missing where no assignment is)
        pending=trials["pending"] == True,  # noqa: E712
        stopped=trials["stopped"] == True,  # noqa: E712
        epochs=trials["epochs"],
        max_epochs=sweep.settings.max_epochs,
        sweep_finished=sweep.state is SweepState.FINISHED,
    )
    if not sweep.settings.has_rungs:
        trials[["iteration", "bracket", "rung"]] = pd.NA
    is_confirmation = trials["confirms"].notna()
    confirmations = _typed(trials[is_confirmation])
    trials = _ranked(trials[~is_confirmation])
    repeats = runs(trials, confirmations, sweep.settings.executions)
    by_seed = seed_losses(repeats, losses)
    is_confirmation = epochs["trial"].isin(confirmations["trial"])
    later, epochs = epochs[is_confirmation], epochs[~is_confirmation]
    spread = spread_of_seeds(trials, by_seed, level)
    judged = evidence(trials, epochs, losses, sweep.settings.scored_train_rows, level, spread)
    trials = trials.join(judged)[list(TRIAL_COLUMNS)]
    means = confirmed(trials, repeats, by_seed)
    optimism = optimism_of_best(trials, losses)
    return SweepFrames(
        sweep=sweep,
        address=address or sweep.name,
        trials=trials,
        hyperparameters=_hyperparameters(sweep, trials),
        epochs=epochs.reset_index(drop=True),
        assignments=_assignments(assignments, trials),
        openings=tuple(store.openings()),
        optimism=optimism,
        confirmations=confirmations,
        confirmation_epochs=later.reset_index(drop=True),
        confirmed=means,
        references=references,
        workers=tuple(workers(store)),
        no_skill=level,
        seed_losses=by_seed,
        seed_spread=spread,
        advantages=advantages(trials, losses, means, by_seed, references, optimism, spread),
        beats_guessing=beats_guessing(trials, losses, references, level, optimism),
    )


def _objects(values: Iterable[object], trials: pd.DataFrame) -> "pd.Series[Any]":
    """A column of JSON objects, rows as in `trials`."""
    return pd.Series(list(values), index=trials.index, dtype=object)


def _table(store: Store, name: str) -> pd.DataFrame:
    columns, rows = store.table(name)
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _assignments(assignments: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """The columns of `ASSIGNMENT_COLUMNS` with their types, of these trials."""
    frame = assignments.assign(is_searched=assignments["oracle_id"].notna())
    frame = frame.loc[frame["trial"].isin(trials["trial"]), list(ASSIGNMENT_COLUMNS)]
    types = dict.fromkeys(("trial", "rung", "first_epoch", "last_epoch", "epochs"), "int64")
    types |= dict.fromkeys(("score", "seconds", "ended_at"), "float64")
    return frame.reset_index(drop=True).astype(types)


def _epochs(store: Store) -> tuple[pd.DataFrame, dict[tuple[int, float], str]]:
    """The records' numbers; and the texts of the models' own metrics by trial and epoch."""
    columns, rows = store.table("epoch")
    names = [name for name in columns if name != "metrics"]
    values = np.array([row[: len(names)] for row in rows], dtype=float)  # (records, columns)
    frame = pd.DataFrame(values.reshape(-1, len(names)), columns=names)
    texts = {(row[0], row[1]): row[-1] for row in rows if row[-1] is not None}
    return frame.astype({"trial": "int64", "epoch": "int64"}), texts


def _of_epochs(epochs: pd.DataFrame, trials: pd.Index, level: NoSkill) -> pd.DataFrame:
    """Return what the epoch records say of each trial."""
    by_trial = epochs.groupby("trial", sort=True)
    found = pd.DataFrame(index=trials)
    found["epochs"] = by_trial.size().reindex(trials, fill_value=0)
    found["seconds"] = by_trial["seconds"].sum().reindex(trials)
    best = _best(epochs).reindex(trials)
    for name in ("val_score", "train_score", "val_accuracy", "val_auc"):
        found[name] = best[name]
    found["gap"] = best["val_score"] - best["train_score"]
    found["best_epoch"] = best["epoch"]
    found["onset_epoch"] = _onsets(epochs, TOLERANCE * level.scale).reindex(trials)
    return found


def _best(epochs: pd.DataFrame) -> pd.DataFrame:
    """The record with the lowest validation score of each trial, the earliest of equal ones."""
    finite = np.isfinite(epochs["val_score"].to_numpy())
    by_score: pd.DataFrame = epochs.loc[finite].sort_values(["trial", "val_score", "epoch"])
    return by_score.drop_duplicates("trial").set_index("trial")


def _onsets(epochs: pd.DataFrame, tolerance: float) -> "pd.Series[float]":
    trials, position = np.unique(epochs["trial"].to_numpy(), return_inverse=True)
    values = epochs["epoch"].to_numpy(), epochs["val_score"].to_numpy()
    found = onsets(position, *values, len(trials), tolerance)
    return pd.Series(found, index=trials)


def _of_assignments(assignments: pd.DataFrame) -> pd.DataFrame:
    """Return what the assignments say of each trial."""
    status = assignments["status"]
    frame = pd.DataFrame(
        {
            "trial": assignments["trial"],
            "failed": status == AssignmentStatus.FAILED,
            "pending": status.isin((AssignmentStatus.PENDING, AssignmentStatus.INTERRUPTED)),
            "stopped": status == AssignmentStatus.STOPPED,
            "rung": assignments["rung"].astype("Int64").where(assignments["oracle_id"].notna()),
            "last_epoch": assignments["last_epoch"].astype("Int64"),
        }
    )
    found = frame.groupby("trial").max()
    errors = assignments[frame["failed"]].drop_duplicates("trial").set_index("trial")["error"]
    return found.join(errors)


def _ranked(trials: pd.DataFrame) -> pd.DataFrame:
    """The report's columns, with their types, in the order of the ranking."""
    failed = (trials["status"] == TrialStatus.FAILED).to_numpy()
    positions = order(
        trials["val_score"].to_numpy(dtype=float), failed, trials["trial"].to_numpy(dtype="int64")
    )
    ranked = trials.iloc[positions].reset_index(drop=True)
    ranked["rank"] = np.arange(1, len(ranked) + 1)
    return _typed(ranked)[[name for name in TRIAL_COLUMNS if name in ranked]]


def _typed(trials: pd.DataFrame) -> pd.DataFrame:
    types = {"trial": "int64", "epochs": "int64", "seconds": "float64", "seed": "int64"}
    types |= dict.fromkeys((*_INTEGERS, "confirms", "seed_number"), "Int64")
    trials = trials.reset_index(drop=True).astype(types)
    for name in ("baseline", "status", "error"):
        column = trials[name].astype(object)
        trials[name] = column.where(column.notna(), None)
    return trials


def _hyperparameters(sweep: SweepRow, trials: pd.DataFrame) -> pd.DataFrame:
    values: list[dict[str, Value]] = trials["hyperparameters"].tolist()
    names = dict.fromkeys(sweep.space.hyperparameters)
    for row in values:
        names.update(dict.fromkeys(row))
    columns = {name: [row.get(name) for row in values] for name in names}
    return pd.DataFrame(columns, dtype=object, index=trials.index)
