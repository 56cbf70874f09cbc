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
.sweep {font: 13px/1.45 system-ui, sans-serif; max-width: 100%}
.sweep p, .sweep .picture {max-width: min(100%, 62em)}
.sweep .wide {overflow-x: auto; max-width: 100%; margin: .6em 0}
.sweep table {font: inherit; border-collapse: collapse; margin: 0; width: auto;
  table-layout: auto; display: table}
.sweep th, .sweep td {padding: .15em .6em; text-align: right; white-space: nowrap;
  max-width: none; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent)}
.sweep th.left, .sweep td.left {text-align: left}
.sweep .picture {position: relative; isolation: isolate; background: currentColor}
.sweep .picture img {display: block; width: 100%; max-width: 100%; height: auto; margin: 0;
  mix-blend-mode: difference}
.sweep .picture::after {content: ""; position: absolute; inset: 0; mix-blend-mode: hue;
  background: var(--picture) 0 0 / 100% 100%}
.sweep p {margin: .3em 0; overflow-wrap: anywhere}
.sweep .note {opacity: .75}
@media print {.sweep .wide {overflow: visible}}
"""
"""The picture is black on white. Less the colour of the text, it is so where text is black, and
white on black where text is white: whichever theme a notebook has, and however it marks it. The
second layer gives colours back the hue that this turns."""


def to_html(frames: SweepFrames) -> str:
    """Return the sweep as one piece of HTML that needs nothing from elsewhere."""
    said = "".join(
        f"<p>{f'<b>{escape(label)}</b> ' if label else ''}{escape(line)}</p>"
        for label, line in verdict_words.lines(verdict(frames))
    )
    facts = " · ".join(
        escape(f"{label} {line}") for label, line in header(frames) if label in ("state", "trials")
    )
    name = escape(words.plain(frames.sweep.name))
    return (
        f'<div class="sweep"><style>{_STYLE}</style><strong>{name}</strong> '
        f'<span class="note">{facts}</span>{said}{_table(frames)}{_frontier(frames)}</div>'
    )


def _table(frames: SweepFrames) -> str:
    found = table.columns(frames, ROWS)
    columns = sorted(found, key=lambda column: column.is_hyperparameter)  # what is seen first
    if not columns or not columns[0].cells:
        return ""
    kinds = ["left" if column.left else "" for column in columns]
    heads = zip(kinds, (column.name for column in columns), strict=True)
    head = "".join(f'<th class="{kind}">{escape(name)}</th>' for kind, name in heads)
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "".join(f"<tr>{_cells(kinds, row)}</tr>" for row in rows)
    more = len(frames.trials) - len(columns[0].cells)
    note = f'<div class="note">{more} more in .trials</div>' if more > 0 else ""
    grid = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0">{grid}</div>{note}'


def _cells(kinds: list[str], row: tuple[str, ...]) -> str:
    cells = zip(kinds, row, strict=True)
    return "".join(f'<td class="{kind}">{escape(cell.strip())}</td>' for kind, cell in cells)


def _frontier(frames: SweepFrames) -> str:
    from sweep.analysis.charts import style
    from sweep.analysis.charts.axes import TooFewDataError
    from sweep.analysis.charts.catalogue import charts, figure_of

    try:
        with style.styled():
            picture = io.BytesIO()
            figure_of(charts()[0], frames).savefig(picture, format="png", dpi=100)
    except TooFewDataError:
        return ""
    address = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    seen = f'<img alt="score against trainable parameters" src="{address}">'
    return f'<div class="picture" style="--picture:url({address})">{seen}</div>'
