"""The text of a search space: the file and what it imports or reads. Its fingerprint, its copy.

Files are named by their place beside the space: `models/mlp.py`. The copy is kept with the sweep,
so that it can be seen what was searched, and gone on with when the original is lost. It is code
from a results folder: nothing runs it unless the user says so.
"""

import ast
import hashlib
import importlib.machinery
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from sweep.errors import DataError
from sweep.space.record import SpaceRecord
from sweep.space.text import tree_of

_MOST_COPIED = 16 * 2**20
"""Bytes of a file; a larger one counts in the fingerprint, but is not copied."""

_MOST_NAMED = 5
"""Files in a message."""

Files = Mapping[str, Path]
"""The files of a space by their names, the space's own first, the rest in order."""


def fingerprint(path: Path) -> str:
    """Return the SHA-256 over the file and the files beside it that are imported."""
    return fingerprint_of(imported(path))


def sources(path: Path) -> dict[str, str]:
    """Return the text of the file and of the files beside it that are imported, by name."""
    return texts(imported(path))


def fingerprint_of(files: Files) -> str:
    """Return the SHA-256 over the files' bytes in their order."""
    digest = hashlib.sha256()
    for file in files.values():
        digest.update(file.read_bytes())
    return digest.hexdigest()


def texts(files: Files) -> dict[str, str]:
    """Return the text of each file that is not too large to be copied.

    Bytes that are no UTF-8 are kept as surrogates.
    """
    return {
        name: file.read_bytes().decode("utf-8", "surrogateescape")
        for name, file in files.items()
        if file.stat().st_size <= _MOST_COPIED
    }


def uncopied(files: Files) -> dict[str, str]:
    """Return the SHA-256 of each file that is too large to be copied, by name."""
    return {
        name: _hash(file.read_bytes())
        for name, file in files.items()
        if file.stat().st_size > _MOST_COPIED
    }


def changed_beside(path: Path, stored: SpaceRecord) -> str | None:
    """Return how a space's files differ from what a sweep kept of them, without running the space.

    None if they do not: "models/mlp.py has changed; lr.py is gone", or "" if what differs is not
    known, as no file was kept. A file that is found only by running the space is looked at too, if
    it was kept.
    """
    kept = hashes(stored.sources, stored.uncopied)
    if not kept:
        return None if fingerprint(path) == stored.sha256 else ""
    here: dict[str, str] = {}
    for name, was in kept.items():
        file = path if name == path.name else path.parent / name
        if file.is_file():  # not a device, which a forged record may name
            here[name] = _hash(file.read_bytes())
        elif file != path and _is_elsewhere(name):
            here[name] = was
    return differences(kept, here) or None


def hashes(sources: Mapping[str, str] | None, uncopied: Mapping[str, str] | None) -> dict[str, str]:
    """Return the SHA-256 of each of a space's files by name."""
    texts = (sources or {}).items()
    copied = {name: _hash(text.encode("utf-8", "surrogateescape")) for name, text in texts}
    return {**copied, **(uncopied or {})}


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return which files have changed, are gone or are new: "a.py has changed; b.py is new"."""
    found = {
        "changed": [name for name in then if name in now and now[name] != then[name]],
        "gone": [name for name in then if name not in now],
        "new": [name for name in now if name not in then],
    }
    return "; ".join(_told(names, kind) for kind, names in found.items() if names)


def in_brackets(differences: str) -> str:
    """Return what differs as it stands behind "has changed": nothing if it is not known."""
    return f" ({differences})" if differences else ""


def _told(names: list[str], kind: str) -> str:
    several = len(names) > 1
    verb = {"changed": ("has changed", "have changed")}.get(kind, (f"is {kind}", f"are {kind}"))
    shown = names[:_MOST_NAMED]
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown)} more")
    listed = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return f"{listed} {verb[several]}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_elsewhere(name: str) -> bool:
    """Whether a stored module was found on Python's own path, not beside the space."""
    top = PurePosixPath(name).parts[0].removesuffix(".py")
    return importlib.machinery.PathFinder.find_spec(top) is not None


def write_sources(texts: Mapping[str, str], first: str, folder: Path) -> Path:
    """Write the texts of a space into a folder; returns the path of the file called `first`.

    Raises DataError for a name that leads elsewhere.
    """
    for name, text in texts.items():
        parts = PurePosixPath(name).parts
        odd = any(part in ("..", "/") or "\\" in part or ":" in part for part in parts)
        if not parts or odd or "/".join(parts) != name:
            raise DataError(f"the stored search space has a file called {name!r}: it is damaged")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder / first


def imported(path: Path) -> dict[str, Path]:
    """Return the file and every file beside it that its imports lead to, by name.

    Imports inside functions, packages, sub-packages and relative imports are followed. Raises
    OSError if one of the files cannot be read.
    """
    seen: dict[str, Path] = {}
    _follow(path, PurePosixPath(path.name), path.parent, seen)
    own = seen.pop(path.name)
    return {path.name: own, **dict(sorted(seen.items()))}


def _follow(file: Path, name: PurePosixPath, folder: Path, seen: dict[str, Path]) -> None:
    seen[str(name)] = file
    for module in _modules(_parsed(file), name):
        for found in _files_of(folder, module):
            if str(found) not in seen:
                _follow(folder / found, found, folder, seen)


def _parsed(file: Path) -> ast.AST:
    """The file's syntax tree; an empty one of a file that is no Python, which imports nothing."""
    try:
        return tree_of(file)
    except (MemoryError, RecursionError, SyntaxError, ValueError):
        return ast.Module([], [])


def _modules(tree: ast.AST, name: PurePosixPath) -> Iterator[tuple[str, ...]]:
    """The dotted names, in parts, that a file called `name` imports or may import."""
    package = name.parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else ()
            base = (*up, *(node.module.split(".") if node.module else ()))
            yield base
            for alias in node.names:
                yield (*base, alias.name)


def _files_of(folder: Path, module: tuple[str, ...]) -> Iterator[PurePosixPath]:
    """The files beside the space that an import of the module runs, outermost package first.

    If the space lies in a package, its neighbours may be imported by the package's name too.
    """
    if module[:1] == (folder.name,) and (folder / "__init__.py").is_file():
        module = module[1:]
    for length in range(1, len(module) + 1):
        place = PurePosixPath(*module[:length])
        for found in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if (folder / found).is_file():
                yield found
                break
