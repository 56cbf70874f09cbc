"""Shows a sweep at work: a live ladder on a terminal, a line per event elsewhere."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus, PlanRecord, is_one_rung
from sweep.runner.look import time_left
from sweep.store import SweepProgress
from sweep.tasks.score_words import BCE, ScoreWords
from sweep.words import counted, duration, plain

_FEWEST_EPOCHS = 20
_FEWEST_SECONDS = 60.0
"""The time left is shown after either: before, programs are compiled and epochs have no rate."""
PREPARING = "preparing: reading models, compiling programs"
_CONFIRMATION = -1
"""In place of a bracket: a trial that confirms another."""
_Rung = tuple[int | None, int | None, int, int]


class Tally:
    """Counts of a running sweep against its plan, with the best trial so far."""

    def __init__(
        self,
        plan: PlanRecord | None,
        progress: SweepProgress,
        max_epochs: int,
        shown: ScoreWords = BCE,
    ) -> None:
        """`plan` is the search's, None when only confirmations are trained; `shown`, how scores are
        shown to people.
        """
        self.shown = shown
        self.confirmations = max(plan.confirmations if plan else 0, progress.confirmations)
        self.assignments = self.confirmations
        self.epochs = self.confirmations * max_epochs - progress.confirmation_epochs_left_out
        self.assignments_done = progress.confirmations_done
        self.epochs_done = progress.confirmation_epochs
        if plan:
            self.assignments += plan.all_assignments
            self.epochs += (plan.all_epochs or 0) - progress.epochs_left_out
            self.assignments_done += progress.assignments_done
            self.epochs_done += progress.epochs_done
        self.best: tuple[float, str] | None = None
        self._epochs_at: list[float] = []

    def epoch(self) -> None:
        self.epochs_done += 1
        self._epochs_at.append(time.monotonic())

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        self.assignments_done += 1
        self.epochs -= max(0, assignment.last_epoch - assignment.first_epoch - outcome.epochs)
        counts = outcome.status is not OutcomeStatus.FAILED and assignment.confirms is None
        if score is not None and counts and (self.best is None or score < self.best[0]):
            self.best = (score, label(assignment))

    @property
    def is_preparing(self) -> bool:
        """Whether this process has not trained an epoch yet."""
        return not self._epochs_at

    def eta(self) -> str:
        """Return `ETA 3 min`, at the rate of the latter half of this process's epochs.

        Before a rate can be told, what the process is at.
        """
        ended, now = self._epochs_at, time.monotonic()
        if self.is_preparing:
            return PREPARING
        if len(ended) < _FEWEST_EPOCHS and now - ended[0] < _FEWEST_SECONDS:
            return "ETA not known yet"
        middle = (len(ended) - 1) // 2
        since, epochs = now - ended[middle], max(1, len(ended) - 1 - middle)
        left = time_left(since, epochs, self.epochs - self.epochs_done)
        return f"ETA {duration(left.seconds)}"

    def best_text(self) -> str:
        if self.best is None:
            return "none yet"
        return f"{self.shown.score(self.best[0])} (trial {self.best[1]})"


def label(assignment: Assignment) -> str:
    """`12`, `3 Large` for a baseline, `40 (12, seed 2)` for a confirmation of 12."""
    if assignment.confirms is not None:
        return f"{assignment.trial} ({assignment.confirms}, seed {assignment.seed_number})"
    name = f" {assignment.baseline}" if assignment.baseline else ""
    return f"{assignment.trial}{plain(name)}"


class PlainProgress:
    """A line per event, for logs."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self.console, self.tally = console, tally

    def __enter__(self) -> "PlainProgress":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def wave(self, assignments: Sequence[Assignment]) -> None:
        preparing = f"; {PREPARING}" if self.tally.is_preparing else ""
        n_epochs = sum(a.last_epoch - a.first_epoch for a in assignments)
        self.console.print(
            f"{counted(len(assignments), 'assignment')} to train, "
            f"at most {counted(n_epochs, 'epoch')}{preparing}",
            soft_wrap=True,
        )

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.tally.epoch()

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        self.tally.finished(assignment, outcome, score)
        tally = self.tally
        self.console.print(
            f"[{tally.assignments_done}/{tally.assignments}] trial {label(assignment)}: "
            f"{describe(assignment, outcome, score, tally.shown)} · best {tally.best_text()} · "
            f"{tally.eta()}",
            soft_wrap=True,
        )


class LiveProgress:
    """The bracket/rung ladder, a bar of epochs and the best trial, redrawn in place."""

    def __init__(self, console: Console, tally: Tally, plan: PlanRecord | None) -> None:
        self.console, self.tally = console, tally
        self._planned: dict[_Rung, tuple[int, int]] = {
            (rung.iteration, rung.bracket, rung.rung, rung.last_epoch): (
                rung.trials,
                rung.last_epoch,
            )
            for rung in (plan.rungs if plan else ())
        }
        self._has_rungs = not is_one_rung(plan.rungs if plan else ())
        self._baselines = plan.baselines if plan else 0
        self._done: Counter[_Rung] = Counter()
        self._failed = 0
        self._now = PREPARING
        self._bar = Progress(
            TextColumn("epochs"), BarColumn(), TextColumn("{task.completed}/{task.total}")
        )
        self._task = self._bar.add_task("epochs", total=tally.epochs, completed=tally.epochs_done)
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> "LiveProgress":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._now = ""
        self._live.stop()

    def restore(self, done: Counter[_Rung], failed: int) -> None:
        """Count what had ended before this process began."""
        self._done, self._failed = done, failed

    def wave(self, assignments: Sequence[Assignment]) -> None:
        self._now = f"{PREPARING} ({counted(len(assignments), 'assignment')} to train)"

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.tally.epoch()
        self._now = (
            f"trial {label(assignment)} epoch {record.epoch}/{assignment.last_epoch}: "
            f"{self.tally.shown.val} {self.tally.shown.score(record.val_score)}"
        )

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        self.tally.finished(assignment, outcome, score)
        self._failed += outcome.status is OutcomeStatus.FAILED
        self._done[rung_key(assignment)] += 1

    def _render(self) -> Group:
        tally = self.tally
        self._bar.update(self._task, total=tally.epochs, completed=tally.epochs_done)
        failed = f" · {self._failed} failed" if self._failed else ""
        line = (
            f"{tally.assignments_done}/{counted(tally.assignments, 'assignment')}{failed} · "
            f"{tally.eta()} · best {tally.shown.val} {tally.best_text()}"
        )
        return Group(self._ladder(), self._bar, Text(line), Text(self._now, style="dim"))

    def _ladder(self) -> Table:
        rows: dict[tuple[int | None, int | None], list[str]] = {}
        for key, (trials, last) in self._planned.items():
            cell = f"{self._done[key]}/{trials} to epoch {last}"
            rows.setdefault(key[:2], []).append(cell)
        if self._has_rungs:
            table = self._rungs(rows)
        else:
            table = Table("", "", box=None, padding=(0, 2), show_header=False)
            for cells in rows.values():
                table.add_row("trials", *cells)
        if self._baselines:
            done = sum(count for key, count in self._done.items() if key[1] is None)
            table.add_row("baselines", f"{done}/{self._baselines} in full")
        if self.tally.confirmations:
            done = sum(count for key, count in self._done.items() if key[1] == _CONFIRMATION)
            table.add_row("other seeds", f"{done}/{self.tally.confirmations} in full")
        return table

    def _rungs(self, rows: Mapping[tuple[int | None, int | None], Sequence[str]]) -> Table:
        table = Table(title="brackets and rungs", title_justify="left", box=None, padding=(0, 2))
        n_rungs = max((len(cells) for cells in rows.values()), default=1)
        table.add_column("")
        for rung in range(n_rungs):
            table.add_column(f"rung {rung}", justify="right")
        several = len({key[0] for key in rows}) > 1
        for (iteration, bracket), cells in rows.items():
            prefix = f"iteration {iteration} " if several else ""
            table.add_row(f"{prefix}bracket {bracket}", *cells)
        return table


def rung_key(assignment: Assignment) -> _Rung:
    bracket = assignment.bracket if assignment.confirms is None else _CONFIRMATION
    return (assignment.iteration, bracket, assignment.rung, assignment.last_epoch)


def describe(
    assignment: Assignment, outcome: Outcome, score: float | None, shown: ScoreWords
) -> str:
    """Return what became of an assignment, in a few words."""
    if outcome.status is OutcomeStatus.FAILED:
        return f"failed: {plain(outcome.error or '')}"
    value = "no score" if score is None else f"{shown.val} {shown.score(score)}"
    if outcome.status is OutcomeStatus.STOPPED:
        stopped = (
            f"stopped early after {counted(outcome.epochs, 'epoch')}"
            if outcome.epochs
            else "had already stopped early; nothing trained"
        )
        return f"{value}, {stopped}"
    return f"{value} at epoch {assignment.last_epoch}"
