"""Search spaces are found by path or by the stem of a shipped one, without being run."""

import ast
import difflib
from importlib.resources import files
from pathlib import Path

from sweep.errors import InvalidSpaceError
from sweep.space.text import tree_of

SHIPPED = "search_spaces"


def shipped_spaces() -> dict[str, Path]:
    """Return the files of the search spaces that ship with the program, by stem."""
    folder = Path(str(files(SHIPPED)))
    return {path.stem: path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"}


def find_space(name: str) -> Path:
    """Return the file that `name` means: a path, or else the stem of a shipped space.

    Raises InvalidSpaceError, with the nearest names, if `name` is neither.
    """
    path = Path(name)
    try:
        if path.is_file():
            return path.resolve()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise InvalidSpaceError(
            f"search space {name[:80]} cannot be read: {error.strerror}"
        ) from error
    shipped = shipped_spaces()
    if path.stem in shipped and path.suffix in ("", ".py"):
        return shipped[path.stem]
    beside = [str(p) for p in sorted(path.parent.glob("*.py"))] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.stem, shipped, cutoff=0.5)
    near += difflib.get_close_matches(name, beside, cutoff=0.7)
    hint = f"did you mean {' or '.join(near)}?" if near else f"shipped: {', '.join(shipped)}"
    kind = "is a folder, not a file" if path.is_dir() else "does not exist"
    raise InvalidSpaceError(f"search space {name} {kind}; {hint}")


def summary(path: Path) -> str:
    """Return the first line of the docstring of the file `path`, without running the file."""
    try:
        text = ast.get_docstring(tree_of(path))
    except (MemoryError, OSError, RecursionError, SyntaxError, ValueError):
        return ""
    return (text or "").partition("\n")[0]
