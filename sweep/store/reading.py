"""Reads a sweep's database. May be done while another process writes it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from math import nan
from pathlib import Path
from typing import Any, Self

import numpy as np

from sweep.errors import DataError
from sweep.records import Assignment, AssignmentStatus, Estimate, Proposal, Value
from sweep.store.columns import checked, damage
from sweep.store.connection import explained, open_database
from sweep.store.fragments import BEST, HAS_ENDED, IN_RANKING, IS_FAILED, IS_PENDING, IS_STOPPED
from sweep.store.parsing import estimates, hyperparameters_of
from sweep.store.progress import count_failures, count_trials, read_progress
from sweep.store.rows import (
    Exportable,
    Folds,
    Losses,
    Opening,
    Reached,
    Reference,
    Standing,
    StoredRun,
    SweepProgress,
    SweepRow,
    file_name_of,
)
from sweep.store.schema import column_types

_LOSS = np.dtype("<f4")
_REFERENCE = ("name", "val_score", "val_score_se", "losses", "seconds")
_OPENING = (
    *("opening", "opened_at", "trial", "rule", "val_score", "rows", "sha256"),
    *("score", "score_low", "score_high", "accuracy", "accuracy_low", "accuracy_high"),
    *("auc", "auc_low", "auc_high", "measures"),
)
_LARGEST = 2**63 - 1
"""SQLite's largest integer."""
_KEYS = {
    "trial": "trial",
    "assignment": "assignment",
    "epoch": "trial, epoch",
    "training": "trial, epoch",
}


class Reader:
    """A sweep's database, open. Close it, or use it as a context manager."""

    def __init__(self, path: Path, *, read_only: bool = True) -> None:
        """Open an existing database. Raises what `open_database` raises."""
        self.path = path
        self._db = open_database(path, read_only=read_only)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close the database. Raises what SQLite raised inside as a SweepError of one line."""
        self.close()
        if isinstance(error, sqlite3.Error):
            raise explained(error, self.path) from error

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Add the database's path to any damage that is found inside."""
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        except DataError as error:
            if str(self.path) in str(error):
                raise
            raise DataError(f"{self.path}: {error}") from error

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query, every value checked. Raises DataError."""
        with self._named():
            return [checked(row) for row in self._db.execute(query, values)]

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query of this room, every value checked. Raises DataError."""
        return self._rows(query, *values)

    def data_version(self) -> int:
        """Return a number that is another one once another connection has committed."""
        with self._named():
            (found,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(found)

    def problems(self) -> list[str]:
        """Return what is damaged in the database itself; empty if it is sound. Reads all of it."""
        found = [row[0] for row in self._db.execute("PRAGMA integrity_check")]
        orphans = self._db.execute("PRAGMA foreign_key_check").fetchall()
        found += [f"a row of {table} belongs to no {parent}" for table, _, parent, _ in orphans]
        return [line for line in found if line != "ok"]

    # The sweep

    def sweep(self) -> SweepRow:
        """Return the sweep's description. Raises DataError when it is not what a sweep writes."""
        with self._named():
            rows = self._db.execute("SELECT * FROM sweep").fetchall()
            if len(rows) != 1:
                raise DataError(f"the sweep is damaged: table sweep has {len(rows)} rows")
            return SweepRow.from_columns(rows[0])

    # Waves

    def n_trials(self) -> int:
        """Return how many trials of the search and baselines there are."""
        with self._named():
            return count_trials(self._db)

    def n_all_trials(self) -> int:
        """Return how many trials there are, repeats included: the number that the next one gets."""
        (row,) = self._rows("SELECT COUNT(*) AS trial FROM trial")
        return int(row["trial"])

    def first_searched(self, limit: int) -> set[int]:
        """Return the first `limit` trials of the search."""
        rows = self._rows(
            "SELECT trial FROM trial WHERE baseline IS NULL AND confirms IS NULL"
            " ORDER BY trial LIMIT ?",
            limit,
        )
        return {row["trial"] for row in rows}

    def beside_search_below(self, max_epochs: int) -> list[tuple[int, int]]:
        """Return baselines and confirmations planned to fewer than `max_epochs`, and their epochs.

        Not those that failed, nor confirmations that early stopping ended: they are done.
        """
        rows = self._rows(
            "SELECT trial, MAX(last_epoch) AS last_epoch FROM assignment JOIN trial USING (trial)"
            " WHERE baseline IS NOT NULL OR confirms IS NOT NULL GROUP BY trial"
            f" HAVING MAX(last_epoch) < ? AND NOT MAX({IS_FAILED})"
            f" AND NOT (confirms IS NOT NULL AND MAX({IS_STOPPED})) ORDER BY trial",
            max_epochs,
        )
        return [(row["trial"], row["last_epoch"]) for row in rows]

    def reached(self, trial: int) -> Reached | None:
        """Return how far a trial is; None if there is no such trial."""
        if trial > _LARGEST:
            return None
        rows = self._rows(
            f"SELECT MAX(last_epoch) AS epochs, MAX(rung) AS rung, MAX({IS_FAILED}) AS is_failed,"
            f" MAX({IS_STOPPED}) AS is_stopped, MAX({IS_PENDING}) AS is_pending, file,"
            " confirms IS NOT NULL AS is_confirmation"
            " FROM assignment JOIN trial USING (trial) LEFT JOIN checkpoint USING (trial)"
            " WHERE trial = ? GROUP BY trial",
            trial,
        )
        return Reached(**rows[0]) if rows else None

    def trial_of(self, root_id: str) -> int:
        """Return the trial whose first assignment the search called `root_id`."""
        rows = self._rows("SELECT trial FROM assignment WHERE oracle_id = ?", root_id)
        if not rows:
            raise DataError(f"{self.path} is damaged: it holds no assignment {root_id[:40]!r}")
        return int(rows[0]["trial"])

    def first_wave_size(self) -> int:
        (count,) = self._db.execute("SELECT COUNT(*) FROM assignment WHERE wave = 0").fetchone()
        return int(count)

    def last_assignment(self) -> int:
        """Return the highest number of an assignment; 0 if there is none."""
        (row,) = self._rows("SELECT COALESCE(MAX(assignment), 0) AS assignment FROM assignment")
        return int(row["assignment"])

    def pending(self) -> list[Assignment]:
        """Return the assignments still to do, in order."""
        return self._assignments(IS_PENDING)

    def stored_after(self, number: int) -> list[Assignment]:
        """Return the assignments with a higher number than `number`, in order."""
        return self._assignments("assignment > ?", number)

    def ended(self) -> list[Assignment]:
        """Return the assignments that have ended, well or not, in order."""
        return self._assignments(HAS_ENDED)

    def _assignments(self, condition: str, *values: int) -> list[Assignment]:
        rows = self._rows(
            "SELECT assignment, trial, rung, first_epoch, last_epoch, hyperparameters, seed,"
            " baseline, iteration, bracket, oracle_id, confirms, seed_number"
            " FROM assignment JOIN trial USING (trial)"
            f" WHERE {condition} ORDER BY assignment",
            *values,
        )
        with self._named():
            return [Assignment(**_with_values(row)) for row in rows]

    def proposals(self) -> list[tuple[Proposal, int, float | None]]:
        """Return every stored proposal of the oracle, its wave and its score if it has ended.

        A failed assignment's score is infinite.
        """
        rows = self._rows(
            "SELECT oracle_id, root_id, iteration, bracket, rung, first_epoch, last_epoch,"
            " hyperparameters, wave, status, score FROM assignment JOIN trial USING (trial)"
            " WHERE oracle_id IS NOT NULL ORDER BY assignment"
        )
        with self._named():
            return [_proposal_row(row) for row in rows]

    def runs(self) -> list[StoredRun]:
        """Return the runs of the search's configurations that have ended, repeats included."""
        rows = self._rows(
            "SELECT COALESCE(confirms, trial) AS trial, COALESCE(seed_number, 1) AS seed_number,"
            " oracle_id, status, score FROM assignment JOIN trial USING (trial)"
            f" WHERE baseline IS NULL AND {HAS_ENDED} ORDER BY assignment"
        )
        return [
            StoredRun(
                row["trial"],
                row["seed_number"],
                row["oracle_id"],
                _score(row["status"], row["score"]),
            )
            for row in rows
        ]

    # Confirmations

    def confirmed_seeds(self) -> set[tuple[int, int]]:
        """Return trial and seed number of every confirmation."""
        rows = self._rows("SELECT confirms, seed_number FROM trial WHERE confirms IS NOT NULL")
        return {(row["confirms"], row["seed_number"]) for row in rows}

    # Checkpoints

    def checkpoint(self, trial: int) -> tuple[str, int] | None:
        """Return file name and epoch of the checkpoint that counts, or None."""
        rows = self._rows("SELECT file, epoch FROM checkpoint WHERE trial = ?", trial)
        return (file_name_of(rows[0]["file"]), rows[0]["epoch"]) if rows else None

    def checkpoint_files(self) -> set[str]:
        """Return the file names of all checkpoints that count."""
        rows = self._rows("SELECT file FROM checkpoint")
        return {file_name_of(row["file"]) for row in rows}

    def standings(self) -> list[Standing]:
        """Return where each trial stands, in order."""
        rows = self._rows(
            "SELECT trial, iteration, bracket, params, MIN(score) AS score, MAX(rung) AS rung,"
            f" MAX(oracle_id IS NOT NULL) AS is_searched, MAX({IS_PENDING}) AS is_pending,"
            f" MAX({IS_FAILED}) AS is_failed, file, confirms IS NOT NULL AS is_confirmation,"
            " confirms, seed_number"
            " FROM trial JOIN assignment USING (trial)"
            " LEFT JOIN checkpoint USING (trial) GROUP BY trial ORDER BY trial"
        )
        found = [Standing(**row) for row in rows]
        for one in found:
            if one.file is not None:
                file_name_of(one.file)
        return found

    def exportable(self, trial: int) -> Exportable | None:
        """Return the trial's checkpoint and score, or None if it has not trained."""
        if trial > _LARGEST:
            return None
        (row,) = self._rows(
            f"SELECT file, MAX(epoch.epoch) AS epochs, {BEST} AS score"
            " FROM epoch LEFT JOIN checkpoint USING (trial) WHERE trial = ?"
            " AND epoch.epoch <= COALESCE(checkpoint.epoch, epoch.epoch)",
            trial,
        )
        of_trial = self._rows("SELECT hyperparameters, seed FROM trial WHERE trial = ?", trial)
        if row["score"] is None or not of_trial:
            return None
        if row["file"] is not None:
            file_name_of(row["file"])
        with self._named():
            return Exportable(**_with_values({**row, **of_trial[0]}))

    # Counts and tables

    def progress(self) -> SweepProgress:
        """Return counts over the whole sweep, in a few milliseconds."""
        with self._named():
            return read_progress(self._db)

    def n_failures(self) -> int:
        """Return how many trials of the search and baselines failed."""
        with self._named():
            return count_failures(self._db)

    def lowest(self) -> tuple[int, float] | None:
        """Return the trial that reached the lowest score without failing, and that score."""
        rows = self._rows(
            f"SELECT trial, val_score FROM epoch WHERE val_score IS NOT NULL AND {IN_RANKING}"
            " ORDER BY val_score, trial LIMIT 1"
        )
        return (rows[0]["trial"], rows[0]["val_score"]) if rows else None

    def failures(self, *, of_repeats: bool = False) -> list[tuple[int, str, dict[str, Value]]]:
        """Return the failed trials, or `of_repeats`: number, error line, hyperparameters."""
        rows = self._rows(
            "SELECT trial, error, hyperparameters FROM assignment JOIN trial USING (trial)"
            f" WHERE {IS_FAILED} AND (confirms IS NOT NULL) = {of_repeats} ORDER BY assignment"
        )
        return [(r["trial"], r["error"], hyperparameters_of(r["hyperparameters"])) for r in rows]

    def losses(self) -> Losses:
        """Return the validation losses row by row; of no trial if an older version wrote the sweep.

        Raises DataError when they are damaged.
        """
        self._check_table("losses")
        rows = self._rows("SELECT trial, epoch, losses FROM losses ORDER BY trial")
        size = len(rows[0]["losses"]) if rows else 0
        unequal = any(len(row["losses"]) != size for row in rows)
        if unequal or size % _LOSS.itemsize or (rows and not size):
            raise DataError(
                f"{self.path} is damaged: table losses holds rows of unequal length or none"
            )
        values = _finite(b"".join(row["losses"] for row in rows), self.path)
        return Losses(
            trials=np.array([row["trial"] for row in rows], dtype=np.int64),
            epochs=np.array([row["epoch"] for row in rows], dtype=np.int64),
            values=values.reshape(len(rows), size // _LOSS.itemsize),
        )

    def folds(self) -> Folds:
        """Return the validation scores by fold; of no epoch if an older version wrote the sweep.

        Raises DataError when they are damaged.
        """
        self._check_table("fold")
        with self._named():
            rows = self._db.execute(
                "SELECT trial, epoch, scores FROM fold ORDER BY trial, epoch"
            ).fetchall()
        size = len(rows[0][2]) if rows else 0
        if any(len(row[2]) != size for row in rows) or (rows and not size):
            raise DataError(f"{self.path} is damaged: table fold holds rows of unequal length")
        values = _finite(b"".join(row[2] for row in rows), self.path)
        return Folds(
            trials=np.array([row[0] for row in rows], dtype=np.int64),
            epochs=np.array([row[1] for row in rows], dtype=np.int64),
            values=values.reshape(len(rows), size // _LOSS.itemsize),
        )

    def references(self) -> list[Reference]:
        """Return the reference models, in the order they were stored; empty until a sweep ends."""
        rows = self._rows(f"SELECT {', '.join(_REFERENCE)} FROM reference ORDER BY rowid")
        return [_reference(row, self.path) for row in rows]

    def openings(self) -> list[Opening]:
        """Return the ledger of the sealed test rows, the first opening first."""
        query = (
            f"SELECT {', '.join(_OPENING)}, confirms FROM opening LEFT JOIN trial USING (trial)"
            " ORDER BY opening"
        )
        return [_opening(row) for row in self._rows(query)]

    def table(self, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return column names and all rows of a table with one of `_KEYS`, in key order.

        Raises DataError for a value that its column may not hold (see `columns`).
        """
        self._check_table(name)
        columns = list(column_types(name))
        cursor = self._db.cursor()
        cursor.row_factory = None  # tuples
        with self._named():
            cursor.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY {_KEYS[name]}")
            return columns, cursor.fetchall()

    def _check_table(self, name: str) -> None:
        with self._named():
            problem = damage(self._db, name, column_types(name))
        if problem is not None:
            raise DataError(f"{self.path} is damaged: {problem}; restore it from a copy")


def _with_values(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row's columns by name, with the hyperparameters read."""
    return {**row, "hyperparameters": hyperparameters_of(row["hyperparameters"])}


def _proposal_row(row: dict[str, Any]) -> tuple[Proposal, int, float | None]:
    status, score = row["status"], row["score"]
    names = (field.name for field in fields(Proposal))
    values = _with_values(row)
    if None in (row["root_id"], row["iteration"], row["bracket"]):
        name = row["oracle_id"][:40]
        raise DataError(f"the sweep is damaged: assignment {name!r} has no bracket")
    proposal = Proposal(**{name: values[name] for name in names})
    if status is AssignmentStatus.PENDING:
        return proposal, row["wave"], None
    return proposal, row["wave"], _score(status, score)


def _score(status: AssignmentStatus, score: float | None) -> float:
    """Return the score of an assignment that has ended; infinite if it has none, or failed."""
    failed = status is AssignmentStatus.FAILED or score is None
    return float("inf") if failed or score is None else score


def _finite(losses: bytes, path: Path) -> np.ndarray:
    """Return float32 losses from their bytes. Raises DataError for half numbers, NaN or ∞."""
    if len(losses) % _LOSS.itemsize:
        raise DataError(f"{path} is damaged: a row of losses ends within a number")
    values = np.frombuffer(losses, dtype=_LOSS)
    if not np.isfinite(values).all():
        raise DataError(f"{path} is damaged: it holds validation losses that are no numbers")
    return values


def _reference(row: dict[str, Any], path: Path) -> Reference:
    error, losses = row["val_score_se"], _finite(row["losses"], path)
    values = {"losses": losses, "val_score_se": nan if error is None else error}
    return Reference(**row | values)


def _opening(row: dict[str, Any]) -> Opening:
    for name in ("score", "accuracy", "auc"):
        low, high = row.pop(f"{name}_low"), row.pop(f"{name}_high")
        value = row[name]
        if value is not None:  # SQLite keeps NaN as NULL
            row[name] = Estimate(value, *(nan if end is None else end for end in (low, high)))
    measures = row.pop("measures")
    row["measures"] = {} if measures is None else estimates(measures)
    return Opening(**row)
