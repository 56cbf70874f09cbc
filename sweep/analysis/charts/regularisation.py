"""Heat maps of the validation score by regulariser and capacity."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.answers.regularisers import strengths
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import (
    TooFewDataError,
    colour_range,
    error_of_differences,
    magnitude,
)
from sweep.analysis.charts.colours import BLACK
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.names import shown_name
from sweep.analysis.frames.ranking import is_scored
from sweep.tasks.score_words import ScoreWords

ENOUGH = 3
"""Trials that a cell needs; one with fewer is hatched."""
_MAX_MAPS = 3
_MAX_ROWS = 6
_MOST_WORDS = 12
"""Rows of values that are no numbers: the commonest."""
_MIN_TRIALS = 12
_MANY = 120


@dataclass(frozen=True)
class HeatMap:
    """The cells of one regulariser, (values, capacities); the mildest value first."""

    name: str
    values: list[str]
    sizes: list[str]
    median: NDArray[np.float64]
    """Median validation score of a cell's trials, NaN where there are none."""
    count: NDArray[np.int64]


def heat_maps(frames: SweepFrames) -> list[HeatMap]:
    """Return a heat map for each regulariser that varies, three at most.

    Raises TooFewDataError without such a hyperparameter or below twelve trials of the search.
    """
    trials = frames.trials
    chosen = is_scored(trials) & trials["params"].notna() & trials["baseline"].isna()
    if chosen.sum() < _MIN_TRIALS:
        raise TooFewDataError(f"fewer than {_MIN_TRIALS} searched trials have a score")
    settings = strengths(frames)[chosen]
    names = list(islice((n for n in settings if settings[n].nunique() > 1), _MAX_MAPS))
    if not names:
        raise TooFewDataError("no regulariser varies")
    params = trials.loc[chosen, "params"].astype(float).clip(lower=1)
    scores = trials.loc[chosen, "val_score"].astype(float)
    sizes, column = _capacities(params)
    return [_map(str(name), settings[name], scores, sizes, column) for name in names]


def _capacities(params: "pd.Series[float]") -> tuple[list[str], NDArray[np.intp]]:
    """Decades, halved where there are many trials: names, and each trial's place."""
    parts = 2 if len(params) >= _MANY else 1
    step = np.floor(parts * np.log10(params.to_numpy())).astype(int)
    places, column = np.unique(step, return_inverse=True)
    ends = [[f"{10 ** (end / parts):.1g}" for end in (place, place + 1)] for place in places]
    names = ["–".join(magnitude(float(end)) for end in pair) for pair in ends]
    return names, column


def _map(
    name: str,
    settings: "pd.Series[Any]",
    scores: "pd.Series[float]",
    sizes: list[str],
    column: NDArray[np.intp],
) -> HeatMap:
    values, row = _rows(settings)
    median = np.full((len(values), len(sizes)), np.nan)
    count = np.zeros(median.shape, dtype=np.int64)
    frame = pd.DataFrame({"row": row, "column": column, "score": scores.to_numpy()})
    for i, j in np.ndindex(median.shape):
        group = frame.loc[(frame["row"] == i) & (frame["column"] == j), "score"]
        median[i, j], count[i, j] = group.median(), len(group)
    return HeatMap(name, values, sizes, median, count)


def _rows(settings: "pd.Series[Any]") -> tuple[list[str], NDArray[np.intp]]:
    """Names of the map's rows and each trial's row, -1 without a value.

    Many different numbers become bins of equal numbers of trials.
    """
    known = settings.dropna()
    if known.nunique() > _MAX_ROWS and all(isinstance(value, int | float) for value in known):
        bins = pd.qcut(settings.astype(float), _MAX_ROWS, duplicates="drop")
        names = [f"{one.left:.2g} to {one.right:.2g}" for one in bins.cat.categories]
        return names, np.asarray(bins.cat.codes, dtype=np.intp)
    most = known.value_counts().index[:_MOST_WORDS]  # of a text with very many values
    values = sorted(most, key=lambda value: (isinstance(value, str), value))
    code = {value: place for place, value in enumerate(values)}
    row = np.array([code.get(value, -1) for value in settings], dtype=np.intp)
    return words.settings(values), row


def draw_heat(frames: SweepFrames) -> Figure:
    """Draw `heat_maps`, a panel each; the darker, the better."""
    maps = heat_maps(frames)
    error = error_of_differences(frames.trials[is_scored(frames.trials)])
    notes = [
        "Median over searched trials, however long they were trained; n: number of trials. "
        f"Hatched: fewer than {ENOUGH} trials.",
        style.scale_note(error),
    ]
    if any(len(one.values) == _MOST_WORDS for one in maps):
        notes.append(f"At most {_MOST_WORDS} values, the commonest.")
    shown = frames.score_words
    figure = style.page(frames, f"Regularisation by capacity: median {shown.validation}", notes)
    every = np.concatenate([one.median[one.count >= ENOUGH] for one in maps])
    if len(every) == 0:
        raise TooFewDataError(f"no cell of the heat maps holds {ENOUGH} trials")
    scale = frames.no_skill.scale
    highest = frames.no_skill.validation + 0.02 * scale
    norm = Normalize(*colour_range(np.minimum(every, highest), error, scale))
    width = 0.85 / len(maps)
    for number, one in enumerate(maps):
        axes = figure.add_axes((0.09 + number * width, 0.21, width - 0.085, 0.64))
        _draw(axes, one, norm, shown, 8.5 if len(maps) < 3 else 6.5)
    style.colour_bar(figure, frames, (0.905, 0.21, 0.012, 0.64), norm, every.max() > norm.vmax)
    return figure


def _draw(axes: Axes, one: HeatMap, norm: Normalize, shown: ScoreWords, size: float) -> None:
    axes.grid(False)
    filled = np.where(one.count >= ENOUGH, one.median, np.nan)
    axes.imshow(filled, cmap=style.CMAP, norm=norm, aspect="auto", origin="lower")
    for (row, column), n_trials in np.ndenumerate(one.count):
        value = float(one.median[row, column])
        is_enough = n_trials >= ENOUGH
        if not is_enough:
            axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5), 1, 1, facecolor="white", edgecolor="#c4c4c4",
                    hatch="////", linewidth=0,
                )
            )  # fmt: skip
        if n_trials:
            is_dark = is_enough and norm(value) < 0.5
            axes.text(
                column, row, f"{shown.mark(value)}\nn {n_trials}", ha="center", va="center",
                fontsize=size, color="white" if is_dark else BLACK,
                bbox=None if is_enough else {"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
    axes.set_title(words.shortened(shown_name(one.name), 24))
    axes.set_xticks(range(len(one.sizes)), one.sizes, rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(len(one.values)), one.values, fontsize=8)
    axes.set_xlabel("trainable parameters")
