"""`tuner.oracle`: what Keras Tuner's oracle tells of a search, read from the sweep's store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.errors import NotFoundError
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.tuners.arguments import TunerArguments
from sweep.tuners.trials import is_higher_better, stored_trials, trial_of

_OF_A_LOOP = ("create_trial", "end_trial", "populate_space", "score_trial", "update_space")


@dataclass(frozen=True)
class Oracle:
    """The trials of a search, as they stand in its folder at this moment."""

    folder: SweepFolder
    arguments: TunerArguments
    space: Callable[[], Any]
    """Returns the `keras_tuner.HyperParameters` of the search space."""
    reported: dict[str, dict[str, float]] = field(default_factory=dict)
    """What a `run_trial` has said of trials that are under way, by their ids."""

    @property
    def objective(self) -> Any:
        """`keras_tuner.Objective`: a name and a direction."""
        from keras_tuner import Objective

        name = self.arguments.objective_name
        if self.folder.exists:
            with Store(self.folder.database, read_only=True) as store:
                if self.arguments.has_several_objectives:
                    return self.arguments.objective_of(name)
                return Objective(name, "max" if is_higher_better(store.sweep().scoring) else "min")
        return self.arguments.objective_of(name)

    @property
    def trials(self) -> dict[str, Any]:
        """Keras Tuner's trials by their ids, in the order in which they were begun."""
        if not self.folder.exists:
            return {}
        with Store(self.folder.database, read_only=True) as store:
            sweep, found = store.sweep(), stored_trials(store)
        width = self.arguments.id_digits
        rungs = sweep.settings.has_rungs
        objective = self.arguments.objective_name
        made = (trial_of(one, sweep.space, sweep.scoring, objective, width, rungs) for one in found)
        return {trial.trial_id: trial for trial in made}

    @property
    def max_trials(self) -> int | None:
        """Configurations in all; None of Hyperband and of a whole grid."""
        settings = self.arguments.settings
        return None if settings.has_rungs else settings.n_trials

    @property
    def start_order(self) -> list[str]:
        return list(self.trials)

    @property
    def end_order(self) -> list[str]:
        return [key for key, trial in self.trials.items() if trial.status != "RUNNING"]

    def get_trial(self, trial_id: str) -> Any:
        """Return the trial of this id; zeros before it make no difference. Raises NotFoundError."""
        found = {_unpadded(key): trial for key, trial in self.trials.items()}.get(
            _unpadded(str(trial_id))
        )
        if found is None:
            raise NotFoundError(f"no trial {trial_id!r} in {self.folder.path}")
        return found

    def get_best_trials(self, num_trials: int = 1) -> list[Any]:
        """Return the best trials, the best first; those that have not ended come last."""
        trials = list(self.trials.values())
        ended = [one for one in trials if one.status == "COMPLETED"]
        ended.sort(key=lambda one: one.score, reverse=self.objective.direction == "max")
        if len(ended) < num_trials:
            ended += [one for one in trials if one.status != "COMPLETED"]
        return ended[:num_trials]

    def get_space(self) -> Any:
        """Return the hyperparameters of the search space, with their default values."""
        return self.space()

    @property
    def hyperparameters(self) -> Any:
        """The same as `get_space()`."""
        return self.space()

    def reload(self) -> None:
        """Do nothing: everything is read from the folder whenever it is asked for."""

    def save(self) -> None:
        """Do nothing: everything is saved as it happens."""

    def __getattr__(self, name: str) -> Any:
        if name in _OF_A_LOOP:
            raise AttributeError(
                f"oracle.{name} is not supported: a loop of one's own over trials is not followed; "
                "write run_trial(self, trial, …) in a subclass, and call search"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def remaining_trials(self) -> int | None:
        """Return how many configurations are still to be tried; None if there is no such number."""
        return None if self.max_trials is None else max(0, self.max_trials - len(self.trials))

    def id_of(self, trial: int) -> str:
        """Return the id of a trial by its number."""
        return f"{trial:0{self.arguments.id_digits}d}"

    def update_trial(self, trial_id: str, metrics: Mapping[str, Any], step: int = 0) -> None:
        """Take note of a trial's metrics, for a `run_trial` that returns nothing."""
        self.reported[str(trial_id)] = {name: float(value) for name, value in metrics.items()}


def _unpadded(trial_id: str) -> str:
    """An id without the zeros before it: how many there are follows from `max_trials`."""
    return trial_id.lstrip("0") or "0"
