"""Curves of trials, and the frontier of one sweep or of several, as SVG."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from sweep import words
from sweep.analysis.charts.frontier import frontier_data
from sweep.analysis.frames.load import SweepFrames
from sweep.serve.pages.svg import chart
from sweep.store import Reader
from sweep.store.pages import epochs_of
from sweep.tasks.score_words import ScoreWords

MOST_CURVES = 10
_MOST_POINTS = 2000
_MOST_DOTS = 800
_COLOURS = 8
_TRAIN_SHOWN = 3
"""Trials up to which the scores in training are drawn too."""


def shown_trials(reader: Reader) -> list[int]:
    """Return the trials whose curves are shown: those that train, then the best."""
    running = reader.rows(
        "SELECT DISTINCT trial FROM assignment WHERE status = 'pending'"
        " AND trial IN (SELECT trial FROM epoch) ORDER BY trial LIMIT ?",
        MOST_CURVES // 2,
    )
    best = reader.rows(
        "SELECT trial, MIN(score) AS score FROM assignment WHERE score IS NOT NULL"
        " GROUP BY trial ORDER BY score, trial LIMIT ?",
        MOST_CURVES,
    )
    found = dict.fromkeys(row["trial"] for row in (*running, *best))
    return list(found)[:MOST_CURVES]


def curves(name: str, reader: Reader, trials: Sequence[int], shown: ScoreWords) -> Markup | None:
    """Return the validation scores of trials by epoch, solid, and training's, dashed."""
    rows = {trial: epochs_of(reader, trial, 0, _MOST_POINTS) for trial in trials}
    rows = {trial: found for trial, found in rows.items() if found}
    if not rows:
        return None
    every = [one for found in rows.values() for one in found]
    shown_keys = ("val_score", "train_score")[: 1 if len(rows) > _TRAIN_SHOWN else 2]
    scores = [one[key] for one in every for key in shown_keys]
    axes = chart(
        f"Curves of sweep {name}, trials {', '.join(map(str, rows))}",
        [float(one["epoch"]) for one in every],
        [
            shown.shown(value)
            for value in _typical([v for v in scores if v is not None and math.isfinite(v)])
        ],
        ("epoch", shown.with_unit(shown.validation)),
    )
    for place, (trial, found) in enumerate(rows.items()):
        colour = f" c{place % _COLOURS}" if place % _COLOURS else ""
        kinds = {"train_score": "line train", "val_score": "line"}
        if len(rows) > _TRAIN_SHOWN:
            del kinds["train_score"]
        for key, kind in kinds.items():
            points = [
                (float(one["epoch"]), shown.shown(one[key]))
                for one in found
                if one[key] is not None
            ]
            axes.line(points, kind + colour)
        last = found[-1]
        if last["val_score"] is not None and math.isfinite(last["val_score"]):
            axes.name(last["epoch"], shown.shown(last["val_score"]), f"{trial}", colour.strip())
    return axes.markup()


def _typical(values: list[float]) -> list[float]:
    """Return values without the highest few, which would press all others together."""
    if len(values) < 20:
        return values
    return sorted(values)[: math.ceil(0.97 * len(values))]


def frontier(sweeps: Sequence[SweepFrames]) -> Markup | None:
    """Return the lowest score at each capacity, for one sweep with its trials, or for several."""
    data = [(one.sweep.name, frontier_data(one)) for one in sweeps]
    data = [(name, one) for name, one in data if not one.points.empty]
    if not data:
        return None
    x = [float(value) for _, one in data for value in one.points["params"]]
    shown = data[0][1].shown
    y = [shown.shown(float(value)) for _, one in data for value in one.y]
    axes = chart(
        f"Frontier of {', '.join(name for name, _ in data)}: the best score at each capacity",
        x,
        y,
        ("trainable parameters (logarithmic)", shown.with_unit(shown.validation)),
        is_log=True,
    )
    if len(data) == 1:
        for name, score in data[0][1].references:
            axes.level(shown.shown(score), name)
    for place, (name, one) in enumerate(data):
        colour = f" c{place % _COLOURS}" if place % _COLOURS else ""
        steps = [
            (float(row["params"]), shown.shown(float(row["val_score"])))
            for row in one.steps.to_dict("records")
        ]
        axes.line(_stairs(steps, max(x)), "line" + colour)
        trained = one.points.set_index("trial")["train_score"]
        train = [
            (float(row["params"]), shown.shown(float(trained[row["trial"]])))
            for row in one.steps.to_dict("records")
            if row["trial"] in trained.index
        ]
        axes.line(_stairs(train, max(x)), "line train" + colour)
        if steps and len(data) > 1:
            axes.name(max(x), steps[-1][1], words.cut(name)[:8], colour.strip())
        points = one.points.tail(_MOST_DOTS)
        for row in points.to_dict("records"):
            text = f"{name} trial {row['trial']}: {shown.score(row['val_score'])}"
            text += f", {words.parameters(row['params'])}"
            kind = "dot cut" if row["is_cut"] else "dot"
            href = f"/sweeps/{name}/trials/{row['trial']}"
            axes.dot(row["params"], shown.shown(row["val_score"]), text, kind + colour, href)
    return axes.markup()


def _stairs(steps: list[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for x, y in steps:
        if found:
            found.append((x, found[-1][1]))
        found.append((x, y))
    return [*found, (end, found[-1][1])] if found else []
