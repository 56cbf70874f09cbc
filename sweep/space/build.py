"""A search space's `build(hp)` as it is called here, and where in the user's files it failed."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.errors import InvalidSpaceError
from sweep.space.home import EndedByItselfError, Home
from sweep.space.inputs import Inputs, shaped
from sweep.space.precision import with_policy

Model = Any
"""A compiled `keras.Model`; Keras publishes no types."""

Build = Callable[[Any], Model]
"""A search space's `build(hp)`; `hp` is a `keras_tuner.HyperParameters`."""


@dataclass(frozen=True)
class HomeBuild:
    """A user's `build(hp)`, run in the space's own folder whoever calls.

    A model that was given no input shape is built on that of the data. Raises what `build` raises,
    EndedByItselfError if `build` tries to end the program, and OtherPrecisionError if `build`
    changes Keras' type of numbers.
    """

    build: Build
    home: Home
    inputs: Inputs

    def __call__(self, hp: Any) -> Model:
        with with_policy(self.home.policy):
            return self.home.run(lambda: shaped(self.build(hp), self.inputs))


def build_failed(path: Path, hp: Any, error: BaseException) -> InvalidSpaceError:
    """Return the error that says in one line where `build(hp)` of `path` failed."""
    chosen = f" with {hp.values}" if hp.values else ""
    return InvalidSpaceError(f"build(hp) of {path} fails{chosen}: {users_frame(error, path)}")


def users_frame(error: BaseException, path: Path) -> str:
    """Return `line N: Error: message (source line)` of the deepest frame in `path`'s folder."""
    if isinstance(error, EndedByItselfError) and error.__cause__ is not None:
        error = error.__cause__
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: SyntaxError: {error.msg} ({(error.text or '').strip()})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(path.parent)]
    if not own:
        return text
    frame = own[-1]
    where = "" if frame.filename == str(path) else f"{Path(frame.filename).name} "
    return f"{where}line {frame.lineno}: {text} (in: {frame.line})"
