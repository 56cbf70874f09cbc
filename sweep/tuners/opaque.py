"""Training that is the user's own: a tuner's `run_trial`, or a `HyperModel.fit` that does more.

It is called as Keras Tuner calls it, one trial after another. What happens in there nobody can
tell: such trials are neither fused nor promoted from a checkpoint, and one that is cut begins
again. Everything else is as in other searches: configurations, seeds, the store, going on.
"""

import gc
import math
import time
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sweep.data.memory import MEMORY
from sweep.data.split_record import RUN_TRIAL, SplitRecord
from sweep.errors import SweepError, UsageError
from sweep.records import (
    Assignment,
    EpochRecord,
    Outcome,
    OutcomeStatus,
    PlanRecord,
    SweepState,
)
from sweep.runner.extend import with_iterations
from sweep.runner.loop import Runner
from sweep.runner.same_numbers import versions
from sweep.searches.chosen import new_search, planned
from sweep.seeds import derive
from sweep.settings import Budget, Settings
from sweep.space.load import Space
from sweep.store import Store, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.training.contract import Ended, Endings, Journal, Source, StopRequested
from sweep.training.retrying import Retrying
from sweep.training.tensorflow_private import traces_forgotten
from sweep.training.trial_progress import error_line
from sweep.tuners.arguments import TunerArguments
from sweep.tuners.cutting import CutError, cut_when
from sweep.tuners.fingerprint import fingerprint_of
from sweep.tuners.kept_script import differences
from sweep.tuners.keras_tuner_private import results_of
from sweep.tuners.trials import hyperparameters_with
from sweep.tuners.watching import Watcher

SOURCE = "what run_trial is given"
_NAN = math.nan
_NO_LIMIT = 10**9
"""Of failures in all: those in a row are counted."""


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
        import keras

        with cut_when(self.tuner, stop):
            while not stop() and (assignment := source.take()) is not None:
                with traces_forgotten():
                    ended = self._one(assignment)
                keras.backend.clear_session()
                gc.collect()
                if ended is not None:
                    yield ended

    def trial_of(self, one: Assignment) -> Any:
        """Return the `keras_tuner` trial that `run_trial` is given."""
        from keras_tuner.engine.trial import Trial

        values = dict(one.hyperparameters)
        if self.settings.has_rungs:
            values |= {"tuner/epochs": one.last_epoch, "tuner/initial_epoch": 0}
        return Trial(hyperparameters_with(self.space, values), self.tuner.oracle.id_of(one.trial))

    def _one(self, one: Assignment) -> Ended | None:
        """Train a trial; return how it ended, or None if it was cut at an epoch's end."""
        import keras

        started, error, trace = time.perf_counter(), None, None
        records: tuple[EpochRecord, ...] = ()
        keras.utils.set_random_seed(derive(one.seed, "init"))
        trial = self.trial_of(one)
        try:
            self.tuner.on_trial_begin(trial)
            results = self.tuner.run_trial(trial, *self.given, **self.named)
            records = self._records(results, trial, one, time.perf_counter() - started)
            _refuse_unforeseen(trial, one)
        except SweepError:
            raise
        except CutError:
            return None
        except _errors_that_end_all():
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
        reported = self.tuner.oracle.reported.pop(trial.trial_id, None)
        if results is None and trial.metrics.exists(self.objective.name):
            values = {name: trial.metrics.get_best_value(name) for name in trial.metrics.metrics}
        elif results is None and reported is not None:
            values = reported
        else:
            values = self._measured(results)
        values = {name: float(value) for name, value in values.items()}
        shown = self.objective.get_value(values)
        if not math.isfinite(shown):
            raise ValueError(f"{self.objective.name} is {shown}, which cannot be ranked")
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
            train_metrics={k: v for k, v in values.items() if k[:4] != "val_" and k != "loss"},
        )
        return (record,)

    def _measured(self, results: Any) -> dict[str, float]:
        """The numbers of a `run_trial`. What one trial does not measure, none measures."""
        try:
            return results_of(results, self.objective)
        except KeyError as error:
            names = sorted({name for one in _histories(results) for name in one})
            raise UsageError(
                f"the objective {error.args[0]} was not measured; measured were: "
                f"{', '.join(names)}; name one of these, or give compile(…) that metric"
            ) from error


def _histories(results: Any) -> list[dict[str, Any]]:
    """What each of one or several runs of a `run_trial` measured, by name."""
    several = results if isinstance(results, list) else [results]
    found = [getattr(one, "history", one) for one in several]
    return [one for one in found if isinstance(one, dict)]


def _errors_that_end_all() -> type[Exception]:
    """What code raises that wants the whole search to end."""
    from keras_tuner.errors import FatalError

    found: type[Exception] = FatalError
    return found


def _refuse_unforeseen(trial: Any, one: Assignment) -> None:
    """Raise UsageError for a hyperparameter that was asked for in the training alone."""
    asked = [name for name in trial.hyperparameters.values if name not in one.hyperparameters]
    new = next((name for name in asked if not name.startswith("tuner/")), None)
    if new is not None:
        raise UsageError(
            f"hyperparameter {new!r} is asked for only after a training has begun, so that it "
            "would never be searched: ask for it before, in build(hp) or at the beginning"
        )


def search_opaque(
    tuner: Any,
    space: Space,
    given: Any,
    named: Any,
    watch: Callable[[Store], Watcher],
    interrupted: Callable[[], bool],
) -> tuple[SweepState, Watcher]:
    """Run the search to its end; return its state, and who watched. The folder must be locked.

    Raises UsageError if it began with something else.
    """
    folder: SweepFolder = tuner.folder
    objective = tuner.arguments.objective_of(tuner.arguments.objective_name)
    settings = _settings(tuner, folder)
    changing = {name: value for name, value in named.items() if name != "verbose"}
    data, _ = fingerprint_of({"given": (list(given), changing)})
    if not folder.exists:
        Store.create(folder.database, _row(folder, space, settings, objective, data)).close()
    with Store(folder.database) as store:
        sweep = store.sweep()
        older, _ = fingerprint_of({"given": (list(given), dict(named))})  # had `verbose` in it
        _refuse_others(folder, sweep, space, (data, older), tuner.arguments)
        if settings != sweep.settings:
            store.extend(settings, _plan(space, settings))
        watcher = watch(store)
        runner = Runner(
            folder=folder,
            store=store,
            search=new_search(space, settings),
            trainer=Retrying(
                RunTrial(tuner, given, named, objective, settings, sweep.space),
                tuner.arguments.max_retries_per_trial,
            ),
            observer=watcher,
            baselines={},
            budget=Budget(max_failures=_NO_LIMIT),
            interrupted=lambda: watcher.has_failed or interrupted(),
        )
        return runner.run(), watcher


def _refuse_others(
    folder: SweepFolder,
    sweep: SweepRow,
    space: Space,
    data: Sequence[str],
    arguments: TunerArguments,
) -> None:
    """Raise UsageError naming what the search began with that is another now.

    `data` are the fingerprints that the same data may have.
    """
    asked = _asked(arguments)
    found = []
    if sweep.space.sha256 != space.sha256:
        found.append("other code")
    if sweep.data.fingerprint not in data:
        found.append("other data or arguments of search")
    found += differences(sweep.settings, asked)
    scoring = scoring_by(arguments.objective_of(arguments.objective_name))
    if replace(sweep.scoring, is_of_rows=scoring.is_of_rows) != scoring:  # older ones lack that
        found.append("another objective")
    if found:
        raise UsageError(
            f"the search in {folder.path} began with {'; '.join(found)}; put it back, choose "
            "another project_name, or begin anew with overwrite=True"
        )


def _asked(arguments: TunerArguments) -> Settings:
    settings = replace(arguments.settings, data=MEMORY, executions=1)
    return settings if settings.has_rungs else replace(settings, max_epochs=1)


def _settings(tuner: Any, folder: SweepFolder) -> Settings:
    """Those of the search in the folder with more trials or iterations, if more are asked for."""
    asked = _asked(tuner.arguments)
    if not folder.exists:
        return asked
    with Store(folder.database, read_only=True) as store:
        stored = store.sweep().settings
    if stored.has_rungs:
        more = asked.iterations > stored.iterations
        return with_iterations(stored, asked.iterations) if more else stored
    return replace(stored, trials=max(asked.trials or 0, stored.trials or 0) or None)


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
        is_of_rows=objective.name.startswith("val_"),
    )


def _plan(space: Space, settings: Settings) -> PlanRecord:
    plan = planned(space, settings)
    return PlanRecord(
        trials=len(plan.roots),
        assignments=len(plan.proposals),
        epochs=plan.epochs,
        rungs=plan.rungs,
    )
