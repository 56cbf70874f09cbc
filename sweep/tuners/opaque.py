"""A tuner with a `run_trial` of its own: called as Keras Tuner calls it, one trial after another.

What happens in there nobody can tell: such trials are neither fused nor promoted from a checkpoint,
and one that is cut begins again. Everything else is as in other searches: configurations, seeds,
the store, going on. Which hyperparameters it asks for is found by calling it up to its first fit.
"""

import math
import time
import traceback
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sweep.data.memory import MEMORY, RUN_TRIAL
from sweep.data.split_record import SplitRecord
from sweep.errors import InvalidSpaceError, SweepError, UsageError
from sweep.records import (
    Assignment,
    EpochRecord,
    Outcome,
    OutcomeStatus,
    PlanRecord,
    SweepState,
)
from sweep.runner.loop import Runner
from sweep.runner.prepare import new_search, planned
from sweep.runner.same_numbers import versions
from sweep.seeds import derive
from sweep.settings import Budget, Settings
from sweep.space.discover import discover
from sweep.space.explore import Explorer
from sweep.space.load import Space
from sweep.store import Store, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.training.contract import Ended, Endings, Journal, Source, StopRequested
from sweep.training.trial_progress import error_line
from sweep.tuners.fingerprint import fingerprint_of
from sweep.tuners.keras_tuner_private import results_of
from sweep.tuners.space import ScriptSpace
from sweep.tuners.trials import hyperparameters_with

SOURCE = "what run_trial is given"
_NAN = math.nan
_NO_LIMIT = 10**9
"""Of failures in all: those in a row are counted."""


class ReachedError(Exception):
    """A dry run has come to where a model would be trained: all that is asked was asked."""


@contextmanager
def fit_ends_dry_runs() -> Iterator[None]:
    """Inside, `model.fit` trains nothing and ends the dry run."""
    import keras

    kept = keras.Model.fit

    def fit(*arguments: Any, **named: Any) -> Any:
        raise ReachedError

    keras.Model.fit = fit
    try:
        yield
    finally:
        keras.Model.fit = kept


@dataclass(frozen=True)
class RunTrial:
    """Carries out assignments by calling a tuner's own `run_trial`."""

    tuner: Any
    given: Sequence[Any]
    named: Mapping[str, Any]
    objective: Any
    """`keras_tuner.Objective`."""
    settings: Settings
    space: Any
    """The `SpaceRecord`, to make hyperparameters of values."""

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        while not stop() and (assignment := source.take()) is not None:
            yield self._one(assignment)

    def trial_of(self, one: Assignment) -> Any:
        """Return the `keras_tuner` trial that `run_trial` is given."""
        from keras_tuner.engine.trial import Trial

        values = dict(one.hyperparameters)
        if self.settings.has_rungs:
            values |= {"tuner/epochs": one.last_epoch, "tuner/initial_epoch": 0}
        return Trial(hyperparameters_with(self.space, values), self.tuner.oracle.id_of(one.trial))

    def _one(self, one: Assignment) -> Ended:
        import keras

        started, error, trace = time.perf_counter(), None, None
        records: tuple[EpochRecord, ...] = ()
        keras.utils.set_random_seed(derive(one.seed, "init"))
        trial = self.trial_of(one)
        try:
            self.tuner.on_trial_begin(trial)
            results = self.tuner.run_trial(trial, *self.given, **self.named)
            records = self._records(results, trial, one, time.perf_counter() - started)
        except SweepError:
            raise
        except Exception as exception:  # whatever a user's code raises is that trial's failure
            error, trace = error_line(exception), traceback.format_exc()
        else:
            self.tuner.on_trial_end(trial)
        failed = error is not None
        outcome = Outcome(
            status=OutcomeStatus.FAILED if failed else OutcomeStatus.COMPLETED,
            epochs=0 if failed else max(0, records[-1].epoch - one.first_epoch),
            seconds=time.perf_counter() - started,
            error=error,
            traceback=trace,
            trainer="run_trial",
        )
        return Ended(one, outcome, None, records)

    def _records(
        self, results: Any, trial: Any, one: Assignment, seconds: float
    ) -> tuple[EpochRecord, ...]:
        """One record: of the values that count, at the last epoch of the assignment."""
        if results is None and trial.metrics.exists(self.objective.name):
            values = {name: trial.metrics.get_best_value(name) for name in trial.metrics.metrics}
        else:
            values = results_of(results, self.objective)
        values = {name: float(value) for name, value in values.items()}
        shown = self.objective.get_value(values)
        record = EpochRecord(
            epoch=one.last_epoch,
            fit_loss=values.get("loss", _NAN),
            fit_score=_NAN,
            train_score=_NAN,
            val_score=-shown if self.objective.direction == "max" else shown,
            val_loss=values.get("val_loss", _NAN),
            val_accuracy=values.get("val_accuracy", _NAN),
            val_auc=_NAN,
            learning_rate=_NAN,
            seconds=seconds,
            metrics={k.removeprefix("val_"): v for k, v in values.items() if k[:4] == "val_"},
        )
        return (record,)


def opaque_space(tuner: Any, script: ScriptSpace, given: Any, named: Any) -> Space:
    """Return what `run_trial` asks for, found by calling it up to its first fit.

    Raises InvalidSpaceError if it fails before.
    """
    from keras_tuner.engine.trial import Trial

    def ask(hp: Any) -> None:
        tuner.is_dry = True
        try:
            with fit_ends_dry_runs():
                tuner.run_trial(Trial(hp, "dry run"), *given, **named)
        except ReachedError:
            pass
        finally:
            tuner.is_dry = False

    explorer = Explorer(script.path, ask)
    explorer.compares = False
    first = explorer.given({})
    if first.error is not None:
        raise InvalidSpaceError(
            str(explorer.failed(first)).replace("build(hp)", f"run_trial of {type(tuner).__name__}")
        )
    found = discover(explorer)
    sources = {script.path.name: script.source}
    return Space(
        script.path.stem, script.path, script.sha256, sources, ask, {}, found, explorer
    )  # fmt: skip


def search_opaque(
    tuner: Any, space: Space, given: Any, named: Any, watcher: Any, stop: Any
) -> SweepState:
    """Run the search to its end. The folder must be locked.

    Raises UsageError if it began with something else.
    """
    folder: SweepFolder = tuner.folder
    objective = tuner.arguments.objective_of(tuner.arguments.objective_name)
    settings = _settings(tuner, folder)
    data, _ = fingerprint_of({"given": (list(given), dict(named))})
    if not folder.exists:
        Store.create(folder.database, _row(folder, space, settings, objective, data)).close()
    with Store(folder.database) as store:
        sweep = store.sweep()
        if sweep.space.sha256 != space.sha256 or sweep.data.fingerprint != data:
            what = "data or arguments" if sweep.space.sha256 == space.sha256 else "code"
            raise UsageError(
                f"the search in {folder.path} began with other {what}; put it back, choose another "
                "project_name, or begin anew with overwrite=True"
            )
        if (settings.n_trials or 0) > (sweep.settings.n_trials or 0):
            store.extend(settings, _plan(space, settings))
        runner = Runner(
            folder=folder,
            store=store,
            search=new_search(space, settings),
            trainer=RunTrial(tuner, given, named, objective, settings, sweep.space),
            observer=watcher,
            baselines={},
            budget=Budget(max_failures=_NO_LIMIT),
            interrupted=stop,
        )
        return runner.run()


def _settings(tuner: Any, folder: SweepFolder) -> Settings:
    settings: Settings = replace(tuner.arguments.settings, data=MEMORY, executions=1)
    if not folder.exists:
        return settings if settings.has_rungs else replace(settings, max_epochs=1)
    with Store(folder.database, read_only=True) as store:
        stored = store.sweep().settings
    return replace(stored, trials=max(settings.trials or 0, stored.trials or 0) or None)


def _row(
    folder: SweepFolder, space: Space, settings: Settings, objective: Any, data: str
) -> SweepRow:
    return SweepRow(
        name=folder.name,
        identity=uuid.uuid4().hex,
        created_at=time.time(),
        settings=settings,
        space=space.describe(),
        data=SplitRecord(kind=RUN_TRIAL, source=SOURCE, fingerprint=data),
        versions=versions(),
        plan=_plan(space, settings),
        oracle={},
        wave=0,
        state=SweepState.INTERRUPTED,
        message=None,
        active_seconds=0.0,
        scoring=scoring_by(objective),
    )


def scoring_by(objective: Any) -> Scoring:
    """Return what trials are ranked by: a number that `run_trial` returns."""
    return Scoring(
        objective=ObjectiveName.METRIC,
        metric=objective.name.removeprefix("val_"),
        is_higher_better=objective.direction == "max",
    )


def _plan(space: Space, settings: Settings) -> PlanRecord:
    plan = planned(space, settings)
    return PlanRecord(
        trials=len(plan.roots),
        assignments=len(plan.proposals),
        epochs=plan.epochs,
        rungs=plan.rungs,
    )
