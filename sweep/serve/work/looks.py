"""What is known of the sweeps in the results folder, read again only when it has changed."""

import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.stored import load_frames
from sweep.errors import SweepError
from sweep.runner.look import Look, look_and_read
from sweep.statistics.paired import standard_errors
from sweep.store import Store, SweepProgress
from sweep.store.events import last_event
from sweep.store.pages import losses_of
from sweep.sweep_folder import SweepFolder, sweep_folders

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames

_Stamp = tuple[object, ...]
_MOST_FRAMES = 4
_REST = 5.0
"""A running sweep's frames are read again after so many times the seconds that reading took."""


def plain_identity(text: str) -> str:
    """Return a sweep's identity as it may stand in a header: a forged one may hold anything."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text[:64])


@dataclass(frozen=True)
class Seen:
    """A sweep at one moment, or why it cannot be read."""

    folder: SweepFolder
    look: Look | None
    error: str | None
    event: int
    """The number of its latest event."""
    best_se: float | None

    @property
    def state(self) -> str:
        return "damaged" if self.look is None else self.look.state.value

    @property
    def etag(self) -> str:
        """Names this version of all that is stored of the sweep."""
        if self.look is None:
            return f'W/"damaged-{abs(hash(self.error)):x}"'
        sweep, done = self.look.sweep, self.look.progress
        parts = (plain_identity(sweep.identity), self.event, done.epochs_done, self.state)
        return f'W/"{"-".join(str(part) for part in parts)}"'


class Looks:
    """Keeps what was read of each sweep, for as long as its files stay as they are."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[_Stamp, Seen]] = {}
        self._frames: OrderedDict[Path, _Kept] = OrderedDict()
        self._alone = threading.Lock()
        self._looking: dict[Path, threading.Lock] = {}
        self._reading: dict[Path, threading.Lock] = {}

    def look(self, folder: SweepFolder) -> Seen:
        """Return a sweep as it is now; what is wrong with a damaged one is said in it."""
        with self._one_at_a_time(self._looking, folder):  # two requests for one sweep read it once
            stamp = (*_stamp(folder.database), folder.holder())
            kept = self._seen.get(folder.path)
            if kept is not None and kept[0] == stamp:
                return kept[1]
            seen = _read(folder)
            self._seen[folder.path] = (stamp, seen)
            return seen

    def all(self, root: Path) -> list[Seen]:
        """Return all sweeps of a results folder, the newest first."""
        seen: dict[SweepFolder, Seen] = {}

        def at(folder: SweepFolder) -> float | None:
            found = seen[folder] = self.look(folder)
            return None if found.look is None else found.look.sweep.created_at

        return [seen[folder] for folder in sweep_folders(root, at)[::-1]]

    def frames(self, folder: SweepFolder) -> "SweepFrames":
        """Return a sweep's frames; those of a running one may be some seconds old.

        Raises DataError if its database is damaged.
        """
        with self._one_at_a_time(self._reading, folder):
            version = self.look(folder).etag
            kept = self._frames.get(folder.path)
            if kept is not None and kept.is_good(version):
                return kept.frames
            begun = time.monotonic()
            frames = load_frames(folder, folder.name)
            now = time.monotonic()
            with self._alone:
                self._frames[folder.path] = _Kept(frames, version, now, now - begun)
                self._frames.move_to_end(folder.path)
                while len(self._frames) > _MOST_FRAMES:
                    self._frames.popitem(last=False)
        return frames

    def _one_at_a_time(
        self, locks: dict[Path, threading.Lock], folder: SweepFolder
    ) -> threading.Lock:
        with self._alone:
            return locks.setdefault(folder.path, threading.Lock())


@dataclass(frozen=True)
class _Kept:
    frames: "SweepFrames"
    version: str
    at: float
    seconds: float

    def is_good(self, version: str, clock: Callable[[], float] = time.monotonic) -> bool:
        same_sweep = self.version.split("-")[0] == version.split("-")[0]
        same_state = self.version.rpartition("-")[2] == version.rpartition("-")[2]
        young = clock() - self.at < _REST * self.seconds
        return self.version == version or (young and same_sweep and same_state)


def _stamp(path: Path) -> _Stamp:
    found: list[object] = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            stat = file.stat()
        except OSError:
            found.append(None)
            continue
        # reading makes an empty log beside the database, which says no more than none
        is_empty_log = file != path and not stat.st_size
        found += [None] if is_empty_log else [stat.st_ino, stat.st_size, stat.st_mtime_ns]
    return tuple(found)


def _read(folder: SweepFolder) -> Seen:
    try:
        found, (event, losses) = look_and_read(folder, _event_and_losses)
    except SweepError as error:
        return Seen(folder, None, str(error), 0, None)
    return Seen(folder, found, None, event, _standard_error(losses))


def _event_and_losses(store: Store, progress: SweepProgress) -> tuple[int, bytes | None]:
    trial = progress.best_trial
    return last_event(store), None if trial is None else losses_of(store, trial)


def _standard_error(losses: bytes | None) -> float | None:
    if losses is None or len(losses) % 4:
        return None
    found = float(standard_errors(np.frombuffer(losses, dtype="<f4")))
    return found if math.isfinite(found) else None
