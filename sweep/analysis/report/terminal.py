"""The report of a sweep in each of its forms: terminal, JSON, CSV, Markdown.

Files carry full precision; the table and Markdown round.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from sweep import words as text
from sweep.analysis.answers import tutorial
from sweep.analysis.answers.verdict import verdict
from sweep.analysis.files import atomically
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.other_seeds import bias
from sweep.analysis.frames.status import TrialStatus
from sweep.analysis.report import ledger, other_seeds, table, verdict_words
from sweep.analysis.report.layout import Terminal, fold
from sweep.data.split_record import SplitRecord
from sweep.errors import PlatformError
from sweep.records import Json, SweepState

SCHEMA = "sweep.report/1"
_LABEL_WIDTH = 11
_STYLES = {
    TrialStatus.CUT.value: "dim",
    TrialStatus.WAITING.value: "dim",
    TrialStatus.PENDING.value: "dim",
    TrialStatus.FAILED.value: "red",
}
_ENDED = (TrialStatus.FINISHED, TrialStatus.STOPPED, TrialStatus.FAILED)
_COUNTED = tuple(TrialStatus)
_FORMULA = ("=", "+", "-", "@")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~$])")


@dataclass(frozen=True)
class Report:
    """Header and table. `rich` prints it."""

    header: list[tuple[str, str]]
    """Label and text of each line."""
    table: Terminal
    confirmed: Terminal | None
    """The trials that were trained with other seeds, if any."""
    tutorial: list[tuple[str, str]]
    """The tutorial's conclusions, when its models were trained under several seeds."""
    verdict: list[tuple[str, str]]
    """Likewise, under the table."""

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
    """Header, ranked table of the best `top` trials, of all by default, and the verdict."""
    return Report(
        header(frames),
        render_table(frames, top),
        _render_confirmed(frames),
        _conclusions(frames),
        verdict_words.lines(verdict(frames)),
    )


def _render_confirmed(frames: SweepFrames) -> Terminal | None:
    if frames.confirmed.empty:
        return None
    styles = ["" if name is None else "bold" for name in frames.confirmed["baseline"]]
    return Terminal(other_seeds.columns(frames), styles, other_seeds.notes(frames))


def _conclusions(frames: SweepFrames) -> list[tuple[str, str]]:
    found = [f"{one.line}." for one in tutorial.conclusions(frames)]
    return [("" if number else "tutorial", line) for number, line in enumerate(found)]


def render_table(frames: SweepFrames, top: int | None = None) -> Terminal:
    """The ranked table with its notes, for a rich console of any width."""
    trials = frames.trials.iloc[:top]
    styles = [
        "bold" if baseline is not None and status not in _STYLES else _STYLES.get(status, "")
        for baseline, status in zip(trials["baseline"], trials["status"], strict=True)
    ]
    return Terminal(table.columns(frames, top), styles, table.notes(frames, top))


def header(frames: SweepFrames) -> list[tuple[str, str]]:
    """What the numbers are of: sweep, data, split, seed, state, what was done and what was not."""
    sweep, trials = frames.sweep, frames.trials
    done = progress(frames)
    state = sweep.state if sweep.message is None else f"{sweep.state}: {sweep.message}"
    lines = [
        ("sweep", sweep.name),
        ("space", sweep.space.name),
        ("data", sweep.data.source),
        ("split", _split(sweep.data)),
        ("seed", str(sweep.settings.seed)),
        ("state", state),
        ("trials", f"{done['trials_begun']:,} of {_number(done['trials_planned'])}{_ends(trials)}"),
        ("epochs", f"{done['epochs']:,} of at most {_number(done['epochs_planned'])}"),
    ]
    if len(frames.confirmations):
        n_ended = int(frames.confirmations["status"].isin(_ENDED).sum())
        of = f"{n_ended:,} of {text.counted(len(frames.confirmations), 'run')}"
        lines.append(("other seeds", f"{of} that confirm {text.trials(_confirmed(frames))}"))
    if sweep.state is SweepState.BUDGET and done["left_out"]:
        left = done["left_out"]
        epochs = text.counted(left["epochs"], "epoch")
        lines.append(("left out", f"{text.trials(left['trials'])}, {epochs}"))
    n_failed, n_search = done["failed"], int(trials["baseline"].isna().sum())
    if n_failed:
        error, count = Counter(trials["error"].dropna()).most_common(1)[0]
        share = "all" if count == n_failed else f"{count:,} of them"
        lines.append(("failed", f"{text.trials(n_failed)}, {share} with: {error}"))
    if len(trials) > n_search:
        names = trials.loc[trials["baseline"].notna()].sort_values("trial")["baseline"]
        lines.append(("baselines", ", ".join(names)))
    return [(label, text.plain(line)) for label, line in lines]


def _confirmed(frames: SweepFrames) -> int:
    return int(frames.confirmations["confirms"].nunique())


def progress(frames: SweepFrames) -> dict[str, Any]:
    """Trials and epochs done and planned, and trials by status."""
    plan, counts = frames.sweep.plan, Counter(frames.trials["status"])
    begun, epochs = len(frames.trials) - counts[TrialStatus.PENDING], len(frames.epochs)
    trials_planned, epochs_planned = plan.all_trials, plan.all_epochs
    left_out = None
    if frames.sweep.state is not SweepState.FINISHED and trials_planned is not None:
        left_out = {"trials": trials_planned - begun, "epochs": (epochs_planned or 0) - epochs}
    return {
        "trials": len(frames.trials),
        "trials_begun": begun,
        "trials_planned": trials_planned,
        "epochs": epochs,
        "epochs_planned": epochs_planned,
        "left_out": left_out,
        **{status: counts[status] for status in _COUNTED},
    }


def _number(value: int | None) -> str:
    return "an unknown number" if value is None else f"{value:,}"


def _ends(trials: pd.DataFrame) -> str:
    """ ": 2 finished, 23 stopped early, 123 cut"."""
    words = {TrialStatus.STOPPED: "stopped early", TrialStatus.CUT: "cut by Hyperband"}
    counts = Counter(trials["status"])
    found = [f"{counts[status]:,} {words.get(status, status)}" for status in _COUNTED]
    found = [line for line, status in zip(found, _COUNTED, strict=True) if counts[status]]
    return f": {', '.join(found)}" if found else ""


def _split(data: SplitRecord) -> str:
    ranges = {} if data.row_ranges is None else data.row_ranges.to_json()
    parts = [f"{text.rows(*ranges[part])} {part}" for part in ranges]
    return f"rows {', '.join(parts)}" if parts else "unknown"


def to_json(frames: SweepFrames, top: int | None = None) -> str:
    """The report for programs: schema `sweep.report/1`, full precision, null for what is missing.

    Later versions of the same schema only add keys.
    """
    sweep = frames.sweep
    described = {
        "name": sweep.name,
        "identity": sweep.identity,
        "state": sweep.state,
        "message": sweep.message,
        "created_at": sweep.created_at,
        "active_seconds": sweep.active_seconds,
        "progress": progress(frames),
        "settings": sweep.settings.to_json(),
        "space": sweep.space.to_json(),
        "data": sweep.data.to_json(),
        "plan": sweep.plan.to_json(),
        "versions": sweep.versions,
    }
    trials = _records(frames.trials.iloc[:top])
    lines = ",\n".join(json_line(trial) for trial in trials)
    average = bias(frames.confirmed)
    parts = {
        "schema": json_line(SCHEMA),
        "sweep": json_line(described),
        "verdict": json_line(verdict(frames).to_json()),
        "trials": f"[\n{lines}\n]",
        "confirmed": json_line(_records(frames.confirmed)),
        "references": json_line(
            [
                {"name": r.name, "val_bce": r.val_bce, "val_bce_se": r.val_bce_se}
                for r in frames.references
            ]
        ),
        "tutorial": json_line(tutorial.to_json(tutorial.conclusions(frames))),
        "bias": json_line(None if average is None else asdict(average)),
        "test": json_line(ledger.to_json(frames.openings)),
    }
    members = ",\n".join(f'"{name}": {part}' for name, part in parts.items())
    return f"{{{members}}}"


def json_schema() -> str:
    """The JSON Schema (2020-12) of what `to_json` gives."""
    return Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")


def write_verdict(frames: SweepFrames, path: Path) -> None:
    """The verdict as JSON (schema `sweep.verdict/1`), whole or not at all.

    Raises PlatformError when it cannot be written.
    """
    content = json.dumps(_finite(verdict(frames).to_json()), indent=2, allow_nan=False) + "\n"
    try:
        atomically(path, lambda file: Path(file).write_text(content))
    except OSError as error:
        raise PlatformError(f"cannot write {path}: {error.strerror}") from error


def json_line(value: Any) -> str:
    """On one line: faster than indented, and files with a line per trial compare well."""
    return json.dumps(_finite(value), allow_nan=False)


def _records(frame: pd.DataFrame) -> list[Json]:
    """A dict per row, quicker than pandas' own."""
    names = list(frame.columns)
    cells = [_cells(frame[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def _cells(column: "pd.Series[Any]") -> list[Any]:
    """The column's values as Python's own, None for what is missing."""
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def _finite(value: Any) -> Any:
    """`value` with None for every number that JSON has no name for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def to_csv(frames: SweepFrames, top: int | None = None) -> str:
    """One line per trial, full precision, a column per hyperparameter.

    A hyperparameter that is called like a column of the report is prefixed `hyperparameter.`.
    """
    trials = frames.trials.drop(columns="hyperparameters")
    settings = frames.hyperparameters.rename(
        columns={
            name: _no_formula(f"hyperparameter.{name}" if name in frames.trials else name)
            for name in frames.hyperparameter_names
        }
    )
    place = list(trials.columns).index("params")
    parts = [trials.iloc[:, :place], settings, trials.iloc[:, place:]]
    return _plain_strings(pd.concat(parts, axis=1).iloc[:top].copy()).to_csv(
        index=False, lineterminator="\n"
    )


def _plain_strings(frame: pd.DataFrame) -> pd.DataFrame:
    for name in frame.select_dtypes(object):
        frame[name] = [_no_formula(v) if isinstance(v, str) else v for v in frame[name]]
    return frame


def _no_formula(line: str) -> str:
    """`line` so that a spreadsheet or terminal that shows the file takes it for text."""
    line = text.plain(line)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line


def to_markdown(frames: SweepFrames, top: int | None = None) -> str:
    """The report as GitHub Markdown, rounded as in the terminal."""
    lines = [f"# Sweep {_escaped(text.plain(frames.sweep.name))}", ""]
    lines += [f"- {label}: {_escaped(line)}" for label, line in header(frames)[1:]]
    lines += _markdown_table(table.columns(frames, top), table.notes(frames, top))
    if not frames.confirmed.empty:
        lines += [f"## {other_seeds.TITLE}"]
        lines += _markdown_table(other_seeds.columns(frames), other_seeds.notes(frames))
        lines += [f"- {_escaped(line)}" for _, line in _conclusions(frames)]
        lines.append("")
    for label, line in verdict_words.lines(verdict(frames)):
        lines.append(f"**{label}**: {_escaped(line)}  " if label else f"{_escaped(line)}  ")
    return "\n".join(lines).rstrip() + "\n"


def _markdown_table(columns: list[table.Column], notes: list[str]) -> list[str]:
    cells = [[_escaped(cell.strip()) for cell in column.cells] for column in columns]
    return [
        "",
        _pipes([_escaped(column.name) for column in columns]),
        _pipes([":---" if column.left else "---:" for column in columns]),
        *(_pipes(row) for row in zip(*cells, strict=True)),
        "",
        *(f"{_escaped(note)}  " for note in notes),
        "",
    ]


def _pipes(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(line: str) -> str:
    return _MARKDOWN.sub(r"\\\1", line)
