"""Parallel coordinates: the settings, size and score of each trial as one line."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import (
    TooFewDataError,
    colour_range,
    error_of_differences,
    log_ticks,
    magnitude,
    tick_label,
)
from sweep.analysis.charts.colours import BLACK
from sweep.analysis.charts.varying import varying
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.names import shown_name
from sweep.analysis.frames.ranking import is_scored

MAX_LINES = 300
_MIN_TRIALS = 5
_MAX_AXES = 8
_MAX_TICKS = 8
_USUAL = 0.95
"""Share of the trials, the best, over which the scale of the score is spread."""


@dataclass(frozen=True)
class Axis:
    """One upright axis: a place between 0 and 1 for each trial, NaN without a value."""

    name: str
    place: NDArray[np.float64]
    ticks: list[tuple[float, str]]


@dataclass(frozen=True)
class Parallel:
    """The numbers of the chart of parallel coordinates, the best trial first."""

    axes: list[Axis]
    val_score: NDArray[np.float64]
    """Of the trials that are drawn."""
    colours: tuple[float, float]
    """Ends of the colour scale of `val_score`."""
    error: float
    """Standard error of a difference from the best; NaN if unknown."""
    n_trials: int
    """Trials that have a score; beyond 300 every so many-th is drawn, and the best 30."""
    n_hidden: int
    """Hyperparameters that vary and have no axis."""


def parallel(frames: SweepFrames) -> Parallel:
    """Return each trial's place on each axis.

    Raises TooFewDataError below five trials, or if no hyperparameter varies.
    """
    trials = frames.trials[is_scored(frames.trials)]
    has_sizes = not frames.sweep.data.is_unseen
    trials = trials[trials["params"].notna()] if has_sizes else trials
    if len(trials) < _MIN_TRIALS:
        raise TooFewDataError(f"fewer than {_MIN_TRIALS} trials have a score")
    n_trials = len(trials)
    if n_trials > MAX_LINES:
        spread = np.linspace(30, n_trials - 1, MAX_LINES - 30).astype(int)
        trials = trials.iloc[np.unique(np.r_[:30, spread])]
    settings = frames.hyperparameters.loc[trials.index]
    names = list(varying(settings))
    if not names:
        raise TooFewDataError("no hyperparameter varies")
    axes = [_axis(shown_name(str(name)), settings[name]) for name in names[:_MAX_AXES]]
    if has_sizes:
        axes.append(logarithmic("params", trials["params"].to_numpy(dtype=float).clip(min=1)))
    val_score = trials["val_score"].to_numpy(dtype=float)
    axes.append(_score(val_score, frames))
    usual = val_score[val_score <= np.quantile(val_score, _USUAL)]
    error = error_of_differences(trials)
    colours = colour_range(usual, error, frames.no_skill.scale)
    return Parallel(axes, val_score, colours, error, n_trials, max(len(names) - _MAX_AXES, 0))


def _axis(name: str, values: "pd.Series[Any]") -> Axis:
    """Distinct values evenly spaced; many numbers by their size, or its logarithm."""
    known = values.dropna()
    is_number = all(isinstance(value, int | float) for value in known)
    distinct = sorted(known.unique(), key=lambda value: (isinstance(value, str), value))
    if is_number and len(distinct) > _MAX_TICKS:
        numbers = np.asarray(values.astype(float), dtype=np.float64)
        if np.nanmin(numbers) > 0 and np.nanmax(numbers) > 50 * np.nanmin(numbers):
            return logarithmic(name, numbers)
        low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
        ticks = [(share, f"{low + share * (high - low):.3g}") for share in (0, 0.25, 0.5, 0.75, 1)]
        return Axis(name, (numbers - low) / (high - low), ticks)
    last = max(len(distinct) - 1, 1)
    code = {value: number / last for number, value in enumerate(distinct)}
    place = np.array([code.get(value, np.nan) for value in values])
    labels = [words.shortened(label, 12) for label in words.settings(distinct)]
    every = -(-len(distinct) // _MAX_TICKS)
    ticks = [(code[value], label) for value, label in zip(distinct, labels, strict=True)]
    return Axis(name, place, ticks[::every])


def logarithmic(name: str, values: NDArray[np.float64]) -> Axis:
    """Return an axis of positive `values` by their logarithm; NaN stays NaN."""
    first, last = float(np.nanmin(values)), float(np.nanmax(values))
    if first == last:
        return Axis(name, values * 0, [(0.0, magnitude(first))])
    span = np.log(last / first)
    marks = log_ticks(first, last, (first, last))
    ticks = [
        (float(np.log(mark / first) / span), tick_label(mark, (first, last))) for mark in marks
    ]
    return Axis(name, np.log(values / first) / span, ticks)


def _score(val_score: NDArray[np.float64], frames: SweepFrames) -> Axis:
    """The best at the top; what is far worse than most lies at the bottom."""
    best, worst = float(val_score.min()), float(np.quantile(val_score, _USUAL))
    shown = frames.score_words
    span = max(worst - best, 1e-6 * frames.no_skill.scale)
    place = 1 - np.clip((val_score - best) / span, 0, 1)
    ticks = [(1 - share, shown.mark(best + share * span)) for share in (0, 0.25, 0.5, 0.75)]
    end = f"{'≤' if shown.is_turned else '≥'} {shown.mark(worst)}"
    return Axis(shown.val, place, [*ticks, (0.0, end)])


def draw_parallel(frames: SweepFrames) -> Figure:
    """Draw `parallel`: the better a trial, the darker and the further in front."""
    data = parallel(frames)
    places = np.column_stack([axis.place for axis in data.axes])  # (trials, axes)
    n_drawn = len(places)
    notes = [
        f"{n_drawn:,} of {words.trials(data.n_trials)}; the best tenth is drawn thick.",
        style.scale_note(data.error),
    ]
    if data.n_hidden:
        notes.append(f"Not shown: {words.counted(data.n_hidden, 'hyperparameter')}.")
    figure = style.page(frames, "Parallel coordinates", notes)
    axes = figure.add_axes((0.06, 0.1, 0.81, 0.74))
    axes.grid(False)
    axes.set_axis_off()
    axes.set_xlim(-0.2, len(data.axes) - 0.6)
    axes.set_ylim(-0.05, 1.05)
    # trials that share their settings would hide each other
    shift = np.random.default_rng(0).uniform(-0.012, 0.012, places.shape)
    shift[:, -1] = 0
    heights = places + shift
    x = np.broadcast_to(np.arange(len(data.axes), dtype=float), heights.shape)
    lines = np.stack((x, heights), axis=-1)[::-1]  # (trials, axes, x and y), the best last
    is_top = np.linspace(1, 0, n_drawn) <= 0.1
    norm = Normalize(*data.colours)
    colors = colormaps[style.CMAP](np.clip(norm(data.val_score[::-1]), 0, 0.95))
    colors[:, 3] = np.where(is_top, 0.95, 0.4)
    widths = np.where(is_top, 1.8, 0.7)
    axes.add_collection(LineCollection([*lines], colors=colors, linewidths=widths.tolist()))
    for number, axis in enumerate(data.axes):
        axes.plot([number, number], [0, 1], color=BLACK, linewidth=1)
        name = words.plain(words.shortened(axis.name, 14))
        axes.text(number, 1.06, name, ha="center", va="bottom", fontsize=9.5, fontweight="bold")
        for place, label in axis.ticks:
            axes.text(
                number + 0.04, place, label, fontsize=8, va="center", zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
            )  # fmt: skip
    is_open = bool(data.val_score.max() > data.colours[1])
    style.colour_bar(figure, frames, (0.905, 0.2, 0.012, 0.5), norm, is_open)
    return figure
