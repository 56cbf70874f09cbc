"""A sweep's folder: every file name written in it, how a sweep is named, found and locked."""

import errno
import os
import re
import shlex
import socket
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sweep.disk import hold
from sweep.errors import InvalidSpaceError, LockedError, NotFoundError, PlatformError
from sweep.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_LOCK_PATIENCE_SECONDS = 1.0
_DATABASE = "sweep.db"
_MOST_NAMED = 8
"""Sweeps that an error names."""
DEFAULT_RESULTS = Path("results")
_CLOCKS_DIFFER_SECONDS = 600.0
"""By how much the clocks of two machines that share a folder may differ."""


@dataclass(frozen=True)
class Lock:
    """A sweep's lock, held: its path, and what lay there when it was taken."""

    path: Path
    taken: os.stat_result

    def stands(self) -> bool:
        """False when the sweep's folder was removed, or another one put in its place."""
        try:
            return os.path.samestat(self.path.stat(), self.taken)
        except OSError:
            return False


@dataclass(frozen=True)
class SweepFolder:
    """`root`/`name`: database, lock, checkpoints, charts and logs of one sweep."""

    root: Path
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidSpaceError(
                f"{self.name!r} cannot name a sweep: use letters, digits, '.', '_' and '-', "
                "80 at most, the first a letter or digit"
            )

    @property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def address(self) -> str:
        """What a command names it by: its name in the default folder, elsewhere its path."""
        return self.name if self.root == DEFAULT_RESULTS else shlex.quote(str(self.path))

    @property
    def database(self) -> Path:
        return self.path / _DATABASE

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def stop_request(self) -> Path:
        """There while the process at work is asked to stop."""
        return self.path / "stop"

    @property
    def stop_is_requested(self) -> bool:
        try:
            return self.stop_request.exists()
        except OSError:  # a folder that cannot be looked into asks for nothing
            return False

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def charts(self) -> Path:
        return self.path / "charts"

    @property
    def native_log(self) -> Path:
        """What TensorFlow's C++ parts had to say."""
        return self.path / "tensorflow.log"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def rows(self) -> Path:
        """The rows of a search that a script began, if they are small enough to be kept."""
        return self.path / "rows.npz"

    @property
    def script(self) -> Path:
        """What else a script's search was begun with, in words: JSON."""
        return self.path / "script.json"

    @property
    def build(self) -> Path:
        """A script's `build(hp)` by value: a pickle, which is code."""
        return self.path / "build.pkl"

    def checkpoint(self, trial: int, epoch: int) -> Path:
        return self.checkpoints / f"trial-{trial:05d}-epoch-{epoch:06d}.npz"

    @property
    def exists(self) -> bool:
        return self.database.is_file() and not self.database.is_symlink()

    def create(self) -> None:
        """Make the folders. Raises PlatformError when that is not allowed."""
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.root, error) from error

    def created(self) -> "SweepFolder":
        """Make the folders, and return this sweep's. Raises PlatformError when not allowed."""
        self.create()
        return self

    def refuse_links(self) -> None:
        """Refuse to go on where a link would lead what we write out of the folder.

        Raises PlatformError naming the first link.
        """
        single = (
            *(self.database, self.lock, self.stop_request, self.native_log),
            *(self.rows, self.script, self.build),
        )
        for path in (*single, self.checkpoints, self.charts, self.tensorboard):
            inside = path.rglob("*") if path in (self.charts, self.tensorboard) else ()
            for one in (path, *inside):
                if one.is_symlink():
                    raise PlatformError(
                        f"{one} is a link; sweep writes only to what lies in its own folder: "
                        "put what it leads to in its place, or remove it"
                    )

    @contextmanager
    def locked(self) -> Iterator["Lock"]:
        """Hold the sweep alone; the lock ends with the process, however it ends.

        Raises LockedError naming the process that holds it.
        """
        try:
            descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            is_denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
            mend = ": the sweep can only be read; work on it as its owner" if is_denied else ""
            raise PlatformError(f"cannot lock {self.lock} ({error.strerror}){mend}") from error
        try:
            # a reader that looks who holds it blocks it for an instant
            if not hold(descriptor, patience=_LOCK_PATIENCE_SECONDS):
                raise LockedError(
                    f"sweep {self.name} is being worked on by {_holder(descriptor)}; "
                    f"wait for it, or end it with: sweep stop {self.address}"
                )
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {socket.gethostname()}".encode(), 0)
            yield Lock(self.lock, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def holder(self) -> str | None:
        """The process at work on this sweep, in words, or None."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return None if hold(descriptor, shared=True) else _holder(descriptor)
        finally:
            os.close(descriptor)


def sweep_folders(
    root: Path, at: Callable[[SweepFolder], float | None] | None = None
) -> list[SweepFolder]:
    """All sweeps under `root`, the newest last; `at` says when one began, if not its database.

    A sweep dated in the future stands before those that are not, as its date says nothing: it
    would be the newest for ever. So does a damaged sweep, which whoever opens it reports.
    """
    if not root.is_dir():
        return []
    folders = [
        SweepFolder(root, path.name)
        for path in root.iterdir()
        if _NAME.fullmatch(path.name) and SweepFolder(root, path.name).exists
    ]
    created = {folder: (at or created_at)(folder) for folder in folders}

    def place(folder: SweepFolder) -> tuple[bool, float, str]:
        at = created[folder]
        return not is_in_the_future(at), 0.0 if at is None else at, folder.name

    return sorted(folders, key=place)


def is_in_the_future(at: float | None) -> bool:
    """Whether a Unix time is later than now by more than clocks differ; False for None."""
    return at is not None and at > time.time() + _CLOCKS_DIFFER_SECONDS


def find_sweep(root: Path, name: str | None) -> SweepFolder:
    """Return the sweep called `name`, or of the path `name`; the newest without one.

    A name is looked for in `root` first; a path may lead anywhere, such as a script's
    DIRECTORY/PROJECT. Raises NotFoundError naming those that there are.
    """
    if name is not None and (os.sep in name or (os.altsep or os.sep) in name):
        return _at(Path(name))
    if name is not None and _NAME.fullmatch(name):  # no other sweep need be opened
        for place in (root, Path.cwd()):
            if SweepFolder(place, name).exists:
                return SweepFolder(place, name)
    folders = sweep_folders(root)
    if name is None and folders:
        return folders[-1]
    names = [folder.name for folder in folders]
    if name is not None and _is_sweep(root / name):
        raise NotFoundError(
            f"the folder {name!r} in {root} has a name that no sweep can have; rename it, with "
            "letters, digits, '.', '_' and '-' alone"
        )
    raise NotFoundError(f"{_no_sweep(name)} in {root}; {_there(name, names)}")


def _is_sweep(path: Path) -> bool:
    try:
        return (path / _DATABASE).is_file()
    except OSError:  # such as a name that is too long
        return False


def _no_sweep(name: str | None) -> str:
    return "no sweep" if name is None else f"no sweep named {name!r}"


def _there(name: str | None, names: Sequence[str]) -> str:
    """Which sweeps there are, those of a similar name first; at most eight."""
    if not names:
        return "start one with: sweep start capacity"
    near = get_close_matches(name or "", names, 3)
    newest = [one for one in names if one not in near][-(_MOST_NAMED - len(near)) :]
    shown = [*near, *newest]
    more = "" if len(shown) == len(names) else " …; see them all with: sweep ls"
    return f"there are: {', '.join(shown)}{more}"


def _at(path: Path) -> SweepFolder:
    """The sweep in the folder `path`, as a script's DIRECTORY/PROJECT."""
    path = path.resolve()
    if not path.is_dir():
        raise NotFoundError(f"there is no folder {path}")
    folder = SweepFolder(path.parent, path.name)
    if not folder.exists:
        raise NotFoundError(f"there is no sweep in {path}: it holds no {folder.database.name}")
    return folder


def free_name(root: Path, stem: str) -> str:
    """`stem`-1, or the first number that is not taken."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "-", stem).lstrip("._-")[:60] or "sweep"
    number = 1
    while os.path.lexists(root / f"{stem}-{number}"):
        number += 1
    return f"{stem}-{number}"


def new_folder(root: Path, stem: str) -> SweepFolder:
    """Make the folder of a new sweep under the first free name, which is then its own.

    Of several processes that want one name at one instant, each gets another. Raises
    PlatformError when that is not allowed.
    """
    while True:
        folder = SweepFolder(root, free_name(root, stem))
        try:
            root.mkdir(parents=True, exist_ok=True)
            folder.path.mkdir()  # decides who has the name
        except FileExistsError:
            if not root.is_dir():
                text = f"{root} is not a folder; choose another with --results"
                raise PlatformError(text) from None
        except OSError as error:
            raise _cannot_write(root, error) from error
        else:
            folder.create()
            return folder


def _cannot_write(root: Path, error: OSError) -> PlatformError:
    return PlatformError(
        f"cannot write to {root} ({error.strerror}); choose another folder with --results"
    )


def created_at(folder: SweepFolder) -> float | None:
    """Unix time of the sweep's start; None if its database cannot be read."""
    try:
        with Store(folder.database, read_only=True) as store:
            return store.sweep().created_at
    except Exception:
        return None


def _holder(descriptor: int) -> str:
    """`process 12`, and where when that is not here: a process id means nothing elsewhere."""
    pid, _, host = os.pread(descriptor, 300, 0).decode(errors="replace").partition(" ")
    if not pid.isdigit():
        return "another process"
    return f"process {pid}" if host in ("", socket.gethostname()) else f"process {pid} on {host}"
