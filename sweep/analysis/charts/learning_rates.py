"""The learning-rate schedules that trials really followed, each distinct one once."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.colours import MARKERS, SERIES
from sweep.analysis.charts.varying import MOST
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.names import shown_name

_CONSIDERED = 500
"""Best trials whose schedules are compared: enough to meet every schedule of a search."""
_SAME = 1e-6
"""Relative difference below which two rates are one: schedules are computed in float32."""


@dataclass(frozen=True)
class Schedule:
    """A schedule of learning rates, from the record of the trial that followed it longest."""

    epoch: NDArray[np.integer]
    rate: NDArray[np.floating]
    trials: list[int]
    label: str


def schedules(frames: SweepFrames) -> list[Schedule]:
    """Return the distinct schedules, the one with the most trials first.

    Two trials share one when their rates agree for as long as both trained.
    """
    chosen = frames.trials[frames.trials["epochs"] > 0].head(_CONSIDERED)
    longest_first = chosen.sort_values(["epochs", "trial"], ascending=[False, True])
    records = frames.epochs[frames.epochs["trial"].isin(chosen["trial"])]
    by_trial = dict(iter(records.groupby("trial")))
    found: list[tuple[NDArray[np.integer], NDArray[np.floating], list[int]]] = []
    for trial in longest_first["trial"]:
        rate = by_trial[trial]["learning_rate"].to_numpy()
        for _, other, members in found:
            if np.allclose(other[: len(rate)], rate, rtol=_SAME, atol=0, equal_nan=True):
                members.append(int(trial))
                break
        else:
            found.append((by_trial[trial]["epoch"].to_numpy(), rate, [int(trial)]))
    found.sort(key=lambda one: -len(one[2]))
    labels = _labels(frames, [members for _, _, members in found])
    return [Schedule(*one, label) for one, label in zip(found, labels, strict=True)]


def _labels(frames: SweepFrames, groups: list[list[int]]) -> list[str]:
    """`decay_steps = 2,000` where a hyperparameter tells the groups apart, else the trials."""
    settings = frames.hyperparameters.iloc[:, :MOST].set_index(frames.trials["trial"])
    telling = islice((name for name in settings if _tells_apart(settings[name], groups)), 2)
    shown = {
        name: words.settings([settings[name][members[0]] for members in groups]) for name in telling
    }
    labels = []
    for number, members in enumerate(groups):
        count = words.trials(len(members)) if len(members) > 1 else f"trial {members[0]}"
        values = [f"{shown_name(str(name))} = {shown[name][number]}" for name in shown]
        labels.append(words.shortened(", ".join([*values, count]), 44))
    return labels


def _tells_apart(values: "pd.Series[Any]", groups: list[list[int]]) -> bool:
    """Whether each group has one value and no two groups have the same."""
    found = [{values[trial] for trial in members} for members in groups]
    return (
        len(groups) > 1
        and all(len(one) == 1 for one in found)
        and len(set.union(*found)) == len(groups)
    )


def draw_rates(frames: SweepFrames) -> Figure:
    """Draw `schedules`: the seven with the most trials coloured, the others grey."""
    found = schedules(frames)
    named, others = _from_the_top(found[: len(SERIES)]), found[len(SERIES) :]
    notes = [f"In grey: {words.counted(len(others), 'more schedule')}."] if others else []
    figure = style.page(frames, "Learning-rate schedules", notes)
    axes = figure.add_axes((0.12, 0.125, 0.57, 0.765))
    finite = np.concatenate([one.rate for one in found] or [np.array([])])
    finite = finite[np.isfinite(finite) & (finite > 0)]
    if len(finite) == 0:
        style.say_nothing(axes)
        return figure
    last = max(int(one.epoch[-1]) for one in found)
    style.log_axis(axes, 0.93, max(last, 2) * 1.08, ends=[last])
    rates = (finite.min(), finite.max())
    style.log_axis(axes, rates[0] / 1.3, rates[1] * 1.3, "y", ends=rates)
    axes.set_xlabel("epoch (logarithmic)")
    axes.set_ylabel("learning rate after the epoch's last step (logarithmic)")
    for one in others:
        axes.plot(one.epoch, one.rate, color="#cccccc", linewidth=0.8, zorder=1, rasterized=True)
    handles = []
    for one, color, marker in zip(named, SERIES, MARKERS, strict=False):
        marked = [0, *_spread(len(one.epoch))]
        axes.plot(
            one.epoch, one.rate, color=color, linewidth=1.6, marker=marker, markersize=5,
            markevery=marked,
        )  # fmt: skip
        handles.append(Line2D([], [], color=color, marker=marker, label=one.label))
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.7, 0.895))
    return figure


def _from_the_top(found: list[Schedule]) -> list[Schedule]:
    """The highest rate first, at the last epoch that all have: the legend's order is the lines'."""
    last = min((len(one.rate) for one in found), default=0) - 1
    return sorted(found, key=lambda one: -one.rate[last])


def _spread(n_epochs: int) -> list[int]:
    """Positions of markers that lie evenly on a logarithmic axis."""
    return sorted({min(3**power, n_epochs) - 1 for power in range(1, 12)})
