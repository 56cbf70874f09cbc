"""Writing so that a file is whole or absent, whoever is killed and however full the disk is."""

import errno
import fcntl
import json
import os
import re
import shutil
import socket
import tempfile
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep.errors import PlatformError

_SECONDS_BETWEEN_TRIES = 0.05
_HOST = f"{zlib.crc32(socket.gethostname().encode()):08x}"
"""This machine, as temporary names say it: a process's number means nothing on another."""
_OF_A_PROCESS = re.compile(rf"{_HOST}-(\d{{1,10}})-")
_TEMPORARY = re.compile(r"\..*-([0-9a-f]{8}-\d{1,10}-)?[0-9a-f]{8}(\.[^.]*)?")
SPACES = "sweep-space-"
"""How the temporary folders begin in which search spaces and workers' rows lie."""
_LONG_SECONDS = 86_400.0
"""Age from which on a temporary file is nobody's, whoever made it."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what a disk can do to us into PlatformError. Only around file operations."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PlatformError(
                f"no space left for {path}; make room, or choose another folder with --cache"
            ) from error
        what = error.strerror or str(error)
        raise PlatformError(
            f"cannot write to {path} ({what}); choose another folder with --cache"
        ) from error


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace `path` by `values` as JSON, in one step; on the disk when this returns."""
    write_bytes(path, json.dumps(values, indent=1).encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, in one step; on the disk when this returns."""
    with whole(path, flushed=True) as new:
        new.write_bytes(content)


@contextmanager
def whole(
    path: Path, *, through: Path | None = None, flushed: bool = False, named_later: bool = False
) -> Iterator[Path]:
    """Yield the name of a new file, which becomes `path` in one step if the block succeeds.

    Until then, and if the block raises or the process is killed, `path` stays as it was.
    The new file is `through`, by default a hidden name that nobody else uses, with the suffix of
    `path`, in the same folder. If `flushed`, the file is on the disk at the end; its name too,
    unless it is `named_later`, by a `sync_folder` for many. Raises OSError.
    """
    own = f"{_HOST}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    new = through or path.with_name(f".{path.stem}-{own}{path.suffix}")
    try:
        yield new
        if flushed and named_later:
            _sync(new)
            new.replace(path)
        elif flushed:
            move(new, path)
        else:
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def move(file: Path, path: Path) -> None:
    """Give `file` the name `path`, in one step; on the disk when this returns."""
    _sync(file)
    file.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Put the names in a folder on the disk."""
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file `path`, made if need be, alone; wait for whoever holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """A descriptor that holds an existing file or folder until it is closed, or None if held."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    if hold(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def hold(descriptor: int, *, shared: bool = False, patience: float = 0.0) -> bool:
    """Lock an open file until it is closed; False if it is still held after `patience` seconds.

    A `shared` lock can be held by several processes, but not beside an ordinary one.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return True


def new_folder(root: Path) -> tuple[Path, int | None]:
    """A folder in `root` for this process to write in, and what holds it: see `try_lock`.

    Whoever holds a lock on `root` may call it.
    """
    folder = root / f".new-{uuid.uuid4().hex[:12]}"
    folder.mkdir()
    return folder, try_lock(folder)


def remove_abandoned(root: Path) -> None:
    """Remove the new folders whose processes are gone. Needs the same lock as making them."""
    for folder in root.glob(".new-*/"):
        lock = try_lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def of_this_process(prefix: str) -> str:
    """`prefix` and what says that this process makes the file: see `is_abandoned`."""
    return f"{prefix}{_HOST}-{os.getpid()}-"


def new_space_folder() -> Path:
    """Return a new temporary folder of this process: see `remove_abandoned_spaces`."""
    return Path(tempfile.mkdtemp(prefix=of_this_process(SPACES)))


def remove_abandoned_spaces(dry_run: bool = False) -> int:
    """Remove the temporary folders of `new_space_folder` whose processes were killed.

    Of this user alone, and none if `dry_run`. Return their size in bytes.
    """
    total = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{SPACES}*"):
        if folder.is_dir() and not folder.is_symlink() and is_abandoned(folder):
            total += sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
            if not dry_run:
                shutil.rmtree(folder, ignore_errors=True)  # removes links, not what they lead to
    return total


def abandoned_files(folder: Path) -> list[Path]:
    """New files of `whole` in `folder` whose processes were killed."""
    return sorted(
        path
        for path in folder.glob(".*")
        if _TEMPORARY.fullmatch(path.name)
        and path.is_file()
        and not path.is_symlink()
        and is_abandoned(path)
    )


def is_abandoned(path: Path) -> bool:
    """Whether nobody needs a temporary file or folder: its process has ended, or it is a day old.

    The process is told by the name, if it runs on this machine. False for what cannot be looked
    at, and for what belongs to another user.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    if found.st_uid != os.getuid():
        return False
    owner = _OF_A_PROCESS.search(path.name)
    if owner is not None and not _runs(int(owner[1])):
        return True
    return time.time() - found.st_mtime > _LONG_SECONDS


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def file_at(path: Path) -> tuple[int, int] | None:
    """Return which file lies at a path, by device and number; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
