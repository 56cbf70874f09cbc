"""Is a sweep what it says it is? Its database, its records against its plan, its checkpoints."""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sweep.doctor.finding import Finding, damaged, ok, warning
from sweep.errors import DataError, SweepError
from sweep.records import AssignmentStatus, SweepState
from sweep.store import Store, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.training.checkpoint import read_checkpoint
from sweep.words import counted

_RESTORE = "restore the sweep from a copy, or start it anew under another name"
_SHOWN = 3
_SAME = 1e-5
"""Relative: a mean of float32 losses against the BCE in double precision."""

Row = dict[str, Any]


def check_sweep(folder: SweepFolder) -> list[Finding]:
    """Check all of the sweep in `folder`. Damage is a finding, never an exception."""
    subject = f"sweep {folder.name}"
    try:
        with Store(folder.database, read_only=True) as store:
            problems = store.problems()
            if problems:
                return [_summary(f"{subject}: database", problems, "")]
            return [
                ok(f"{subject}: database", f"{folder.database} is sound"),
                *_check_contents(folder, store),
            ]
    except SweepError as error:
        return [damaged(f"{subject}: database", str(error), _RESTORE)]


def _check_contents(folder: SweepFolder, store: Store) -> Iterator[Finding]:
    subject, sweep = f"sweep {folder.name}", store.sweep()
    epochs, assignments = _by_trial(store, "epoch"), _by_trial(store, "assignment")
    n_epochs = sum(map(len, epochs.values()))
    found = [*_of_epochs(epochs), *_of_losses(store, epochs)]
    yield _summary(f"{subject}: records", found, f"{counted(n_epochs, 'epoch record')}, each once")
    found = [
        *_of_assignments(assignments, epochs),
        *_of_plan(sweep, assignments, _by_trial(store, "trial")),
    ]
    n = sum(map(len, assignments.values()))
    yield _summary(
        f"{subject}: assignments", found, f"{counted(n, 'assignment')}, as planned and scored"
    )
    if folder.holder() is not None:
        text = "not checked: they change while the sweep runs"
        yield warning(f"{subject}: checkpoints", text, f"after: sweep stop {folder.address}")
        return
    found = list(_of_checkpoints(folder, store, sweep.identity, epochs, assignments))
    n = len(store.checkpoint_files())
    yield _summary(
        f"{subject}: checkpoints", found, f"{counted(n, 'checkpoint')}, each of its trial"
    )


def _summary(subject: str, problems: list[str], well: str) -> Finding:
    if not problems:
        return ok(subject, well)
    more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
    return damaged(subject, "; ".join(problems[:_SHOWN]) + more, _RESTORE)


def _by_trial(store: Store, table: str) -> dict[int, list[Row]]:
    columns, rows = store.table(table)
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        one: Row = dict(zip(columns, row, strict=True))
        found[one["trial"]].append(one)
    return found


def _of_epochs(epochs: dict[int, list[Row]]) -> Iterator[str]:
    for trial, rows in epochs.items():
        numbers = [row["epoch"] for row in rows]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"trial {trial} has epochs {_ranges(numbers)}, expected 1 to {len(numbers)}"


def _of_losses(store: Store, epochs: dict[int, list[Row]]) -> Iterator[str]:
    losses = store.losses()
    for trial, epoch, values in zip(losses.trials, losses.epochs, losses.values, strict=True):
        mean = values.mean(dtype=float)
        recorded = next((r["val_score"] for r in epochs[int(trial)] if r["epoch"] == epoch), None)
        if recorded is None or not math.isclose(mean, recorded, rel_tol=_SAME):
            yield (
                f"trial {trial}'s validation losses have mean {mean:.6f}, "
                f"epoch {epoch} has {recorded}"
            )


def _of_assignments(
    assignments: dict[int, list[Row]], epochs: dict[int, list[Row]]
) -> Iterator[str]:
    for trial, rows in assignments.items():
        first, trained = 0, 0
        for row in rows:
            number = f"assignment {row['assignment']} of trial {trial}"
            if row["first_epoch"] != first:
                yield f"{number} begins after epoch {row['first_epoch']}, expected {first}"
            first, trained = row["last_epoch"], trained + row["epochs"]
            if row["status"] in (AssignmentStatus.COMPLETED, AssignmentStatus.STOPPED):
                until = [r["val_score"] for r in epochs[trial] if r["epoch"] <= trained]
                scores = [one for one in until if one is not None]
                least = min(scores, default=None)
                if row["score"] != least:
                    yield f"{number} has score {row['score']}, its records have {least}"
        if len(epochs[trial]) != trained and not _pending(rows):
            yield f"trial {trial} has {len(epochs[trial])} epoch records, it trained {trained}"


def _of_plan(
    sweep: SweepRow, assignments: dict[int, list[Row]], trials: dict[int, list[Row]]
) -> Iterator[str]:
    """Check the assignments of the search and the baselines; confirmations are in no plan."""
    assignments = {
        number: rows for number, rows in assignments.items() if not _confirms(trials[number])
    }
    total = sum(map(len, assignments.values()))
    planned = sweep.plan.all_assignments
    complete = sweep.state is SweepState.FINISHED and not any(map(_failed, assignments.values()))
    if total > planned or (complete and total != planned):  # who failed is not promoted
        yield f"there are {counted(total, 'assignment')} instead of {planned:,} as planned"
    pending = any(map(_pending, assignments.values()))
    if sweep.state is SweepState.FINISHED and pending:
        yield "the sweep is finished, but has assignments to do"


def _of_checkpoints(
    folder: SweepFolder,
    store: Store,
    identity: str,
    epochs: dict[int, list[Row]],
    assignments: dict[int, list[Row]],
) -> Iterator[str]:
    for trial, rows in assignments.items():
        found = store.checkpoint(trial)
        if found is None:
            if epochs[trial] and _pending(rows):
                yield f"trial {trial} has trained and must go on, but has no checkpoint"
            continue
        name, epoch = found
        try:
            state = read_checkpoint(folder.checkpoints / name, f"{identity}/{trial}")
        except DataError as error:
            yield str(error)
            continue
        if not state.epoch == epoch == len(epochs[trial]) and not _failed(rows):
            yield (
                f"checkpoint {name} is of epoch {state.epoch}, its row says {epoch}, "
                f"the trial has {len(epochs[trial])} epoch records"
            )


def _confirms(rows: list[Row]) -> bool:
    return any(row["confirms"] is not None for row in rows)


def _pending(rows: list[Row]) -> bool:
    return any(row["status"] == AssignmentStatus.PENDING for row in rows)


def _failed(rows: list[Row]) -> bool:
    """A trial that failed keeps the checkpoint from before."""
    return any(row["status"] == AssignmentStatus.FAILED for row in rows)


def _ranges(numbers: list[int]) -> str:
    text = ", ".join(map(str, numbers[:8]))
    return f"{text}, …" if len(numbers) > 8 else text
