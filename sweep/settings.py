"""The settings of a sweep: every default once, checked at the door, kept with the sweep."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sweep.data.kinds import AUTO
from sweep.data.own_data import PARTS, OwnData, numbers_of, own_data_of
from sweep.data.ranges import DEFAULT_TRAIN_ROWS, DEFAULT_VALIDATION_ROWS
from sweep.errors import InvalidSpaceError
from sweep.exact import Count, Finite, Flag, Integer, Positive, Text
from sweep.numerics import Numerics
from sweep.records import Json

TRAINERS = ("auto", "fused", "keras")
_OF_RUNGS, _BY_TRIALS = "hyperband", ("random", "bayesian", "grid")
SEARCHES = (_OF_RUNGS, *_BY_TRIALS)
_FEW_TRIALS = 10
"""Of a random or Bayesian search for which no number is given, as in Keras Tuner."""


@dataclass(frozen=True)
class Stage:
    """A part of a search that was begun with one max_epochs, of so many brackets."""

    max_epochs: Positive
    brackets: Count


@dataclass(frozen=True)
class StopRule:
    """When a trial stops early, as `keras.callbacks.EarlyStopping` has it."""

    monitor: Text
    """The name in Keras' logs of what is watched: "val_loss"."""
    patience: Count = 0
    """Epochs without improvement before a trial ends."""
    min_delta: Finite = 0.0
    """What an improvement must exceed; not negative."""
    is_higher_better: Flag = False
    start_from_epoch: Count = 0
    """Epochs that are passed over at the beginning."""
    baseline: Finite | None = None
    """What a trial must come to be better than, too; None for nothing."""


_NO_OPTIONS = OwnData()


@dataclass(frozen=True)
class Settings:
    """What decides a sweep's numbers, besides its space and its data."""

    search: Text = "hyperband"
    """How configurations are chosen: one of `SEARCHES`."""
    trials: Integer | None = None
    """Configurations of a random, Bayesian or grid search; see `n_trials`."""
    executions: Integer = 1
    """Runs of each of these, under a seed each; their mean is the configuration's score."""
    initial_points: Integer | None = None
    """Random configurations before a Bayesian search has a model; None for three a dimension."""
    alpha: Finite = 1e-4
    """Variance of the noise that the model of a Bayesian search expects in standardised scores."""
    beta: Finite = 2.6
    """Standard deviations that a Bayesian search hopes for: the larger, the more it explores."""
    max_epochs: Integer = 81
    """Epochs of a trial that reaches the last rung, or of each trial if there are no rungs."""
    factor: Integer = 3
    """Hyperband keeps one trial in `factor` at each rung."""
    iterations: Integer = 1
    """Times the whole set of brackets is run; 0 trains the baselines only."""
    seed: Integer = 0
    data: Text = AUTO
    """One of `KINDS`, or a file."""
    train_rows: Integer = DEFAULT_TRAIN_ROWS
    validation_rows: Integer = DEFAULT_VALIDATION_ROWS
    test_rows: Integer | None = None
    """Rows kept sealed behind the training rows; None for the default, or what is left."""
    train_score_rows: Integer | None = None
    """Training rows on which the training score is measured; None for all."""
    batch_size: Integer = 500
    patience: Integer | None = 20
    """Epochs without a better validation score before a trial stops early; None for never."""
    trainer: Text = "auto"
    baselines: Flag = True
    """Train the space's BASELINES beside the search."""
    seeds: Integer = 1
    """Seeds under which each baseline is trained."""
    keep: Integer = 20
    """Trials whose checkpoints are kept though they can never be promoted again: the best."""
    own: OwnData = _NO_OPTIONS
    """How the file that `data` names is read, prepared and split."""
    stages: tuple[Stage, ...] = ()
    """Of an extended sweep: all stages, the last with the present `max_epochs`."""
    numerics: Numerics | None = None
    """Under what the numbers come about; None of a sweep that began before these were kept."""
    objective: Text = "loss"
    """What trials are ranked by: loss, a measure of the task, or a metric of the models."""
    stopping: StopRule | None = None
    """A script's own rule of early stopping, in place of `patience`; None if it has none."""
    programs: Text | None = None
    """How trials share programs (`sweep.training.fused.sharing`), decided as the sweep began; None
    before that."""
    build: Text | None = None
    """Name of the search space in its file; None where the file leaves no choice."""

    def __post_init__(self) -> None:
        """Raises InvalidSpaceError naming the first setting that cannot be."""
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                option = name.replace("_", "-")
                raise InvalidSpaceError(f"--{option} is {value}, expected at least {least}")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not -(2**63) <= value < 2**63:
                option = field.name.replace("_", "-")
                raise InvalidSpaceError(f"--{option} is too large, expected less than 2^63")
        for name, words in (("trainer", TRAINERS), ("search", SEARCHES)):
            value = getattr(self, name)
            if value not in words:
                raise InvalidSpaceError(
                    f"--{name} is {value!r}, expected one of: {', '.join(words)}"
                )
        _refuse_those_of_other_searches(self)

    @property
    def scored_train_rows(self) -> int:
        """Training rows on which the training score is measured."""
        return self.train_rows if self.train_score_rows is None else self.train_score_rows

    @property
    def has_rungs(self) -> bool:
        """Whether trials are promoted: else each is trained once, to `max_epochs`."""
        return self.search == _OF_RUNGS

    @property
    def n_trials(self) -> int | None:
        """How many configurations a search without rungs tries; None for all of a grid."""
        if self.iterations == 0:
            return 0
        return _FEW_TRIALS if self.trials is None and self.search != "grid" else self.trials

    def to_json(self) -> Json:
        return asdict(self)

    def of_its_search(self) -> Json:
        """Return the settings without those that only other searches have."""
        others = {
            name
            for searches, names in _SETTINGS_OF
            for name in names
            if self.search not in searches
        }
        return {name: value for name, value in asdict(self).items() if name not in others}

    def search_in_words(self, found: int | None) -> str:
        """Return how configurations are chosen, for a person; `found` is how many there are."""
        if self.has_rungs:
            return self.search
        asked = self.n_trials
        number = "an unknown number of" if found is None else f"{found:,}"
        all_of = "all " if asked is None or (found is not None and found < asked) else ""
        words = [f"{self.search}, {all_of}{number} configuration{'' if found == 1 else 's'}"]
        if all_of and asked is not None:
            words.append(f"fewer than the {asked:,} asked for")
        if self.executions > 1:
            words.append(f"{self.executions} runs of each")
        return ", ".join(words)


def settings_given(given: Mapping[str, Any]) -> Settings:
    """Return the settings that options give by their names; the others have their defaults.

    0 epochs of patience mean never. Raises InvalidSpaceError naming a bad one.
    """
    sizes = {f"{part}_rows" for part in PARTS}
    names = {field.name for field in fields(Settings)} - sizes
    values = {name: value for name, value in given.items() if name in names}
    values |= {"own": own_data_of(given), **numbers_of(given)}
    if values.get("patience") == 0:
        values["patience"] = None
    return Settings(**values)


def _refuse_those_of_other_searches(given: Settings) -> None:
    """Raise InvalidSpaceError for a setting that the search would pass over."""
    if not 0 < given.alpha < float("inf") or not 0 <= given.beta < float("inf"):
        raise InvalidSpaceError("--alpha must be above 0 and --beta at least 0, and both finite")
    for searches, names in _SETTINGS_OF:
        for name in names:
            value, default = getattr(given, name), getattr(Settings, name)
            is_empty = name == "iterations" and value == 0  # the baselines alone, in any search
            if given.search not in searches and value != default and not is_empty:
                option = name.replace("_", "-")
                raise InvalidSpaceError(
                    f"--{option} is a setting of --search {' or '.join(searches)} and would be "
                    f"ignored with --search {given.search}; leave it out"
                )


_SETTINGS_OF = (
    ((_OF_RUNGS,), ("factor", "iterations", "stages")),
    (_BY_TRIALS, ("trials", "executions")),
    (("bayesian",), ("initial_points", "alpha", "beta")),
)
"""Settings that only some searches have."""
_LEAST = {
    "trials": 1,
    "executions": 1,
    "initial_points": 1,
    "max_epochs": 1,
    "factor": 2,
    "iterations": 0,
    "seeds": 1,
    "train_rows": 1,
    "validation_rows": 1,
    "test_rows": 0,
    "train_score_rows": 1,
    "batch_size": 1,
    "patience": 1,
    "keep": 0,
}


@dataclass(frozen=True)
class Budget:
    """When to stop before the plan is done. May differ from one resume to the next."""

    max_seconds: float | None = None
    """Wall time of this process."""
    max_trials: int | None = None
    """Trials of the search that may be trained, baselines not counted."""
    target: float | None = None
    """Validation score at which to stop, as people see it: an accuracy, no error rate."""
    max_failures: int = 10
    """Failed trials after which something is wrong with all of them."""
