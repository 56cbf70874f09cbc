"""Reads a sweep's database. May be done while another process writes it."""

import sqlite3
from math import nan
from pathlib import Path
from typing import Self

import numpy as np

from sweep.errors import DataError
from sweep.records import Assignment, Estimate, Json, OutcomeStatus, Proposal, Value
from sweep.store.connection import explained, open_database
from sweep.store.rows import (
    Exportable,
    Losses,
    Opening,
    Progress,
    Reference,
    Standing,
    SweepRow,
    file_name_of,
    hyperparameters_of,
)
from sweep.store.schema import column_types

_LOSS = np.dtype("<f4")
_CONFIRMATIONS = "(SELECT trial FROM trial WHERE confirms IS NOT NULL)"


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
        """Closes. Raises what SQLite raised inside as a SweepError of one line."""
        self.close()
        if isinstance(error, sqlite3.Error):
            raise explained(error, self.path) from error

    def problems(self) -> list[str]:
        """What is damaged in the database itself; empty when it is sound. Reads all of it."""
        found = [row[0] for row in self._db.execute("PRAGMA integrity_check")]
        orphans = self._db.execute("PRAGMA foreign_key_check").fetchall()
        found += [f"a row of {table} belongs to no {parent}" for table, _, parent, _ in orphans]
        return [line for line in found if line != "ok"]

    # The sweep

    def sweep(self) -> SweepRow:
        """The sweep's description. Raises DataError when it is not what a sweep writes."""
        row = self._db.execute("SELECT * FROM sweep").fetchone()
        try:
            return SweepRow.from_columns(dict(row))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise DataError(f"{self.path} holds no sweep, or a damaged one ({error})") from error

    # Waves

    def n_trials(self) -> int:
        """Trials of the search and baselines."""
        (count,) = self._db.execute("SELECT COUNT(*) FROM trial WHERE confirms IS NULL").fetchone()
        return int(count)

    def first_searched(self, limit: int) -> set[int]:
        """The first so many trials of the search."""
        rows = self._db.execute(
            "SELECT trial FROM trial WHERE baseline IS NULL AND confirms IS NULL"
            " ORDER BY trial LIMIT ?",
            (limit,),
        )
        return {row["trial"] for row in rows}

    def beside_search_below(self, max_epochs: int) -> list[tuple[int, int]]:
        """Baselines and confirmations planned to fewer epochs than these, and to how many.

        Not those that failed, nor confirmations that early stopping ended: they are done.
        """
        rows = self._db.execute(
            "SELECT trial, MAX(last_epoch) AS reached FROM assignment JOIN trial USING (trial)"
            " WHERE baseline IS NOT NULL OR confirms IS NOT NULL GROUP BY trial"
            " HAVING reached < ? AND NOT MAX(status = 'failed')"
            " AND NOT (confirms IS NOT NULL AND MAX(status = 'stopped')) ORDER BY trial",
            (max_epochs,),
        )
        return [(row["trial"], row["reached"]) for row in rows]

    def first_wave_size(self) -> int:
        (count,) = self._db.execute("SELECT COUNT(*) FROM assignment WHERE wave = 0").fetchone()
        return int(count)

    def last_assignment(self) -> int:
        """The highest number of an assignment; 0 when there is none."""
        (last,) = self._db.execute("SELECT COALESCE(MAX(assignment), 0) FROM assignment").fetchone()
        return int(last)

    def pending(self) -> list[Assignment]:
        """The assignments still to do, in order."""
        return self._assignments("status = 'pending'")

    def stored_after(self, number: int) -> list[Assignment]:
        """The assignments with higher numbers than this one, in order."""
        return self._assignments("assignment > ?", number)

    def ended(self) -> list[Assignment]:
        """The assignments that have ended, however, in order."""
        return self._assignments("status != 'pending'")

    def _assignments(self, condition: str, *values: int) -> list[Assignment]:
        rows = self._db.execute(
            "SELECT assignment, trial, rung, first_epoch, last_epoch, hyperparameters, seed,"
            " baseline, iteration, bracket, oracle_id, confirms, seed_number"
            " FROM assignment JOIN trial USING (trial)"
            f" WHERE {condition} ORDER BY assignment",
            values,
        )
        return [Assignment(**_with_values(row)) for row in rows]

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

    # Confirmations

    def confirmed_seeds(self) -> set[tuple[int, int]]:
        """Every confirmation there is: which trial, and under which seed number."""
        rows = self._db.execute(
            "SELECT confirms, seed_number FROM trial WHERE confirms IS NOT NULL"
        )
        return {(row["confirms"], row["seed_number"]) for row in rows}

    # Checkpoints

    def checkpoint(self, trial: int) -> tuple[str, int] | None:
        """File name and epoch of the checkpoint that counts, or None."""
        row = self._db.execute(
            "SELECT file, epoch FROM checkpoint WHERE trial = ?", (trial,)
        ).fetchone()
        return None if row is None else (file_name_of(row["file"]), row["epoch"])

    def checkpoint_files(self) -> set[str]:
        """File names of all checkpoints that count."""
        rows = self._db.execute("SELECT file FROM checkpoint")
        return {file_name_of(row["file"]) for row in rows}

    def standings(self) -> list[Standing]:
        """Where each trial stands, in order."""
        rows = self._db.execute(
            "SELECT trial, iteration, bracket, params, MIN(score) AS score, MAX(rung) AS rung,"
            " MAX(oracle_id IS NOT NULL) AS is_searched, MAX(status = 'pending') AS is_pending,"
            " MAX(status = 'failed') AS is_failed, file, confirms IS NOT NULL AS is_confirmation,"
            " MAX(status = 'stopped') AS is_stopped FROM trial JOIN assignment USING (trial)"
            " LEFT JOIN checkpoint USING (trial) GROUP BY trial ORDER BY trial"
        )
        found = [Standing(**dict(row)) for row in rows]
        for one in found:
            if one.file is not None:
                file_name_of(one.file)
        return found

    def exportable(self, trial: int) -> Exportable | None:
        """The trial's checkpoint and score, or None when it has not trained."""
        row = self._db.execute(
            "SELECT file, MAX(epoch.epoch) AS epochs, hyperparameters, seed,"
            " MIN(val_bce) AS score FROM trial JOIN epoch USING (trial)"
            " LEFT JOIN checkpoint USING (trial) WHERE trial = ?"
            " AND epoch.epoch <= COALESCE(checkpoint.epoch, epoch.epoch)",
            (trial,),
        ).fetchone()
        if row is None or row["score"] is None:
            return None
        if row["file"] is not None:
            file_name_of(row["file"])
        return Exportable(
            **{**dict(row), "hyperparameters": hyperparameters_of(row["hyperparameters"])}
        )

    # Counts and tables

    def progress(self) -> Progress:
        """Counts over the whole sweep, in a few milliseconds."""
        one = self._db.execute
        total, done, left_out, confirmations, confirmed, confirmations_left_out = one(
            "SELECT SUM(own), SUM(own * done), SUM(own * done * spared), SUM(1 - own),"
            " SUM((1 - own) * done), SUM((1 - own) * done * spared) FROM (SELECT status !="
            " 'pending' AS done, last_epoch - first_epoch - epochs AS spared, confirms IS NULL"
            " AS own FROM assignment JOIN trial USING (trial))"
        ).fetchone()
        (all_epochs,) = one("SELECT COUNT(*) FROM epoch").fetchone()
        (confirmation_epochs,) = one(
            f"SELECT COUNT(*) FROM epoch WHERE trial IN {_CONFIRMATIONS}"
        ).fetchone()
        best = one(
            "SELECT trial, score FROM assignment WHERE score IS NOT NULL AND trial NOT IN"
            " (SELECT trial FROM assignment WHERE status = 'failed') AND trial NOT IN"
            f" {_CONFIRMATIONS} ORDER BY score, trial LIMIT 1"
        ).fetchone()
        return Progress(
            assignments=total or 0,
            assignments_done=done or 0,
            epochs_done=all_epochs - confirmation_epochs,
            epochs_left_out=left_out or 0,
            trials=self.n_trials(),
            trials_failed=self.n_failures(),
            best_score=None if best is None else best["score"],
            best_trial=None if best is None else best["trial"],
            confirmations=confirmations or 0,
            confirmations_done=confirmed or 0,
            confirmation_epochs=confirmation_epochs,
            confirmation_epochs_left_out=confirmations_left_out or 0,
        )

    def n_failures(self) -> int:
        """Trials of the search and baselines that failed."""
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM assignment WHERE status = 'failed'"
            f" AND trial NOT IN {_CONFIRMATIONS}"
        ).fetchone()
        return int(count)

    def lowest(self) -> tuple[int, float] | None:
        """The trial with the lowest validation BCE in any epoch, and that; not one that failed."""
        row = self._db.execute(
            "SELECT trial, val_bce FROM epoch WHERE val_bce IS NOT NULL AND trial NOT IN"
            f" (SELECT trial FROM assignment WHERE status = 'failed') AND trial NOT IN"
            f" {_CONFIRMATIONS} ORDER BY val_bce, trial LIMIT 1"
        ).fetchone()
        return None if row is None else (row["trial"], row["val_bce"])

    def failures(self) -> list[tuple[int, str, dict[str, Value]]]:
        """Failed trials: number, error line, hyperparameters."""
        rows = self._db.execute(
            "SELECT trial, error, hyperparameters FROM assignment JOIN trial USING (trial)"
            " WHERE status = 'failed' ORDER BY assignment"
        )
        return [(r["trial"], r["error"], hyperparameters_of(r["hyperparameters"])) for r in rows]

    def losses(self) -> Losses:
        """Per-example validation losses; no trials when an older version wrote the sweep.

        Raises DataError when they are damaged.
        """
        rows = self._db.execute("SELECT trial, epoch, losses FROM losses ORDER BY trial").fetchall()
        size = len(rows[0]["losses"]) if rows else 0
        unequal = any(len(row["losses"]) != size for row in rows)
        if unequal or size % _LOSS.itemsize or (rows and not size):
            raise DataError(
                f"{self.path} is damaged: table losses holds rows of unequal length or none"
            )
        values = np.frombuffer(b"".join(row["losses"] for row in rows), dtype=_LOSS)
        return Losses(
            trials=np.array([row["trial"] for row in rows], dtype=np.int64),
            epochs=np.array([row["epoch"] for row in rows], dtype=np.int64),
            values=values.reshape(len(rows), size // _LOSS.itemsize),
        )

    def references(self) -> list[Reference]:
        """The reference models, in the order they were stored; empty until a sweep ends."""
        rows = self._db.execute("SELECT * FROM reference ORDER BY rowid").fetchall()
        return [_reference(dict(row)) for row in rows]

    def openings(self) -> list[Opening]:
        """The ledger of the sealed test rows, the first opening first."""
        rows = self._db.execute("SELECT * FROM opening ORDER BY opening")
        return [_opening(dict(row)) for row in rows]

    def table(self, name: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """Column names and all rows of `trial`, `assignment` or `epoch`, in key order.

        Raises DataError when a value is of another type than its column: SQLite would allow it.
        """
        kinds = " OR ".join(
            f"typeof({column}) NOT IN ({allowed})"
            for column, allowed in column_types()[name].items()
        )
        if self._db.execute(f"SELECT 1 FROM {name} WHERE {kinds} LIMIT 1").fetchone():
            raise DataError(f"{self.path} is damaged: table {name} holds values of a wrong type")
        key = {"trial": "trial", "assignment": "assignment", "epoch": "trial, epoch"}[name]
        cursor = self._db.cursor()
        cursor.row_factory = None  # tuples
        cursor.execute(f"SELECT * FROM {name} ORDER BY {key}")
        return [column[0] for column in cursor.description], cursor.fetchall()


def _with_values(row: sqlite3.Row) -> Json:
    """The row's columns by name, with the hyperparameters read."""
    return {**dict(row), "hyperparameters": hyperparameters_of(row["hyperparameters"])}


def _proposal_row(row: Json) -> tuple[Proposal, int, float | None]:
    wave, status, score = row.pop("wave"), row.pop("status"), row.pop("score")
    row["hyperparameters"] = hyperparameters_of(row["hyperparameters"])
    if status == "pending":
        return Proposal(**row), wave, None
    failed = status == OutcomeStatus.FAILED or score is None
    return Proposal(**row), wave, float("inf") if failed else score


def _reference(row: Json) -> Reference:
    error = row["val_bce_se"]
    losses = np.frombuffer(row["losses"], dtype=_LOSS)
    return Reference(**row | {"losses": losses, "val_bce_se": nan if error is None else error})


def _opening(row: Json) -> Opening:
    for name in ("bce", "accuracy", "auc"):
        low, high = row.pop(f"{name}_low"), row.pop(f"{name}_high")
        value = row[name]
        if value is not None:  # SQLite keeps NaN as NULL
            row[name] = Estimate(value, *(nan if end is None else end for end in (low, high)))
    return Opening(**row)
