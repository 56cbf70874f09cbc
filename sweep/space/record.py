"""What a sweep keeps of its search space: its file, its hyperparameters, its baselines.

The names are the keys of the JSON that the database and `report -o json` hold.
"""

from dataclasses import asdict, dataclass, field

from sweep.exact import Flag, Text
from sweep.records import Json, StoredNumber, StoredValue


@dataclass(frozen=True)
class Commit:
    """The git commit that a search space's folder was at."""

    commit: Text
    """Its hash."""
    dirty: Flag
    """Whether files that git tracks, or the search space, differed from it."""


@dataclass(frozen=True)
class Condition:
    """Another hyperparameter, and the values under which one is asked for."""

    name: Text
    values: tuple[StoredValue, ...]


Conditions = tuple[Condition, ...] | None
"""All must hold. Empty: the definition always holds. None: it does not always, and no list of
values says when."""


@dataclass(frozen=True)
class RangeDefinition:
    """A hyperparameter that takes numbers from a range."""

    name: Text
    kind: Text
    """Keras Tuner's class: Int or Float."""
    min_value: StoredNumber
    max_value: StoredNumber
    step: StoredNumber | None
    sampling: Text | None
    """linear, log or reverse_log."""
    asked_if: Conditions = ()


@dataclass(frozen=True)
class ChoiceDefinition:
    """A hyperparameter that takes one of a list of values."""

    name: Text
    kind: Text
    """Keras Tuner's class: Boolean, Choice or Fixed."""
    values: tuple[StoredValue, ...]
    asked_if: Conditions = ()


Definition = RangeDefinition | ChoiceDefinition
"""One way in which a hyperparameter is declared; a name may have several."""


@dataclass(frozen=True)
class SpaceRecord:
    """A search space as it was when the sweep began.

    An older version stored less of it: what may be missing is None or empty.
    """

    name: Text = "unknown"
    path: Text | None = None
    sha256: Text | None = None
    """Over the file and all files of the user's that the file imports or reads."""
    sources: dict[Text, Text] | None = None
    """The texts of these files by their places beside the space; bytes that are no UTF-8 are kept
    as surrogates."""
    uncopied: dict[Text, Text] | None = None
    """SHA-256 of the files whose texts are not kept, as they are too large, by their places."""
    hyperparameters: tuple[Text, ...] = ()
    """Their names, in the order in which the file declares them."""
    definitions: tuple[Definition, ...] = ()
    built: dict[Text, Text] | None = None
    """What tells the model of the default values from others: its parameters, and hashes."""
    baselines: dict[Text, dict[Text, StoredValue]] = field(default_factory=dict)
    git: Commit | None = None

    def to_json(self) -> Json:
        """Return the record as a JSON object, without what is missing.

        A definition that always holds has no `asked_if`.
        """
        values = asdict(self)
        for one in values["definitions"]:
            if one["asked_if"] == ():
                del one["asked_if"]
        return {name: v for name, v in values.items() if v is not None or name == "git"}
