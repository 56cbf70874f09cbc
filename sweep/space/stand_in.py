"""What takes the place of data that a space's file reads, and of packages that are missing."""

import re
from dataclasses import dataclass
from typing import Any

from sweep.space.inputs import Inputs

_INPUTS = re.compile(
    r"_?(?:x|xs|(?:x|train|training)(?:_\w+)?|(?:train|training)?_?"
    r"(?:images?|imgs?|features?|data|inputs?|sequences?)(?:_\w+)?|img_train)",
    re.IGNORECASE,
)
"""How people call the rows of the inputs."""
_ARGUMENT = re.compile(
    r"x|xs|x_(?:train|tr|test|val|valid|validation|data)|(?:train|training|input)_(?:x|data)|"
    r"(?:train_|training_)?(?:images|features|inputs)|data|dataset",
    re.IGNORECASE,
)
_TARGETS = re.compile(r"label|target|_y\b|y_", re.IGNORECASE)
_ROWS_OF_TARGETS = re.compile(
    r"_?(?:y|ys|(?:y|train|training)_(?:train|training|labels?|targets?)|labels?|targets?)",
    re.IGNORECASE,
)
"""How people call the rows of the targets."""


@dataclass(frozen=True)
class StandIn:
    """Rows of which only the shape is known."""

    shape: tuple[int | None, ...]
    """How many rows there are is not said: None."""

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"rows of shape ({', '.join(map(str, self.shape[1:]))})"


class Absent:
    """What an import would have given, which failed: whoever uses it gets the import's error."""

    def __init__(self, error: ImportError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python itself asks for
            raise AttributeError(name)
        raise self._again()

    def __call__(self, *arguments: object, **named: object) -> Any:
        raise self._again()

    def __mro_entries__(self, bases: object) -> Any:
        raise self._again()

    def _again(self) -> ImportError:
        return type(self._error)(str(self._error))


def called_as_inputs(name: str) -> bool:
    """Return whether a name is one that people give to the rows of inputs."""
    return _INPUTS.fullmatch(name) is not None and not _TARGETS.search(name)


def given_as_inputs(name: str) -> bool:
    """Return whether an argument of a class is called as the rows of inputs, not their place."""
    return _ARGUMENT.fullmatch(name) is not None


def called_as_targets(name: str) -> bool:
    """Return whether a name is one that people give to the rows of targets."""
    return _ROWS_OF_TARGETS.fullmatch(name) is not None


def stand_in_of(inputs: Inputs | None) -> StandIn | None:
    """Return what takes the place of the rows of a sweep's inputs, if they are one array."""
    one = inputs.only if inputs is not None else None
    return StandIn((None, *one.shape)) if one is not None else None
