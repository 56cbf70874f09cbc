"""Which rows of which data a sweep trains and validates on: kept with the sweep.

The names are the keys of the JSON that the database and `report -o json` hold.
"""

from dataclasses import asdict, dataclass

from sweep.data.own_data import OwnData
from sweep.data.ranges import RowRanges
from sweep.data.tables.preparation import Preparation
from sweep.exact import Count, Flag, Integer, Real, Text
from sweep.records import Json
from sweep.tasks.task import HIGGS_TASK, Task

RUN_TRIAL = "run_trial"
"""The kind of what a script's own `run_trial` is given: nothing is known of it."""


@dataclass(frozen=True)
class PartHashes:
    """SHA-256 of the bytes of one part's features and of its labels."""

    x: Text
    y: Text


@dataclass(frozen=True)
class SplitHashes:
    """SHA-256 of the arrays of both parts that a sweep sees."""

    train: PartHashes
    validation: PartHashes


@dataclass(frozen=True)
class ClassCounts:
    """Rows of each class."""

    signal: Count
    background: Count


@dataclass(frozen=True)
class ClassBalance:
    """Rows of each class in both parts that a sweep sees."""

    train: ClassCounts
    validation: ClassCounts


@dataclass(frozen=True)
class ClassRows:
    """Rows of each class of a task, in the order of its classes, in the parts that a sweep sees."""

    train: tuple[Count, ...]
    validation: tuple[Count, ...]


@dataclass(frozen=True)
class NoSkillScores:
    """Scores of the one prediction, the same for every row, that suits the training rows best."""

    train: Real
    validation: Real


@dataclass(frozen=True)
class SplitRule:
    """How the rows of a data set were put into parts."""

    name: Text
    """ordered, shuffled, group:COLUMN, column:COLUMN, or given: by the file's own parts."""
    seed: Integer | None = None
    """Of the shuffle. None where nothing is drawn."""
    stratified: Flag = False
    """Whether each part has the same shares of the classes."""


@dataclass(frozen=True)
class SplitRecord:
    """Where a split's rows come from, which they are, and what they hash to.

    Every field but `source` may be missing in a sweep that an older version stored.
    """

    kind: Text | None = None
    """higgs, builtin, or file: of HIGGS format; table or arrays: a file of another form; memory:
    arrays of a script; or RUN_TRIAL."""
    source: Text = "unknown"
    """Name for people."""
    seed: Integer | None = None
    """Of the simulation, for builtin."""
    rows: Count | None = None
    """Of the whole data set."""
    row_ranges: RowRanges | None = None
    """Row numbers in the file, or in the order in which `rule` puts its rows."""
    sha256: SplitHashes | None = None
    class_balance: ClassBalance | None = None
    cache_key: Text | None = None
    """Under which the cache holds the data set."""
    fingerprint: Text | None = None
    """SHA-256 over all arrays that the sweep sees; set once a sweep is stored."""
    task: Task | None = None
    """None of data in HIGGS format: see `known_task`."""
    columns: tuple[Text, ...] | None = None
    """Names of the columns that models see, or of the inputs if there are several."""
    rule: SplitRule | None = None
    """None of data in HIGGS format, whose rows are taken in their order."""
    preparation: Preparation | None = None
    """None where models see the file's numbers as they are."""
    class_rows: ClassRows | None = None
    """None of amounts, and of data in HIGGS format, which have `class_balance`."""
    own: OwnData | None = None
    """What was asked of a file of another form than HIGGS."""
    no_skill: NoSkillScores | None = None
    """None where the shares of two classes tell it, and where trials are ranked by a metric."""
    notes: tuple[Text, ...] | None = None
    """What was converted or decided on the way, a sentence each."""
    warnings: tuple[Text, ...] | None = None
    """What makes the data doubtful, a sentence each."""

    @property
    def is_unseen(self) -> bool:
        """Whether a script's own `run_trial` trains: neither models nor epochs are seen."""
        return self.kind == RUN_TRIAL

    @property
    def known_task(self) -> Task:
        """The task; that of HIGGS where none is stored."""
        return HIGGS_TASK if self.task is None else self.task

    def to_json(self) -> Json:
        """Return the record as a JSON object, without what is missing."""
        values = asdict(self)
        if self.row_ranges is not None:
            values["row_ranges"] = self.row_ranges.to_json()
        return {name: v for name, v in values.items() if v is not None or name == "seed"}
