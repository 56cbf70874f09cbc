"""Validation curves by decade of trainable parameters, with the onset of overfitting marked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError, magnitude, score_range
from sweep.analysis.charts.colours import BLUE, ORANGE, VERMILLION
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.ranking import is_scored

N_CURVES = 12
"""Curves in a panel: those trained longest, the best first among equals."""
_MIN_EPOCHS = 3
_MAX_PANELS = 6


@dataclass(frozen=True)
class Decade:
    """The trials with at least 10**power and fewer than 10**(power + 1) parameters."""

    power: int
    trials: pd.DataFrame
    """trial, onset_epoch, best_epoch, val_score of the trials drawn; the best first."""
    n_trials: int
    n_onset: int
    """Of all trials of the decade, those whose onset was seen."""

    @property
    def title(self) -> str:
        ends = (magnitude(10.0**power) for power in (self.power, self.power + 1))
        return f"{' to '.join(ends)} parameters"


def decades(frames: SweepFrames) -> list[Decade]:
    """Return the decades of the trials that trained at least three epochs, the smallest first.

    Beyond six the largest six. Raises TooFewDataError when no trial trained that long.
    """
    trials = frames.trials[is_scored(frames.trials) & frames.trials["params"].notna()]
    trials = trials[trials["epochs"] >= _MIN_EPOCHS]
    if trials.empty:
        raise TooFewDataError(f"no trial has trained {_MIN_EPOCHS} epochs yet")
    power = np.floor(np.log10(trials["params"].astype(float).clip(lower=1))).astype(int)
    found = []
    for number, members in trials.groupby(power):
        longest = members.sort_values(["epochs", "rank"], ascending=[False, True]).head(N_CURVES)
        columns = ["trial", "onset_epoch", "best_epoch", "val_score"]
        drawn = longest.sort_values("rank")[columns]
        onset = int(members["onset_epoch"].notna().sum())
        found.append(Decade(int(str(number)), drawn, len(members), onset))
    return found[-_MAX_PANELS:]


def draw_decades(frames: SweepFrames) -> Figure:
    """Draw `decades`, one panel each, all on the same axes."""
    found, shown = decades(frames), frames.score_words
    notes = [
        f"Up to {N_CURVES} trials in each panel, those trained longest; trials of at least "
        f"{_MIN_EPOCHS} epochs only. Onset: the epoch after which "
        f"{shown.validation} {shown.rises} for good."
    ]
    figure = style.page(frames, "Learning curves by capacity", notes)
    drawn = pd.concat([decade.trials for decade in found])
    records = frames.epochs[frames.epochs["trial"].isin(drawn["trial"])]
    by_trial = dict(iter(records.groupby("trial")))
    y = score_range(
        records[["train_score", "val_score"]].to_numpy().ravel(),
        drawn["val_score"].to_numpy(float),
        frames.no_skill,
    )
    last = int(records["epoch"].max())
    n_columns = min(len(found), 3)
    n_rows = -(-len(found) // n_columns)
    width, height = 0.92 / n_columns, 0.75 / n_rows
    for number, decade in enumerate(found):
        row, column = divmod(number, n_columns)
        bottom = 0.115 + (n_rows - 1 - row) * height
        axes = figure.add_axes((0.07 + column * width, bottom, width - 0.02, height - 0.085))
        share = f"{decade.n_onset} of {decade.n_trials} with onset"
        axes.set_title(f"{decade.title}: {share}", fontsize=9)
        style.log_axis(axes, 0.93, max(last, 2) * 1.08, ends=[last])
        style.score_axis(axes, frames, y, shown.short if column == 0 else "")
        axes.tick_params(labelleft=column == 0, labelbottom=number + n_columns >= len(found))
        if number + n_columns >= len(found):
            axes.set_xlabel("epoch (logarithmic)")
        style.no_skill_line(axes, frames.no_skill)
        _draw(axes, decade, by_trial)
    figure.legend(handles=_legend(), loc="upper left", bbox_to_anchor=(0.06, 0.915), ncols=4)
    return figure


def _draw(axes: Axes, decade: Decade, by_trial: dict[Any, pd.DataFrame]) -> None:
    for number, one in enumerate(decade.trials.to_dict("records")):
        curve = by_trial[one["trial"]].set_index("epoch")
        is_best = number == 0
        axes.plot(
            curve.index, curve["val_score"], color=BLUE, linewidth=2 if is_best else 0.8,
            alpha=1 if is_best else 0.55, zorder=4 if is_best else 2,
        )  # fmt: skip
        if is_best:
            axes.plot(
                curve.index, curve["train_score"], color=ORANGE, linewidth=1.3,
                linestyle=(0, (4, 2)), zorder=3,
            )  # fmt: skip
        if pd.notna(one["onset_epoch"]):
            onset = int(one["onset_epoch"])
            axes.plot(
                [onset], [curve["val_score"].get(onset, np.nan)], marker="v", markersize=6.5,
                color=VERMILLION, markeredgecolor="white", linestyle="", zorder=5,
            )  # fmt: skip


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=BLUE, linewidth=2, label="validation, best of the panel"),
        Line2D([], [], color=BLUE, linewidth=0.8, alpha=0.6, label="validation, others"),
        Line2D([], [], color=ORANGE, linestyle=(0, (4, 2)), label="train, best of the panel"),
        Line2D([], [], color=VERMILLION, marker="v", linestyle="", label="onset"),
    ]
