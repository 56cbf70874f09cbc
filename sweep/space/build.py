"""A search space's `build(hp)`, and where in the user's files it failed."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweep.errors import InvalidSpaceError

Model = Any
"""A compiled `keras.Model`; Keras publishes no types."""

Build = Callable[[Any], Model]
"""A search space's `build(hp)`; `hp` is a `keras_tuner.HyperParameters`."""


def build_once(path: Path, build: Build, hp: Any) -> Model:
    """Return `build(hp)`. Raises InvalidSpaceError with the user's own line."""
    try:
        return build(hp)
    except Exception as error:
        chosen = f" with {hp.values}" if hp.values else ""
        raise InvalidSpaceError(
            f"build(hp) of {path} fails{chosen}: {users_frame(error, path)}"
        ) from error


def users_frame(error: BaseException, path: Path) -> str:
    """Return `line N: Error: message (source line)` of the deepest frame in the folder of `path`."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: SyntaxError: {error.msg} ({(error.text or '').strip()})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent == path.parent]
    if not own:
        return text
    frame = own[-1]
    where = "" if frame.filename == str(path) else f"{Path(frame.filename).name} "
    return f"{where}line {frame.lineno}: {text} (in: {frame.line})"
