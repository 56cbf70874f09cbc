"""The text of a search space: the file and the neighbours it imports. Its fingerprint, its copy.

The copy is kept with the sweep, so that it can be seen what was searched, and gone on with when
the original is lost. It is code from a results folder: nothing runs it unless the user says so.
"""

import ast
import hashlib
from pathlib import Path

from sweep.errors import DataError


def fingerprint(path: Path) -> str:
    """SHA-256 over the file and the files beside it that it imports."""
    digest = hashlib.sha256()
    for one in _files(path):
        digest.update(one.read_bytes())
    return digest.hexdigest()


def sources(path: Path) -> dict[str, str]:
    """The text of each of these files, by name; bytes that are no UTF-8 are kept as surrogates."""
    return {one.name: one.read_bytes().decode("utf-8", "surrogateescape") for one in _files(path)}


def write_sources(texts: dict[str, str], first: str, folder: Path) -> Path:
    """Write `sources` into a folder; the path of the file called `first`.

    Raises DataError for a name that leads elsewhere.
    """
    for name, text in texts.items():
        if name != Path(name).name or name in ("", ".", ".."):
            raise DataError(f"the stored search space has a file called {name!r}: it is damaged")
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder / first


def _files(path: Path) -> list[Path]:
    return [path, *_imported_neighbours(path, set())]


def _imported_neighbours(path: Path, seen: set[Path]) -> list[Path]:
    """Files in the same folder that `path` imports, directly or through another, in order."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            neighbour = path.parent / f"{name.rpartition('.')[2]}.py"
            if neighbour.is_file() and neighbour != path and neighbour not in seen:
                seen.add(neighbour)
                _imported_neighbours(neighbour, seen)
    return sorted(seen)
