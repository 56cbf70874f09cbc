"""The settings of a sweep: every default once, checked at the door, kept with the sweep."""

from dataclasses import asdict, dataclass, fields

from sweep.data.own_data import OwnData
from sweep.data.split import DEFAULT_TRAIN_ROWS, DEFAULT_VALIDATION_ROWS
from sweep.errors import InvalidSpaceError
from sweep.exact import Count, Flag, Integer, Positive, Text
from sweep.numerics import Numerics
from sweep.records import Json

TRAINERS = ("auto", "fused", "keras")


@dataclass(frozen=True)
class Stage:
    """A part of a search that was begun with one max_epochs, of so many brackets."""

    max_epochs: Positive
    brackets: Count


_NO_OPTIONS = OwnData()


@dataclass(frozen=True)
class Settings:
    """What decides a sweep's numbers, besides its space and its data."""

    max_epochs: Integer = 81
    """Epochs of a trial that reaches the last rung."""
    factor: Integer = 3
    """Hyperband keeps one trial in `factor` at each rung."""
    iterations: Integer = 1
    """Times the whole set of brackets is run; 0 trains the baselines only."""
    seed: Integer = 0
    data: Text = "auto"
    """auto, builtin, higgs, or a file."""
    train_rows: Integer = DEFAULT_TRAIN_ROWS
    validation_rows: Integer = DEFAULT_VALIDATION_ROWS
    test_rows: Integer | None = None
    """Rows kept sealed behind the training rows; None for the default, or what is left."""
    batch_size: Integer = 500
    patience: Integer | None = 20
    """Epochs without a better validation BCE before a trial stops early; None for never."""
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
        if self.trainer not in TRAINERS:
            raise InvalidSpaceError(
                f"--trainer is {self.trainer!r}, expected one of: {', '.join(TRAINERS)}"
            )

    def to_json(self) -> Json:
        return asdict(self)


_LEAST = {
    "max_epochs": 1,
    "factor": 2,
    "iterations": 0,
    "seeds": 1,
    "train_rows": 1,
    "validation_rows": 1,
    "test_rows": 0,
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
    """Validation BCE at which to stop."""
    max_failures: int = 10
    """Failed trials after which something is wrong with all of them."""
