"""What `search` was called with: the arguments of `model.fit`, by name, known or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.errors import UsageError

_ORDER = (
    *("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split"),
    *("validation_data", "shuffle", "class_weight", "sample_weight"),
)
"""The first positional arguments of `keras.Model.fit`."""
_REFUSED = {
    "initial_epoch": "every trial begins with its first epoch, and goes on where it was by itself",
    "validation_freq": "every epoch is measured: the score is the best of them",
}
"""Arguments of `fit` that nothing here answers to, each with why."""
_OFF = {"initial_epoch": 0, "validation_freq": 1}
_STEPS = ("steps_per_epoch", "validation_steps", "validation_batch_size")
_VERBOSE = ("auto", 0, 1, 2)


@dataclass(frozen=True)
class SearchArguments:
    """Data and how to train on them, as Keras has it. Data are as they were given."""

    x: Any = None
    y: Any = None
    batch_size: int | None = None
    """None for Keras' default: 32, or that of the data set."""
    epochs: int | None = None
    """None if it was not said: then Keras' 1, and in Hyperband `max_epochs`."""
    verbose: Any = "auto"
    callbacks: Any = None
    """A list, or a function that makes one for each trial."""
    validation_split: float = 0.0
    validation_data: Any = None
    shuffle: bool = True
    class_weight: Mapping[int, float] | None = None
    sample_weight: Any = None
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    validation_batch_size: int | None = None


def fit_arguments(given: Sequence[Any], named: Mapping[str, Any]) -> SearchArguments:
    """Return the arguments of a call of `search(*given, **named)`, checked.

    Raises TypeError for a name that `fit` does not have or that is given twice, UsageError for
    what is not honoured.
    """
    if len(given) > len(_ORDER):
        raise TypeError(
            f"search has {len(given)} arguments without a name, expected {len(_ORDER)} at most"
        )
    found = dict(zip(_ORDER, given, strict=False))
    twice = next((name for name in named if name in found), None)
    if twice is not None:
        raise TypeError(f"search got {twice!r} twice: by place and by name")
    found |= named
    for name, why in _REFUSED.items():
        if found.pop(name, _OFF[name]) not in (_OFF[name], None):
            raise UsageError(f"search: {name} is not supported, and would be ignored: {why}")
    unknown = next((name for name in found if name not in (*_ORDER, *_STEPS)), None)
    if unknown is not None:
        raise TypeError(
            f"search got {unknown!r}, which is no argument of model.fit; expected among: "
            f"{', '.join((*_ORDER, *_STEPS))}"
        )
    arguments = SearchArguments(**found)
    _check(arguments)
    return arguments


def _check(given: SearchArguments) -> None:
    """Raise UsageError naming the first argument that cannot be."""
    if given.x is None:
        raise UsageError("search: x is missing, the training rows")
    if not 0 <= given.validation_split < 1:
        raise UsageError(
            f"search: validation_split is {given.validation_split}, expected 0 to below 1"
        )
    if given.validation_data is None and not given.validation_split:
        raise UsageError(
            "search: there are no validation rows, by which trials are ranked; "
            "give validation_data=(x, y) or validation_split=0.2"
        )
    for name in ("batch_size", "epochs", *_STEPS):
        value = getattr(given, name)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise UsageError(f"search: {name} is {value!r}, expected a whole number from 1")
    if given.verbose not in _VERBOSE:
        raise UsageError(f"search: verbose is {given.verbose!r}, expected 0, 1, 2 or 'auto'")
    if given.class_weight is not None and not isinstance(given.class_weight, Mapping):
        raise UsageError("search: class_weight must be a dictionary from class to weight")
    if isinstance(given.callbacks, str | bytes) or (
        given.callbacks is not None
        and not callable(given.callbacks)
        and not isinstance(given.callbacks, Sequence)
    ):
        raise UsageError("search: callbacks must be a list, or a function that makes one")
