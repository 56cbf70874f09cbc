"""Where in a user's files something is: the line of an error, or of a function."""

import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweep.space.home import EndedByItselfError


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


def line_of(function: Callable[..., Any]) -> str:
    """Return " (line 7)", where a function is defined, or nothing."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f" (line {code.co_firstlineno})" if code is not None else ""
