"""The report as text for files: CSV at full precision, Markdown rounded as on a terminal."""

import re
from collections.abc import Iterable

import pandas as pd

from sweep import words as text
from sweep.analysis.answers.regularisers import kinds_of
from sweep.analysis.answers.verdict import verdict
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.names import metric_names
from sweep.analysis.report import other_seeds, table, verdict_words
from sweep.analysis.report.header import header
from sweep.analysis.report.table import Column

_PREFIX = "hyperparameter."
_FORMULA = ("=", "+", "-", "@")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~$])")


def to_csv(frames: SweepFrames, top: int | None = None) -> str:
    """Return the report as CSV: a line per trial, full precision, a column per hyperparameter.

    A hyperparameter that is called like another column is prefixed `hyperparameter.`.
    """
    trials = frames.trials.drop(columns=["hyperparameters", "regularisation", "metrics"])
    trials.insert(list(trials.columns).index("params") + 1, "regularised_by", kinds_of(frames))
    settings = frames.hyperparameters.rename(
        columns={
            name: _no_formula(f"{_PREFIX}{name}" if _is_taken(name, frames) else name)
            for name in frames.hyperparameter_names
        }
    )
    place = list(trials.columns).index("params")
    parts = [trials.iloc[:, :place], settings, trials.iloc[:, place:], _metrics(frames)]
    return _plain_strings(pd.concat(parts, axis=1).iloc[:top].copy()).to_csv(
        index=False, lineterminator="\n"
    )


def _metrics(frames: SweepFrames) -> pd.DataFrame:
    """A column `metric.NAME` for each of the models' own metrics."""
    names = metric_names(frames)
    columns = {
        _no_formula(f"metric.{name}"): [one.get(name) for one in frames.trials["metrics"]]
        for name in names
    }
    return pd.DataFrame(columns, index=frames.trials.index, dtype=float)


def _is_taken(name: str, frames: SweepFrames) -> bool:
    """Return whether `name`, or what follows prefixes in it, is a column of the trials."""
    while name.startswith(_PREFIX):
        name = name.removeprefix(_PREFIX)
    return name in frames.trials


def _plain_strings(frame: pd.DataFrame) -> pd.DataFrame:
    for name in frame.select_dtypes(object):
        frame[name] = [_no_formula(v) if isinstance(v, str) else v for v in frame[name]]
    return frame.copy()  # in one piece: thousands of columns are written column by column else


def _no_formula(line: str) -> str:
    """`line` so that a spreadsheet or terminal that shows the file takes it for text."""
    line = text.plain(line)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line


def to_markdown(frames: SweepFrames, top: int | None = None) -> str:
    """Return the report as GitHub Markdown, rounded as in the terminal."""
    found = verdict(frames)
    lines = [f"# Sweep {_escaped(text.plain(frames.sweep.name))}", ""]
    lines += [f"- {label}: {_escaped(line)}" for label, line in header(frames)[1:]]
    lines += _markdown_table(table.columns(frames, top), table.notes(frames, top))
    if not frames.confirmed.empty:
        lines += [f"## {other_seeds.TITLE}"]
        lines += _markdown_table(other_seeds.columns(frames), other_seeds.notes(frames))
        lines += [f"- {_escaped(line)}" for line in verdict_words.conclusions(found)]
        lines.append("")
    for label, line in verdict_words.lines(found):
        lines.append(f"**{label}**: {_escaped(line)}  " if label else f"{_escaped(line)}  ")
    return "\n".join(lines).rstrip() + "\n"


def _markdown_table(columns: list[Column], notes: list[str]) -> list[str]:
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


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(line: str) -> str:
    return _MARKDOWN.sub(r"\\\1", line)
