"""What failed trials have in common, in one line."""

from collections import Counter
from collections.abc import Sequence

from sweep.records import Value

Failure = tuple[int, str, dict[str, Value]]


def describe_failures(failures: Sequence[Failure]) -> str:
    """How many failed, the most frequent error, and the hyperparameter values all share."""
    errors = Counter(error for _, error, _ in failures)
    error, count = errors.most_common(1)[0]
    share = "all" if count == len(failures) else f"{count} of them"
    text = f"{len(failures)} trials failed, {share} with: {error}"
    first = failures[0][2]
    common = [
        f"{name}={value}"
        for name, value in first.items()
        if all(hyperparameters.get(name) == value for _, _, hyperparameters in failures)
    ]
    if common and len(failures) > 1:
        text += f" (all have {', '.join(common)})"
    return text
