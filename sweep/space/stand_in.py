"""What takes the place of data that a space's file reads: of them only the shape is known."""

import re
from dataclasses import dataclass

from sweep.space.inputs import Inputs

_INPUTS = re.compile(
    r"_?(?:x|xs|(?:x|train|training)(?:_\w+)?|(?:train|training)?_?"
    r"(?:images?|imgs?|features?|data|inputs?|sequences?)(?:_\w+)?|img_train)",
    re.IGNORECASE,
)
"""How people call the rows of the inputs."""
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


def called_as_inputs(name: str) -> bool:
    """Return whether a name is one that people give to the rows of inputs."""
    return _INPUTS.fullmatch(name) is not None and not _TARGETS.search(name)


def called_as_targets(name: str) -> bool:
    """Return whether a name is one that people give to the rows of targets."""
    return _ROWS_OF_TARGETS.fullmatch(name) is not None


def stand_in_of(inputs: Inputs | None) -> StandIn | None:
    """Return what takes the place of the rows of a sweep's inputs, if they are one array."""
    one = inputs.only if inputs is not None else None
    return StandIn((None, *one.shape)) if one is not None else None
