"""The frontier chart's marks for what is known besides the trials, and the legend of all marks."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.frontier import FrontierData
from sweep.metrics import NO_SKILL_WORDS

_DASHES = ((0, (6, 2)), (0, (6, 2, 1, 2)), (0, (6, 2, 1, 2, 1, 2)))
"""Of the references' lines, in turn."""
_SIMPLEST: dict[str, Any] = {
    "marker": "o",
    "facecolors": "none",
    "edgecolors": style.VERMILLION,
    "linewidths": 2,
}


def areas(epochs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of a trial's marker: by the logarithm of the epochs it trained."""
    found: NDArray[np.float64] = 10 + 12 * np.log(np.maximum(epochs, 1))
    return found


def draw_evidence(axes: Axes, data: FrontierData) -> None:
    """References as lines, means over seeds with their 95 % intervals, the simplest good trial.

    The band is the interval of the confirmed trial with the lowest mean up to each capacity.
    """
    for (_, value), dash in zip(data.references, _dashes(data), strict=True):
        axes.axhline(value, color=style.PURPLE, linewidth=1.2, linestyle=dash, zorder=1)
    band, means = data.band, data.confirmed
    if len(band):
        params = np.r_[band["params"], data.x[1]]
        low, high = (
            np.r_[band[name], band[name].iloc[-1]] for name in ("val_bce_low", "val_bce_high")
        )
        axes.fill_between(
            params, low, high, step="post", color=style.GREEN, alpha=0.18, linewidth=0, zorder=1.5
        )
        ends = means[["val_bce_low", "val_bce_high"]].to_numpy()
        middle = means["val_bce"].to_numpy()
        axes.errorbar(
            means["x"], middle, yerr=np.abs(ends.T - middle), fmt="s", markersize=4,
            color=style.GREEN, elinewidth=1.1, capsize=2, zorder=6.5,
        )  # fmt: skip
    axes.scatter(data.simplest["params"], data.simplest["val_bce"], s=210, zorder=5.5, **_SIMPLEST)


def _dashes(data: FrontierData) -> list[tuple[int, tuple[int, ...]]]:
    return [_DASHES[number % len(_DASHES)] for number in range(len(data.references))]


def legend(data: FrontierData) -> list[Line2D]:
    """What the marks mean that are on the chart."""
    longest = float(data.points["epochs"].max())
    handles = [_point("validation BCE", longest)]
    if not data.is_crowded:
        handles.append(_point("train BCE, same weights", longest, marker="v", color=style.ORANGE))
    handles += [
        _line("frontier: lowest\nvalidation BCE", style.BLACK, "-", 1.8),
        _line("train BCE of the frontier", style.ORANGE, (0, (4, 2))),
        _line(NO_SKILL_WORDS, style.BLACK, (0, (1, 2))),
    ]
    for (name, value), dash in zip(data.references, _dashes(data), strict=True):
        handles.append(
            _line(f"{words.shortened(words.plain(name), 24)}: {value:.3f}", style.PURPLE, dash, 1.2)
        )
    if data.points["baseline"].notna().any():
        handles.append(
            _point("baseline", 15, marker="D", color=style.BLACK, markerfacecolor="white")
        )
    if len(data.confirmed):
        mean = "mean over other seeds,\n95 % interval; shaded:\nof the best up to there"
        handles.append(_point(mean, 1, marker="s", color=style.GREEN, linestyle="-"))
    if len(data.simplest):
        label = "simplest within one\nstandard error of the best"
        handles.append(
            _point(label, 40, color=style.VERMILLION, markerfacecolor="none", markeredgewidth=2)
        )
    if data.points["is_cut"].any():
        handles.append(_point("hollow: cut, or still\nin the search", 9, markerfacecolor="none"))
    if not data.is_crowded:
        for n in sorted({1.0, float(np.round(np.sqrt(longest))), longest}):
            label = f"{words.counted(int(n), 'epoch')} trained"
            handles.append(_point(label, n, color=style.GREY))
    return handles


def _point(label: str, epochs: float, **look: Any) -> Line2D:
    size = float(np.sqrt(areas(np.array([epochs]))[0]))
    usual: dict[str, Any] = {"linestyle": "", "marker": "o", "color": style.BLUE}
    return Line2D([], [], label=label, markersize=size, **(usual | look))


def _line(label: str, color: str, dash: Any, width: float = 1) -> Line2D:
    return Line2D([], [], color=color, linewidth=width, linestyle=dash, label=label)
