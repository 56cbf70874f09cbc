"""Which checkpoints are kept, and which are removed to make room.

Kept are those of every trial that may train on (it has an assignment to do, it waits for its
bracket's next rung, or it is on its bracket's last one, from where `sweep extend` goes on), of the
confirmations, which are tested and exported, of the baselines, of the `keep` best trials, and of
the frontier. Repeats that belong to the search are kept if their trial is. A trial that was cut or
has failed and is none of these keeps its records only; what is removed was beaten and stays beaten,
since scores only fall. A removed checkpoint can be trained again: `sweep export --retrain`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweep.disk import abandoned_files
from sweep.errors import PlatformError
from sweep.store import Standing, Store
from sweep.sweep_folder import SweepFolder

_Bracket = tuple[int | None, int | None]
"""Iteration and bracket."""

_PARTS = 10
"""Room is made again once a tenth of the assignments have ended: that looks at all trials."""


@dataclass(frozen=True)
class Removable:
    """Files of a sweep that nothing needs, with their sizes in bytes."""

    orphans: tuple[Path, ...]
    """Checkpoints that no trial counts, and temporary files: left by a kill."""
    checkpoints: tuple[Path, ...]
    """Checkpoints that the policy gives up."""
    trials: tuple[int, ...]
    """The trials these belong to."""

    @property
    def bytes(self) -> int:
        return sum(path.lstat().st_size for path in (*self.orphans, *self.checkpoints))


def removable(folder: SweepFolder, store: Store, keep: int) -> Removable:
    """Return what nothing in a sweep's folder needs. Raises PlatformError if links lead out."""
    folder.refuse_links()
    standings, settings = store.standings(), store.sweep().settings
    kept = kept_trials(standings, keep, settings.executions, has_rungs=settings.has_rungs)
    cut = [one for one in standings if one.file is not None and one.trial not in kept]
    counted = {one.file for one in standings}
    orphans = [path for path in _own_files(folder) if path.name not in counted]
    checkpoints = [folder.checkpoints / str(one.file) for one in cut]
    return Removable(
        tuple(orphans),
        tuple(path for path in checkpoints if path.is_file()),
        tuple(one.trial for one in cut),
    )


def remove(store: Store, what: Removable) -> None:
    """Remove `what`, database rows first: a kill leaves a file without a row, never the reverse.

    The sweep must be locked. Raises PlatformError when a file cannot be removed.
    """
    if what.trials:
        store.forget_checkpoints(what.trials)
    store.when_committed(lambda: _unlink((*what.orphans, *what.checkpoints)))


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PlatformError(f"cannot remove {path} ({error.strerror})") from error


@dataclass
class Room:
    """Makes room in a sweep's folder while it is worked on."""

    folder: SweepFolder
    store: Store
    keep: int
    """Trials whose checkpoints are kept for their scores alone."""
    _n_ended: int = 0
    """Assignments that ended since room was made."""

    def count(self) -> None:
        """Count an assignment's end."""
        self._n_ended += 1

    def make(self) -> None:
        """Remove what a kill left, and checkpoints that the policy gives up."""
        remove(self.store, removable(self.folder, self.store, self.keep))
        self._n_ended = 0

    def make_if_due(self, n_begun: int) -> None:
        """Make room if a tenth of `n_begun` assignments have ended since it was made last."""
        if _PARTS * self._n_ended >= n_begun:
            self.make()


def kept_trials(
    standings: Sequence[Standing], keep: int, executions: int = 1, *, has_rungs: bool = True
) -> set[int]:
    """Return the trials whose checkpoints are kept.

    `executions` are the runs of each trial of the search: these are kept with their trial, which
    is as good as their mean. Without rungs, nobody waits on one.
    """
    last_rungs = _last_rungs(standings)
    searched = {one.trial for one in standings if one.is_searched and executions > 1}
    runs = [one for one in standings if one.confirms in searched and _number(one) <= executions]
    of_search = {one.trial for one in runs}
    kept = {
        one.trial
        for one in standings
        if _has_work(one)
        or _is_baseline(one)
        or (_is_good_confirmation(one) and one.trial not in of_search)
        or (has_rungs and _is_at_the_top(one, last_rungs))
    }
    repeats: dict[int | None, list[float | None]] = {}
    for one in runs:
        repeats.setdefault(one.confirms, []).append(None if one.is_failed else one.score)
    scored = [
        (_mean(one.score, repeats.get(one.trial, ())), one.trial, one.params)
        for one in standings
        if one.score is not None and not one.is_failed and not one.is_confirmation
    ]
    scored.sort(key=lambda row: row[:2])
    kept.update(trial for _, trial, _ in scored[:keep])
    kept.update(_frontier(scored))
    return kept | {one.trial for one in runs if one.confirms in kept and not one.is_failed}


def _number(one: Standing) -> int:
    return one.seed_number or 1


def _mean(own: float, repeats: Sequence[float | None]) -> float:
    """Return the mean of the runs that have ended; infinite if one of them has no score."""
    scores = [own, *(math.inf if score is None else score for score in repeats)]
    return math.fsum(scores) / len(scores)


def _has_work(one: Standing) -> bool:
    return one.is_pending


def _is_baseline(one: Standing) -> bool:
    return not one.is_searched and not one.is_confirmation


def _is_good_confirmation(one: Standing) -> bool:
    """Return whether the trial is a confirmation to extend, test or export."""
    return one.is_confirmation and not one.is_failed


def _is_at_the_top(one: Standing, last_rungs: Mapping[_Bracket, int]) -> bool:
    """Return whether a trial is on its bracket's highest rung so far.

    It waits for the next rung, or for `sweep extend`.
    """
    on_last_rung = one.rung == last_rungs[one.iteration, one.bracket]
    return one.is_searched and on_last_rung and not one.is_failed


def _last_rungs(standings: Iterable[Standing]) -> dict[_Bracket, int]:
    """Return the highest rung that a trial of the bracket is on, by iteration and bracket."""
    found: dict[_Bracket, int] = {}
    for one in standings:
        bracket = one.iteration, one.bracket
        found[bracket] = max(found.get(bracket, 0), one.rung)
    return found


def _frontier(scored: Iterable[tuple[float, int, int | None]]) -> set[int]:
    """Return the trials that none of at most their size beats. `scored` begins with the best."""
    found = set()
    least = float("inf")
    for _, trial, params in scored:
        if params is not None and params < least:
            found.add(trial)
            least = params
    return found


def _own_files(folder: SweepFolder) -> list[Path]:
    """Return the checkpoints and temporary files in the folder; links are left alone."""
    found = [*folder.checkpoints.glob("trial-*"), *folder.path.glob("sweep.db.new*")]
    for one in (folder.path, folder.charts):
        found += abandoned_files(one)
    return sorted(path for path in found if path.is_file() and not path.is_symlink())
