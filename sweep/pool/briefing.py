"""What each worker is told once: settings, space and data, of which it makes its trainer.

The space goes by value, its files checked by their hash where they arrive: a worker runs what the
head has shown and nothing else, also if the original changes meanwhile.
"""

import hashlib
import os
import pickle
import platform
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sweep.data.mapped import read_mapped, write_mapped
from sweep.data.memory import MEMORY
from sweep.data.rows import Split
from sweep.errors import DataError, InvalidSpaceError
from sweep.numerics import Numerics
from sweep.pool.face import Ready
from sweep.settings import Settings
from sweep.space.inputs import inputs_of
from sweep.space.record import SpaceRecord
from sweep.space.source import changed_beside, write_sources
from sweep.tasks.scoring import Scoring
from sweep.training.contract import Trainer

if TYPE_CHECKING:
    from sweep.space.build import Build


@dataclass(frozen=True)
class SpaceSources:
    """A search space by value."""

    path: Path
    """Where it lies on the head's host."""
    sha256: str
    sources: Mapping[str, str]
    uncopied: Mapping[str, str]
    """The SHA-256 of files that are too large to go with it."""
    build: str | None
    """Which function or HyperModel of the file it is; None if there is one only."""
    n_outputs: int
    """Classes, or amounts."""

    @property
    def is_whole(self) -> bool:
        """Whether `sources` holds all files; those of many MB are not copied."""
        digest = hashlib.sha256()
        for text in self.sources.values():
            digest.update(text.encode("utf-8", "surrogateescape"))
        return digest.hexdigest() == self.sha256

    def written(self, folder: Path) -> Path:
        """Return the path of the space's file in `folder`, or where it lies if it goes not whole.

        Raises InvalidSpaceError if it has to be where it lies, and is not as it was.
        """
        if self.is_whole:
            return write_sources(self.sources, self.path.name, folder)
        kept = SpaceRecord(
            sha256=self.sha256, sources=dict(self.sources), uncopied=dict(self.uncopied)
        )
        changed = changed_beside(self.path, kept)
        if changed is None:
            return self.path
        raise InvalidSpaceError(
            f"the search space {self.path} reads files that are too large to be handed to workers, "
            f"so it must lie there on each host as it does here: {changed}"
        )


@dataclass(frozen=True)
class ScriptBuild:
    """The `build` of a script by value: a pickle, which is code that the worker runs."""

    content: bytes
    path: Path
    """Of the script."""

    def build(self, split: Split) -> "Build":
        """Return what makes a trial's model."""
        from sweep.space.build import HomeBuild
        from sweep.space.by_value import ByValue
        from sweep.space.entry import SpaceEntry

        sys.path.append(str(self.path.parent))  # modules beside the script go by their name
        found: ByValue = pickle.loads(self.content)
        entry = SpaceEntry("build", found.build, found.hypermodel)
        return HomeBuild(self.path, entry, found.home(), inputs_of(split.train.x), split.task)


@dataclass(frozen=True)
class OpenedBriefing:
    """What a worker has made of its briefing."""

    trainer: Trainer
    ready: Ready


class Opens(Protocol):
    """What a worker is told once."""

    @property
    def names_rows(self) -> bool:
        """Whether the rows can be found by a name, in the cache of each host."""

    def own_rows(self) -> Split:
        """Return the rows as this host has them. Raises DataError if it has not."""

    def opened(self, split: Split, folder: Path, most: int) -> OpenedBriefing:
        """Return a worker's trainer, and what it says of itself.

        Its own files go into `folder`; it will hold at most so many assignments. Raises what keeps
        it from working.
        """


@dataclass(frozen=True)
class Briefing:
    """All that a worker needs to know of a sweep, but its data."""

    space: SpaceSources | ScriptBuild
    settings: Settings
    scoring: Scoring
    fingerprint: str
    """Of the split."""
    versions: Mapping[str, str]
    """Of Python and of the packages that compute, at the head."""

    @property
    def names_rows(self) -> bool:
        return self.settings.data != MEMORY

    def own_rows(self) -> Split:
        from sweep.data.split import load_split

        settings = self.settings
        return load_split(
            settings.data,
            train_rows=settings.train_rows,
            validation_rows=settings.validation_rows,
            test_rows=settings.test_rows,
            own=settings.own,
        )

    def opened(self, split: Split, folder: Path, most: int) -> OpenedBriefing:
        """Return a worker's trainer: see `Opens`.

        Starts Keras, and runs the space's file, which is written into `folder`. Raises DataError if
        the split is another one.
        """
        numerics = _start(self.settings.numerics)
        trainer = self._trainer(split, folder)
        n_cores = len(os.sched_getaffinity(0))
        ready = Ready(
            capacity=max(1, min(most, _capacity(self.settings))),
            host=socket.gethostname(),
            process=os.getpid(),
            device=numerics.gpu or f"{n_cores} core{'' if n_cores == 1 else 's'}",
            numerics=numerics,
            versions=_versions_here(self.versions),
        )
        return OpenedBriefing(trainer, ready)

    def _trainer(self, split: Split, folder: Path) -> Trainer:
        from sweep.space.load import load_build
        from sweep.training.chosen import chosen_trainer

        if replace(split).fingerprint != self.fingerprint:  # a copy, as the head's is remembered
            raise DataError(
                f"{socket.gethostname()} has other rows of {split.source} than the head; put the "
                "same file there, or get the same with: sweep data fetch"
            )
        space = self.space
        if isinstance(space, ScriptBuild):
            build = space.build(split)
        else:
            build = load_build(
                space.written(folder),
                inputs_of(split.train.x),
                build=space.build,
                n_outputs=space.n_outputs,
                task=split.task,
            )
        return chosen_trainer(build, split, self.settings, self.scoring)


def _start(stored: Numerics | None) -> Numerics:
    """Start Keras as the sweep's numbers need it; return under what this process computes."""
    from sweep.training.fused.program.kept import default_root
    from sweep.training.start_keras import start_keras

    return start_keras(default_root(), stored)


def _capacity(settings: Settings) -> int:
    """Return how many assignments a worker can use at the same time. Keras must be started.

    Those that its programs have slots for, and one ahead, which hides the way there and back.
    """
    from sweep.training.fused.device import groups_at_once
    from sweep.training.fused.program.backend import on_gpu

    if settings.trainer == "keras":
        return 2
    return 65 if on_gpu() else 2 * groups_at_once()


def _versions_here(names: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of Python and of the named packages, here."""
    return {
        name: platform.python_version() if name == "python" else version(name) for name in names
    }


def bytes_of(split: Split) -> int:
    """Return how large the arrays of a split are."""
    found = 0
    for rows in (split.train, split.validation):
        arrays = rows.x.values() if isinstance(rows.x, dict) else (rows.x,)
        found += rows.y.nbytes + sum(array.nbytes for array in arrays)
    return found


def write_briefing(briefing: Opens, split: Split, folder: Path) -> None:
    """Write what workers of this host read: the briefing, and the arrays as they lie in memory."""
    with (folder / "briefing").open("wb") as file:
        write_mapped((briefing, split), file)


def read_briefing(folder: Path) -> tuple[Opens, Split]:
    """Return what the head has written into a folder of its own; the arrays are mapped, not read.

    This unpickles it: only for a folder that the process has been started with.
    """
    with (folder / "briefing").open("rb") as file:
        found: tuple[Opens, Split] = read_mapped(file)
    return found
