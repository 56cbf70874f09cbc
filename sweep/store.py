"""The one truth about a sweep: an SQLite database in the sweep's folder.

Sweep, trials, assignments, epoch records, checkpoints and the oracle's state. One process
writes (the one that holds the lock, see `locking`), any number read. What belongs together is
committed together, so a kill at any instant loses at most the epochs since the last checkpoint.

No TensorFlow, no Keras: reading a sweep must be quick.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from sweep.errors import DataError, NotFoundError, PlatformError
from sweep.records import (
    Assignment,
    EpochRecord,
    Json,
    Outcome,
    OutcomeStatus,
    Proposal,
    Value,
)

SCHEMA_VERSION = 1
_BUSY_SECONDS = 10

_EPOCH_COLUMNS = tuple(field.name for field in fields(EpochRecord))

_SCHEMA = f"""
CREATE TABLE sweep (
    name TEXT NOT NULL, identity TEXT NOT NULL, created_at REAL NOT NULL,
    settings TEXT NOT NULL, space TEXT NOT NULL, data TEXT NOT NULL, versions TEXT NOT NULL,
    plan TEXT NOT NULL, oracle TEXT NOT NULL, wave INTEGER NOT NULL,
    state TEXT NOT NULL, message TEXT, active_seconds REAL NOT NULL DEFAULT 0
);
CREATE TABLE trial (
    trial INTEGER PRIMARY KEY, baseline TEXT, iteration INTEGER, bracket INTEGER,
    seed INTEGER NOT NULL, hyperparameters TEXT NOT NULL, params INTEGER
);
CREATE TABLE assignment (
    assignment INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial,
    wave INTEGER NOT NULL, rung INTEGER NOT NULL,
    first_epoch INTEGER NOT NULL, last_epoch INTEGER NOT NULL,
    oracle_id TEXT UNIQUE, root_id TEXT,
    status TEXT NOT NULL DEFAULT 'pending', epochs INTEGER NOT NULL DEFAULT 0,
    score REAL, seconds REAL, trainer TEXT, error TEXT, traceback TEXT, ended_at REAL
);
CREATE INDEX assignment_of_trial ON assignment (trial);
CREATE INDEX assignment_status ON assignment (status);
CREATE TABLE epoch (
    trial INTEGER NOT NULL REFERENCES trial,
    epoch INTEGER NOT NULL, {", ".join(f"{name} REAL" for name in _EPOCH_COLUMNS[1:])},
    PRIMARY KEY (trial, epoch)
) WITHOUT ROWID;
CREATE TABLE checkpoint (
    trial INTEGER PRIMARY KEY REFERENCES trial, file TEXT NOT NULL, epoch INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class SweepRow:
    """A sweep's description. `state` is planned, running, interrupted, finished, failed or budget.

    `running` means that a process was at work when it was last written; whether it still is, the
    lock tells.
    """

    name: str
    identity: str
    created_at: float
    settings: Json
    space: Json
    data: Json
    versions: Json
    plan: Json
    oracle: Json
    wave: int
    state: str
    message: str | None
    active_seconds: float


@dataclass(frozen=True)
class NewTrial:
    """A trial about to be stored, with its first assignment's proposal (None for a baseline)."""

    baseline: str | None
    iteration: int | None
    bracket: int | None
    seed: int
    hyperparameters: dict[str, Value]


@dataclass(frozen=True)
class Progress:
    """Counts for a status line."""

    assignments: int
    assignments_done: int
    epochs_done: int
    trials: int
    trials_failed: int
    best_score: float | None
    best_trial: int | None


@dataclass(frozen=True)
class Exportable:
    """What an export needs of a trial: its checkpoint's file name, and its recorded score."""

    file: str
    hyperparameters: dict[str, Value]
    seed: int
    score: float


_JSON_COLUMNS = ("settings", "space", "data", "versions", "plan", "oracle")


class Store:
    """A sweep's database, open. Close it, or use it as a context manager."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open an existing database.

        Raises NotFoundError when there is none, DataError when it is damaged or of another
        version.
        """
        if not path.is_file():
            raise NotFoundError(f"{path} does not exist: no sweep is stored there")
        self.path = path
        self._db = _connect(path, read_only=read_only)
        try:
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise DataError(f"{path} is not a sweep's database or is damaged ({error})") from error
        if version != SCHEMA_VERSION:
            self._db.close()
            raise DataError(
                f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}: "
                "use the version of sweep that wrote it"
            )

    @classmethod
    def create(cls, path: Path, sweep: SweepRow) -> "Store":
        """A new database with its sweep row. Raises PlatformError when it cannot be written."""
        try:
            with closing(_connect(path, read_only=False)) as db, db:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT"
                )
                values = asdict(sweep)
                values.update({name: json.dumps(values[name]) for name in _JSON_COLUMNS})
                names = ", ".join(values)
                marks = ", ".join(f":{name}" for name in values)
                db.execute(f"INSERT INTO sweep ({names}) VALUES ({marks})", values)
        except sqlite3.OperationalError as error:
            raise PlatformError(f"cannot write {path}: {error}") from error
        return cls(path)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, with the write lock from the start."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise PlatformError(f"cannot write {self.path}: {error}") from error
            raise

    # The sweep

    def sweep(self) -> SweepRow:
        row = dict(self._db.execute("SELECT * FROM sweep").fetchone())
        row.update({name: json.loads(row[name]) for name in _JSON_COLUMNS})
        return SweepRow(**row)

    def set_state(self, state: str, message: str | None = None, active_seconds: float = 0) -> None:
        """Record the sweep's state and add to the seconds it was worked on."""
        with self._transaction() as db:
            db.execute(
                "UPDATE sweep SET state = ?, message = ?, active_seconds = active_seconds + ?",
                (state, message, active_seconds),
            )

    # Waves

    def add_wave(
        self,
        oracle: Json,
        trials: Sequence[tuple[NewTrial, Proposal | None, int]],
        promotions: Sequence[Proposal],
    ) -> None:
        """Store a wave and the oracle's state after asking for it, in one transaction.

        `trials` are new ones: a baseline has no proposal and trains to the epoch given third.
        """
        with self._transaction() as db:
            (wave,) = db.execute("SELECT wave FROM sweep").fetchone()
            (n_trials,) = db.execute("SELECT COUNT(*) FROM trial").fetchone()
            for trial, (new, proposal, last_epoch) in enumerate(trials, start=n_trials):
                db.execute(
                    "INSERT INTO trial VALUES (?, ?, ?, ?, ?, ?, NULL)",
                    (trial, *astuple(new)[:-1], json.dumps(new.hyperparameters)),
                )
                _insert_assignment(db, trial, wave, proposal, last_epoch)
            for proposal in promotions:
                (trial,) = db.execute(
                    "SELECT trial FROM assignment WHERE oracle_id = ?", (proposal.root_id,)
                ).fetchone()
                _insert_assignment(db, trial, wave, proposal, proposal.last_epoch)
            db.execute("UPDATE sweep SET oracle = ?, wave = ?", (json.dumps(oracle), wave + 1))

    def n_trials(self) -> int:
        (count,) = self._db.execute("SELECT COUNT(*) FROM trial").fetchone()
        return int(count)

    def first_wave_size(self) -> int:
        (count,) = self._db.execute("SELECT COUNT(*) FROM assignment WHERE wave = 0").fetchone()
        return int(count)

    def pending(self) -> list[Assignment]:
        """The assignments still to do, in order."""
        return self._assignments("status = 'pending'")

    def ended(self) -> list[Assignment]:
        """The assignments that have ended, however, in order."""
        return self._assignments("status != 'pending'")

    def _assignments(self, condition: str) -> list[Assignment]:
        rows = self._db.execute(
            "SELECT assignment, trial, rung, first_epoch, last_epoch, hyperparameters, seed,"
            " baseline, iteration, bracket FROM assignment JOIN trial USING (trial)"
            f" WHERE {condition} ORDER BY assignment"
        )
        return [
            Assignment(**{**dict(row), "hyperparameters": json.loads(row["hyperparameters"])})
            for row in rows
        ]

    def proposals(self) -> list[tuple[Proposal, int, float | None]]:
        """Every proposal of the oracle ever stored, its wave and its score if it has ended.

        A failed assignment's score is infinite.
        """
        rows = self._db.execute(
            "SELECT oracle_id, root_id, iteration, bracket, rung, first_epoch, last_epoch,"
            " hyperparameters, wave, status, score FROM assignment JOIN trial USING (trial)"
            " WHERE oracle_id IS NOT NULL ORDER BY assignment"
        )
        return [_proposal_row(dict(row)) for row in rows]

    # Progress of trials

    def checkpoint(self, trial: int) -> tuple[str, int] | None:
        """File name and epoch of the checkpoint that counts, or None."""
        row = self._db.execute(
            "SELECT file, epoch FROM checkpoint WHERE trial = ?", (trial,)
        ).fetchone()
        return None if row is None else (row["file"], row["epoch"])

    def checkpoint_files(self) -> set[str]:
        """File names of all checkpoints that count."""
        return {row["file"] for row in self._db.execute("SELECT file FROM checkpoint")}

    def exportable(self, trial: int) -> Exportable | None:
        """The trial's checkpoint and score, or None when it has not trained."""
        row = self._db.execute(
            "SELECT file, hyperparameters, seed, (SELECT MIN(val_bce) FROM epoch"
            " WHERE epoch.trial = trial.trial AND epoch.epoch <= checkpoint.epoch) AS score"
            " FROM trial JOIN checkpoint USING (trial) WHERE trial = ?",
            (trial,),
        ).fetchone()
        if row is None or row["score"] is None:
            return None
        return Exportable(**{**dict(row), "hyperparameters": json.loads(row["hyperparameters"])})

    def save_progress(
        self, assignment: Assignment, file: str, epoch: int, records: Iterable[EpochRecord]
    ) -> None:
        """A checkpoint and the epoch records up to it, in one transaction."""
        with self._transaction() as db:
            _insert_records(db, assignment.trial, records)
            _set_checkpoint(db, assignment.trial, file, epoch)

    def finish(
        self,
        assignment: Assignment,
        outcome: Outcome,
        records: Iterable[EpochRecord],
        trainer: str,
        file: str | None = None,
        epoch: int = 0,
    ) -> float | None:
        """An assignment's end: records, checkpoint, outcome and score in one transaction.

        Returns the trial's score: its lowest validation BCE so far, None when it has none.
        """
        with self._transaction() as db:
            _insert_records(db, assignment.trial, records)
            if file is not None:
                _set_checkpoint(db, assignment.trial, file, epoch)
            (score,) = db.execute(
                "SELECT MIN(val_bce) FROM epoch WHERE trial = ?", (assignment.trial,)
            ).fetchone()
            db.execute(
                "UPDATE assignment SET status = ?, epochs = ?, score = ?, seconds = ?, trainer = ?,"
                " error = ?, traceback = ?, ended_at = ? WHERE assignment = ?",
                (
                    outcome.status.value,
                    outcome.epochs,
                    score,
                    outcome.seconds,
                    trainer,
                    outcome.error,
                    outcome.traceback,
                    time.time(),
                    assignment.assignment,
                ),
            )
            if outcome.params is not None:
                db.execute(
                    "UPDATE trial SET params = ? WHERE trial = ?",
                    (outcome.params, assignment.trial),
                )
        return None if score is None else float(score)

    # Reading

    def progress(self) -> Progress:
        """Counts over the whole sweep, in a few milliseconds."""
        one = self._db.execute
        total, done, epochs = one(
            "SELECT COUNT(*), COALESCE(SUM(status != 'pending'), 0), COALESCE(SUM(epochs), 0)"
            " FROM assignment"
        ).fetchone()
        (failed,) = one("SELECT COUNT(*) FROM assignment WHERE status = 'failed'").fetchone()
        best = one(
            "SELECT trial, score FROM assignment WHERE score IS NOT NULL AND trial NOT IN"
            " (SELECT trial FROM assignment WHERE status = 'failed') ORDER BY score, trial LIMIT 1"
        ).fetchone()
        return Progress(
            assignments=total,
            assignments_done=done,
            epochs_done=epochs,
            trials=self.n_trials(),
            trials_failed=failed,
            best_score=None if best is None else best["score"],
            best_trial=None if best is None else best["trial"],
        )

    def failures(self) -> list[tuple[int, str, dict[str, Value]]]:
        """Failed trials: number, error line, hyperparameters."""
        rows = self._db.execute(
            "SELECT trial, error, hyperparameters FROM assignment JOIN trial USING (trial)"
            " WHERE status = 'failed' ORDER BY assignment"
        )
        return [(r["trial"], r["error"], json.loads(r["hyperparameters"])) for r in rows]

    def table(self, name: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Column names and all rows of `trial`, `assignment` or `epoch`, in key order."""
        key = {"trial": "trial", "assignment": "assignment", "epoch": "trial, epoch"}[name]
        cursor = self._db.execute(f"SELECT * FROM {name} ORDER BY {key}")
        columns = [column[0] for column in cursor.description]
        return columns, [tuple(row) for row in cursor]


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    if read_only:
        db = sqlite3.connect(
            f"file:{_uri_path(path)}?mode=ro", uri=True, isolation_level=None, timeout=_BUSY_SECONDS
        )
    else:
        try:
            db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
        except sqlite3.OperationalError as error:
            raise PlatformError(f"cannot open {path}: {error}") from error
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
    db.row_factory = sqlite3.Row
    return db


def _uri_path(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))


def _insert_assignment(
    db: sqlite3.Connection, trial: int, wave: int, proposal: Proposal | None, last_epoch: int
) -> None:
    db.execute(
        "INSERT INTO assignment (trial, wave, rung, first_epoch, last_epoch, oracle_id, root_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            trial,
            wave,
            proposal.rung if proposal else 0,
            proposal.first_epoch if proposal else 0,
            last_epoch,
            proposal.oracle_id if proposal else None,
            proposal.root_id if proposal else None,
        ),
    )


def _insert_records(db: sqlite3.Connection, trial: int, records: Iterable[EpochRecord]) -> None:
    marks = ", ".join("?" * (len(_EPOCH_COLUMNS) + 1))
    db.executemany(
        f"INSERT INTO epoch (trial, {', '.join(_EPOCH_COLUMNS)}) VALUES ({marks})",
        [(trial, *astuple(record)) for record in records],
    )


def _set_checkpoint(db: sqlite3.Connection, trial: int, file: str, epoch: int) -> None:
    db.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", (trial, file, epoch))


def _proposal_row(row: Json) -> tuple[Proposal, int, float | None]:
    wave, status, score = row.pop("wave"), row.pop("status"), row.pop("score")
    row["hyperparameters"] = json.loads(row["hyperparameters"])
    if status == "pending":
        return Proposal(**row), wave, None
    failed = status == OutcomeStatus.FAILED or score is None
    return Proposal(**row), wave, float("inf") if failed else score
