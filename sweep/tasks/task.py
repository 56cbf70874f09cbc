"""The task of a data set: what kind of target its rows have, and what the target is called.

Targets are arrays whose first axis is the rows:

binary   (rows,) float32, 0 or 1
classes  (rows,) float32, the number of the class in `Task.classes`, from 0
amount   (rows,) float32, or (rows, targets) if there are several
labels   (rows, targets) float32, each 0 or 1
"""

from dataclasses import asdict, dataclass
from enum import StrEnum

from sweep.exact import Text
from sweep.records import Json


class TaskKind(StrEnum):
    """What kind of target is predicted."""

    BINARY = "binary"
    """One of two classes."""
    CLASSES = "classes"
    """One of several classes."""
    AMOUNT = "amount"
    """A number, or several."""
    LABELS = "labels"
    """Several answers of yes or no at once."""


@dataclass(frozen=True)
class Task:
    """What is predicted from a row."""

    kind: TaskKind = TaskKind.BINARY
    targets: tuple[Text, ...] = ("label",)
    """Name of each target, in the order of the target array's columns."""
    classes: tuple[Text, ...] = ()
    """Name of each class in the order of its number; () of amounts, and of HIGGS."""
    why: Text = ""
    """Why the task was taken, for people: "2 values", "chosen by --task"."""

    @property
    def n_targets(self) -> int:
        """Columns of the target array."""
        return len(self.targets)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 of amounts."""
        if self.kind in (TaskKind.BINARY, TaskKind.LABELS):
            return 2
        return len(self.classes)

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class, or several answers of yes or no."""
        return self.kind is not TaskKind.AMOUNT

    def to_json(self) -> Json:
        return asdict(self)


HIGGS_TASK = Task(why="HIGGS: 1 is signal, 0 background")
"""The default: signal against background."""
