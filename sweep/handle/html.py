"""A sweep as HTML for a notebook: the verdict, the best trials, the frontier. Light and dark."""

import base64
import io
from html import escape

from sweep import words
from sweep.analysis.answers.verdict import verdict
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.report import table, verdict_words
from sweep.analysis.report.header import header

ROWS = 10
"""Trials in the table: the best."""
_STYLE = """
.sweep {font: 13px/1.45 system-ui, sans-serif}
.sweep dl, .sweep img {max-width: min(100%, 62em)}
.sweep table {font: inherit; border-collapse: collapse; margin: .6em 0; display: block;
  overflow-x: auto}
.sweep th, .sweep td {padding: .15em .6em; text-align: right; white-space: nowrap;
  border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent)}
.sweep th.left, .sweep td.left {text-align: left}
.sweep img {background: #fff; border-radius: 4px}
.sweep dt {font-weight: 600} .sweep dd {margin: 0 0 .3em 0}
.sweep .note {opacity: .75}
"""


def to_html(frames: SweepFrames) -> str:
    """Return the sweep as one piece of HTML that needs nothing from elsewhere."""
    said = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(line)}</dd>"
        for label, line in verdict_words.lines(verdict(frames))
    )
    facts = " · ".join(
        escape(f"{label} {line}") for label, line in header(frames) if label in ("state", "trials")
    )
    name = escape(words.plain(frames.sweep.name))
    return (
        f'<div class="sweep"><style>{_STYLE}</style><strong>{name}</strong> '
        f'<span class="note">{facts}</span><dl>{said}</dl>{_table(frames)}{_frontier(frames)}</div>'
    )


def _table(frames: SweepFrames) -> str:
    columns = table.columns(frames, ROWS)
    if not columns or not columns[0].cells:
        return ""
    kinds = ["left" if column.left else "" for column in columns]
    heads = zip(kinds, (column.name for column in columns), strict=True)
    head = "".join(f'<th class="{kind}">{escape(name)}</th>' for kind, name in heads)
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "".join(f"<tr>{_cells(kinds, row)}</tr>" for row in rows)
    more = len(frames.trials) - len(columns[0].cells)
    note = f'<div class="note">{more} more in .trials</div>' if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def _cells(kinds: list[str], row: tuple[str, ...]) -> str:
    cells = zip(kinds, row, strict=True)
    return "".join(f'<td class="{kind}">{escape(cell.strip())}</td>' for kind, cell in cells)


def _frontier(frames: SweepFrames) -> str:
    from sweep.analysis.charts import style
    from sweep.analysis.charts.axes import TooFewDataError
    from sweep.analysis.charts.frontier_drawing import draw_frontier

    try:
        with style.styled():
            picture = io.BytesIO()
            draw_frontier(frames).savefig(picture, format="png", dpi=100)
    except TooFewDataError:
        return ""
    data = base64.b64encode(picture.getvalue()).decode()
    return f'<img alt="score against trainable parameters" src="data:image/png;base64,{data}">'
