"""What a tuner is made with: Keras Tuner's arguments, checked, and what each means here.

An argument that is not honoured is refused by its name before anything is trained.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.errors import InvalidSpaceError, UsageError
from sweep.pool.places import PoolAsked, pool_here
from sweep.settings import Budget, Settings
from sweep.tuners.keras_tuner_private import objective_of
from sweep.tuners.objective import objective_words

_PROJECT = "untitled_project"
"""The name that Keras Tuner gives a project without one."""
_REFUSED = {
    "distribution_strategy": "one process trains all trials on its devices, many at once",
    "max_model_size": "give the ranges of the search space smaller ends",
    "logger": "Keras Tuner ignores it, too",
    "tuner_id": "it is for searches on several machines",
}
"""Arguments that nothing here answers to, each with what to do or why."""
_CHIEF = "KERASTUNER_TUNER_ID"
"""The environment variable of a Keras Tuner that searches on several machines."""
_UNFIT = re.compile(r"[^A-Za-z0-9._-]")
_OPTION = re.compile(r"--(?=[a-z])")
_LONGEST = 80
_COMPILE = ("optimizer", "loss", "metrics")


@dataclass(frozen=True)
class TunerArguments:
    """What every tuner has, whichever way it searches."""

    settings: Settings
    """Those that follow from the arguments; data, batch size and patience come with `search`."""
    budget: Budget
    folder: Path
    """`directory`/`project_name`; see `folder_name`."""
    project: str
    """`project_name` as it was given."""
    seed: int | None
    """None: drawn when the search begins, and kept with it."""
    overwrite: bool
    hyperparameters: Any = None
    """A `keras_tuner.HyperParameters` that was given, or None."""
    tune_new_entries: bool = True
    allow_new_entries: bool = True
    max_consecutive_failed_trials: int = 3
    max_retries_per_trial: int = 0
    seeds_of_best: int = 0
    """`executions_per_trial` of Hyperband: seeds under which its best trials are trained once
    more when the search has ended, as a trial climbs with one seed; 0 for none."""
    pool: PoolAsked | None = None
    """Who trains; None for this process."""
    compile: Mapping[str, Any] | None = None
    """`optimizer`, `loss` and `metrics` that replace those of `build`; None if none does."""
    objective_fault: UsageError | None = None
    """Why trials cannot be ranked by rows; the numbers that Keras logs may do."""
    objective: Any = None
    """As it was given: a name, a `keras_tuner.Objective`, or a list of one."""

    @property
    def objective_name(self) -> str:
        """The name under which Keras logs what trials are ranked by."""
        if self.objective is None:
            return "default_objective"
        if self.has_several_objectives:
            return "multi_objective"
        (one,) = self.objective if isinstance(self.objective, list | tuple) else [self.objective]
        return str(getattr(one, "name", one))

    @property
    def has_several_objectives(self) -> bool:
        """Whether the score is the sum of several measures, those that are to grow taken away."""
        return isinstance(self.objective, list | tuple) and len(self.objective) > 1

    @property
    def id_digits(self) -> int:
        """How many digits a trial's id has at least: as in Keras Tuner those of `max_trials`, and
        four where there is no such number."""
        return len(str(None if self.settings.has_rungs else self.settings.n_trials))

    def objective_of(self, name: str) -> Any:
        """Return the `keras_tuner.Objective`, its direction told from its name if it was not given.

        Raises UsageError for a name that does not tell it.
        """
        if self.objective is None:
            return objective_of(None)
        given = list(self.objective) if isinstance(self.objective, list | tuple) else self.objective
        one = given[0] if isinstance(given, list) and len(given) == 1 else given
        try:
            return objective_of(one)
        except ValueError as error:
            raise UsageError(
                f"objective {name!r}: it is not known whether more or less of it is better; give "
                f'keras_tuner.Objective({name!r}, "max") or "min"'
            ) from error


def tuner_arguments(
    search: Mapping[str, Any],
    *,
    objective: Any,
    seed: int | None,
    hyperparameters: Any,
    tune_new_entries: bool,
    allow_new_entries: bool,
    max_retries_per_trial: int,
    max_consecutive_failed_trials: int,
    others: Mapping[str, Any],
) -> TunerArguments:
    """Return the arguments of a tuner, checked.

    `search` are the settings of its kind of search, `others` what its `**kwargs` hold. Raises
    UsageError naming what is not honoured, TypeError for an unknown name, InvalidSpaceError for
    a number that cannot be.
    """
    if _CHIEF in os.environ:
        raise UsageError(
            f"{_CHIEF} in the environment is not supported, and would be ignored: unset it, and "
            'give pool=4 for four processes, or pool="ray" for a cluster'
        )
    left = dict(others)
    for name, why in _REFUSED.items():
        if left.pop(name, None) is not None:
            raise UsageError(f"{name} is not supported, and would be ignored: {why}")
    overrides = {name: left.pop(name, None) for name in _COMPILE}
    compiled = {name: value for name, value in overrides.items() if value is not None}
    directory, project = left.pop("directory", None), left.pop("project_name", None)
    overwrite, executions = bool(left.pop("overwrite", False)), left.pop("executions_per_trial", 1)
    pool = _pool(left.pop("pool", None))
    if left:
        raise TypeError(f"unexpected argument {next(iter(left))!r}")
    _check_whole("max_retries_per_trial", max_retries_per_trial, least=0)
    _check_whole("seed", seed, least=None)
    _check_whole("executions_per_trial", executions, least=1)
    _check_whole("max_consecutive_failed_trials", max_consecutive_failed_trials, least=1)
    climbs = search.get("search", "hyperband") == "hyperband"
    words, fault = _words(objective)
    settings = _settings(
        **search,
        executions=1 if climbs else executions,
        seed=0 if seed is None else seed,
        objective=words,
    )
    return TunerArguments(
        settings=settings,
        budget=Budget(max_failures=max_consecutive_failed_trials),
        folder=Path(directory or ".") / folder_name(str(project or _PROJECT)),
        project=str(project or _PROJECT),
        seed=seed,
        overwrite=overwrite,
        hyperparameters=hyperparameters,
        tune_new_entries=tune_new_entries,
        allow_new_entries=allow_new_entries,
        max_consecutive_failed_trials=max_consecutive_failed_trials,
        max_retries_per_trial=max_retries_per_trial,
        seeds_of_best=executions if climbs and executions > 1 else 0,
        pool=pool,
        compile=compiled or None,
        objective=objective,
        objective_fault=fault,
    )


def folder_name(project: str) -> str:
    """Return what a project's folder is called: other characters than a sweep's name may have, such
    as spaces, are written as `-`."""
    name = _UNFIT.sub("-", project)[:_LONGEST]
    return name if name[:1].isalnum() else f"p{name}"


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**given)
    except InvalidSpaceError as error:  # which names options of the terminal
        raise InvalidSpaceError(_OPTION.sub("", str(error))) from error


def _words(objective: Any) -> tuple[str, UsageError | None]:
    try:
        return objective_words(objective), None
    except UsageError as error:
        return "loss", error


def _pool(asked: Any) -> PoolAsked | None:
    if asked is None:
        return None
    try:
        return pool_here(str(asked))
    except UsageError as error:
        raise UsageError(str(error).removeprefix("--")) from error


def _check_whole(name: str, value: Any, least: int | None) -> None:
    """Raise UsageError unless the value is a whole number, or None where there is no least."""
    if value is None and least is None:
        return
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or (least is not None and value < least):
        wanted = "a whole number" if least is None else f"a whole number from {least}"
        raise UsageError(f"{name} is {value!r}, expected {wanted}")
