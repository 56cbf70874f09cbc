"""The search spaces that jobs may name: shipped ones, those of a folder, approved uploads.

Nothing here runs a space. What a job runs is a copy, kept under its hash, so that what was looked
at is what runs, and so that a sweep can go on when the original has changed since.
"""

import ast
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sweep.errors import InvalidSpaceError, NotFoundError
from sweep.serve.queue.database import QueueDatabase
from sweep.space.find import shipped_spaces, summary
from sweep.space.source import Files, fingerprint_of, imported, texts, write_sources

MOST_BYTES = 1_000_000
"""Of all files of an uploaded space together."""


@dataclass(frozen=True)
class ShelfSpace:
    """A search space that is known to the service."""

    name: str
    sha256: str
    origin: str
    """shipped, folder or uploaded."""
    summary: str
    path: Path
    is_approved: bool
    uploaded_by: str | None = None
    approved_by: str | None = None

    def texts(self) -> dict[str, str]:
        """Return the text of each of its files by name, its own first."""
        return texts(imported(self.path))


@dataclass(frozen=True)
class Shelf:
    """All search spaces that the service knows."""

    database: QueueDatabase
    copies: Path
    """Copies of what was run and of what was uploaded, a folder for each hash."""
    folder: Path | None

    def all(self) -> list[ShelfSpace]:
        """Return the spaces by name; a file of the folder stands for a shipped one of its name."""
        named = {space.name: space for space in (*self._shipped(), *self._of_folder())}
        return [*(named[name] for name in sorted(named)), *self._uploaded()]

    def named(self, name: str, sha256: str | None = None) -> ShelfSpace:
        """Return the space of a name, and of a hash if it is given. Raises NotFoundError."""
        known = self.all()
        found = [space for space in known if space.name == name]
        matching = [space for space in found if sha256 in (None, space.sha256)]
        if matching:
            return matching[-1] if sha256 is None else matching[0]
        if found:
            raise InvalidSpaceError(
                f"search space {name} is not what it was when you looked: its SHA-256 is "
                f"{found[0].sha256}; look again, and start that"
            )
        names = ", ".join(sorted({space.name for space in known}))
        raise NotFoundError(f"there is no search space {name[:80]!r}; there are: {names}")

    def of_hash(self, sha256: str) -> ShelfSpace:
        """Return the space of a hash. Raises NotFoundError."""
        for space in self.all():
            if space.sha256 == sha256:
                return space
        raise NotFoundError(f"there is no search space with SHA-256 {sha256[:64]!r}")

    def copied(self, space: ShelfSpace) -> Path:
        """Keep a copy of a space under its hash; return the path of its own file.

        Raises InvalidSpaceError if it has changed meanwhile.
        """
        path = self._place_of(space.sha256, space.name)
        if path.is_file():
            return path
        files = imported(space.path)
        if fingerprint_of(files) != space.sha256:
            raise InvalidSpaceError(f"search space {space.name} has changed just now; look again")
        return self._keep(texts(files), space.name, space.sha256)

    def copy_of(self, sha256: str, name: str) -> Path:
        """Return the file that a job runs. Raises InvalidSpaceError if it is not what it was."""
        path = self._place_of(sha256, name)
        if not path.is_file() or fingerprint_of(imported(path)) != sha256:
            raise InvalidSpaceError(
                f"the copy of search space {name} in {path.parent} is gone or was changed; "
                "start a new job"
            )
        return path

    def upload(self, name: str, sources: Mapping[str, str], who: str) -> ShelfSpace:
        """Keep an uploaded space; it may be run once it is approved. Raises InvalidSpaceError."""
        first = f"{name}.py"
        if first not in sources:
            raise InvalidSpaceError(f"a space called {name[:80]} needs a file {first}")
        if sum(len(text.encode("utf-8", "replace")) for text in sources.values()) > MOST_BYTES:
            raise InvalidSpaceError(f"the files of a space may have {MOST_BYTES:,} bytes at most")
        for file, text in sources.items():
            _refuse_no_python(file, text)
        folder = self.copies / f".new-{uuid.uuid4().hex[:12]}"
        try:
            path = write_sources(sources, first, folder)
            files = imported(path)
            if unused := sorted(set(sources) - set(files)):
                raise InvalidSpaceError(
                    f"{unused[0]} is imported by no file of the space, so its hash would not "
                    "cover it; leave it out"
                )
            sha256 = fingerprint_of(files)
            self._place(folder, sha256, name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with self.database.changing() as db:
            db.execute(
                "INSERT INTO space (sha256, name, uploaded_at, uploaded_by) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (sha256) DO NOTHING",
                (sha256, name, time.time(), who),
            )
        return self.of_hash(sha256)

    def approve(self, sha256: str, who: str, *, approved: bool) -> ShelfSpace:
        """Allow an uploaded space to be run, or take that back. Raises NotFoundError."""
        values = (time.time(), who) if approved else (None, None)
        with self.database.changing() as db:
            done = db.execute(
                "UPDATE space SET approved_at = ?, approved_by = ? WHERE sha256 = ?",
                (*values, sha256),
            )
        if not done.rowcount:
            raise NotFoundError(f"no space with SHA-256 {sha256[:64]!r} was uploaded")
        return self.of_hash(sha256)

    def is_ours(self, path: str | None) -> bool:
        """Return whether a stored sweep's space lies where spaces that may be run lie."""
        if path is None:
            return False
        file = Path(path).resolve()
        known = {space.path.resolve() for space in self.all() if space.is_approved}
        kept = self.copies.resolve()
        if file.is_relative_to(kept):
            sha256 = file.relative_to(kept).parts[0]
            row = self.database.row("SELECT approved_at FROM space WHERE sha256 = ?", sha256)
            return row is None or row["approved_at"] is not None
        return file in known

    def _shipped(self) -> list[ShelfSpace]:
        return [_read(path, "shipped") for path in shipped_spaces().values()]

    def _of_folder(self) -> list[ShelfSpace]:
        if self.folder is None or not self.folder.is_dir():
            return []
        files = sorted(path for path in self.folder.glob("*.py") if path.stem != "__init__")
        return [_read(path, "folder") for path in files if path.is_file()]

    def _uploaded(self) -> list[ShelfSpace]:
        found = []
        for row in self.database.rows("SELECT * FROM space ORDER BY uploaded_at"):
            path = self._place_of(row["sha256"], row["name"])
            if path.is_file():
                found.append(
                    ShelfSpace(
                        row["name"], row["sha256"], "uploaded", summary(path), path,
                        row["approved_at"] is not None, row["uploaded_by"], row["approved_by"],
                    )
                )  # fmt: skip
        return found

    def _keep(self, sources: Mapping[str, str], name: str, sha256: str) -> Path:
        folder = self.copies / f".new-{uuid.uuid4().hex[:12]}"
        try:
            write_sources(sources, f"{name}.py", folder)
            self._place(folder, sha256, name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return self._place_of(sha256, name)

    def _place_of(self, sha256: str, name: str) -> Path:
        """Two spaces of one text may have two names: the hash is over what is in the files."""
        return self.copies / sha256 / name / f"{name}.py"

    def _place(self, folder: Path, sha256: str, name: str) -> None:
        place = self._place_of(sha256, name).parent
        place.parent.mkdir(exist_ok=True)
        if not place.exists():
            folder.rename(place)


def _read(path: Path, origin: str) -> ShelfSpace:
    files: Files = imported(path)
    return ShelfSpace(path.stem, fingerprint_of(files), origin, summary(path), path, True)


def _refuse_no_python(file: str, text: str) -> None:
    if not file.endswith(".py"):
        raise InvalidSpaceError(f"{file[:80]!r} is no Python file; a space is made of .py files")
    try:
        ast.parse(text)
    except (MemoryError, RecursionError, SyntaxError, ValueError) as error:
        raise InvalidSpaceError(f"{file[:80]} is no Python: {str(error)[:200]}") from error
