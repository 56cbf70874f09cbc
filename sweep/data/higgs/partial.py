"""The part of a long download that has come: kept, so that another process can go on from it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path

from sweep.disk import try_lock, write_json, writing

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Remote:
    """A file on a server, as the server described it."""

    url: str
    total: int | None
    """Bytes of the whole file, if they were said."""
    validator: str
    """Strong ETag or date; empty when there is neither."""

    def continues(self, earlier: "Remote | None") -> bool:
        """Whether this file on the server looks like the one that was begun."""
        return self == earlier and (bool(self.validator) or self.total is not None)


class Partial:
    """Holds open the bytes that came; beside them lies the server's description of the file."""

    def __init__(self, file: FileIO, description: Path) -> None:
        self.remote: Remote | None = None
        """Of the bytes kept so far; None when there are none to go on from."""
        self._file, self._description = file, description
        self._read_description()

    def replay(self) -> Iterator[bytes]:
        """Yield the bytes kept so far."""
        self._file.seek(0)
        while self.remote is not None and (chunk := self._file.read(_CHUNK_BYTES)):
            yield chunk

    def begin(self, remote: Remote) -> None:
        """Forget what was kept; what follows belongs to `remote`."""
        self.discard()
        if remote.validator:
            with writing(self._description):
                write_json(self._description, asdict(remote))
            self.remote = remote

    def append(self, chunk: bytes) -> None:
        """Keep `chunk`, if it could be gone on from. Raises PlatformError when the disk is full."""
        view = memoryview(chunk if self.remote is not None else b"")
        with writing(self._description):
            while view:
                view = view[self._file.write(view) :]

    def discard(self) -> None:
        """Remove all that was kept."""
        self.remote = None
        self._description.unlink(missing_ok=True)
        self._file.truncate(0)
        self._file.seek(0)

    def _read_description(self) -> None:
        size = os.fstat(self._file.fileno()).st_size
        try:
            values = json.loads(self._description.read_bytes())
            remote = Remote(str(values["url"]), values["total"], str(values["validator"]))
            if size == 0 or (remote.total is not None and size > remote.total):
                raise ValueError(size)
        except (OSError, KeyError, TypeError, ValueError):
            self.discard()
        else:
            self.remote = remote


def part_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.part"


@contextmanager
def open_partial(folder: Path, name: str) -> Iterator[Partial | None]:
    """Hold the kept part called `name`; None if another process holds one in `folder`.

    Files: <name>.part, <name>.part.about, and .fetch.lock, which stays. Nothing else stays when
    nothing is kept at the end.
    """
    path, lock_path = part_path(folder, name), folder / ".fetch.lock"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock_path.touch()
        lock = try_lock(lock_path)
    if lock is None:
        yield None
        return
    try:
        with writing(path):
            path.touch()
            file = FileIO(path, "r+")
        with file:
            partial = Partial(file, path.with_name(f"{path.name}.about"))
            try:
                yield partial
            finally:
                if partial.remote is None:
                    path.unlink(missing_ok=True)
    finally:
        os.close(lock)
