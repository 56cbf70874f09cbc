"""What all tuners do: search, and tell afterwards what was found, in Keras Tuner's words."""

import shutil
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sweep.errors import InvalidSpaceError, NotFoundError, UsageError
from sweep.store import Store, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.tuners.arguments import TunerArguments
from sweep.tuners.by_kind import BY_KIND, OracleArguments
from sweep.tuners.fit_arguments import SearchArguments, fit_arguments
from sweep.tuners.oracle import Oracle
from sweep.tuners.showing import Show, show_of

if TYPE_CHECKING:
    from sweep.handle.sweep import Sweep
    from sweep.tuners.searched import Begun

_OF_STOCK = ("oracle.json", "tuner0.json")
"""Files of Keras Tuner's own, in a folder that it has searched in."""


class Tuner:
    """A search space, the arguments of a search, and the folder that it is kept in."""

    def __init__(self, oracle: Any, hypermodel: Any = None, **kwargs: Any) -> None:
        """`oracle` is one of `sweep.oracles`; `kwargs` are what every tuner takes besides."""
        if not isinstance(oracle, OracleArguments):
            raise UsageError(
                f"oracle is {oracle!r}, expected one of sweep.oracles: {', '.join(BY_KIND)}"
            )
        self._begin(hypermodel, oracle.with_others(kwargs))

    def _begin(self, hypermodel: Any, arguments: TunerArguments) -> None:
        """`hypermodel` is a function of the hyperparameters that returns a compiled model, or a
        `keras_tuner.HyperModel`."""
        is_own = self.has_own_run_trial and hypermodel is None
        if not is_own and not callable(getattr(hypermodel, "build", hypermodel)):
            raise UsageError(
                f"hypermodel is {hypermodel!r}, expected build(hp), which returns a compiled "
                "model, or a keras_tuner.HyperModel"
            )
        self.arguments = arguments
        self._hypermodel = hypermodel
        if not self.has_own_run_trial and not self.has_own_fit:
            self._refuse_objective()
        self._begun: Begun | None = None
        self.is_dry = False
        """While it is found out what a `run_trial` asks for."""
        self.is_to_stop: Callable[[], bool] | None = None
        """While it trains in a way of its own: whether the search is to stop."""
        self.folder = SweepFolder(arguments.folder.parent.absolute(), arguments.folder.name)
        self.oracle = Oracle(self.folder, arguments, self._space)
        if arguments.overwrite:
            _remove(self.folder)

    @property
    def build(self) -> Callable[[Any], Any]:
        """The function that makes a compiled model of hyperparameters."""
        build: Callable[[Any], Any] = getattr(self._hypermodel, "build", self._hypermodel)
        return build

    @cached_property
    def hypermodel(self) -> Any:
        """The `keras_tuner.HyperModel`; one is made of a function."""
        from sweep.tuners.keras_tuner_private import hypermodel_of

        return hypermodel_of(self._hypermodel)

    @property
    def project_dir(self) -> str:
        """The folder of this search: `directory`/`project_name`."""
        return str(self.arguments.folder)

    @property
    def directory(self) -> str:
        return str(self.arguments.folder.parent)

    @property
    def project_name(self) -> str:
        return self.arguments.project

    @property
    def executions_per_trial(self) -> int:
        return self.arguments.settings.executions

    @property
    def remaining_trials(self) -> int | None:
        """Configurations that are still to be tried; None of Hyperband and of a whole grid."""
        return self.oracle.remaining_trials()

    @property
    def sweep(self) -> "Sweep":
        """The handle of this search: frames, verdict, plots, confirm, test, export, report."""
        from sweep.handle.sweep import open_sweep

        return open_sweep(self.folder.path)

    def __repr__(self) -> str:
        """What kind of tuner, and how far the search in its folder is: one line."""
        kept = repr(self.sweep) if self.folder.exists else f"{self.project_dir!r}, not begun"
        return f"<{type(self).__name__}: {kept}>"

    def _repr_html_(self) -> str | None:
        """What a notebook shows: verdict, ranked table and frontier, once there is a search."""
        return self.sweep._repr_html_() if self.folder.exists else None

    # Searching

    def search(self, *given: Any, **named: Any) -> None:
        """Search, or go on where the search in this folder was; `given` is what `fit` takes.

        Raises UsageError, InvalidSpaceError or DataError naming what cannot be honoured, before
        anything is trained; KeyboardInterrupt once it has been interrupted and saved;
        TooManyFailuresError after so many failed trials in a row.
        """
        from sweep.tuners.run import chance_kept

        verbose = named.get("verbose", "auto")
        show = show_of(verbose)
        with chance_kept(), closing(show):
            self.on_search_begin()
            self._search(given, named, show)
            self.on_search_end()
        if verbose != 0:
            self._say_end()

    def _search(self, given: Any, named: dict[str, Any], show: Show) -> None:
        """Search, in the user's own way where only the script can train."""
        from sweep.tuners.own_way import why_own_way

        begun = None
        if (why := why_own_way(self)) is None:
            try:
                begun = self._prepared(self.fit_arguments(*given, **named))
            except (InvalidSpaceError, UsageError) as error:
                if (why := why_own_way(self, error)) is None:
                    raise
        self.folder.create()
        with self.folder.locked():
            if begun is not None:
                self._run(begun, show)
            else:
                self._run_own_way(str(why), given, named, show)

    def _run_own_way(self, why: str, given: Any, named: dict[str, Any], show: Show) -> None:
        from sweep.tuners.run import run_opaque
        from sweep.tuners.with_pool import refuse_pool

        refuse_pool(self.arguments, why)
        show.line(
            f"{why}: one trial after another, not fused, and a trial that is cut begins again"
        )
        run_opaque(self, given, named, show)

    def _run(self, begun: "Begun", show: Show) -> None:
        from sweep.tuners.run import repeat_best, run
        from sweep.tuners.searched import create, going_on
        from sweep.tuners.with_pool import refuse_pool, workers_of

        if self.hears_epochs:
            refuse_pool(self.arguments, f"{type(self).__name__} wants to hear of each epoch")
        if self.folder.exists:
            begun = going_on(self.folder, begun)
        else:
            create(self.folder, begun)
        self._begun = begun
        for line in (*begun.notes, *begun.prepared.concerns, *begun.prepared.space.warnings):
            show.line(line)
        workers = workers_of(self.arguments.pool, show)
        heard_by = self if self._overrides("on_trial_begin", "on_trial_end") else None
        most_failed = self.arguments.max_consecutive_failed_trials
        run(self.folder, begun, most_failed, show, workers, heard_by)
        if self.arguments.seeds_of_best:
            repeat_best(self.folder, begun, self.arguments.seeds_of_best, show, workers)

    def fit_arguments(self, *given: Any, **named: Any) -> SearchArguments:
        """Return what a call of `search` with these arguments would train with, checked.

        Raises UsageError or TypeError naming the first argument that cannot be honoured.
        """
        return fit_arguments(given, named)

    def _prepared(self, given: SearchArguments) -> "Begun":
        from sweep.tuners.searched import prepared_search

        hypermodel = self._own_hypermodel
        hears = self if self.hears_epochs else None
        return prepared_search(self.arguments, self.build, hypermodel, given, self._stored(), hears)

    @property
    def _own_hypermodel(self) -> Any:
        """The HyperModel that the user wrote, or None of a function."""
        return self._hypermodel if hasattr(self._hypermodel, "build") else None

    @property
    def has_own_fit(self) -> bool:
        """Whether the HyperModel has a `fit` that the user wrote."""
        if self._own_hypermodel is None:
            return False
        from sweep.space.fit import own_fit

        return own_fit(self._own_hypermodel) is not None

    def _refuse_objective(self) -> None:
        """Raise UsageError if no number that Keras logs can be the objective."""
        fault = self.arguments.objective_fault
        if fault is None:
            return
        if not self.arguments.objective:
            raise fault
        try:
            self.arguments.objective_of(self.arguments.objective_name)
        except (UsageError, TypeError):
            raise fault from None

    def _stored(self) -> SweepRow | None:
        if not self.folder.exists:
            return None
        with Store(self.folder.database, read_only=True) as store:
            return store.sweep()

    def _say_end(self) -> None:
        from sweep.tuners.ending import end_lines

        for line in end_lines(self.folder):
            print(line, flush=True)

    # What a subclass may write anew

    def run_trial(self, trial: Any, *given: Any, **named: Any) -> Any:
        """Build and fit a trial's model as Keras Tuner does; return the histories of its fits.

        It is called if a subclass has a `run_trial` of its own, which may call it.
        """
        from sweep.tuners.stock_fit import fit_trial

        return fit_trial(self, trial, given, named, self._build_and_fit_model)

    def _build_and_fit_model(self, trial: Any, *given: Any, **named: Any) -> Any:
        """Build a trial's model and fit it once; a subclass may write it anew."""
        from sweep.tuners.stock_fit import fit_once

        return fit_once(self, trial, given, named)

    def on_search_begin(self) -> None:
        """Called before the first trial."""

    def on_search_end(self) -> None:
        """Called after the last trial."""

    def on_trial_begin(self, trial: Any) -> None:
        """Called before each trial, and before each call of a `run_trial` of one's own."""

    def on_trial_end(self, trial: Any) -> None:
        """Called after each trial, and after each call of a `run_trial` of one's own."""

    def on_epoch_begin(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        """Called before each epoch, if a subclass has one of its own."""

    def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        """Called after each epoch, if a subclass has one of its own."""

    def on_batch_begin(self, trial: Any, model: Any, batch: int, logs: Any = None) -> None:
        """Called before each batch, if a subclass has one of its own."""

    def on_batch_end(self, trial: Any, model: Any, batch: int, logs: Any = None) -> None:
        """Called after each batch, if a subclass has one of its own."""

    @property
    def has_own_run_trial(self) -> bool:
        """Whether a subclass trains in a way of its own."""
        return self.own_training is not None

    @property
    def own_training(self) -> Callable[..., Any] | None:
        """The method by which a subclass trains in a way of its own; None if it has none."""
        found = (name for name in ("run_trial", "_build_and_fit_model") if self._overrides(name))
        name = next(found, None)
        return None if name is None else getattr(type(self), name)

    @property
    def _is_opaque(self) -> bool:
        """Whether the search of this folder is trained in the user's own way."""
        stored = self._stored()
        return self.has_own_run_trial or (stored is not None and stored.data.is_unseen)

    @property
    def hears_epochs(self) -> bool:
        """Whether a subclass is to be told of each epoch or batch."""
        return self._overrides("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end")

    def _overrides(self, *names: str) -> bool:
        return any(getattr(type(self), name) is not getattr(Tuner, name) for name in names)

    # Afterwards

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        """Return the `keras_tuner.HyperParameters` of the best trials, the best first."""
        return [trial.hyperparameters for trial in self.oracle.get_best_trials(num_trials)]

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """Return the models of the best trials with the weights of their best epochs."""
        return [self.load_model(trial) for trial in self.oracle.get_best_trials(num_models)]

    def load_model(self, trial: Any) -> Any:
        """Return a trial's model with the weights of its best epoch.

        Of several executions it is the best one's. Raises NotFoundError if the trial has not been
        trained, UsageError if this tuner has not searched yet, so that it has no data.
        """
        from sweep.tuners.models import best_model_of
        from sweep.tuners.stock_fit import load_trial

        if self._is_opaque:
            return load_trial(self, trial)
        return best_model_of(self.folder, self._ready(), int(trial.trial_id))

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials with their hyperparameters and scores, as Keras Tuner does."""
        print("Results summary")
        print(f"Results in {self.project_dir}")
        print(f"Showing {num_trials} best trials")
        print(f"{self.oracle.objective}")
        for trial in self.oracle.get_best_trials(num_trials):
            print()
            trial.summary()

    def search_space_summary(self, extended: bool = False) -> None:
        """Print the hyperparameters of the search space, as Keras Tuner does."""
        print("Search space summary")
        space = self.oracle.get_space()
        print(f"Default search space size: {len(space.space)}")
        for one in space.space:
            config = one.get_config()
            print(f"{config.pop('name')} ({type(one).__name__})")
            print(config)

    def reload(self) -> None:
        """Do nothing: everything is read from the folder whenever it is asked for."""

    def save(self) -> None:
        """Do nothing: everything is saved as it happens."""

    def get_trial_dir(self, trial_id: str) -> str:
        """Return a folder for whatever a trial's callbacks write."""
        path = self.folder.path / f"trial_{trial_id}"
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def _ready(self) -> "Begun":
        if self._begun is None:
            if not self.folder.exists:
                raise NotFoundError(f"there is no search in {self.folder.path}: call search first")
            from sweep.tuners.again import begun_again

            self._begun = begun_again(self.folder, self.arguments, self.build, self._own_hypermodel)
        return self._begun

    def _space(self) -> Any:
        """`keras_tuner.HyperParameters` of the whole space, or of what is known before a search."""
        if self._begun is not None:
            return self._begun.prepared.space.hyperparameters
        from sweep.tuners.first_look import hyperparameters_of
        from sweep.tuners.trials import hyperparameters_with, no_hyperparameters, some_values

        stored = self._stored()
        if stored is not None and stored.data.is_unseen:  # training asks for some, too
            return hyperparameters_with(stored.space, some_values(stored.space))
        if self._hypermodel is None:
            return self.arguments.hyperparameters or no_hyperparameters()
        return hyperparameters_of(self.build, self._hypermodel, self.arguments)


def _remove(folder: SweepFolder) -> None:
    """Remove a search that was there before: ours, or Keras Tuner's; nothing else.

    Raises LockedError if a process is at work on it.
    """
    if folder.exists:
        with folder.locked():
            shutil.rmtree(folder.path)
    elif any((folder.path / name).is_file() for name in _OF_STOCK):
        shutil.rmtree(folder.path)
