"""Writes a sweep's database.

What is promised:

- Who writes: one process, the one that holds the sweep's lock. `Store` does not take the lock; its
  caller has. (`Store.create` may be called without: it renames a database into place.)
- What is atomic: each method is one transaction, on the disk when the method returns, or, of all
  that is done `together`, when that ends. So a wave is
  stored with the search's state after asking for it; a checkpoint with the epoch records up to it
  and with the losses of its best epoch; an assignment's end with its last records, its checkpoint
  and its score. A kill at any instant loses at most the epochs since the last checkpoint.
- What readers see: the state after some transaction, never a part of one. Any number of processes
  may read meanwhile. Each query of a reader sees the latest transaction, so two queries may differ:
  what refers to a trial is read before the trials.
- Files: a checkpoint's file is on the disk before its row is. A row that goes is committed before
  its file is removed.
"""

import json
import math
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, fields
from math import nan
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from sweep.errors import PlatformError
from sweep.exact import LARGEST
from sweep.records import Assignment, EpochRecord, Json, Outcome, PlanRecord, SweepState
from sweep.settings import Settings
from sweep.store.connection import connect_to_write, explained, part, transaction
from sweep.store.events import EventKind
from sweep.store.fragments import BEST
from sweep.store.group import WriteGroup
from sweep.store.reading import Reader
from sweep.store.rows import NewTrial, Opening, Planned, Reference, SweepRow, TrialLosses
from sweep.store.schema import upgrade

_NUMBERS = tuple(EpochRecord.meanings())
_EPOCH_COLUMNS = (*_NUMBERS, "metrics")
_epoch_values = attrgetter(*_NUMBERS)
_LARGEST_FOLD = float(np.finfo(np.float32).max)


class Store(Reader):
    """A `Reader` that also writes, unless it is opened `read_only`."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__(path, read_only=read_only)
        self._counted_until: float | None = None
        self._group: WriteGroup | None = None

    @classmethod
    def create(cls, path: Path, sweep: SweepRow) -> "Store":
        """A new database with its sweep row. Raises PlatformError when it cannot be written."""
        new = path.with_name(f"{path.name}.new")  # renamed when whole: a kill leaves no half one
        try:
            new.unlink(missing_ok=True)
            with closing(connect_to_write(new)) as db:
                db.execute("PRAGMA journal_mode = WAL")
                with transaction(db):
                    upgrade(db)
                    values = sweep.to_columns()
                    marks = ", ".join(f":{name}" for name in values)
                    db.execute(f"INSERT INTO sweep ({', '.join(values)}) VALUES ({marks})", values)
            new.rename(path)
        except (OSError, sqlite3.OperationalError) as error:
            raise PlatformError(f"cannot write {path}: {error}") from error
        return cls(path)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit all that is written inside at once, at the end: one flush of the disk for all.

        Also if the block raises: each method's part is whole, or was taken back.
        """
        if self._group is not None:
            yield
            return
        self._group = group = WriteGroup()
        try:
            yield
        finally:
            self._group = None
            self._commit(group)

    def _commit(self, group: WriteGroup) -> None:
        try:
            if self._db.in_transaction:
                try:
                    group.wait()
                    now = self._count_seconds()
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
                self._counted_until = now
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        group.end()

    def before_commit(self, done: Callable[[], object]) -> None:
        """Have `done` called before what is written now is committed; nothing is if it raises."""
        if self._group is None:
            done()
        else:
            self._group.awaited.append(done)

    def when_committed(self, action: Callable[[], object]) -> None:
        """Call `action` once all that has been written so far is on the disk."""
        if self._group is None:
            action()
        else:
            self._group.actions.append(action)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._group is not None:
                with part(self._db):
                    yield self._db
                return
            with transaction(self._db):
                yield self._db
                now = self._count_seconds()
            self._counted_until = now
        except sqlite3.Error as error:
            raise explained(error, self.path) from error

    def _count_seconds(self) -> float | None:
        """Add the time since the last commit to the sweep's; returns until when it is counted."""
        if self._counted_until is None:
            return None
        now = time.monotonic()
        seconds = now - self._counted_until
        self._db.execute("UPDATE sweep SET active_seconds = active_seconds + ?", (seconds,))
        return now

    # The sweep

    def count_seconds(self) -> None:
        """Begin to add to the sweep's working time with each commit."""
        self._counted_until = time.monotonic()

    def set_state(self, state: SweepState, message: str | None = None) -> None:
        with self._transaction() as db:
            db.execute("UPDATE sweep SET state = ?, message = ?", (state, message))
            _tell(db, EventKind.SWEEP)

    def set_settings(self, settings: Settings) -> None:
        with self._transaction() as db:
            db.execute("UPDATE sweep SET settings = ?", (json.dumps(settings.to_json()),))

    def extend(self, settings: Settings, plan: PlanRecord) -> None:
        """Give a finished sweep new settings and a larger plan; it goes on when resumed."""
        with self._transaction() as db:
            db.execute(
                "UPDATE sweep SET settings = ?, plan = ?, state = ?, message = NULL",
                (
                    json.dumps(settings.to_json()),
                    json.dumps(plan.to_json()),
                    SweepState.INTERRUPTED,
                ),
            )
            _tell(db, EventKind.SWEEP)

    def set_references(self, references: Sequence[Reference]) -> None:
        """Keep the reference models of the sweep's split."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO reference VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        r.name,
                        r.val_score,
                        r.val_score_se,
                        r.losses.astype("<f4").tobytes(),
                        r.seconds,
                    )
                    for r in references
                ],
            )

    # Workers of a pool

    def add_worker(self, host: str, process: int, device: str) -> int:
        """Enter a worker that joins; return its number in this sweep, the first is 1."""
        with self._transaction() as db:
            added = db.execute(
                "INSERT INTO worker (host, process, device, joined_at) VALUES (?, ?, ?, ?)",
                (host, process, device, time.time()),
            )
        return int(added.lastrowid or 0)

    def set_probe(self, worker: int, sha256: str) -> None:
        """Keep the fingerprint of what a worker computed to show that it computes alike."""
        with self._transaction() as db:
            db.execute("UPDATE worker SET probe = ? WHERE worker = ?", (sha256, worker))

    def end_worker(self, worker: int, why: str) -> None:
        """Enter that a worker has left, and why."""
        with self._transaction() as db:
            db.execute(
                "UPDATE worker SET left_at = ?, why = ? WHERE worker = ? AND left_at IS NULL",
                (time.time(), why, worker),
            )

    # The sealed test rows

    def open_test(self, trial: int, rule: str, val_score: float, rows: int, sha256: str) -> Opening:
        """Enter an opening of the test rows into the ledger; to be done before evaluating."""
        with self._transaction() as db:
            (before,) = db.execute("SELECT COUNT(*) FROM opening").fetchone()
            opening = Opening(before + 1, time.time(), trial, rule, val_score, rows, sha256)
            names = [field.name for field in fields(Opening)][:7]
            db.execute(
                f"INSERT INTO opening ({', '.join(names)}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [getattr(opening, name) for name in names],
            )
            _tell(db, EventKind.OPENING)
        return opening

    def fill_test(self, opening: Opening) -> None:
        """Enter an opening's results."""
        values: list[float] = []
        for estimate in (opening.score, opening.accuracy, opening.auc):
            values += (nan, nan, nan) if estimate is None else astuple(estimate)
        measures = {name: list(astuple(one)) for name, one in opening.measures.items()}
        with self._transaction() as db:
            db.execute(
                "UPDATE opening SET score = ?, score_low = ?, score_high = ?, accuracy = ?,"
                " accuracy_low = ?, accuracy_high = ?, auc = ?, auc_low = ?, auc_high = ?,"
                " measures = ? WHERE opening = ?",
                (*values, _json_of(measures), opening.opening),
            )

    # Waves

    def add_wave(self, oracle: Json, planned: Sequence[Planned]) -> None:
        """Store a wave and the search's state after asking for it, in one transaction.

        `oracle` is that state. Trials and assignments are numbered in the order given.
        """
        with self._transaction() as db:
            wave = _insert_planned(db, planned)
            _tell(db, EventKind.WAVE)
            db.execute("UPDATE sweep SET oracle = ?, wave = ?", (json.dumps(oracle), wave + 1))

    def add_confirmations(self, trials: Sequence[NewTrial], last_epoch: int) -> None:
        """Store repeats, to be trained to `last_epoch`; the search does not see them."""
        with self._transaction() as db:
            _insert_planned(db, [Planned(new, last_epoch) for new in trials])
            _tell(db, EventKind.WAVE)

    # Progress of trials

    def forget_checkpoints(self, trials: Iterable[int]) -> None:
        """Their files no longer count; the caller removes them."""
        with self._transaction() as db:
            db.executemany("DELETE FROM checkpoint WHERE trial = ?", [(t,) for t in trials])

    def save_progress(
        self,
        assignment: Assignment,
        file: str,
        epoch: int,
        records: Iterable[EpochRecord],
        losses: TrialLosses | None = None,
    ) -> None:
        """A checkpoint, the epoch records up to it and its losses, in one transaction."""
        with self._transaction() as db:
            _insert_records(db, assignment.trial, records)
            _set_checkpoint(db, assignment.trial, file, epoch)
            _set_losses(db, assignment.trial, losses)
            _tell(db, EventKind.EPOCHS, assignment, epoch)

    def finish(
        self,
        assignment: Assignment,
        outcome: Outcome,
        records: Iterable[EpochRecord],
        trainer: str,
        file: str | None = None,
        epoch: int = 0,
        losses: TrialLosses | None = None,
        worker: int | None = None,
    ) -> float | None:
        """An assignment's end: records, checkpoint, losses, outcome and score in one transaction.

        Returns the trial's score: its lowest validation score so far, None when it has none.
        """
        with self._transaction() as db:
            _insert_records(db, assignment.trial, records)
            if file is not None:
                _set_checkpoint(db, assignment.trial, file, epoch)
            _set_losses(db, assignment.trial, losses)
            (score,) = db.execute(
                f"SELECT {BEST} FROM epoch WHERE trial = ?", (assignment.trial,)
            ).fetchone()
            db.execute(
                "UPDATE assignment SET status = ?, epochs = ?, score = ?, seconds = ?, trainer = ?,"
                " error = ?, traceback = ?, ended_at = ?, worker = ? WHERE assignment = ?",
                (
                    outcome.status.value,
                    outcome.epochs,
                    score,
                    outcome.seconds,
                    trainer,
                    outcome.error,
                    outcome.traceback,
                    time.time(),
                    worker,
                    assignment.assignment,
                ),
            )
            if outcome.params is not None:
                db.execute(
                    "UPDATE trial SET params = ? WHERE trial = ?",
                    (outcome.params, assignment.trial),
                )
            if outcome.regularisation is not None:
                db.execute(
                    "UPDATE trial SET regularisation = ? WHERE trial = ?",
                    (outcome.regularisation, assignment.trial),
                )
            reached = assignment.first_epoch + outcome.epochs
            _tell(db, EventKind.FINISHED, assignment, reached)
        return None if score is None else float(score)


def _tell(
    db: sqlite3.Connection,
    kind: EventKind,
    assignment: Assignment | None = None,
    epoch: int | None = None,
) -> None:
    """Enter what the transaction at hand has done, so that a reader can ask what is new."""
    one = (None, None) if assignment is None else (assignment.trial, assignment.assignment)
    db.execute(
        "INSERT INTO event (at, kind, trial, assignment, epoch) VALUES (?, ?, ?, ?, ?)",
        (time.time(), kind.value, *one, epoch),
    )


def _insert_trial(db: sqlite3.Connection, new: NewTrial) -> int:
    """The number that the trial gets: the first one free."""
    (trial,) = db.execute("SELECT COUNT(*) FROM trial").fetchone()
    values = asdict(new) | {"hyperparameters": json.dumps(new.hyperparameters), "trial": trial}
    marks = ", ".join(f":{name}" for name in values)
    db.execute(f"INSERT INTO trial ({', '.join(values)}) VALUES ({marks})", values)
    return int(trial)


def _insert_planned(db: sqlite3.Connection, planned: Sequence[Planned]) -> int:
    """Insert assignments, and their trials if these are new. Return the number of the wave."""
    (wave,) = db.execute("SELECT wave FROM sweep").fetchone()
    for one in planned:
        trial = one.trial if isinstance(one.trial, int) else _insert_trial(db, one.trial)
        _insert_assignment(db, one, trial, wave)
    return int(wave)


def _insert_assignment(db: sqlite3.Connection, planned: Planned, trial: int, wave: int) -> None:
    db.execute(
        "INSERT INTO assignment (trial, wave, rung, first_epoch, last_epoch, oracle_id, root_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            trial,
            wave,
            planned.rung,
            planned.first_epoch,
            planned.last_epoch,
            planned.oracle_id,
            planned.root_id,
        ),
    )


def _insert_records(db: sqlite3.Connection, trial: int, records: Iterable[EpochRecord]) -> None:
    records = list(records)
    marks = ", ".join("?" * (len(_EPOCH_COLUMNS) + 1))
    db.executemany(
        f"INSERT INTO epoch (trial, {', '.join(_EPOCH_COLUMNS)}) VALUES ({marks})",
        [
            (trial, *map(_in_range, _epoch_values(record)), _json_of(record.metrics))
            for record in records
        ],
    )
    db.executemany(
        "INSERT INTO training VALUES (?, ?, ?)",
        [
            (trial, record.epoch, _json_of(record.train_metrics))
            for record in records
            if record.train_metrics
        ],
    )
    db.executemany(
        "INSERT INTO fold VALUES (?, ?, ?)",
        [
            (trial, record.epoch, np.array(record.val_folds, "<f4").tobytes())
            for record in records
            if record.val_folds and all(abs(one) <= _LARGEST_FOLD for one in record.val_folds)
        ],
    )


def _in_range(value: float) -> float:
    """The number, or an infinite one if no column holds it: of a trial that diverged."""
    return value if not abs(value) > LARGEST else math.copysign(math.inf, value)


def _json_of(values: Mapping[str, float | list[float]]) -> str | None:
    """Numbers by name as JSON, in which one that is not finite is null; None if there are none."""
    if not values:
        return None
    return json.dumps({name: _finite(value) for name, value in values.items()})


def _finite(value: float | list[float]) -> Any:
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value if math.isfinite(value) else None


def _set_checkpoint(db: sqlite3.Connection, trial: int, file: str, epoch: int) -> None:
    db.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", (trial, file, epoch))


def _set_losses(db: sqlite3.Connection, trial: int, losses: TrialLosses | None) -> None:
    """Keep the best epoch's losses; those of the same epoch are not written again."""
    if losses is not None:
        db.execute(
            "INSERT INTO losses VALUES (?, ?, ?) ON CONFLICT (trial) DO UPDATE"
            " SET epoch = excluded.epoch, losses = excluded.losses WHERE epoch != excluded.epoch",
            (trial, losses.epoch, losses.losses.astype("<f4").tobytes()),
        )
