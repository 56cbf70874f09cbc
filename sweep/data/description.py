"""What is predicted from which rows of which data, in words: from a split's record alone."""

from sweep.data.split_record import SplitRecord
from sweep.tasks.task import Task, TaskKind
from sweep.words import counted, rows

_MOST_CLASSES = 8


def task_words(task: Task) -> str:
    """Return a task in words: "classes of 'species': setosa, versicolor, virginica (3 words)"."""
    names = ", ".join(repr(name) for name in task.targets[:_MOST_CLASSES])
    if len(task.targets) > _MOST_CLASSES:
        names += f", … ({len(task.targets)} in all)"
    why = f" ({task.why})" if task.why else ""
    if task.kind is TaskKind.AMOUNT:
        return f"amount of {names}{why}"
    if task.kind is TaskKind.LABELS:
        return f"yes or no for each of {names}{why}"
    classes = ", ".join(task.classes[:_MOST_CLASSES])
    if len(task.classes) > _MOST_CLASSES:
        classes += f", … ({len(task.classes)} in all)"
    what = "binary label" if task.kind is TaskKind.BINARY else "classes of"
    return f"{what} {names}: {classes}{why}"


def split_words(data: SplitRecord) -> str:
    """Return which rows are in which part, and by what rule; "unknown" of an old sweep."""
    if data.row_ranges is None:
        return "unknown"
    ranges = data.row_ranges.to_json()
    if data.rule is None:
        parts = [f"{rows(*ranges[part])} {part}" for part in ranges]
        return f"rows {', '.join(parts)}"
    numbers = {part: end - first for part, (first, end) in ranges.items()}
    parts = [f"{numbers[part]:,} {part}" for part in ("train", "validation", "test")]
    return f"{', '.join(parts)} rows, {rule_words(data)}"


def rule_words(data: SplitRecord) -> str:
    """Return how rows were put into parts: "shuffled (seed 0), each class alike in each part"."""
    rule = data.rule
    if rule is None or rule.name == "ordered":
        return "in the order of the file"
    how, _, column = rule.name.partition(":")
    words = {
        "shuffled": "shuffled",
        "group": f"rows of one {column!r} together",
        "column": f"as column {column!r} says",
        "given": "as the file says",
    }[how]
    if rule.seed is not None:
        drawn = " validation drawn with" if how in ("column", "given") else ""
        words += f" ({drawn.strip() + ' ' if drawn else ''}seed {rule.seed})"
    return words + (", each class alike in each part" if rule.stratified else "")


def lines(data: SplitRecord) -> list[str]:
    """Return what was decided about a file of a user's own, a line each; nothing for HIGGS."""
    if data.task is None:
        return []
    columns = data.columns or ()
    n = f"{counted(len(columns), 'column')}, " if columns and data.preparation else ""
    return [
        f"task: {task_words(data.task)}",
        f"rows: {n}{split_words(data)}",
        *(f"note: {note}" for note in data.notes or ()),
    ]
