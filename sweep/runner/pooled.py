"""Opens the pool that a command asks for, and enters its workers into the sweep."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from sweep.data.cache.cache import default_cache_dir
from sweep.data.memory import MEMORY
from sweep.data.split import Split
from sweep.disk import remove_abandoned_spaces
from sweep.errors import InvalidSpaceError, UsageError
from sweep.numerics import Numerics
from sweep.pool.briefing import Briefing, ScriptBuild, SpaceSources
from sweep.pool.face import Pool, Ready
from sweep.pool.places import PoolAsked, places
from sweep.pool.processes import ProcessPool
from sweep.pool.team import Team
from sweep.pool.trainer import PooledTrainer
from sweep.records import Assignment, Value
from sweep.runner.fit_of_data import n_outputs_of
from sweep.runner.same_numbers import accepted, compared, versions
from sweep.runner.say import Say
from sweep.runner.workers import Workers
from sweep.settings import Settings
from sweep.space.by_value import written_here
from sweep.space.load import Space
from sweep.store import Store
from sweep.store.workers import probe_of_first
from sweep.sweep_folder import SweepFolder
from sweep.tasks.scoring import Scoring

_PROGRAM = "keras-sweep"
"""Messages between other versions of it have no defined meaning."""


@contextmanager
def pooled(
    workers: Workers,
    store: Store,
    space: Space,
    split: Split,
    settings: Settings,
    scoring: Scoring,
    first: Mapping[str, Value] | None = None,
) -> Iterator[PooledTrainer]:
    """Yield a trainer over the pool that is asked for, which is open meanwhile.

    Workers that could compute otherwise than it seems, on GPUs and on other hosts, train the
    configuration `first` for an epoch before they join. Raises UsageError, or PlatformError if the
    pool cannot be had here.
    """
    asked = workers.asked
    if asked is None:
        raise ValueError("no pool is asked for")
    crew = StoreCrew(store, workers.mixed, workers.say)
    briefing = Briefing(
        _by_value(store, space, split, settings),
        settings,
        scoring,
        split.fingerprint,
        versions(None if settings.numerics is None else settings.numerics.backend),
    )
    is_believed = asked.kind == "processes" or first is None
    probe = None if is_believed else Assignment(-1, -1, 0, 0, 1, dict(first or {}), 0)
    remove_abandoned_spaces()  # a head that was killed leaves its workers' rows
    pool = _opened(asked, briefing, split)
    try:
        yield PooledTrainer(Team(pool, crew, probe))
    finally:
        pool.close()
        crew.dismiss()


def _by_value(
    store: Store, space: Space, split: Split, settings: Settings
) -> SpaceSources | ScriptBuild:
    """The space as workers get it. Raises UsageError if a script's cannot be handed to them."""
    if settings.data != MEMORY:
        n_outputs = n_outputs_of(split)
        kept = space.sha256, space.sources, space.uncopied
        return SpaceSources(space.path, *kept, settings.build, n_outputs)
    folder = SweepFolder(store.path.parent.parent, store.path.parent.name)
    try:
        content = written_here(folder.build, default_cache_dir())
    except InvalidSpaceError as error:
        raise UsageError(
            f"workers of a pool cannot have this script's models: {error}; define build(hp) in the "
            "script itself, of what can be pickled, or leave out the pool"
        ) from error
    return ScriptBuild(content, space.path)


def _opened(asked: PoolAsked, briefing: Briefing, split: Split) -> Pool:
    if asked.kind == "ray":
        try:
            from sweep.pool.ray_pool import RayPool
        except ImportError as error:
            raise UsageError(
                f"--pool ray needs Ray, which cannot be imported ({error}); install it with: "
                'pip install "keras-sweep[ray]"'
            ) from error
        numerics = briefing.settings.numerics
        threads = 1 if numerics is None else numerics.threads
        on_gpu = numerics is not None and numerics.gpu is not None
        return RayPool(briefing, split, asked.workers, threads=threads, on_gpu=on_gpu)
    return ProcessPool(briefing, split, places(asked, os.environ))


@dataclass
class StoreCrew:
    """A `pool.crew.Crew` that enters workers into the database, and compares their numerics."""

    store: Store
    mixed: bool
    say: Say
    _numbers: dict[int, int] = field(default_factory=dict)
    """In the database, by the pool's number."""
    _places: dict[int, str] = field(default_factory=dict)

    def joins(self, worker: int, ready: Ready) -> str | None:
        own, theirs = version(_PROGRAM), ready.versions.get(_PROGRAM)
        if theirs != own:
            return f"{ready.host} has {_PROGRAM} {theirs}, and the head {own}; install the same"
        if ready.numerics is not None and (why := self._differs(ready, ready.numerics)) is not None:
            return why
        number = self.store.add_worker(ready.host, ready.process, ready.device)
        self._numbers[worker] = number
        self._places[worker] = f"{number} on {ready.host}"
        self.say.hint(f"worker {self._places[worker]}: {ready.device}")
        return None

    def _differs(self, ready: Ready, numerics: Numerics) -> str | None:
        """Why a worker is refused; None if it computes as the sweep does, or mixing was asked."""
        sweep = self.store.sweep()
        found = compared(sweep, numerics, ready.versions)
        stored = sweep.settings.numerics
        if not found.changing or stored is None:
            return None
        differences = "; ".join(found.changing)
        if not self.mixed:
            return (
                f"{ready.host} would not get the same numbers: {differences}; take it out of the "
                "pool, or add --mixed: every report will say so"
            )
        self.say.warn(f"numbers of {ready.host} may differ in their last digits: {differences}")
        self.store.set_settings(replace(sweep.settings, numerics=accepted(stored, found)))
        return None

    def probed(self, worker: int, sha256: str) -> str | None:
        first = probe_of_first(self.store)
        if first is not None and first != sha256:
            place = self._places[worker]
            if not self.mixed:
                return f"worker {place} computes other numbers than the first worker did"
            self.say.warn(f"worker {place} computes other numbers than the first worker did")
        self.store.set_probe(self._numbers[worker], sha256)
        return None

    def leaves(self, worker: int, why: str) -> None:
        number, place = self._numbers.pop(worker, None), self._places.pop(worker, None)
        if number is None:
            self.say.warn(f"a worker did not join: {why}")
            return
        self.store.end_worker(number, why)
        self.say.warn(f"worker {place} was lost: {why}; what it held goes on elsewhere")

    def number(self, worker: int) -> int | None:
        return self._numbers.get(worker)

    def dismiss(self) -> None:
        """All are sent home, since the work has ended."""
        with self.store.together():
            for number in self._numbers.values():
                self.store.end_worker(number, "the work had ended")
        self._numbers.clear()
