"""The report on a terminal: the facts, the ranked table, the verdict, at any width."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from sweep.analysis.answers.verdict import verdict
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.analysis.report import other_seeds, table, verdict_words
from sweep.analysis.report.header import header
from sweep.analysis.report.layout import Terminal, fold

_LABEL_WIDTH = 11
_STYLES = {
    TrialStatus.CUT.value: "dim",
    TrialStatus.WAITING.value: "dim",
    TrialStatus.PENDING.value: "dim",
    TrialStatus.FAILED.value: "red",
}


@dataclass(frozen=True)
class Report:
    """The report as `rich` prints it: header, table, repeats, conclusions, verdict."""

    header: list[tuple[str, str]]
    """Label and text of each line."""
    table: Terminal
    confirmed: Terminal | None
    """The table of repeats, if any trial was repeated."""
    tutorial: list[tuple[str, str]]
    """The tutorial's conclusions, when its models were trained under several seeds."""
    verdict: list[tuple[str, str]]
    """Label and text of each line under the table."""

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        yield from _labelled(self.header, options.max_width)
        yield Segment.line()
        yield self.table
        yield Segment.line()
        if self.confirmed is not None:
            yield Segment(other_seeds.TITLE)
            yield Segment.line()
            yield self.confirmed
            yield Segment.line()
        if self.tutorial:
            yield from _labelled(self.tutorial, options.max_width)
            yield Segment.line()
        yield from _labelled(self.verdict, options.max_width)


def _labelled(lines: list[tuple[str, str]], width: int) -> Iterator[Segment]:
    for label, line in lines:
        for part in fold(line.split(" "), max(width - _LABEL_WIDTH - 1, 20)):
            yield Segment(f"{label:<{_LABEL_WIDTH}} {part}")
            yield Segment.line()
            label = ""


def report(frames: SweepFrames, top: int | None = None) -> Report:
    """Return the report with the best `top` trials in its table, with all by default."""
    found = verdict(frames)
    conclusions = verdict_words.conclusions(found)
    return Report(
        header(frames),
        render_table(frames, top),
        _render_confirmed(frames),
        [("" if number else "tutorial", line) for number, line in enumerate(conclusions)],
        verdict_words.lines(found),
    )


def _render_confirmed(frames: SweepFrames) -> Terminal | None:
    if frames.confirmed.empty:
        return None
    styles = ["" if name is None else "bold" for name in frames.confirmed["baseline"]]
    return Terminal(other_seeds.columns(frames), styles, other_seeds.notes(frames))


def render_table(frames: SweepFrames, top: int | None = None) -> Terminal:
    """Return the ranked table with its notes, for a rich console of any width."""
    trials = frames.trials.iloc[:top]
    styles = [
        "bold" if baseline is not None and status not in _STYLES else _STYLES.get(status, "")
        for baseline, status in zip(trials["baseline"], trials["status"], strict=True)
    ]
    return Terminal(table.columns(frames, top), styles, table.notes(frames, top))
